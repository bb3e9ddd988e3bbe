"""HTML in Markdown pages, as Markdown: blocks and inline tags, with `<details>` as quotes, hints or solutions."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from markdown_it.token import Token

from agents.template_converter.forms.lines import Line, dedented, indentation, outside_fences, text_of, trimmed
from agents.template_converter.forms.parsing import Edits, Parsed, Span, parse, places_of
from agents.template_converter.forms.tags import KEPT_WHOLE, TagWriter
from shared_services.contracts.conversion import Loss

_OPEN = re.compile(r"^(?P<indent>[ \t]*)<details\b[^>]*>(?P<rest>.*)$", re.IGNORECASE)
_CLOSE = re.compile(r"</details\s*>", re.IGNORECASE)
_ANY_OPEN = re.compile(r"<details\b", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary\b[^<>]*+>(?P<title>.{0,2000}?)</summary\s*+>", re.IGNORECASE | re.DOTALL)
HINT = re.compile(
    r"^\W*+(?:(?:show|see|view|click(?: here)? (?:for|to)|need|want|open|reveal|expand|toggle|display|get)\s++)*"
    r"(?:(?:a|an|the|some|me)\s++)*hints?\b\s*+\d*+\W*+$",
    re.IGNORECASE,
)
SOLUTION = re.compile(
    r"^\W*+(?:(?:show|see|view|click(?: here)? (?:for|to)|open|reveal|expand|toggle|display|get|check|peek at)\s++)*"
    r"(?:(?:a|an|the|me|my|our|sample|example|possible|full|complete|suggested|proposed)\s++)*"
    r"(?:solutions?|answers?)\b\s*+\d*+\W*+$",
    re.IGNORECASE,
)
_RAW = re.compile(r"\s*<(?:!--|[?!]|(?:pre|script|style|textarea)\b)", re.IGNORECASE)
"""HTML that a blank line does not end."""
_ENDS_IN_TAG = re.compile(r"^[\s>]*</?(?!(?:pre|script|style|textarea)\b)[A-Za-z][^<>]*>[ \t]*$", re.IGNORECASE)
_BEGINS_WITH_TAG = re.compile(r"^[\s>]*<(?!!)")
_AFTER_HEADING = re.compile(r"(?<=</h[1-6]>)[ \t]*+(?:<hr\b[^<>]*+>[ \t]*+)?(?=<(?:h[1-6]|p|div|img|ul|ol|br)\b)", re.IGNORECASE)
_MAX_PASSES = 5
_MAX_DEPTH = 12


@dataclass
class Asides:
    """What found its place beside a step's content: `(row before which it stood, lines)`; an importer may add to it."""

    hints: list[tuple[int, list[Line]]] = field(default_factory=list)
    solutions: list[tuple[int, list[Line]]] = field(default_factory=list)
    explanations: list[tuple[int, list[Line]]] = field(default_factory=list)


def convert_details(lines: list[Line], depth: int = 0) -> list[Line]:
    """`<details>` whose tags begin and end lines, as quotes with the summary as bold label. Others are left to `convert_html`."""
    if depth > _MAX_DEPTH:
        return lines
    inside = [flag for _, _, flag in outside_fences(lines)]
    ends = _closings(lines, inside)
    out: list[Line] = []
    row = 0
    while row < len(lines):
        match = None if inside[row] else _OPEN.match(lines[row].text)
        end = ends[row] if match else None
        if match is None or end is None:
            out.append(lines[row])
            row += 1
            continue
        if out and not out[-1].blank:
            out.append(lines[row].made(""))
        out += _details(lines[row : end + 1], match, depth)
        row = end + 1
        if row < len(lines) and not lines[row].blank:
            out.append(lines[end].made(""))
    return out


def _closings(lines: list[Line], inside: list[bool]) -> list[int | None]:
    """For each row the one that closes what it opens, where that one ends in the closing tag; in one walk over the rows."""
    found: list[int | None] = [None] * len(lines)
    waiting: list[tuple[int, int]] = []
    depth = 0
    for row, line in enumerate(lines):
        if inside[row]:
            continue
        waiting.append((row, depth))
        depth += len(_ANY_OPEN.findall(line.text)) - len(_CLOSE.findall(line.text))
        whole = line.text.rstrip().lower().endswith("</details>")
        while waiting and depth <= waiting[-1][1]:
            found[waiting.pop()[0]] = row if whole else None
    return found


