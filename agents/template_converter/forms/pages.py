"""A page made ready: front matter read, foreign blocks turned into CommonMark, headings and anchors listed."""

import re
from dataclasses import dataclass, field, replace

from markdown_it.token import Token

from agents.template_converter.forms.anchors import UniqueAnchors, pymarkdown_anchor
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.plain import read_document
from agents.template_converter.forms.divs import convert_divs
from agents.template_converter.forms.fences import FenceReader, marked_or_read
from agents.template_converter.forms.footnotes import convert_footnotes
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.gitbook import convert_gitbook
from agents.template_converter.forms.html_blocks import (
    Asides,
    convert_details,
    convert_html,
    part_fences,
    part_headings,
    take_asides,
)
from agents.template_converter.forms.lines import Line, lines_of, trimmed
from agents.template_converter.forms.parsing import Parsed, parse
from agents.template_converter.forms.pymarkdown import bracket_spaced_targets, convert_alerts, convert_blocks, convert_keys
from agents.template_converter.forms.snippets import Snippets
from agents.template_converter.forms.superfences import outdent_fences
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss
from shared_services.pages.markdown import heading_slug

_HEADING_ATTRIBUTES = re.compile(r"(?<![ \t])[ \t]*+\{:?[ \t]*+(?P<inner>[^{}\n]*+)\}[ \t]*+(?:#++[ \t]*+)?$")
_HASH_ID = re.compile(r"(?:^|\s)#(?P<id>[\w:.-]+)")


@dataclass(frozen=True)
class Heading:
    """A heading of a page.

    Attributes:
        names: Every fragment that links may use for it.
    """

    row: int
    end: int
    level: int
    text: str
    names: frozenset[str]


