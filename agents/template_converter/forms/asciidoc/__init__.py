"""AsciiDoc as Antora sites use it, read into CommonMark that still knows which source line every line came from.

`preprocess` resolves includes, conditionals and attributes; `parser` builds blocks; `writer` writes CommonMark.
Why none of this goes through pandoc is told in docs/decisions/asciidoc-through-pandoc.md.
"""