def _details(block: list[Line], match: re.Match[str], depth: int) -> list[Line]:
    indent = match["indent"]
    rows = [block[0].with_text(match["rest"]), *block[1:]]
    last = rows[-1].text
    rows[-1] = rows[-1].with_text(last[: last.lower().rindex("</details")])
    rows = [line.with_text(dedented(line.text, indentation(indent))) for line in rows]
    title, label, rows = _summary(rows)
    body = convert_details(trimmed(rows), depth + 1)
    out = [label.with_text(f"{indent}> **{title}**")] if label else []
    if out and body:
        out.append(block[0].made(f"{indent}>"))
    return out + [row.with_text(f"{indent}> {row.text}" if not row.blank else f"{indent}>") for row in body]


def _summary(rows: list[Line]) -> tuple[str, Line | None, list[Line]]:
    """The summary's text, the line it stood on, and the rows without it."""
    text = "\n".join(line.text for line in rows[:30])
    match = _SUMMARY.search(text)
    if match is None or text[: match.start()].strip():
        return "Details", rows[0], rows
    first, last = text[: match.start()].count("\n"), text[: match.end()].count("\n")
    title = " ".join(re.sub(r"<[^<>]+>", " ", match["title"]).replace("**", "").split()).strip("#").strip() or "Details"
    tail = text[match.end() :].split("\n", 1)[0]
    rest = [rows[last].with_text(tail)] if tail.strip() else []
    return title, rows[first], [*rest, *rows[last + 1 :]]


def part_headings(lines: list[Line]) -> list[Line]:
    """`lines` with what follows a heading in HTML on its line on a line of its own, which Markdown would take for the heading."""
    out: list[Line] = []
    for _, line, inside in outside_fences(lines):
        parts = [] if inside or not _BEGINS_WITH_TAG.match(line.text) else _AFTER_HEADING.split(line.text)
        if len(parts) < 2 or "|" in line.text:
            out.append(line)
            continue
        prefix = re.match(r"[\s>]*", line.text)[0]  # type: ignore[index]
        out += [line.with_text(parts[0]), *(line.with_text(f"{prefix}{part}") for part in parts[1:])]
    return out


def part_fences(lines: list[Line]) -> list[Line]:
    """`lines` with a blank one before each fence that stands in HTML, which would take its code for HTML and rewrite it."""
    for _ in range(_MAX_PASSES):
        inside = [flag for _, _, flag in outside_fences(lines)]
        opening = {row for row, flag in enumerate(inside) if flag and row and not inside[row - 1]}
        # A fence that is taken for HTML leaves its end behind, which opens another one: those below tags are parted first.
        before = {row for row in opening if _ENDS_IN_TAG.match(lines[row - 1].text)}
        if not before:
            for token in parse(lines).tokens if opening else []:
                if token.type == "html_block" and token.map and not _RAW.match(token.content):
                    before |= opening & set(range(token.map[0] + 1, token.map[1]))
        if not before:
            break
        lines = _parted(lines, before)
    return lines


def _parted(lines: list[Line], before: set[int]) -> list[Line]:
    out: list[Line] = []
    for row, line in enumerate(lines):
        if row in before:
            out.append(line.made(re.match(r"[\s>]*", line.text)[0].rstrip()))  # type: ignore[index]
        out.append(line)
    return out


@dataclass
class HtmlResult:
    """Lines without HTML that a step cannot hold; `anchors` are names that can be linked to, by row."""

    lines: list[Line]
    anchors: dict[str, int] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    unknown: list[tuple[int, str]] = field(default_factory=list)


def convert_html(lines: list[Line]) -> HtmlResult:
    """Tags as Markdown, row for row. Tables and preformatted HTML stay as they are."""
    parsed = parse(lines)
    result = HtmlResult(lines)
    edits = Edits()
    cursors: dict[int, int] = {}
    whole: dict[int, Line] = {}
    for token in parsed.tokens:
        if token.type == "html_block" and token.map:
            whole |= _block(token, parsed, result)
        elif token.type == "inline" and token.map:
            _inline(token, lines, cursors, edits, result)
    edited = edits.apply(lines)
    result.lines = [whole.get(row, line) for row, line in enumerate(edited)]
    return result


