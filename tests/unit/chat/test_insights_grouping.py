"""Questions into groups: by likeness, at a stated threshold, the same in whatever order they come."""

import itertools
import math
import random

import pytest

from workshop_chat.insights.grouping import (
    EMBEDDINGS_THRESHOLD,
    WORDS_THRESHOLD,
    Item,
    Pairs,
    alike_by_vectors,
    alike_by_words,
    grouped,
    medoid,
)
from workshop_chat.insights.words import content_words, folded, vague


def item(text: str, section: str = "boil", step: str = "boil") -> Item:
    return Item(folded(text), (section,), step)


def by_words(*items: Item) -> list[list[int]]:
    return grouped(Pairs(len(items), alike_by_words(items)), WORDS_THRESHOLD)


def at_angles(*degrees: float) -> Pairs:
    items = [item(f"kettle {number}") for number in range(len(degrees))]
    vectors = {
        one.folded: (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
        for one, angle in zip(items, degrees, strict=True)
    }
    return Pairs(len(items), alike_by_vectors(items, vectors))


def test_what_points_the_same_way_is_one_group():
    assert grouped(at_angles(0, 5, 90, 95, 180), EMBEDDINGS_THRESHOLD) == [[0, 1], [2, 3], [4]]


def test_a_chain_of_likes_does_not_join_what_is_unlike_on_average():
    # each is like its neighbour (cos 50° = 0.64), and the ends are opposed
    found = grouped(at_angles(0, 50, 100, 150, 200), EMBEDDINGS_THRESHOLD)
    assert len(found) > 1
    assert not any({0, 4} <= set(group) for group in found)


def test_the_threshold_is_met_by_the_average():
    assert grouped(at_angles(0, 53), EMBEDDINGS_THRESHOLD) == [[0, 1]]
    assert grouped(at_angles(0, 54), EMBEDDINGS_THRESHOLD) == [[0], [1]]


def test_the_order_of_the_questions_changes_nothing():
    rng = random.Random(7)
    angles = [rng.uniform(0, 360) for _ in range(9)]
    first = {frozenset(angles[place] for place in group) for group in grouped(at_angles(*angles), EMBEDDINGS_THRESHOLD)}
    for _ in range(20):
        rng.shuffle(angles)
        found = grouped(at_angles(*angles), EMBEDDINGS_THRESHOLD)
        assert {frozenset(angles[place] for place in group) for group in found} == first


def test_it_is_average_linkage():
    """Held against the plain definition: of all pairs of groups always the most alike, until none is enough."""
    rng = random.Random(11)
    for _ in range(30):
        angles = [rng.uniform(0, 200) for _ in range(12)]
        pairs = at_angles(*angles)
        groups = [[place] for place in range(12)]
        while True:
            joined = [
                (sum(pairs(a, b) for a in one for b in other) / (len(one) * len(other)), one, other)
                for one, other in itertools.combinations(groups, 2)
            ]
            best = max(joined, key=lambda entry: entry[0], default=(0.0, [], []))
            if best[0] < EMBEDDINGS_THRESHOLD:
                break
            groups = [group for group in groups if group not in best[1:]] + [sorted(best[1] + best[2])]
        assert sorted(groups) == grouped(pairs, EMBEDDINGS_THRESHOLD)


def test_nothing_and_one():
    assert grouped(Pairs(0, lambda _a, _b: 1.0), 0.6) == []
    assert grouped(Pairs(1, lambda _a, _b: 1.0), 0.6) == [[0]]


def test_without_vectors_shared_words_group():
    found = by_words(
        item("How do I set a proxy?"), item("which proxy setting is set"), item("What does it cost?"), item("Setting up a proxy")
    )
    assert found == [[0, 1, 3], [2]]


def test_vague_questions_of_two_steps_stay_apart_and_clear_ones_do_not():
    assert by_words(item("It does not work!", "boil", "boil"), item("it does not work", "fill", "fill")) == [[0], [1]]
    assert by_words(item("It does not work!", "boil", "boil"), item("it does not work", "boil", "boil")) == [[0, 1]]
    assert by_words(item("Is Windows supported?", "boil", "boil"), item("is windows supported", "fill", "fill")) == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "fold"),
    [("How do I…  BOIL  it?", "how do i boil it"), ("Où?", "ou"), ("???", "???"), ("水を沸かす？", "水を沸かす"), ("  ", "")],
)
def test_folding(text: str, fold: str):
    assert folded(text) == fold


def test_words_that_carry_meaning():
    assert content_words("how do i boil the pots") == {"boil", "pot"}
    assert content_words("scaling it scaled") == {"scal"}
    assert content_words("what is it") == {"what", "is", "it"}
    assert vague("why does this command fail")
    assert not vague("why does kubectl fail")


def test_the_representative_is_the_one_in_the_middle():
    pairs = at_angles(0, 20, 40)
    items = [item(f"kettle {number}") for number in range(3)]
    assert medoid([0, 1, 2], [1, 1, 1], items, pairs) == 1
    # what many asked weighs more
    assert medoid([0, 1, 2], [9, 1, 1], items, pairs) == 0
