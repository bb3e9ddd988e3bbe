import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measures import (
    auroc,
    fit_logistic,
    logistic,
    mean_of,
    ndcg,
    paired_interval,
    recall,
    reciprocal_rank,
    reciprocal_rank_fusion,
)

RELEVANT = frozenset({"a", "b", "c"})
RANKING = ["x", "a", "y", "b", "z", "c"]
SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.4001, 0.9]), min_size=1, max_size=12)


def test_rankings_are_measured_as_trec_does() -> None:
    assert recall(RANKING, RELEVANT, 5) == pytest.approx(2 / 3)
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(RANKING, RELEVANT, 5) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)
    assert ndcg(["c", "a", "b"], RELEVANT, 10) == 1.0
    assert ndcg(["c"], RELEVANT, 1) == 1.0
    assert reciprocal_rank(RANKING, RELEVANT, 10) == 0.5
    assert reciprocal_rank(RANKING, frozenset({"c"}), 5) == 0.0


@given(SCORES, SCORES)
def test_auroc_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = [1.0 if high > low else 0.5 if high == low else 0.0 for high in positive for low in negative]
    assert auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_plain_fusion_adds_reciprocal_ranks() -> None:
    assert reciprocal_rank_fusion([[7, 8], [8], []]) == {7: 1 / 61, 8: 1 / 62 + 1 / 61}


def test_nothing_has_no_measure() -> None:
    assert auroc([], [0.1]) is None
    assert auroc([0.1], []) is None
    assert mean_of([]) is None
    assert mean_of([1.0, 2.0]) == 1.5


def test_an_interval_knows_that_one_conversation_is_one_draw() -> None:
    steady = paired_interval({str(number): [0.1] for number in range(50)})
    assert (steady.mean, steady.low, steady.high) == pytest.approx((0.1, 0.1, 0.1))
    apart = paired_interval({str(number): [float(number % 2)] for number in range(50)})
    together = paired_interval({"a": [0.0] * 25, "b": [1.0] * 25})
    assert apart.mean == together.mean == 0.5
    assert together.high - together.low > apart.high - apart.low > 0


def test_a_logistic_curve_is_found_again() -> None:
    draws = np.random.default_rng(1)
    features = draws.normal(size=(20_000, 2))
    answered = (draws.random(20_000) < logistic(features @ np.array([2.0, -1.0]) + 0.5)).astype(np.float64)
    found = fit_logistic(features, answered, np.ones(20_000), ridge=1e-6)
    assert found == pytest.approx([2.0, -1.0, 0.5], abs=0.1)


def test_a_weight_counts_like_so_many_examples() -> None:
    features, answered = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([0.0, 1.0, 0.0, 1.0])
    heavy = fit_logistic(features, answered, np.array([3.0, 1.0, 1.0, 1.0]))
    repeated = fit_logistic(features[[0, 0, 0, 1, 2, 3]], answered[[0, 0, 0, 1, 2, 3]], np.ones(6))
    assert heavy == pytest.approx(repeated)
