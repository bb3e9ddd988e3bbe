"""Questions into groups of like ones. Pure, and the same for the same questions in whatever order they come.

Groups grow by average linkage: again and again the two become one whose questions are most alike on average, as long as that is
at least the threshold. On questions that were written for it, four phrasings of each of nine things, the model that ships kept
all nine apart at 0.60 and ran two of them into one at 0.55.
"""

import heapq
import math
from array import array
from collections import defaultdict
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
    found = [vectors[item.folded] for item in items]
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
        return self._found[self._row[min(one, other)] + max(one, other)]


def grouped(pairs: Pairs, threshold: float) -> list[list[int]]:
    """Places of the items in groups, each in order, the groups by their first item."""
    # Two groups that are alike on average hold two items that are, so what no chain of likes joins is looked at apart.
    groups: list[list[int]] = []
    for part in _connected(pairs, threshold):
        groups.extend(_average_linkage(part, pairs, threshold))
    return sorted(groups)


def _connected(pairs: Pairs, threshold: float) -> list[list[int]]:
    head = list(range(pairs.count))

    def find(place: int) -> int:
        while head[place] != place:
            head[place] = head[head[place]]
            place = head[place]
        return place

    for one in range(pairs.count):
        for other in range(one + 1, pairs.count):
            if pairs(one, other) >= threshold:
                first, second = sorted((find(one), find(other)))
                head[second] = first
    parts: dict[int, list[int]] = defaultdict(list)
    for place in range(pairs.count):
        parts[find(place)].append(place)
    return list(parts.values())


def _average_linkage(part: list[int], pairs: Pairs, threshold: float) -> list[list[int]]:
    members = {place: [place] for place in part}
    sums = {one: {other: pairs(one, other) for other in part if other != one} for one in part}

    def average(one: int, other: int) -> float:
        return sums[one][other] / (len(members[one]) * len(members[other]))

    waiting = [(-average(one, other), one, other) for one in part for other in part if one < other]
    waiting = [entry for entry in waiting if -entry[0] >= threshold]
    heapq.heapify(waiting)
    while waiting:
        likeness, one, other = heapq.heappop(waiting)
        if one not in members or other not in members or average(one, other) != -likeness:
            continue
        members[one] += members.pop(other)
        gone = sums.pop(other)
        for third in members:
            if third == one:
                continue
            sums[one][third] += gone[third]
            sums[third][one] = sums[one][third]
            del sums[third][other]
            if average(one, third) >= threshold:
                heapq.heappush(waiting, (-average(one, third), min(one, third), max(one, third)))
        del sums[one][other]
    return [sorted(group) for group in members.values()]


def medoid(group: Sequence[int], weights: Sequence[int], items: Sequence[Item], pairs: Pairs) -> int:
    """The item that is most like all others of its group; of equal ones the one asked most often, then the shortest."""

    def central(place: int) -> float:
        return sum(weights[other] * (1.0 if other == place else pairs(place, other)) for other in group)

    return min(group, key=lambda place: (-round(central(place), 6), -weights[place], len(items[place].folded), place))
