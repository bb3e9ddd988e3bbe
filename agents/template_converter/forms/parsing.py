"""CommonMark with places: markdown-it, taught to say where in the raw lines each link, image and tag stands."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.html_inline import html_inline
from markdown_it.rules_inline.image import image
from markdown_it.rules_inline.link import link
from markdown_it.token import Token

from agents.template_converter.forms.lines import Line

_MAX_DEPTH = 5
"""Of images in the descriptions of images: the parser reads each description anew, and in it the next one."""

_Rule = Callable[[StateInline, bool], bool]


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets into an inline token's content: the whole, and the bracket that ends the label (-1 for a tag)."""

    start: int
    end: int
    label_end: int = -1


def _placed(rule: _Rule, kind: str, label_offset: int | None) -> _Rule:
    def placing(state: StateInline, silent: bool) -> bool:
        start, first = state.pos, len(state.tokens)
        depth = state.env.get("depth", 0)
        if depth > _MAX_DEPTH:
            return False
        state.env["depth"] = depth + (kind == "image" and not silent)
        found = rule(state, silent)
        state.env["depth"] = depth
        if not found:
            return False
        if not silent:
            end, label_end = state.pos, -1
            if label_offset is not None:
                label_end = state.md.helpers.parseLinkLabel(state, start + label_offset, label_offset == 0)
                state.pos = end
            for token in state.tokens[first:]:
                if token.type == kind:
                    token.meta["span"] = Span(start, end, label_end)
                    break
        return True

    return placing


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Definitions of links; a footnote of one word or address looks like one, and stays text."""
    if not state.src.startswith("[^", state.bMarks[start] + state.tShift[start]):
        return reference(state, start, end, silent)
    if reference(state, start, end, True):
        state.env.setdefault("footnotes", set()).add(start)
    return False


def make_parser() -> MarkdownIt:
    """A parser of CommonMark with tables and strikethrough, whose inline tokens carry a `Span` in `meta["span"]`."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.block.ruler.at("reference", _reference)
    parser.inline.ruler.at("link", _placed(link, "link_open", 0))
    parser.inline.ruler.at("image", _placed(image, "image", 1))
    parser.inline.ruler.at("html_inline", _placed(html_inline, "html_inline", None))
    return parser


PARSER = make_parser()


@dataclass
class Parsed:
    """Tokens of a page over its raw lines.

    Attributes:
        definitions: Rows on which link references are defined.
        footnotes: Rows of footnotes that a parser of plain CommonMark takes for such definitions.
    """

    lines: list[Line]
    tokens: list[Token]
    definitions: set[int] = field(default_factory=set)
    footnotes: frozenset[int] = frozenset()

    def code_rows(self) -> set[int]:
        """Rows of fenced and indented code."""
        return {row for token in self.tokens if token.type in ("fence", "code_block") and token.map for row in range(*token.map)}


def parse(lines: list[Line]) -> Parsed:
    """Parse `lines`; rows of tokens are indices into them."""
    tokens, definitions, footnotes = _parsed("\n".join(line.text for line in lines))
    return Parsed(lines, tokens, set(definitions), footnotes)


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[list[Token], frozenset[int], frozenset[int]]:
    """Tokens, which nobody changes, and the rows of definitions and of footnotes like them; each stage of
    a page's way asks for what another one parsed.
    """
    env: dict[str, Any] = {}
    tokens = PARSER.parse(text, env)
    maps = [entry["map"] for entry in env.get("references", {}).values()] + [
        entry["map"] for entry in env.get("duplicate_refs", [])
    ]
    definitions = frozenset(row for first, end in maps for row in range(first, end))
    return tokens, definitions, frozenset(env.get("footnotes", ()))


@dataclass
class Places:
    """From offsets of an inline token's content to `(row, column)` of the raw lines.

    Attributes:
        rows: For each line of the content: its row, and the raw column of each of its characters (one more for its end).
        starts: Offset at which each line of the content begins.
    """

    rows: list[tuple[int, list[int]]]
    starts: list[int]

    def segments(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """`(row, first column, end column)` for each raw line that `[start, end)` touches; empty where it could not be placed."""
        out = []
        for index in range(max(0, bisect_right(self.starts, start) - 1), len(self.rows)):
            (row, columns), first = self.rows[index], self.starts[index]
            if first > end:
                break
            low, high = max(start, first), min(end, first + len(columns) - 1)
            if columns and low <= high and (low < high or start == end or low == start):
                out.append((row, columns[low - first], columns[high - first]))
        return out


def places_of(token: Token, lines: list[Line], cursors: dict[int, int]) -> Places:
    """Where the characters of an inline token stand.

    `cursors` holds per row the column after which to look: cells of one table row follow each other.
    """
    assert token.map is not None
    rows: list[tuple[int, list[int]]] = []
    starts: list[int] = []
    offset = 0
    for number, content in enumerate(token.content.split("\n")):
        row = min(token.map[0] + number, len(lines) - 1)
        columns = _columns(content, lines[row].text, cursors.get(row, 0))
        if columns:
            cursors[row] = columns[-1]
        rows.append((row, columns))
        starts.append(offset)
        offset += len(content) + 1
    return Places(rows, starts)


def _columns(content: str, raw: str, cursor: int) -> list[int]:
    bare = content.strip()
    if not bare:
        return []
    lead = len(content) - len(content.lstrip())
    match = (
        re.compile("".join(r"\\?\|" if char == "|" else re.escape(char) for char in bare)).search(raw, cursor)
        if "|" in bare
        else None
    )
    if "|" not in bare:
        found = raw.find(bare, cursor)
        columns = list(range(found, found + len(bare) + 1)) if found >= 0 else []
    elif match:
        columns = _over_escapes(bare, raw, match.start())
    else:
        columns = []
    if not columns:
        return []
    tail = len(content) - lead - len(bare)
    return [columns[0]] * lead + columns + [columns[-1]] * tail


def _over_escapes(bare: str, raw: str, column: int) -> list[int]:
    columns = []
    for char in bare:
        if raw[column] != char:
            column += 1
        columns.append(column)
        column += 1
    return [*columns, column]


@dataclass
class Edits:
    """Replacements in raw lines, applied together."""

    rows: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)

    def replace(self, places: Places, start: int, end: int, text: str) -> bool:
        """Put `text` in the place of `[start, end)`; False where it could not be placed."""
        segments = places.segments(start, end)
        for number, (row, first, last) in enumerate(segments):
            self.rows.setdefault(row, []).append((first, last, text if number == 0 else ""))
        return bool(segments)

    def set(self, row: int, first: int, last: int, text: str) -> None:
        """Put `text` in the place of columns `[first, last)` of a row."""
        self.rows.setdefault(row, []).append((first, last, text))

    def apply(self, lines: list[Line]) -> list[Line]:
        """The edited lines; as many as before."""
        out = list(lines)
        for row, changes in self.rows.items():
            text = out[row].text
            for first, last, new in sorted(changes, key=lambda change: (change[0], change[1]), reverse=True):
                text = text[:first] + new + text[last:]
            out[row] = out[row].with_text(text)
        return out
