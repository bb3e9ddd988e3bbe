"""Killercoda's and Katacoda's code that is no fenced block in the source, as one: commands on lines of their own, editor files.

`` `ls`{{execute}} `` on a line of its own, or behind a colon at its end, is how most Katacoda scenarios write a command, and
`<pre class="file">` how they write a file's text. What stands inside a sentence, and words of a list that can be copied, are
left to `click_code`.
"""

import html
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from agents.template_converter.forms.lines import Line, dedented, outside_fences
from agents.template_converter.forms.parsing import parse
from agents.template_converter.forms.tags import attributes_of

_TICKS = re.compile(r"`+")
_MARKS = re.compile(r"[ \t]*(?P<marks>(?:\{\{[^{}\n]*\}\}[ \t]*)+)")
_RUNS = re.compile(r"\{\{\s*(?:exec(?:ute)?|copy)\b")
_EXECUTES = re.compile(r"\{\{\s*exec")
_ROW_END = re.compile(r"(?:<br[ \t]*/?>)?[ \t\\]*(?:\n|\Z)", re.IGNORECASE)
_FILE = re.compile(r"^(?P<indent>[ \t]*)<pre\b(?P<attributes>[^>]*\bclass=[\"']?file\b[^>]*)>(?P<rest>.*)$", re.IGNORECASE)
_FILE_HEAD = re.compile(r"^[ \t]*<pre\b[^>]*\bclass=[\"']?file\b[^>]*$", re.IGNORECASE)
_FILE_END = re.compile(r"</pre\s*>", re.IGNORECASE)
_LANGUAGES = {"yml": "yaml", "py": "python", "js": "javascript", "sh": "bash", "md": "markdown", "rb": "ruby", "ts": "typescript"}
_MAX_HEAD = 5
_MAX_ROWS = 500


@dataclass(frozen=True)
class _Command:
    """Code that stands alone: its rows `[first, end)` of the paragraph, its text row for row, and the marks behind it."""

    first: int
    end: int
    rows: list[tuple[int, str]]
    marks: str


def commands_as_blocks(lines: list[Line], info: Callable[[str, Line], str]) -> list[Line]:
    """Code spans with marks that fill whole lines, as fenced blocks.

    Args:
        lines: A page.
        info: From the marks and the line they stand on, the info string of the block.
    """
    changes: dict[int, tuple[int, list[Line]]] = {}
    tokens = parse(lines).tokens
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and inline.map and "}}" in inline.content:
            first = inline.map[0]
            bare = inline.content.split("\n", 1)[0]
            at = lines[first].text.find(bare)
            if at >= 0:
                changes |= _paragraph(lines, first, inline.map[1], at, info)
    out: list[Line] = []
    row = 0
    while row < len(lines):
        end, made = changes.get(row, (row + 1, [lines[row]]))
        out += made
        row = end
    return out


def _paragraph(
    lines: list[Line], first: int, end: int, at: int, info: Callable[[str, Line], str]
) -> dict[int, tuple[int, list[Line]]]:
    """By row, the row after it and the blocks in its place."""
    prefix = lines[first].text[:at]
    inner = re.sub(r"[^\s>]", " ", prefix)
    texts = [lines[first].text[at:], *(_without(line.text, inner) for line in lines[first + 1 : end])]
    found: dict[int, tuple[int, list[Line]]] = {}
    row = 0
    while row < len(texts):
        commands = _commands(texts, row)
        listed = row == 0 and re.search(r"[^\s>]", prefix)
        introduced = _introduced(texts[row], row) if not commands else None
        if introduced:
            head, command = introduced
            before = prefix if row == 0 else inner
            said = [lines[first + row].with_text(before + head), lines[first + row].made(inner.rstrip())]
            found[first + row] = (first + row + 1, [*said, *_block(lines, first, command, inner, inner, info)])
            row += 1
            continue
        if not commands or (listed and not any(_EXECUTES.search(command.marks) for command in commands)):
            row += 1
            continue
        made: list[Line] = []
        for command in commands:
            before = prefix if row == 0 and not made else inner
            made += _block(lines, first, command, before, inner, info)
        found[first + row] = (first + commands[-1].end, made)
        row = commands[-1].end
    return found


def _without(text: str, inner: str) -> str:
    """A row without the marks of the quotes and the indentation of the lists that its paragraph stands in."""
    for _ in range(inner.count(">")):
        text = re.sub(r"^[ ]{0,3}> ?", "", text)
    return dedented(text, len(inner.rpartition(">")[2]) - (">" in inner))


def _block(
    lines: list[Line], first: int, command: _Command, before: str, inner: str, info: Callable[[str, Line], str]
) -> list[Line]:
    text = "\n".join(row for _, row in command.rows)
    mark = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    last = lines[first + command.end - 1]
    return [
        lines[first + command.first].made(f"{before}{mark}{info(command.marks, last)}"),
        *(
            lines[first + row].with_text(f"{inner}{body}".rstrip() if not body.strip() else f"{inner}{body}")
            for row, body in command.rows
        ),
        last.made(f"{inner}{mark}"),
    ]


