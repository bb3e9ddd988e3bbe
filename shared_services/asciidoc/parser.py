"""From lines to blocks.

Follows what Asciidoctor's reader does, including its less obvious habits: a block attribute line ends a paragraph, a
delimiter ends a list item unless a `+` precedes it, a blank line and a `+` attach to the item one level up.
"""

import re
from typing import Final

from shared_services.asciidoc import lists
from shared_services.asciidoc.attrlist import Meta, add_list
from shared_services.asciidoc.lines import Line, expand
from shared_services.asciidoc.nodes import Code, Container, Heading, Macro, Node, Paragraph, Passthrough, Rule
from shared_services.asciidoc.preprocess import is_underline
from shared_services.asciidoc.tables import parse_table

MAX_NESTING: Final = 30
ADMONITIONS: Final = ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")

_DELIMITER = re.compile(r"^(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|[|,:!]={3,}|```[^`\s]*(?:[ \t,].*)?)$")
_ATTRIBUTES = re.compile(r"^\[(|[\w{,.#\"'%].*)\]$")
_ANCHOR = re.compile(r"^\[\[([^\W\d][\w:.-]*+)(?:,\s*+(.*))?\]\]$")
_TITLE = re.compile(r"^\.(\.?[^\s.].*)$")
_SECTION = re.compile(r"^(={1,6}|#{1,6})[ \t]++(\S(?:.*?[^ \t])??)(?:[ \t]++\1)?[ \t]*+$")
_MACRO = re.compile(r"^(?=.*\]$)([A-Za-z][\w-]*+)::(|\S|\S.*?\S)\[(.*)\]$")
_RULE = re.compile(r"^(?:'{3,}|-{3}|\*{3}|_{3}|- - -|\* \* \*|_ _ _)$")
_ADMONITION = re.compile(rf"^({'|'.join(ADMONITIONS)}):[ \t]+(.*)$")
_LEVELS = {"=": 1, "-": 2, "~": 3, "^": 4}
_CONTAINERS = {"=": "example", "*": "sidebar", "_": "quote"}