@dataclass
class Page:
    """A page of the source, ready to be rewritten.

    Attributes:
        lines: CommonMark; rows below are indices into it.
        anchors: Names of places that are no headings, by row.
        moved: Names of headings and places that went to hints or solutions.
        fences: Reads info strings where the page has other ones than its workshop.
        drawn_in: Files that the page includes.
        variables: Names on it that are filled in at run time.
    """

    path: str
    front: FrontMatter
    lines: list[Line]
    parsed: Parsed
    headings: list[Heading]
    anchors: dict[str, int]
    asides: Asides
    moved: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)
    unknown_tags: list[tuple[int, str]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    fences: FenceReader | None = None
    drawn_in: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """What the page calls itself: front matter, else its first heading of the first level, else its first heading."""
        first = next((row for row in self.headings if row.level == 1), self.headings[0] if self.headings else None)
        return self.front.title or (first.text.rstrip(":").rstrip() if first else "")


def first_paragraph(page: Page, limit: int = 300) -> str:
    """The words of the first paragraph of prose that stands by itself, cut at a word's end; empty where there is none."""
    for opening, inline in zip(page.parsed.tokens, page.parsed.tokens[1:], strict=False):
        if opening.type == "paragraph_open" and opening.level == 0:
            words = " ".join(plain_text(inline).split())
            linked = any(child.type in ("image", "link_open") for child in inline.children or [])
            if len(words) > 40 and not (linked and len(words) < 80):
                return words if len(words) <= limit else words[:limit].rsplit(" ", 1)[0] + " …"
    return ""


def load_page(tree: Tree, path: str, *, snippets: Snippets | None = None) -> Page:
    """Read a page; `snippets` is given where the form is MkDocs, whose blocks are then understood too."""
    if path.lower().endswith(ASCIIDOC):
        return _asciidoc_page(tree, path)
    lines = lines_of(tree.read_text(path), path)
    if snippets:
        lines = snippets.expand(lines, (path,))
    front, lines = split_front_matter(lines)
    if snippets:
        lines = outdent_fences(bracket_spaced_targets(convert_keys(convert_blocks(lines))))
    return make_page(path, front, convert_divs(convert_gitbook(lines)), mkdocs=snippets is not None)


def _asciidoc_page(tree: Tree, path: str) -> Page:
    """A page of AsciiDoc, whose headings also have the names that AsciiDoc gives them."""
    document = read_document(tree, path)
    page = make_page(path, document.front, document.lines, mkdocs=False)
    names: dict[str, set[str]] = {}
    for name, place in document.page.slugs.items():
        names.setdefault(place, set()).add(name)
    page.headings = [replace(row, names=row.names.union(*(names.get(name, ()) for name in row.names))) for row in page.headings]
    page.anchors |= dict.fromkeys(names.get("", ()), 0)
    page.moved |= {name for place in page.moved for name in names.get(place, ())}
    page.losses += document.findings.losses
    page.broken += document.findings.broken
    page.drawn_in, page.variables, page.fences = document.drawn_in, document.variables, marked_or_read
    return page


def make_page(
    path: str, front: FrontMatter, lines: list[Line], *, mkdocs: bool, cuts: frozenset[tuple[str, int]] = frozenset()
) -> Page:
    """A page of lines whose front matter is read and whose MkDocs blocks are converted.

    `cuts` are places (file, number) of lines that no hint or solution reaches over.
    """
    lines = convert_footnotes([line.with_text(line.text.replace("\x00", "\ufffd")) for line in lines])
    lines = convert_details(convert_alerts(lines))
    html = convert_html(part_fences(part_headings(trimmed(lines))))
    before = _headings(parse(html.lines), mkdocs=mkdocs)[1]
    kept, asides = take_asides(html.lines, cuts)
    offset = _row_shift(html.lines, kept)
    kept_lines, headings = _headings(parse(kept), mkdocs=mkdocs)
    anchors = {name: offset[row] for name, row in html.anchors.items() if offset[row] is not None}
    names_now = {name for heading in headings for name in heading.names} | set(anchors)
    moved = {name for heading in before for name in heading.names} | set(html.anchors)
    return Page(
        path, front, kept_lines, parse(kept_lines), headings, {name: row for name, row in anchors.items() if row is not None},
        asides, moved - names_now, html.losses, html.unknown,
    )  # fmt: skip


def _row_shift(before: list[Line], after: list[Line]) -> list[int | None]:
    """For each row of `before` its row in `after`, which lacks some; lines are compared by identity."""
    where = {id(line): row for row, line in enumerate(after)}
    return [where.get(id(line)) for line in before]


def _headings(parsed: Parsed, *, mkdocs: bool) -> tuple[list[Line], list[Heading]]:
    """The lines without attribute lists on headings, and the headings with every name they may be linked by."""
    lines = list(parsed.lines)
    headings: list[Heading] = []
    github, pymarkdown = UniqueAnchors("-"), UniqueAnchors("_")
    for token, inline in zip(parsed.tokens, parsed.tokens[1:], strict=False):
        if token.type != "heading_open" or not token.map or not inline.map:
            continue
        row = inline.map[1] - 1
        names: set[str] = set()
        text = plain_text(inline)
        attributes = _HEADING_ATTRIBUTES.search(inline.content)
        if attributes and (mkdocs or _HASH_ID.search(attributes["inner"])):
            raw = _HEADING_ATTRIBUTES.search(lines[row].text)
            if raw and raw.start() > 0:
                lines[row] = lines[row].with_text(lines[row].text[: raw.start()])
                text = _HEADING_ATTRIBUTES.sub("", text)
                names |= {match["id"] for match in _HASH_ID.finditer(attributes["inner"])}
        names |= {github.name(heading_slug(text)), pymarkdown.name(pymarkdown_anchor(text))}
        headings.append(Heading(token.map[0], token.map[1], int(token.tag[1]), text.strip(), frozenset(names - {""})))
    return lines, headings


def plain_text(inline: Token) -> str:
    """The words of an inline token, without marks."""
    children = inline.children or []
    parts = [
        child.content if child.type in ("text", "code_inline", "image") else " " if child.type.endswith("break") else ""
        for child in children
    ]
    return "".join(parts).strip()
