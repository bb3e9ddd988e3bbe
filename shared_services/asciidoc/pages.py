"""A page read: its blocks, its title, its headings and what each anchor on it means in the result."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared_services.asciidoc.attrlist import Meta
from shared_services.asciidoc.inline import Inline
from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.nodes import (
    Container,
    Heading,
    Item,
    Listing,
    Macro,
    Node,
    Paragraph,
    Rule,
    Table,
)
from shared_services.asciidoc.parser import Parser
from shared_services.asciidoc.surroundings import Surroundings
from shared_services.pages.markdown import heading_slug

_AUTHOR = re.compile(r"^[^\W\d_][\w.'’-]*(?: +[^\W\d_][\w.'’-]*){0,3}(?: +<[^<>\s]+>)?$")
_MISWRITTEN = re.compile(r"^:!?\w[^:\s]*+:+\S")
_REVISION = re.compile(r"^(?:v?\d[\w.]*(?:,.*)?|v?[\d.]+,.*)$")
_INLINE_ANCHOR = re.compile(
    r"\[\[([A-Za-z_:][\w:.-]{0,500}+)(?:,[^\]]{0,1000}+)?\]\]|anchor:([\w:.-]{1,500}+)\[|\[#([\w:.-]{1,500}+)[^\]]{0,1000}+\](?=[#*_`])"
)


@dataclass
class Page:
    """A page after reading, before writing.

    Attributes:
        path: In the tree.
        title: Plain text; empty where the page has none.
        navtitle: What the page asks navigation to call it.
        heading: The first heading of a section, which names a page that has no title.
        slugs: Anchor -> fragment in the result ("" is the top of the page); several spellings of one anchor.
        titles: Anchor -> plain text of its heading.
    """

    path: str
    blocks: list[Node]
    lines: list[Line]
    title: str = ""
    navtitle: str = ""
    heading: str = ""
    authors: list[str] = field(default_factory=list)
    slugs: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The page's title, or that of its first section, as Asciidoctor has it; empty where there is no heading."""
        return self.title or self.heading


def read_page(path: str, lines: list[Line], around: Surroundings) -> Page:
    """Parse a page and learn its title and anchors."""
    lines, authors = _without_author(lines)
    page = Page(path, Parser(lines).blocks(), lines, authors=authors)
    last = lines[-1].attributes if lines else {}
    page.navtitle = last.get("navtitle", "")
    _learn(page, around)
    return page


def _without_author(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """The lines without the author and revision lines right below the title, and the authors."""
    start = next((index for index, line in enumerate(lines) if line.text and not line.text.startswith("//")), None)
    if start is None or not lines[start].text.startswith("= "):
        return lines, []
    authors: list[str] = []
    at = start + 1
    while at < len(lines) and lines[at].text.startswith("//"):
        at += 1
    if at < len(lines) and lines[at].text and _is_author_line(lines[at].text):
        authors = [re.sub(r"<[^<>]*>", "", name).strip() for name in lines[at].text.split(";")]
        end = at + 1
        if end < len(lines) and _REVISION.match(lines[end].text):
            end += 1
        lines = lines[:at] + lines[end:]
    elif at < len(lines) and _MISWRITTEN.match(lines[at].text):
        lines = lines[:at] + lines[at + 1 :]  # Asciidoctor takes it for the author's name and does not show it.
    return lines, [name for name in authors if name]


def _is_author_line(text: str) -> bool:
    names = [name.strip() for name in text.split(";") if name.strip()]
    capital = all(word[0].isupper() for name in names for word in re.sub(r"<.*", "", name).split()[:1])
    return bool(names) and all(_AUTHOR.match(name) for name in names) and capital


def walk(blocks: list[Node]) -> Iterator[Node]:
    """Every block in reading order, containers before what they hold."""
    for block in blocks:
        yield block
        if isinstance(block, Container):
            yield from walk(block.blocks)
        elif isinstance(block, Listing):
            for item in block.items:
                yield from _attached(item)


def _attached(item: Item) -> Iterator[Node]:
    yield Paragraph([*item.terms, *item.text] or [item.marker], Meta())
    yield from walk(item.blocks)


def _learn(page: Page, around: Surroundings) -> None:
    taken: Counter[str] = Counter()
    current, current_title = "", ""
    for block in walk(page.blocks):
        if isinstance(block, Heading):
            title = " ".join(Inline(around, block.line, plain=True).render(block.line.text).split())
            current_title = title
            base = heading_slug(title)
            current = f"{base}-{taken[base]}" if taken[base] else base
            taken[base] += 1
            if not page.title and block.level == 1:
                page.title = title
            page.heading = page.heading or title
            for name in _spellings(title, block):
                page.slugs.setdefault(name, current)
                page.titles.setdefault(name, title)
        for name in _anchors(block):
            if isinstance(block, Heading):
                page.slugs[name] = current
            else:
                page.slugs.setdefault(name, current)
            page.titles.setdefault(name, _block_title(block, around) or current_title)


def _block_title(block: Node, around: Surroundings) -> str:
    title = None if isinstance(block, Heading | Rule) else block.meta.title
    return Inline(around, title, plain=True).render(title.text) if title else ""


def _anchors(block: Node) -> Iterator[str]:
    if isinstance(block, Rule):
        return
    yield from block.meta.ids
    lines: list[Line] = []
    if isinstance(block, Heading):
        lines = [block.line]
    elif isinstance(block, Paragraph):
        lines = block.lines
    elif isinstance(block, Table):
        lines = [line for row in block.rows for cell in row if cell for line in cell.lines]
    elif isinstance(block, Macro) and "id=" in block.attributes:
        found = re.search(r"\bid=[\"']?([\w:.-]+)", block.attributes)
        if found:
            yield found[1]
    for line in lines:
        if "[" in line.text:
            for match in _INLINE_ANCHOR.finditer(line.text):
                yield match[1] or match[2] or match[3]


def _spellings(title: str, block: Heading) -> Iterator[str]:
    """The ids that a processor may generate for a heading, whatever its prefix and separator, and the title itself."""
    attributes = block.line.attributes
    words = re.sub(r"[^\w\s.-]", "", title.lower())
    for separator in dict.fromkeys((attributes.get("idseparator", "-"), "-", "_")):
        base = re.sub(r"[\s.-]+|_+" if separator == "_" else r"[\s.-]+", separator, words).strip(separator or " ")
        for prefix in dict.fromkeys((attributes.get("idprefix", ""), "_", "")):
            yield f"{prefix}{base}"
    yield heading_slug(title)
    yield title


def first_paragraph(blocks: list[Node]) -> Paragraph | None:
    """The first paragraph of the page itself that says something: a sentence, not a line of labels."""
    paragraphs = [block for block in blocks if isinstance(block, Paragraph)]
    sentences = (block for block in paragraphs if len(block.lines[0].text) > 40 and block.lines[0].text[0] not in "*_{[")
    return next(sentences, paragraphs[0] if paragraphs else None)
