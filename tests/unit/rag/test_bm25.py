"""BM25 counted over one scope alone."""

import math

import pytest

from agents.rag.store.bm25 import Statistics


def _of(*texts: str) -> Statistics:
    counted = Statistics()
    for text in texts:
        counted.count(text.split())
    return counted


def test_a_score_is_the_formulas() -> None:
    counted = _of("red door", "green door door green")
    # both hold `door`: ln(1 + .5 / 2.5); twice in a chunk of four where the mean is three
    expected = math.log(1 + 0.5 / 2.5) * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 4 / 3))
    assert counted.score(["door"], ["green", "door", "door", "green"]) == pytest.approx(expected)


def test_the_rarer_term_and_the_shorter_chunk_score_higher() -> None:
    counted = _of("red door", "green door", "a very long text about a green door")
    assert counted.score(["red"], ["red", "door"]) > counted.score(["door"], ["red", "door"]) > 0
    assert counted.score(["green"], ["green", "door"]) > counted.score(
        ["green"], ["a", "very", "long", "text", "about", "a", "green", "door"]
    )


def test_what_holds_no_term_scores_nothing() -> None:
    assert _of("red door").score(["cat"], ["red", "door"]) == 0
    assert _of("red door").score([], ["red", "door"]) == 0
    assert Statistics().score(["red"], ["red"]) == 0
    assert _of("", "").score(["red"], []) == 0


def test_counts() -> None:
    counted = _of("red door door", "", "door")
    assert (counted.chunks, counted.terms, counted.holding["door"], counted.holding["red"]) == (3, 4, 2, 1)
