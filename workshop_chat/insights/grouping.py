"""Questions into groups of like ones. Pure, and the same for the same questions in whatever order they come.

Groups grow by average linkage: again and again the two become one whose questions are most alike on average, as long as that is
at least the threshold. On questions that were written for it, four phrasings of each of nine things, the model that ships kept
all nine apart at 0.60 and ran two of them into one at 0.55.
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workshop_chat.insights.words import content_words, vague

EMBEDDINGS_THRESHOLD = 0.60
WORDS_THRESHOLD = 0.50
OTHER_SECTION = 0.05
"""Taken off where two questions are about different sections."""

Alike = Callable[[int, int], float]
"""How much two items, by their places, are alike: 1 for the same."""


@dataclass(frozen=True)
class Item:
    """A question that may have been asked many times.

    Attributes:
        folded: As `words.folded` gives it.
        section: Key of the section that it is about.
        step: Where it was asked.
    """

    folded: str
    section: tuple[str, ...]
    step: str


def alike_by_vectors(items: Sequence[Item], vectors: Mapping[str, Sequence[float]]) -> Alike:
    """Likeness by the cosine of the questions' vectors of length 1, which are given by folded question."""
    # As floats: an array makes each of its numbers one again for every product, which takes three times as long.
    found = [list(vectors[item.folded]) for item in items]
    return _in_place(items, lambda one, other: math.sumprod(found[one], found[other]))


def alike_by_words(items: Sequence[Item]) -> Alike:
    """Likeness by shared words: twice how many are in both, of how many are in each (Dice)."""
    words = [content_words(item.folded) for item in items]

    def dice(one: int, other: int) -> float:
        total = len(words[one]) + len(words[other])
        return 2 * len(words[one] & words[other]) / total if total else 0.0

    return _in_place(items, dice)


def _in_place(items: Sequence[Item], alike: Alike) -> Alike:
    """The same questions about two places are less alike, and not at all where nothing but the place says what they mean."""
    vague_ones = [vague(item.folded) for item in items]

    def placed(one: int, other: int) -> float:
        first, second = items[one], items[other]
        if first.section == second.section:
            return alike(one, other)
        if (vague_ones[one] or vague_ones[other]) and first.step != second.step:
            return 0.0
        return alike(one, other) - OTHER_SECTION

    return placed


class Pairs:
    """How much each two of `count` items are alike, worked out once: 2 MB for 1,000 items."""

    def __init__(self, count: int, alike: Alike) -> None:
        self.count = count
        self._row = [place * (2 * count - place - 1) // 2 - place - 1 for place in range(count)]
        self._found = array("f", (alike(one, other) for one in range(count) for other in range(one + 1, count)))

    def __call__(self, one: int, other: int) -> float:
        """The likeness of two different items."""
        return self._found[self._row[one] + other] if one < other else self._found[self._row[other] + one]


def grouped(pairs: Pairs, threshold: float) -> list[list[int]]:
    """Places of the items in groups, each in order, the groups by their first item.

    From each group one goes to the one most like it, and on from there; two that are each other's most like become one. With
    averages that gives what taking the most alike of all each time gives, in time that grows with the square of the items
    (seconds for 1,000) and 8 MB for as many.
    """
    places = range(pairs.count)
    rows = [array("d", (pairs(one, other) if one != other else 1.0 for other in places)) for one in places]
    members = {place: [place] for place in places}
    chain: list[int] = []
    found: list[list[int]] = []
    while members:
        if not chain:
            chain.append(next(iter(members)))
        top = chain[-1]
        before = chain[-2] if len(chain) > 1 else None
        nearest, likeness = _nearest(rows[top], members, top, before)
        if nearest is None or likeness < threshold:
            found.append(sorted(members.pop(top)))
            chain.pop()
        elif nearest == before:
            del chain[-2:]
            _join(rows, members, top, nearest)
        else:
            chain.append(nearest)
    return sorted(found)


def _nearest(row: array[float], members: Mapping[int, list[int]], top: int, before: int | None) -> tuple[int | None, float]:
    """The group most like `top`; of equal ones the one that the way came from, else the first."""
    nearest, likeness = before, row[before] if before is not None else -math.inf
    for other in members:
        if row[other] > likeness and other != top:
            nearest, likeness = other, row[other]
    return nearest, likeness


def _join(rows: list[array[float]], members: dict[int, list[int]], one: int, other: int) -> None:
    """Make one group of two; what is alike to it is what was on average alike to them."""
    first, second = len(members[one]), len(members[other])
    members[one] += members.pop(other)
    for third in members:
        if third != one:
            average = (first * rows[one][third] + second * rows[other][third]) / (first + second)
            rows[one][third] = rows[third][one] = average


def medoid(group: Sequence[int], weights: Sequence[int], items: Sequence[Item], pairs: Pairs) -> int:
    """The item that is most like all others of its group; of equal ones the one asked most often, then the shortest."""

    def central(place: int) -> float:
        return sum(weights[other] * (1.0 if other == place else pairs(place, other)) for other in group)

    return min(group, key=lambda place: (-round(central(place), 6), -weights[place], len(items[place].folded), place))