def _block(token: Token, parsed: Parsed, result: HtmlResult) -> dict[int, Line]:
    assert token.map is not None
    first = token.map[0]
    rows = token.content.split("\n")[: token.map[1] - first]
    text = "\n".join(rows)
    writer = TagWriter(block=True)
    written = writer.block_text(text)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    _note(writer, lambda offset: first + bisect_right(starts, offset) - 1, parsed.lines, result)
    if KEPT_WHOLE.search(text) and not any(name != "unknown" for _, name, _ in writer.lost):
        return {}
    out: dict[int, Line] = {}
    for number, (row, new) in enumerate(zip(rows, written.split("\n"), strict=False)):
        line = parsed.lines[first + number]
        prefix = (
            line.text[: len(line.text) - len(row)]
            if line.text.endswith(row)
            else line.text[: len(line.text) - len(line.text.lstrip())]
        )
        if new.strip() != row.strip() or new.strip():
            out[first + number] = line.with_text((prefix + new.strip()) if new.strip() else prefix.rstrip())
    return out


def _inline(token: Token, lines: list[Line], cursors: dict[int, int], edits: Edits, result: HtmlResult) -> None:
    places = places_of(token, lines, cursors)
    writer = TagWriter(block=False)
    offsets: dict[int, int] = {}
    for child in token.children or []:
        span = child.meta.get("span") if child.type == "html_inline" else None
        if not isinstance(span, Span):
            continue
        segments = places.segments(span.start, span.end)
        offsets[span.start] = segments[0][0] if segments else 0
        new = writer.tag(child.content, span.start)
        if segments and new != child.content:
            edits.replace(places, span.start, span.end, new)
    _note(writer, lambda offset: offsets.get(offset, 0), lines, result)


def _note(writer: TagWriter, row_of: Callable[[int], int], lines: list[Line], result: HtmlResult) -> None:
    for offset, name in writer.anchors:
        result.anchors.setdefault(name, row_of(offset))
    for offset, name, sentence in writer.lost:
        row = row_of(offset)
        if name == "unknown":
            result.unknown.append((row, sentence))
        else:
            line = lines[row]
            result.losses.append(Loss(kind="html", source=line.file, line=line.number, detail=sentence))


def take_asides(lines: list[Line], cuts: frozenset[tuple[str, int]] = frozenset()) -> tuple[list[Line], Asides]:
    """The lines without hints and solutions, and those: quotes made from `<details>`, and sections, that are named so.

    `cuts` are places (file, number) of lines that a section does not reach over.
    """
    asides = Asides()
    parsed = parse(lines)
    taken: set[int] = set()
    for first, end, title, body in sorted(_candidates(parsed, cuts), key=lambda row: row[0]):
        kind = asides.hints if HINT.match(title) else asides.solutions if SOLUTION.match(title) else None
        if kind is None or first in taken or not text_of(body).strip():
            continue
        kind.append((first, trimmed(body)))
        taken.update(range(first, end))
    kept_before = list(accumulate((row not in taken for row in range(len(lines))), initial=0))
    for parts in (asides.hints, asides.solutions):
        parts[:] = [(kept_before[first], body) for first, body in parts]
    return [line for row, line in enumerate(lines) if row not in taken], asides


def _candidates(parsed: Parsed, cuts: frozenset[tuple[str, int]]) -> list[tuple[int, int, str, list[Line]]]:
    """`(first row, end row, title, body)` of labelled quotes and of sections below the first heading level."""
    found = []
    tokens = parsed.tokens
    headings = [
        (index, token) for index, token in enumerate(tokens) if token.type == "heading_open" and token.level == 0 and token.map
    ]
    for number, (index, token) in enumerate(headings):
        level = int(token.tag[1])
        if level < 2 or token.map is None:
            continue
        later = (headings[place][1] for place in range(number + 1, len(headings)))
        end = next((other.map[0] for other in later if other.map and int(other.tag[1]) <= level), len(parsed.lines))
        between = range(token.map[1], end) if cuts else ()
        end = next((row for row in between if (parsed.lines[row].file, parsed.lines[row].number) in cuts), end)
        found.append((token.map[0], end, tokens[index + 1].content, parsed.lines[token.map[1] : end]))
    for token, inline in zip(tokens, tokens[2:], strict=False):
        if token.type == "blockquote_open" and token.level == 0 and token.map and inline.type == "inline":
            label = re.fullmatch(r"\*\*(.+)\*\*", inline.content)
            first, end = token.map
            if label and parsed.lines[first].text.startswith("> **"):
                body = [line.with_text(re.sub(r"^ {0,3}> ?", "", line.text)) for line in parsed.lines[first + 1 : end]]
                found.append((first, end, label[1], body))
    return found
