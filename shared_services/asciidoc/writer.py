"""Blocks to CommonMark lines, each of which remembers the source line it came from."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared_services.asciidoc import code as code_blocks
from shared_services.asciidoc import escape
from shared_services.asciidoc.attrlist import Meta, parse_values
from shared_services.asciidoc.inline import Inline
from shared_services.asciidoc.lines import Line, expand
from shared_services.asciidoc.nodes import (
    Code,
    Container,
    Heading,
    Item,
    Listing,
    Macro,
    Node,
    Paragraph,
    Passthrough,
    Rule,
    Table,
)
from shared_services.asciidoc.parser import ADMONITIONS, Parser
from shared_services.asciidoc.passthrough import MARKS, Held, readable
from shared_services.asciidoc.surroundings import Surroundings, image

_HELD = re.compile(f"{MARKS[0]}(\\d+){MARKS[1]}")
Out = tuple[str, Line | None]
"""A line of Markdown and where it came from; None for blank lines between blocks."""


@dataclass
class Writer:
    """Writes the blocks of one page.

    Attributes:
        around: Resolves links, images and variables, and takes losses.
    """

    around: Surroundings
    callouts: dict[int, list[int]] | None = None

    def page(self, blocks: list[Node]) -> list[Out]:
        """The page's lines."""
        return self._blocks(blocks)

    def inline(self, text: str, line: Line, *, plain: bool = False) -> str:
        """Inline markup as CommonMark, or as plain text."""
        return Inline(self.around, line, plain=plain).render(text)

    def _blocks(self, blocks: Iterable[Node]) -> list[Out]:
        out: list[Out] = []
        alternate = False
        previous: Node | None = None
        for block in blocks:
            same = isinstance(block, Listing) and isinstance(previous, Listing) and _family(block) == _family(previous)
            alternate = not alternate if same else False
            written = self._block(block, alternate=alternate)
            if not written:
                continue
            if out:
                out.append(("", None))
            out.extend(written)
            previous = block
        return out

    def _block(self, block: Node, *, alternate: bool) -> list[Out]:
        match block:
            case Heading():
                title = escape.text("#") if not block.line.text else self.inline(block.line.text, block.line)
                return [(f"{'#' * block.level} {title.replace('\n', ' ')}", block.line)]
            case Paragraph():
                return self._titled(block, self._prose(block.lines, hard=_hard_breaks(block)))
            case Code():
                return self._titled(block, self._code(block))
            case Passthrough():
                return self._titled(block, self._passthrough(block))
            case Container():
                return self._container(block)
            case Listing():
                return self._titled(block, self._listing(block, alternate=alternate))
            case Table():
                return self._titled(block, self._table(block))
            case Macro():
                return self._macro(block)
            case Rule():
                return [("---", block.line)]

    def _titled(self, block: Paragraph | Code | Passthrough | Listing | Table | Container, body: list[Out]) -> list[Out]:
        title = self._title(block)
        return [*title, ("", None), *body] if title and body else title or body

    def _title(self, block: Node) -> list[Out]:
        title = None if isinstance(block, Rule) else block.meta.title
        if title is None:
            return []
        written = self.inline(title.text, title)
        return [(f"**{written}**" if written == written.strip() and "**" not in written else escape.line(written), title)]

    def _prose(self, lines: list[Line], *, hard: bool = False) -> list[Out]:
        source = [line for line in lines if line.text]
        if not source:
            return []
        written = self.inline("\n".join(line.text.strip() for line in source), source[0])
        rows = [row for row in (escape.line(row) for row in written.split("\n")) if row]
        while rows and rows[0] == "\\":
            rows, source = rows[1:], source[1:] or source
        if rows and rows[-1].endswith("\\") and not rows[-1].endswith("\\\\"):
            rows[-1] = rows[-1][:-1].rstrip()
        places = source if len(rows) == len(source) else [source[min(index, len(source) - 1)] for index in range(len(rows))]
        last = len(rows) - 1
        return [
            (f"{row}\\" if hard and index < last and not row.endswith("\\") else row, place)
            for index, (row, place) in enumerate(zip(rows, places, strict=True))
            if row
        ]

    def _code(self, block: Code) -> list[Out]:
        rows, marked = code_blocks.body(block, self.around)
        self.callouts = marked or None
        default = block.opening.attributes.get("source-language", "")
        fence = escape.fence([text for text, _ in rows])
        closing = block.closing or (rows[-1][1] if rows else block.opening)
        return [(f"{fence}{code_blocks.info(block, default)}", block.opening), *rows, (fence, closing)]

    def _passthrough(self, block: Passthrough) -> list[Out]:
        text, held, lost = readable([line.text for line in block.lines])
        if lost:
            self.around.lose("html", block.opening, lost)
        out: list[Out] = []
        for index, row in text:
            place = block.lines[index]
            parts = _HELD.split(escape.text(row))
            written = "".join(self._held(held[int(part)], place) if odd % 2 else part for odd, part in enumerate(parts))
            out.append((escape.line(written), place))
        return out

    def _held(self, held: Held, place: Line) -> str:
        """What a tag of raw HTML holds, as Markdown."""
        target = expand(held.target, place.attributes)
        if held.kind == "image":
            return image(self.around, place, target.removeprefix("./").removeprefix("_images/"), [held.words], {})
        words = escape.text(held.words or f"Embedded: {target}")
        destination = self.around.link(target, place)
        return words if destination is None else escape.link(words, destination)

    def _container(self, block: Container) -> list[Out]:
        inner = self._blocks(block.blocks)
        if block.kind in ADMONITIONS:
            title = self._title(block) or [(f"**{block.kind.capitalize()}**", block.opening)]
            return _prefixed([*title, ("", None), *inner], "> ")
        if block.kind in ("quote", "verse"):
            source = ", ".join(part for part in (block.meta.get("attribution", 1), block.meta.get("citetitle", 2)) if part)
            signed = [("", None), (f"— {self.inline(source, block.opening)}", block.opening)] if source else []
            return self._titled(block, _prefixed([*inner, *signed], "> "))
        if block.kind == "sidebar":
            return _prefixed(self._titled(block, inner), "> ")
        return self._titled(block, inner)

    def _listing(self, block: Listing, *, alternate: bool) -> list[Out]:
        written: list[list[Out]] = []
        number = _start(block)
        for index, item in enumerate(block.items):
            if block.kind == "dl":
                written.append(self._description(block, item))
                continue
            marker = ("*" if alternate else "-") if block.kind == "ul" else f"{number + index}{')' if alternate else '.'}"
            written.append(self._item(item, marker, block.kind, number + index))
        loose = any(text == "" for rows in written for text, _ in rows) or block.kind == "dl"
        out: list[Out] = []
        for rows in written:
            if out and loose:
                out.append(("", None))
            out.extend(rows)
        return out

    def _item(self, item: Item, marker: str, kind: str, number: int) -> list[Out]:
        first = self._prose(item.text)
        if item.checked is not None and first:
            first[0] = (f"[{'x' if item.checked else ' '}] {first[0][0]}", first[0][1])
        if kind == "co" and self.callouts and first:
            lines = self.callouts.get(number, [])
            if lines:
                said = f"(line {', '.join(map(str, lines))})"
                first[0] = (f"{said} {first[0][0]}", first[0][1])
        rest = self._attached(item.blocks, tight=True)
        rows = first + rest if first else rest
        if not rows:
            return [(marker, item.marker)]
        width = len(marker) + 1
        head = (f"{marker} {rows[0][0]}", rows[0][1] or item.marker)
        return [head, *_indented(rows[1:], width)]

    def _attached(self, blocks: list[Node], *, tight: bool) -> list[Out]:
        out: list[Out] = []
        previous: Node | None = None
        alternate = False
        for block in blocks:
            same = isinstance(block, Listing) and isinstance(previous, Listing) and _family(block) == _family(previous)
            alternate = not alternate if same else False
            written = self._block(block, alternate=alternate)
            if not written:
                continue
            if not (tight and previous is None and _may_follow_text(block)):
                out.append(("", None))
            out.extend(written)
            previous = block
        return out

    def _description(self, block: Listing, item: Item) -> list[Out]:
        terms = [(self.inline(term.text.strip(), term).replace("\n", " "), term) for term in item.terms]
        body = self._prose(item.text)
        question = block.meta.style == "qanda"
        out: list[Out] = []
        for written, line in terms:
            strong = f"**{written}**" if written and "**" not in written and not question else written
            out.append((f"- {strong}", line))
        rest = self._attached(item.blocks, tight=False)
        if body and out:
            text, place = out[-1]
            out[-1] = (f"{text}: {body[0][0]}" if not text.endswith((":", "?")) else f"{text} {body[0][0]}", place)
            # The first line of a description that stands below its term keeps the term's place.
            out.extend(_indented(body[1:], 2))
        return [*out, *_indented(rest, 2)]

    def _table(self, block: Table) -> list[Out]:
        from shared_services.asciidoc.tablewriter import write_table

        return write_table(self, block)

    def cell(self, lines: list[Line], style: str) -> list[Node]:
        """The blocks of a table cell."""
        if style == "l":
            return [Code(lines, "literal", Meta(), lines[0])] if any(line.text for line in lines) else []
        return Parser(lines, 1).blocks()

    def rows_of(self, blocks: list[Node]) -> list[Out]:
        """Blocks as lines, for a table's cells."""
        return self._blocks(blocks)

    def _macro(self, block: Macro) -> list[Out]:
        target = expand(block.target, block.line.attributes)
        positional, named = parse_values(expand(block.attributes, block.line.attributes))
        writers: dict[str, Callable[[], list[Out]]] = {
            "image": lambda: self._image(block, target, positional, named),
            "video": lambda: self._media(block, target, positional),
            "audio": lambda: self._media(block, target, positional),
            "toc": list,
        }
        if block.name in writers:
            return writers[block.name]()
        self.around.lose("macro", block.line, f"The macro `{block.name}::` is not known; its text was kept.")
        words = " ".join(part for part in (f"{block.name}::{block.target}", block.attributes) if part)
        return [(escape.line(escape.text(words)), block.line)]

    def _image(self, block: Macro, target: str, positional: list[str], named: dict[str, str]) -> list[Out]:
        link = block.meta.named.get("link")
        if link and "link" not in named:
            named = {**named, "link": link}
        target = Inline(self.around, block.line, plain=True).render(target) if "{" in target else target
        written = image(self.around, block.line, target, positional, named)
        out: list[Out] = [(written, block.line)]
        title = block.meta.title or (block.line.with_text(named["title"]) if named.get("title") else None)
        if title is not None:
            caption = self.inline(title.text, title).replace("\n", " ")
            out += [("", None), (f"*{caption}*" if "*" not in caption else escape.line(caption), title)]
        return out

    def _media(self, block: Macro, target: str, positional: list[str]) -> list[Out]:
        service = positional[0] if positional else ""
        address = target
        if service == "youtube":
            address = f"https://www.youtube.com/watch?v={target.split('/', maxsplit=1)[0].split(',', maxsplit=1)[0]}"
        elif service == "vimeo":
            address = f"https://vimeo.com/{target}"
        self.around.lose(
            "video", block.line, f"The {block.name} `{target}` is not played in the page; a link stands in its place."
        )
        destination = self.around.link(address, block.line) or address
        label = (
            self.inline(block.meta.title.text, block.meta.title)
            if block.meta.title
            else escape.text(f"{block.name.capitalize()}: {target}")
        )
        return [(escape.link(label, destination), block.line)]


