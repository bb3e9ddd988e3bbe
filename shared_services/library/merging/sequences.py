"""Lists without repetitions merged: who is in the result, and in which order."""

from collections.abc import Callable, Sequence


def merged_members(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> set[str]:
    """What is in the result: what a side added is, what a side took away is not."""
    was, is_mine, is_theirs = set(base), set(mine), set(theirs)
    return (was & is_mine & is_theirs) | (is_mine - was) | (is_theirs - was)


def merged_order(
    base: Sequence[str],
    mine: Sequence[str],
    theirs: Sequence[str],
    members: set[str],
    prefer_theirs: Callable[[], bool] = lambda: False,
) -> list[str]:
    """The members in order: the order of the side that changed it, with the other side's own members after their neighbours.

    Args:
        base: What there was.
        mine: The author's list.
        theirs: The source's list.
        members: Which of them are in the result.
        prefer_theirs: Asked where both sides changed the order, each in another way.
    """
    common = members & set(base) & set(mine) & set(theirs)
    was, is_mine, is_theirs = (_only(rows, common) for rows in (base, mine, theirs))
    by_theirs = is_mine == was and is_theirs != was
    if is_mine != was and is_theirs not in (was, is_mine):
        by_theirs = prefer_theirs()
    leading, other = (theirs, mine) if by_theirs else (mine, theirs)
    return _woven(_only(leading, members), _only(other, members), members, base)


def _only(rows: Sequence[str], kept: set[str]) -> list[str]:
    return [row for row in rows if row in kept]


def _woven(leading: list[str], other: list[str], members: set[str], base: Sequence[str]) -> list[str]:
    """`leading` with what only `other` has, each after the nearest one before it that is there already."""
    order = list(leading)
    for index, row in enumerate(other):
        if row in order:
            continue
        before = next((earlier for earlier in reversed(other[:index]) if earlier in order), None)
        order.insert(order.index(before) + 1 if before is not None else 0, row)
    # What a decision brought back is in neither list.
    order += [row for row in base if row in members and row not in order]
    return order
