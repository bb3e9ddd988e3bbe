"""From a page's tree to CommonMark lines, each with the file and line that it comes from."""

import re
from dataclasses import dataclass, field
from html import escape as html_escape
from typing import Any

from docutils import nodes

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.sphinx import references
from agents.template_converter.forms.sphinx.code import language_of
from agents.template_converter.forms.sphinx.elements import (
    Code,
    Headed,
    Labelled,
    Language,
    Listing,
    Raw,
    Reading,
    exact,
    text_lines,
)
from agents.template_converter.forms.sphinx.inline import InlineWriter
from agents.template_converter.forms.sphinx.tables import write_table
from shared_services.asciidoc import escape

_ADMONITION_NAMES = {"seealso": "See also"}
_ASIDE_LABEL = re.compile(r" {0,3}> \*\*(?:solution|answer|hint)", re.IGNORECASE)
_ASIDES = ("solution", "answer", "hint")
_SILENT = (nodes.comment, nodes.substitution_definition, nodes.pending, nodes.title, nodes.meta, nodes.decoration, nodes.target)
_NO_QUOTE = (
    Code, Labelled, Headed, Raw, Language, Listing, nodes.literal_block, nodes.bullet_list, nodes.enumerated_list, nodes.image,
    nodes.definition_list, nodes.Admonition, nodes.comment, nodes.target, nodes.table, nodes.doctest_block,
    nodes.substitution_definition,
)  # fmt: skip