def _commands(texts: list[str], row: int) -> list[_Command]:
    """The code that fills the rows from `row` on, as many as stand behind each other there; none where a sentence goes on."""
    if not texts[row].lstrip(" \t").startswith("`"):
        return []
    text = "\n".join(texts[row : row + _MAX_ROWS])
    place = len(text) - len(text.lstrip(" \t"))
    found: list[_Command] = []
    while True:
        span = _span(text, place)
        marks = _MARKS.match(text, span[1]) if span else None
        if span is None or marks is None or not _RUNS.search(marks["marks"]):
            return []
        first = row + text.count("\n", 0, place)
        end = row + text.count("\n", 0, marks.end()) + 1
        found.append(_Command(first, end, _rows(span[0], first), marks["marks"]))
        if _ROW_END.match(text, marks.end()):
            return found
        place = marks.end()


def _introduced(text: str, row: int) -> tuple[str, _Command] | None:
    """A command at the end of a row, behind a colon or a sign such as an arrow, and what stands before it."""
    place = text.find("`")
    head = text[: max(place, 0)].rstrip()
    if not head or not (head.endswith(":") or not re.search(r"\w", head)):
        return None
    span = _span(text, place)
    marks = _MARKS.match(text, span[1]) if span else None
    if span is None or marks is None or not _EXECUTES.search(marks["marks"]) or not _ROW_END.match(text, marks.end()):
        return None
    return head, _Command(row, row + 1, _rows(span[0], row), marks["marks"])


def _span(text: str, place: int) -> tuple[str, int] | None:
    """A code span's text and the offset behind it."""
    opening = _TICKS.match(text, place)
    if opening is None:
        return None
    closing = next((run for run in _TICKS.finditer(text, opening.end()) if len(run[0]) == len(opening[0])), None)
    return (text[opening.end() : closing.start()], closing.end()) if closing else None


def _rows(code: str, first: int) -> list[tuple[int, str]]:
    """The rows of a code span, without blank ones at its ends."""
    rows = list(enumerate(code.split("\n"), first))
    if len(rows) == 1:
        return [(first, code.strip())]
    while len(rows) > 1 and not rows[0][1].strip():
        rows = rows[1:]
    while len(rows) > 1 and not rows[-1][1].strip():
        rows = rows[:-1]
    return rows


def files_as_blocks(lines: list[Line], met: Callable[[Line], None]) -> list[Line]:
    """`<pre class="file">` as a fenced block to copy, under its file's name.

    Args:
        lines: A page.
        met: Called with the line of each.
    """
    out: list[Line] = []
    inside = [flag for _, _, flag in outside_fences(lines)]
    ends = [at for at, line in enumerate(lines) if _FILE_END.search(line.text)]
    row = 0
    while row < len(lines):
        head, after = (lines[row].text, row + 1) if inside[row] else _head(lines, row)
        match = None if inside[row] else _FILE.match(head)
        following = bisect_left(ends, after - 1)
        end = ends[following] if match and following < len(ends) else None
        if match is None or end is None:
            out.append(lines[row])
            row += 1
            continue
        met(lines[row])
        out += _file(lines, match, (row, after, end))
        row = end + 1
    return out


def _head(lines: list[Line], row: int) -> tuple[str, int]:
    """The tag that begins on a row, which may go on over the next ones, and the row after it."""
    text, after = lines[row].text, row + 1
    if _FILE_HEAD.match(text):
        while after < min(len(lines), row + _MAX_HEAD) and ">" not in text:
            text, after = f"{text} {lines[after].text}", after + 1
    return text, after


def _file(lines: list[Line], match: re.Match[str], rows: tuple[int, int, int]) -> list[Line]:
    row, after, end = rows
    attributes = attributes_of(match["attributes"])
    name, marker = attributes.get("data-filename", ""), attributes.get("data-marker", "")
    body = [lines[after - 1].with_text(match["rest"]), *lines[after : end + 1]]
    closing = _FILE_END.search(body[-1].text)
    rest = body[-1].text[closing.end() :].strip() if closing else ""
    body[-1] = body[-1].with_text(body[-1].text[: closing.start()] if closing else body[-1].text)
    while len(body) > 1 and body[0].blank:
        body = body[1:]
    while len(body) > 1 and body[-1].blank:
        body = body[:-1]
    body = [line.with_text(html.unescape(line.text)) for line in body]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    language = _LANGUAGES.get(ending, ending if re.fullmatch(r"[a-z0-9]{1,12}", ending) else "text")
    mark = "`" * max(3, 1 + max((len(run) for line in body for run in _TICKS.findall(line.text)), default=0))
    above, indent = lines[row], match["indent"]
    indent = indent if len(indent) < 4 and "\t" not in indent else ""
    place = f", in place of `{marker}`" if marker and "`" not in marker else ""
    title = [above.made(f"{indent}**`{name}`**{place}"), above.made("")] if name and "`" not in name else []
    behind = [lines[end].made(""), lines[end].with_text(rest)] if rest else [lines[end].made("")]
    return [
        above.made(""),
        *title,
        above.made(f"{indent}{mark}{language} copy"),
        *body,
        lines[end].made(f"{indent}{mark}"),
        *behind,
    ]