class Parser:
    """Reads the lines of a page, of a delimited block or of a table cell."""

    def __init__(self, lines: list[Line], depth: int = 0) -> None:
        self.lines = lines
        self.position = 0
        self.depth = depth
        self.markers: list[str] = []
        self.detached = 0

    @property
    def line(self) -> Line | None:
        """The line to read next; None at the end."""
        return self.lines[self.position] if self.position < len(self.lines) else None

    def blocks(self) -> list[Node]:
        """Every block up to the end."""
        found: list[Node] = []
        while self.position < len(self.lines):
            block = self.block()
            if block is not None:
                found.append(block)
        return found

    def skip_blank(self) -> int:
        """Pass over blank lines; how many there were."""
        start = self.position
        while self.position < len(self.lines) and not self.lines[self.position].text:
            self.position += 1
        return self.position - start

    def block(self) -> Node | None:
        """The next block with what stands above it; None where only metadata or comments were left."""
        meta = Meta()
        while True:
            self.skip_blank()
            line = self.line
            if line is None:
                return None
            if not self._metadata(line, meta):
                break
        if line.text == "+" and not self.markers:
            self.position += 1
            return None
        return self._delimited(line, meta) or self._single(line, meta) or self._list(line, meta) or self._text(line, meta)

    def _metadata(self, line: Line, meta: Meta) -> bool:
        text = line.text
        if re.fullmatch(r"/{4,}", text):
            self.position += 1
            self._until(text)
            return True
        if (text.startswith("//") and not text.startswith("///")) or re.fullmatch(r"<{3,}", text):
            self.position += 1
            return True
        anchor = _ANCHOR.match(text)
        attributes = None if anchor else _ATTRIBUTES.match(text)
        title = _TITLE.match(text) if text.startswith(".") and not _DELIMITER.match(text) else None
        if anchor:
            meta.ids.append(anchor[1])
        elif attributes:
            add_list(meta, expand(attributes[1], line.attributes))
        elif title and not lists.marker_of(text):
            meta.title = line.with_text(title[1])
        else:
            return False
        meta.line = meta.line or line
        self.position += 1
        return True

    def _until(self, delimiter: str) -> tuple[list[Line], Line | None]:
        """Lines up to the closing delimiter (or the end), and the closing line."""
        start = self.position
        while self.position < len(self.lines):
            if self.lines[self.position].text == delimiter:
                self.position += 1
                return self.lines[start : self.position - 1], self.lines[self.position - 1]
            self.position += 1
        return self.lines[start:], None

    def _delimited(self, line: Line, meta: Meta) -> Node | None:
        text = line.text
        if not _DELIMITER.match(text) or (self.depth >= MAX_NESTING and text[0] not in "-.`"):
            return None
        if text.startswith("```"):
            self.position += 1
            body, closing = self._until("```")
            language = re.split(r"[\s,]", text[3:].strip())[0]
            return Code(body, "listing", meta, line, closing, language)
        back = self.position
        self.position += 1
        body, closing = self._until(text)
        if text[1] == "=" and text[0] in "|,:!":
            if closing is not None:
                return parse_table(body, text[0], meta, line)
            # The other delimiter is missing, perhaps in a file that could not be included: do not swallow the page.
            self.position = back + 1
            return Paragraph([line], meta)
        return self._delimited_body(text, body, closing, meta, line)

    def _delimited_body(self, text: str, body: list[Line], closing: Line | None, meta: Meta, line: Line) -> Node:
        style = meta.style
        mark = text[0]
        if style in ("stem", "latexmath", "asciimath") or (mark == "+" and style == "source"):
            return Code(body, "listing", meta, line, closing, "latex" if style != "source" else "")
        if mark == "+" or style == "pass":
            return Passthrough(body, meta, line)
        if text != "--" and mark in "-.":
            return Code(body, "literal" if mark == "." and style != "source" else "listing", meta, line, closing)
        if text == "--" and (style in ("source", "listing", "literal") or (style == "" and len(meta.positional) > 1)):
            return Code(body, "literal" if style == "literal" else "listing", meta, line, closing)
        if style == "verse":
            lines = [Paragraph(body, Meta(style="verse"))] if any(row.text for row in body) else []
            return Container("verse", list(lines), meta, line)
        kind = style if style in ADMONITIONS else _CONTAINERS.get(mark, "open")
        if style in ("quote", "sidebar", "example") and kind not in ADMONITIONS:
            kind = style
        return Container(kind, Parser(body, self.depth + 1).blocks(), meta, line)

    def _single(self, line: Line, meta: Meta) -> Node | None:
        text = line.text
        section = _SECTION.match(text)
        if section:
            self.position += 1
            return Heading(len(section[1]), line.with_text(section[2]), meta)
        following = self.lines[self.position + 1].text if self.position + 1 < len(self.lines) else ""
        if not self.markers and following and is_underline(text, following):
            self.position += 2
            return Heading(_LEVELS[following[0]], line, meta)
        if _RULE.match(text):
            self.position += 1
            return Rule(line)
        macro = _MACRO.match(text)
        if macro and macro[1].lower() != "xref":
            self.position += 1
            return Macro(macro[1].lower(), macro[2], macro[3], meta, line)
        return None

    def _list(self, line: Line, meta: Meta) -> Node | None:
        marker = lists.marker_of(line.text)
        if marker is None or len(self.markers) >= lists.MAX_LEVELS or marker.key in self.markers:
            return None
        if meta.style in ("source", "listing", "literal", "pass", "verse"):
            return None
        return lists.parse_list(self, meta)

    def _text(self, line: Line, meta: Meta) -> Node | None:
        indented = line.text[0] in " \t"
        style = meta.style
        code = style in ("source", "listing", "literal") or (style == "" and len(meta.positional) > 1 and not meta.positional[0])
        verbatim = code or style in ("stem", "latexmath", "asciimath", "pass", "verse")
        body = self._verbatim_lines() if verbatim else self._paragraph_lines(literal=indented)
        if code:
            return Code(body, "literal" if style == "literal" else "listing", meta, meta.line or line, body[-1])
        if style in ("stem", "latexmath", "asciimath"):
            return Code(body, "listing", meta, meta.line or line, body[-1], "latex")
        if style == "pass":
            return Passthrough(body, meta, line)
        if style == "comment":
            return None
        if indented and style not in ("verse", "quote", "normal", *ADMONITIONS):
            return Code(body, "literal", meta, line, body[-1])
        return self._prose(body, meta)

    def _prose(self, body: list[Line], meta: Meta) -> Node:
        label = _ADMONITION.match(body[0].text)
        if label and meta.style not in ADMONITIONS:
            plain = Paragraph([body[0].with_text(label[2]), *body[1:]], Meta())
            return Container(label[1], [plain], meta, body[0])
        if meta.style == "verse":
            return Container("verse", [Paragraph(body, Meta(style="verse"))], meta, body[0])
        if meta.style in (*ADMONITIONS, "quote", "sidebar", "example"):
            return Container(meta.style, [Paragraph(body, Meta())], meta, body[0])
        if all(row.text.startswith(">") for row in body) and self.depth < MAX_NESTING:
            inner = [row.with_text(re.sub(r"^> ?", "", row.text)) for row in body]
            return Container("quote", Parser(inner, self.depth + 1).blocks(), meta, body[0])
        return Paragraph(body, meta)

    def _verbatim_lines(self) -> list[Line]:
        """A paragraph that its style makes verbatim: a blank line ends it, in a list also a `+` and the next item."""
        start = self.position
        indented = self.lines[start].text[0] in " \t"
        while (line := self.line) is not None and line.text:
            if self.markers and (line.text == "+" or (self.position > start and self._is_next_item(line.text, indented))):
                break
            self.position += 1
        return self.lines[start : self.position]

    def _is_next_item(self, text: str, indented: bool) -> bool:
        """Whether a line goes on with an open list; below indented text only one that is not indented."""
        marker = None if indented and text[0] in " \t" else lists.marker_of(text)
        return marker is not None and marker.key in self.markers

    def _paragraph_lines(self, *, literal: bool) -> list[Line]:
        body = [self.lines[self.position]]
        self.position += 1
        while (line := self.line) is not None and line.text:
            if self._ends_literal(line.text) if literal else self.ends_text(line.text):
                break
            self.position += 1
            if line.text.startswith("//") and not line.text.startswith("///") and not literal:
                continue
            body.append(line)
        return body

    def _ends_literal(self, text: str) -> bool:
        """Whether a line ends an indented paragraph: of list items, only the next term of a description does."""
        if not self.markers:
            return self.ends_text(text)
        marker = lists.marker_of(text) if self.markers[-1].startswith("dl") else None
        opens = _DELIMITER.match(text) or _ATTRIBUTES.match(text) or _ANCHOR.match(text)
        return text == "+" or bool(opens) or (marker is not None and marker.key == self.markers[-1])

    def opens_block(self, text: str) -> bool:
        """Whether a line is a delimiter, or stands above a block."""
        return bool(
            _DELIMITER.match(text) or _ATTRIBUTES.match(text) or _ANCHOR.match(text) or _SECTION.match(text) or _TITLE.match(text)
        )

    def ends_text(self, text: str) -> bool:
        """Whether a line cannot go on with the paragraph before it."""
        if _DELIMITER.match(text) or _ATTRIBUTES.match(text) or _ANCHOR.match(text) or text.startswith(("image::", "video::")):
            return True
        return bool(self.markers) and (text == "+" or lists.marker_of(text) is not None)