def _family(block: Listing) -> str:
    return "ul" if block.kind in ("ul", "dl") else "ol"


def _may_follow_text(block: Node) -> bool:
    """Whether a block may stand right below an item's text: a nested list that Markdown lets interrupt a paragraph."""
    if not isinstance(block, Listing) or block.meta.title or block.kind == "dl":
        return False
    return block.kind == "ul" or _start(block) == 1


def _start(block: Listing) -> int:
    asked = block.meta.named.get("start", "")
    if block.kind == "ol" and asked.isdigit():
        return min(int(asked), 999_999_000)
    if block.kind == "ol" and block.items and block.items[0].number is not None:
        return min(block.items[0].number, 999_999_000)
    return 1


def _hard_breaks(block: Paragraph) -> bool:
    first = block.lines[0]
    return (
        "hardbreaks" in block.meta.options
        or "hardbreaks-option" in first.attributes
        or block.meta.style == "verse"
        or "hardbreaks" in first.attributes
    )


def _prefixed(rows: list[Out], prefix: str) -> list[Out]:
    return [(f"{prefix}{text}".rstrip() if not text else f"{prefix}{text}", line) for text, line in rows]


def _indented(rows: list[Out], width: int) -> list[Out]:
    return [(f"{' ' * width}{text}" if text else "", line) for text, line in rows]


def content(rows: list[Out]) -> str:
    """The lines as the text of `content.md`."""
    return "".join(f"{text}\n" for text, _ in rows)


def runs(rows: list[Out]) -> list[tuple[int, str, int]]:
    """The source map of the lines; lines between blocks go on with the run before them."""
    found: list[tuple[int, str, int]] = []
    for number, (_, line) in enumerate(rows, 1):
        if line is None:
            continue
        if found:
            start, file, source = found[-1]
            made = source == line.number == 0
            if file == line.file and (made or (source and source + number - start == line.number)):
                continue
        found.append((number, line.file, line.number))
    return found