@dataclass
class Writer:
    """Writes one page.

    Attributes:
        markdown: Turns Markdown that a page draws in into the lines that a step holds.
    """

    reading: Reading
    markdown: Any = None
    level: int = 0
    language: str = ""
    place: tuple[str, int] = ("", 1)
    inline: InlineWriter = field(init=False)

    def __post_init__(self) -> None:
        self.inline = InlineWriter()
        self.place = (self.reading.page, 1)
        self.language = self.reading.language

    def page(self, document: nodes.document) -> list[Line]:
        """The lines of a page."""
        return self.blocks(document.children)

    def blocks(self, children: Any) -> list[Line]:
        """Blocks with a blank line between them."""
        out: list[Line] = []
        for node in children:
            written = self._block(node)
            if written and out and not out[-1].blank:
                out.append(written[0].made(""))
            out += written
        return out

    def _block(self, node: Any) -> list[Line]:
        anchors = self._anchors(node)
        self._move(node)
        for kind, write in _WRITERS:
            if isinstance(node, kind):
                written = write(self, node)
                return [*self._marked(anchors), *written] if anchors and not isinstance(node, nodes.section) else written
        if isinstance(node, _SILENT):
            return self._marked(anchors)
        if isinstance(node, nodes.Text) or (isinstance(node, nodes.Inline) and not isinstance(node, nodes.image)):
            return self._text(self.inline.write([node]))
        return [*self._marked(anchors), *self.blocks(node.children)]

    def _move(self, node: Any) -> None:
        """Take the node's own place, where it has one, for what follows it."""
        line = getattr(node, "line", None)
        if line:
            source = getattr(node, "source", None) or self.place[0]
            self.place = (source if source in self.reading.site.tree else self.reading.page, line)

    def _anchors(self, node: Any) -> list[str]:
        if not isinstance(node, nodes.Element):
            return []
        ids: list[str] = list(node.get("ids", []))
        labels: list[str] = list(node.get("names", []))
        names = [*ids, *map(references.fragment_of, labels)]
        if isinstance(node, nodes.footnote | nodes.citation):
            return []
        return list(dict.fromkeys(name for name in names if name))

    def _marked(self, anchors: list[str]) -> list[Line]:
        marks = "".join(f'<a id="{html_escape(name)}"></a>' for name in anchors)
        return [self._line(marks), Line("", self.place[0], 0)] if marks else []

    def _line(self, text: str, offset: int = 0) -> Line:
        return Line(text, self.place[0], self.place[1] + offset)

    def _text(self, text: str) -> list[Line]:
        """A paragraph's lines; each stands where the source has it."""
        rows = text.split("\n")
        return [self._line(escape.line(row) or "", offset) for offset, row in enumerate(rows) if row.strip()]

    def paragraph(self, node: nodes.paragraph) -> list[Line]:
        """A paragraph."""
        return self._text(self.inline.write(node.children))

    def section(self, node: nodes.section) -> list[Line]:
        """A heading and what stands under it."""
        self.level += 1
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        out: list[Line] = []
        if title is not None:
            self._move(title)
            marks = "".join(f'<a id="{html_escape(name)}"></a>' for name in self._anchors(node))
            words = " ".join(self.inline.write(title.children).split()).rstrip("#").rstrip()
            out.append(self._line(f"{'#' * min(self.level, 6)} {marks}{words or 'Section'}"))
        body = self.blocks(child for child in node.children if child is not title)
        self.level -= 1
        return [*out, out[0].made(""), *body] if out and body else out or body

    def code(self, node: Code) -> list[Line]:
        """A code block in a fence that none of its lines closes."""
        lines = text_lines(node)
        if node.get("parsed"):
            text = "".join(child.astext() for child in node.children).split("\n")
            first = next((row for row, words in enumerate(text) if words.strip()), 0)
            lines = [line.with_text(words) for line, words in zip(lines, text[first:], strict=False)]
        return self._fenced(lines, node)

    def _fenced(self, lines: list[Line], node: Any) -> list[Line]:
        language = language_of(node.get("language", ""), self.language)
        info = language
        if node.get("output"):
            info = "{ .text .output }"
        elif node.get("runs") is True:
            info = f"{{ .{language} .run }}"
        elif node.get("runs") is False and language:
            info = f"{{ .{language} .no-run }}"
        caption = " ".join(node.get("caption", "").split()).replace('"', "'")
        if caption:
            info = f'{info or "text"} title="{caption}"'
        mark = escape.fence([line.text for line in lines])
        first = lines[0] if lines else self._line("")
        return [first.made(f"{mark}{info}"), *lines, first.made(mark)]

    def literal(self, node: nodes.literal_block) -> list[Line]:
        """A block after `::`."""
        rows = node.astext().split("\n")
        file, first = self.place
        return self._fenced([exact(self.reading, text, file, first - 1 + row) for row, text in enumerate(rows)], {})

    def doctest(self, node: nodes.doctest_block) -> list[Line]:
        """A session of Python."""
        rows = node.astext().split("\n")
        file, first = self.place
        return self._fenced(
            [exact(self.reading, text, file, first - 1 + row) for row, text in enumerate(rows)], {"language": "pycon"}
        )

    def raw(self, node: Raw) -> list[Line]:
        """Lines that stay as they are."""
        lines = text_lines(node)
        return self.markdown(lines) if node.get("markdown") and self.markdown else lines

    def language_from_here(self, node: Language) -> list[Line]:
        """Sets what follows."""
        self.language = node["name"]
        return []

    def headed(self, node: Headed) -> list[Line]:
        """A tab: a heading below the one that it stands under."""
        self.level += 1
        words = " ".join(self.inline.write(node.children[0].children).split()) or "Tab"
        heading = self._line(f"{'#' * min(max(self.level, 2), 6)} {words}")
        body = self.blocks(node.children[1:])
        self.level -= 1
        return [heading, heading.made(""), *body] if body else [heading]

    def labelled(self, node: Labelled) -> list[Line]:
        """A box: a quote with a bold label, or without the quote where it holds what has a place of its own."""
        titled = bool(node.children) and isinstance(node.children[0], nodes.inline)
        words = " ".join(self.inline.write(node.children[0].children).split()) if titled else ""
        label = self._line(f"**{words.replace('**', '').strip()}**") if words else None
        body = self.blocks(node.children[1:] if titled else node.children)
        out = [label] if label else []
        if out and body:
            out.append(out[0].made(""))
        out += body
        return out if _holds_aside(node) else _prefixed(out, "> ")

    def admonition(self, node: Any) -> list[Line]:
        """One of docutils' own boxes."""
        name = type(node).__name__
        label = self._line(f"**{_ADMONITION_NAMES.get(name, name.capitalize())}**")
        body = self.blocks(node.children)
        return _prefixed([label, label.made(""), *body], "> ")

    def quote(self, node: Any) -> list[Line]:
        """A quotation; indented blocks without a paragraph are rather a list or code that was indented too little or too much."""
        body = self.blocks(node.children)
        return body if all(isinstance(child, _NO_QUOTE) for child in node.children) else _prefixed(body, "> ")

    def attribution(self, node: nodes.attribution) -> list[Line]:
        """Who is quoted."""
        return self._text("— " + self.inline.write(node.children))

    def listing(self, node: Listing) -> list[Line]:
        """A toctree that the page shows."""
        site = self.reading.site
        rows = []
        for path, title in node["entries"]:
            words = InlineWriter().write([nodes.Text(title or site.title_of(path))])
            rows.append(self._line(f"- {escape.link(words, references.address(path))}"))
        return rows

    def bullets(self, node: nodes.bullet_list) -> list[Line]:
        """An unordered list."""
        return self._items(node, lambda _: "- ")

    def enumerated(self, node: nodes.enumerated_list) -> list[Line]:
        """An ordered list, numbered as it is there."""
        first = int(node.get("start", 1))
        return self._items(node, lambda number: f"{first + number}. ")

    def _items(self, node: Any, mark: Any) -> list[Line]:
        out: list[Line] = []
        items = [child for child in node.children if isinstance(child, nodes.list_item)]
        tight = all(len(item.children) <= 1 for item in items)
        for number, item in enumerate(items):
            self._move(item)
            bullet = mark(number)
            body = self.blocks(item.children) or [self._line("")]
            if out and not tight:
                out.append(body[0].made(""))
            out += _indented(body, bullet)
        return out

    def definitions(self, node: nodes.definition_list) -> list[Line]:
        """Terms with what they mean, as a list."""
        out: list[Line] = []
        for item in node.children:
            self._move(item)
            terms = [child for child in item.children if isinstance(child, nodes.term)]
            marks = "".join(f'<a id="{html_escape(name)}"></a>' for term in terms for name in self._anchors(term))
            words = ", ".join(" ".join(self.inline.write(term.children).split()) for term in terms)
            classifiers = [self.inline.write(child.children) for child in item.children if isinstance(child, nodes.classifier)]
            strong = words if "**" in words or "`" in words else f"**{words}**"
            head = self._line(marks + strong + "".join(f" (*{word}*)" for word in classifiers))
            body = self.blocks([child for part in item.children if isinstance(part, nodes.definition) for child in part.children])
            out += ([out[-1].made("")] if out else []) + _indented([head, head.made(""), *body] if body else [head], "- ")
        return out

    def fields(self, node: Any) -> list[Line]:
        """Fields and options: their names in bold."""
        out: list[Line] = []
        for item in node.children:
            self._move(item)
            if len(item.children) < 2:
                continue
            name, body = item.children[0], item.children[1]
            words = (
                " ".join(self.inline.write(name.children).split()) if isinstance(name, nodes.field_name) else f"`{name.astext()}`"
            )
            head = self._line(f"**{words}:**" if isinstance(name, nodes.field_name) else words)
            rest = self.blocks(body.children)
            if rest and not rest[0].text.startswith(("```", "- ", "> ", "|", "<")):
                rest[0] = rest[0].with_text(f"{head.text} {rest[0].text}")
                out += _indented(rest, "- ")
            else:
                out += _indented([head, head.made(""), *rest] if rest else [head], "- ")
        return out

    def line_block(self, node: nodes.line_block, depth: int = 0) -> list[Line]:
        """Lines that keep their ends."""
        out: list[Line] = []
        for child in node.children:
            if isinstance(child, nodes.line_block):
                out += self.line_block(child, depth + 1)
            else:
                self._move(child)
                words = " ".join(self.inline.write(child.children).split())
                out.append(self._line(escape.line(words) if words else ""))
        if depth:
            return out
        return [
            line if line.blank or row + 1 == len(out) or out[row + 1].blank else line.with_text(line.text + "\\")
            for row, line in enumerate(out)
        ]

    def footnote(self, node: Any) -> list[Line]:
        """A footnote or citation, where it stands."""
        label = next((child.astext() for child in node.children if isinstance(child, nodes.label)), "")
        marks = "".join(f'<a id="{html_escape(name)}"></a>' for name in node.get("ids", []))
        body = self.blocks(child for child in node.children if not isinstance(child, nodes.label))
        head = f"{marks}\\[{label}\\] "
        return [body[0].with_text(head + body[0].text), *body[1:]] if body else [self._line(head)]

    def transition(self, node: nodes.transition) -> list[Line]:
        """A rule."""
        del node
        return [self._line("***")]

    def table(self, node: nodes.table) -> list[Line]:
        """A table."""
        return write_table(self, node)

    def picture(self, node: Any) -> list[Line]:
        """An image that stands for itself."""
        return [self._line(self.inline.write([node]).replace("\n", " "))]

    def message(self, node: nodes.system_message) -> list[Line]:
        """What could not be read: shown as it is written."""
        text = next((child.astext() for child in node.children if isinstance(child, nodes.literal_block)), "")
        self._move(node)
        said = node.children[0].astext() if node.children else "It cannot be read."
        if said.startswith("Inconsistent title style") and text.strip():
            words = next((row.strip() for row in text.split("\n") if row.strip().strip(row.strip()[:1])), "Section")
            return [self._line(f"{'#' * min(self.level + 1, 6)} {escape.text(words)}")]
        if node["level"] >= 3 and text:
            detail = f"{' '.join(said.split())} It is shown as it is written."
            self.reading.findings.lose("macro", self.place[0], self.place[1], detail)
            return self._fenced([self._line(row, number) for number, row in enumerate(text.split("\n"))], {"language": "rst"})
        return []


