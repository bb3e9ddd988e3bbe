"""AsciiDoc read into CommonMark that still knows which source line every line came from.

`preprocess` resolves includes, conditionals and attributes; `parser` builds blocks; `writer` writes CommonMark; `alone` does
all of it for one document. Why none of this goes through pandoc is told in docs/decisions/asciidoc-through-pandoc.md.
"""
