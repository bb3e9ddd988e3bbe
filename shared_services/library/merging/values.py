"""Values of a manifest merged field by field: mappings by their names, lists by their members, the rest as a whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from shared_services.library.merging.sequences import merged_members, merged_order


class _Absent:
    """What a mapping does not have."""


ABSENT: Final = _Absent()
_KEYS = ("name", "title")


Choose = Callable[[str, Any, Any, Any], Any]
"""Decides about a field that both sides changed: given its name, the base's value, mine and theirs, it gives one of the two."""


def merge_values(field: str, base: Any, mine: Any, theirs: Any, choose: Choose) -> Any:
    """One value from three; `ABSENT` where the result has none.

    Args:
        field: Name of the value, its parts with dots between them; empty for the whole.
        base: As it was.
        mine: The author's.
        theirs: The source's.
        choose: Asked where both changed it, and nothing smaller can be told apart.
    """
    if _same(mine, theirs) or _same(base, theirs):
        return mine
    if _same(base, mine):
        return theirs
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return _mappings(field, base if isinstance(base, dict) else {}, mine, theirs, choose)
    if isinstance(mine, list) and isinstance(theirs, list):
        was = base if isinstance(base, list) else []
        if all(_plain(rows) for rows in (was, mine, theirs)):
            return merged_order(was, mine, theirs, merged_members(was, mine, theirs))
        key = next((key for key in _KEYS if all(_keyed(rows, key) for rows in (was, mine, theirs))), None)
        if key:
            return _keyed_lists(field, key, was, mine, theirs, choose)
    return choose(field, base, mine, theirs)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _plain(rows: Sequence[Any]) -> bool:
    return all(isinstance(row, str) for row in rows) and len(set(rows)) == len(rows)


def _keyed(rows: Sequence[Any], key: str) -> bool:
    named = [row.get(key) for row in rows if isinstance(row, dict)]
    return len(named) == len(rows) and all(isinstance(name, str) for name in named) and len(set(named)) == len(named)


def _mappings(
    field: str, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], choose: Choose
) -> dict[str, Any]:
    names = [*mine, *(name for name in theirs if name not in mine)]
    merged = {
        name: merge_values(
            f"{field}.{name}" if field else str(name),
            base.get(name, ABSENT), mine.get(name, ABSENT), theirs.get(name, ABSENT), choose,
        )
        for name in names
    }  # fmt: skip
    return {name: value for name, value in merged.items() if value is not ABSENT}


def _keyed_lists(
    field: str, key: str, base: list[Any], mine: list[Any], theirs: list[Any], choose: Choose
) -> list[dict[str, Any]]:
    """Lists of mappings that are told apart by one of their values."""
    tables = [{row[key]: row for row in rows} for rows in (base, mine, theirs)]
    merged = {
        name: merge_values(
            f"{field}.{name}", tables[0].get(name, ABSENT), tables[1].get(name, ABSENT), tables[2].get(name, ABSENT), choose
        )
        for name in dict.fromkeys([*tables[1], *tables[2]])
    }
    members = {name for name, value in merged.items() if value is not ABSENT}
    order = merged_order(list(tables[0]), list(tables[1]), list(tables[2]), members)
    return [merged[name] for name in order]
