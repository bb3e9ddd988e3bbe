"""Indentation in MDX: what stands between tags is indented by habit and means nothing, but in lists, where it does."""

import re

from agents.template_converter.forms.lines import Line, dedented, indentation, outside_fences

_TAG = re.compile(r"^[ \t]*<(?P<close>/?)(?P<name>[A-Za-z][\w.]*)\b[^<>]*?(?P<alone>/?)>[ \t]*$")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr"})
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")


def without_habit(lines: list[Line]) -> list[Line]:
    """`lines` with what stands between tags at the margin; lists move as a whole, and fences with their code."""
    out: list[Line] = []
    depth = 0
    in_list: int | None = None
    fence = 0
    before = False
    for _, line, inside in outside_fences(lines):
        columns = indentation(line.text)
        if inside and not before:
            in_list = None if in_list is not None and columns <= in_list else in_list
            fence = columns if depth and in_list is None else in_list if depth and in_list is not None else 0
        elif not inside and not line.blank:
            in_list = _list_at(line, columns, in_list)
            tag = _TAG.match(line.text)
            if tag and not tag["alone"] and tag["name"].lower() not in _VOID:
                depth = max(0, depth - 1) if tag["close"] else depth
        cut = fence if inside else (columns if in_list is None else in_list) if depth else 0
        out.append(line if not cut or line.blank else line.with_text(dedented(line.text, cut)))
        if not inside and not line.blank and (tag := _TAG.match(line.text)):
            depth += not (tag["close"] or tag["alone"] or tag["name"].lower() in _VOID)
        before = inside
    return out


def _list_at(line: Line, columns: int, in_list: int | None) -> int | None:
    """The column of the list that a line belongs to; None where it belongs to none."""
    if in_list is not None and columns > in_list:
        return in_list
    return columns if _ITEM.match(line.text) else None
