"""A YAML file with some of its top values changed, and every other line, comments among them, as its author wrote it."""

from itertools import pairwise
from typing import Any

import yaml

from shared_services.library.merging.lines import split


def with_values(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """`text`, which holds the mapping `old`, made to hold `new`; comments inside a value that changed stand above it then."""
    lines = split(text)
    places = _places(text)
    if places is None or set(places) != set(old):
        return _anew(text, new)
    edits: list[tuple[int, int, list[str]]] = []
    for name, (first, end) in places.items():
        if name in new and _same(new[name], old[name]):
            continue
        comments = [mark if mark.endswith("\n") else f"{mark}\n" for line in lines[first:end] if (mark := _comment(line))]
        edits.append((first, end, comments + (split(_dump({name: new[name]})) if name in new else [])))
    for first, end, replacement in sorted(edits, reverse=True):
        lines[first:end] = replacement
    added = {name: value for name, value in new.items() if name not in old}
    if added:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines += split(_dump(added))
    made = "".join(lines)
    return made if _read(made) == new else _anew(text, new)


def _anew(text: str, new: dict[str, Any]) -> str:
    """`new` written anew below every comment that `text` has."""
    comments = [mark if mark.endswith("\n") else f"{mark}\n" for line in split(text) if (mark := _comment(line))]
    return "".join(comments) + _dump(new)


def _comment(line: str) -> str:
    return line.lstrip() if line.lstrip().startswith("#") else _trailing_comment(line)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _places(text: str) -> dict[str, tuple[int, int]] | None:
    """The lines `[first, end)` of each top value with its name; None where they cannot be told apart by lines."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return None
    found: dict[str, tuple[int, int]] = {}
    lines = split(text)
    for key, value in node.value:
        end = value.end_mark.line + (1 if value.end_mark.column else 0)
        while end - 1 > key.start_mark.line and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1  # it belongs to what follows
        found[str(key.value)] = (key.start_mark.line, max(end, key.start_mark.line + 1))
    starts = sorted(found.values())
    overlap = any(one[1] > other[0] for one, other in pairwise(starts))
    return None if overlap or any(key.start_mark.column for key, _ in node.value) else found


def _trailing_comment(line: str) -> str:
    """The comment at the end of a line that is no comment itself; empty where there is none that is surely one."""
    body, mark, comment = line.rstrip("\n").partition(" #")
    if not mark or line.lstrip().startswith("#") or body.count('"') % 2 or body.count("'") % 2:
        return ""
    return f"#{comment}"


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _dump(data: dict[str, Any]) -> str:
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120))
