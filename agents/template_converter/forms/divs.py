"""Boxes between rows of colons: pandoc's divs, as lessons of The Carpentries have them, containers of VuePress and VitePress.

A box becomes a quote with a bold label. The hints and solutions of an exercise follow its box, where hints and solutions are
looked for; a div that only lays its content out leaves that content. What nothing closes stays as it is.
"""

import re
from dataclasses import dataclass
from typing import Final

from agents.template_converter.forms.html_blocks import HINT, SOLUTION
from agents.template_converter.forms.lines import Line, dedented, indentation, outside_fences, trimmed

_OPENING = re.compile(
    r"^[ \t]{0,12}:{3,}[ \t]*+(?:\{(?P<attributes>[^{}]*)\}|(?P<name>[A-Za-z][\w-]*+)(?P<title>[^:{}\n][^\n]*?)?)[ \t]*:*[ \t]*$"
)
_CLOSING = re.compile(r"^[ \t]{0,12}:{3,}[ \t]*$")
_CLASS = re.compile(r"(?:^|\s)\.(?P<name>[A-Za-z][\w-]*)")
_TITLE = re.compile(r"(?:^|\s)(?:title|summary)=(?:\"([^\"]*)\"|'([^']*)')")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<text>\S.*?)[ \t]*#*[ \t]*$")
_LABELS: Final = {
    "callout": "Note", "prereq": "Prerequisites", "keypoints": "Key points", "testimonial": "Testimonial",
    "instructor": "For instructors", "spoiler": "Details", "learningobjectives": "Objectives",
}  # fmt: skip
_BOXES: Final = frozenset(
    {
        *_LABELS, "objectives", "questions", "checklist", "discussion", "challenge", "exercise", "solution", "answer", "hint",
        "details", "tip", "note", "info", "warning", "danger", "caution", "important", "success", "error", "attention",
    }
)  # fmt: skip
_NAMED: Final = frozenset({"challenge", "exercise", "discussion"})
"""Boxes whose heading says what they are about, and not what they are."""
_LAYOUT: Final = frozenset(
    {
        "tab", "group-tab", "code-group", "code-group-item", "panel-tabset", "v-pre", "raw", "left", "center", "right",
        "columns", "column", "row", "col",
    }
)  # fmt: skip
_MAX_DEPTH: Final = 12


@dataclass(frozen=True)
class _Box:
    kind: str
    title: str
    shown: bool


def convert_divs(lines: list[Line], depth: int = 0) -> list[Line]:
    """Boxes as quotes; those of exercises without their hints and solutions, which come after them."""
    if depth > _MAX_DEPTH or not any(_OPENING.match(line.text) for line in lines):
        return lines
    inside = [flag for _, _, flag in outside_fences(lines)]
    ends = _ends(lines, inside)
    out: list[Line] = []
    row = 0
    while row < len(lines):
        end = ends.get(row)
        box = _box(lines[row]) if end is not None else None
        if end is None or box is None:
            out.append(lines[row])
            row += 1
            continue
        columns = indentation(lines[row].text)
        body = trimmed([line.with_text(dedented(line.text, columns)) for line in lines[row + 1 : end]])
        made = _written(lines[row], box, convert_divs(body, depth + 1))
        out += [lines[row].made(""), *(line.with_text(f"{' ' * columns}{line.text}" if line.text else "") for line in made)]
        out.append(lines[end].made(""))
        row = end + 1
    return out


def _ends(lines: list[Line], inside: list[bool]) -> dict[int, int]:
    """The row that closes each box, by the row that opens it: the next one that closes what is still open."""
    found: dict[int, int] = {}
    open_rows: list[int] = []
    for row, line in enumerate(lines):
        if inside[row] or ":::" not in line.text:
            continue
        if _CLOSING.match(line.text):
            if open_rows:
                found[open_rows.pop()] = row
        elif _box(line) is not None:
            open_rows.append(row)
    return found


def _box(line: Line) -> _Box | None:
    """What a row opens; None where it opens no box that is known."""
    match = _OPENING.match(line.text)
    if match is None:
        return None
    if match["attributes"] is not None:
        named = [row["name"].lower().removeprefix("callout-") for row in _CLASS.finditer(match["attributes"])]
        if not named:
            return None
        given = _TITLE.search(match["attributes"])
        title = (given[1] or given[2] or "") if given else ""
        kind = next((name for name in named if name in _BOXES), named[0])
        return _Box(kind, title, shown=kind in _BOXES)
    kind = match["name"].lower()
    title = (match["title"] or "").strip()
    return _Box(kind, title, shown=kind in _BOXES) if kind in _BOXES or kind in _LAYOUT else None


def _written(line: Line, box: _Box, body: list[Line]) -> list[Line]:
    if not box.shown:
        return body
    label, heading, body = _label(box, body)
    own, after = _parted(body, label.removeprefix(f"{box.kind.capitalize()}: ")) if box.kind in _NAMED else (body, [])
    head = [(heading or line).with_text(f"> **{label}**"), line.made(">")]
    quoted = [row.with_text(f"> {row.text}" if not row.blank else ">") for row in trimmed(own)]
    return [*head[: 2 if quoted else 1], *quoted, *after]


def _label(box: _Box, body: list[Line]) -> tuple[str, Line | None, list[Line]]:
    """What a box is called, the heading that says so, and its text without that heading."""
    kind = _LABELS.get(box.kind, box.kind.replace("-", " ").capitalize())
    match = _HEADING.match(body[0].text) if body else None
    title = (box.title or (match["text"] if match else "")).replace("**", "").strip()
    heading, rest = (body[0], trimmed(body[1:])) if match and not box.title else (None, body)
    if not title:
        return kind, None, body
    if box.kind in ("solution", "answer", "hint"):
        # Its name is what sends it where it belongs.
        pattern = HINT if box.kind == "hint" else SOLUTION
        if pattern.match(title):
            return title, heading, rest
        named = (heading or body[0]).with_text(f"**{title}**") if body else None
        return kind, None, [*([named, named.made("")] if named else []), *rest]
    if box.kind in _NAMED and not title.lower().startswith(box.kind):
        return f"{kind}: {title}", heading, rest
    return title, heading, rest


def _parted(body: list[Line], name: str) -> tuple[list[Line], list[Line]]:
    """The text of an exercise, and the quotes of its hints and solutions, which say what they belong to."""
    own: list[Line] = []
    after: list[Line] = []
    taking = False
    inside = [flag for _, _, flag in outside_fences(body)]
    for row, line in enumerate(body):
        label = None if inside[row] else re.fullmatch(r"> \*\*(.+)\*\*", line.text)
        begins = label is not None and (row == 0 or body[row - 1].blank)
        if begins and label is not None:
            taking = bool(HINT.match(label[1]) or SOLUTION.match(label[1]))
            if taking:
                after += [line.made(""), line, line.made(">"), line.made(f"> **{name}**")]
                continue
        elif taking and not line.text.startswith(">"):
            taking = False
        (after if taking else own).append(line)
    return own, [*after, *([body[-1].made("")] if after else [])]