def _holds_aside(node: Any) -> bool:
    """Whether blocks hold hints, solutions or tabs, whose place is beside what they belong to."""
    for child in node.children:
        if isinstance(child, Headed) or (isinstance(child, Labelled) and child.get("words", "").lower().startswith(_ASIDES)):
            return True
        if isinstance(child, Raw) and any(_ASIDE_LABEL.match(line.text) for line in text_lines(child)):
            return True
    return False


def _prefixed(lines: list[Line], mark: str) -> list[Line]:
    return [line.with_text(f"{mark}{line.text}" if not line.blank else mark.rstrip()) for line in lines]


def _indented(lines: list[Line], mark: str) -> list[Line]:
    space = " " * len(mark)
    return [
        line.with_text(mark + line.text if row == 0 else space + line.text if line.text else "") for row, line in enumerate(lines)
    ]


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (nodes.section, Writer.section),
    (nodes.paragraph, Writer.paragraph),
    (Code, Writer.code),
    (Headed, Writer.headed),
    (Labelled, Writer.labelled),
    (Raw, Writer.raw),
    (Language, Writer.language_from_here),
    (Listing, Writer.listing),
    (nodes.literal_block, Writer.literal),
    (nodes.doctest_block, Writer.doctest),
    (nodes.bullet_list, Writer.bullets),
    (nodes.enumerated_list, Writer.enumerated),
    (nodes.definition_list, Writer.definitions),
    ((nodes.field_list, nodes.option_list, nodes.docinfo), Writer.fields),
    (nodes.line_block, Writer.line_block),
    ((nodes.footnote, nodes.citation), Writer.footnote),
    (nodes.transition, Writer.transition),
    (nodes.table, Writer.table),
    (nodes.attribution, Writer.attribution),
    (nodes.block_quote, Writer.quote),
    (nodes.system_message, Writer.message),
    (nodes.Admonition, Writer.admonition),
    ((nodes.image, nodes.reference), Writer.picture),
)
