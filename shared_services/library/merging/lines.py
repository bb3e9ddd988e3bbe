"""Three versions of a text made one: what one side alone changed is taken, what both changed differently is a clash.

The way of `diff3`: lines that all three share hold the texts together, and the stretches between are judged one by one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_COMPARISONS = 4_000_000
"""Pairs of equal lines that are looked at; texts with more are compared by their beginnings and ends alone."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

Origin = Literal["base", "mine", "theirs", "both"]


@dataclass(frozen=True)
class Agreed:
    """Lines that stand in the result. `origin` says who has them: `base` all three, `both` both sides and not the base.

    Attributes:
        mine: Index of the first of them in the author's text, or of where they would stand.
        theirs: The same for the source's text.
    """

    lines: tuple[str, ...]
    origin: Origin
    mine: int
    theirs: int


@dataclass(frozen=True)
class Clash:
    """Lines that both sides changed, each in another way; `*_at` are indexes of their first lines."""

    base: tuple[str, ...]
    mine: tuple[str, ...]
    theirs: tuple[str, ...]
    mine_at: int
    theirs_at: int


Part = Agreed | Clash


def split(text: str) -> list[str]:
    """The lines of a text with their ends, which line feeds alone are: joined they are the text again."""
    return _LINE.findall(text)


def merge_lines(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> list[Part]:
    """The parts of the merged text, in order."""
    parts: list[Part] = []
    at = (0, 0, 0)
    for start, end in _shared(base, mine, theirs):
        parts += _between(base[at[0] : start[0]], mine[at[1] : start[1]], theirs[at[2] : start[2]], at)
        if start[0] < end[0]:
            parts.append(Agreed(tuple(base[start[0] : end[0]]), "base", start[1], start[2]))
        at = end
    return parts


def _between(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str], at: tuple[int, int, int]) -> Iterator[Part]:
    """What becomes of a stretch that not all three share."""
    _, mine_at, theirs_at = at
    if list(mine) == list(theirs):
        if mine:
            yield Agreed(tuple(mine), "both", mine_at, theirs_at)
    elif list(base) == list(mine):
        if theirs:
            yield Agreed(tuple(theirs), "theirs", mine_at, theirs_at)
    elif list(base) == list(theirs):
        if mine:
            yield Agreed(tuple(mine), "mine", mine_at, theirs_at)
    else:
        yield from _clash(base, mine, theirs, mine_at, theirs_at)


def _clash(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str], mine_at: int, theirs_at: int) -> Iterator[Part]:
    """A clash without the lines at its ends that both sides came to."""
    head = _common(mine, theirs)
    tail = _common(mine[head:][::-1], theirs[head:][::-1])
    if head:
        yield Agreed(tuple(mine[:head]), "both", mine_at, theirs_at)
    inner_mine, inner_theirs = mine[head : len(mine) - tail], theirs[head : len(theirs) - tail]
    yield Clash(tuple(base), tuple(inner_mine), tuple(inner_theirs), mine_at + head, theirs_at + head)
    if tail:
        yield Agreed(tuple(mine[len(mine) - tail :]), "both", mine_at + len(mine) - tail, theirs_at + len(theirs) - tail)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


Position = tuple[int, int, int]


def _shared(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[Position, Position]]:
    """Stretches that all three share, from their starts to their ends in each; the last is empty and stands at the end."""
    in_mine, in_theirs = matching_blocks(base, mine), matching_blocks(base, theirs)
    one = other = 0
    while one < len(in_mine) and other < len(in_theirs):
        (base_mine, at_mine, length_mine), (base_theirs, at_theirs, length_theirs) = in_mine[one], in_theirs[other]
        start = max(base_mine, base_theirs)
        end = min(base_mine + length_mine, base_theirs + length_theirs)
        if start < end:
            first = (start, at_mine + start - base_mine, at_theirs + start - base_theirs)
            length = end - start
            yield first, (first[0] + length, first[1] + length, first[2] + length)
        if base_mine + length_mine < base_theirs + length_theirs:
            one += 1
        else:
            other += 1
    last = (len(base), len(mine), len(theirs))
    yield last, last


def matching_blocks(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    """Stretches `(index in one, index in other, length)` that two texts share, ascending in both."""
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    blocks = [(0, 0, head)] if head else []
    inner_one, inner_other = one[head : len(one) - tail], other[head : len(other) - tail]
    counts = Counter(inner_other)
    if sum(counts[line] for line in inner_one) <= MOST_COMPARISONS:
        found = SequenceMatcher(None, inner_one, inner_other, autojunk=False).get_matching_blocks()
        blocks += [(row.a + head, row.b + head, row.size) for row in found if row.size]
    if tail:
        blocks.append((len(one) - tail, len(other) - tail, tail))
    return blocks
