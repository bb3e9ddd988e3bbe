"""The measures of rankings and of scores that tell two kinds apart: pure functions, checked by hand in tests."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REDRAWS = 2_000
NEWTON_STEPS = 50

Floats = NDArray[np.float64]


def recall(ranking: Sequence[str], relevant: frozenset[str], depth: int) -> float:
    """Share of the relevant items among the first `depth`."""
    return len(relevant.intersection(ranking[:depth])) / len(relevant)


def ndcg(ranking: Sequence[str], relevant: frozenset[str], depth: int) -> float:
    """Discounted gain of the first `depth` over the best possible; relevance is yes or no."""
    gained = sum(1 / math.log2(place + 2) for place, item in enumerate(ranking[:depth]) if item in relevant)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))


def reciprocal_rank(ranking: Sequence[str], relevant: frozenset[str], depth: int) -> float:
    """One over the rank of the first relevant item; 0 when it is not among the first `depth`."""
    return next((1 / rank for rank, item in enumerate(ranking[:depth], start=1) if item in relevant), 0.0)


def reciprocal_rank_fusion(rankings: Iterable[Sequence[int]], k: int = 60) -> dict[int, float]:
    """Each item's sum of `1 / (k + rank)` over the rankings that hold it; ranks count from 1."""
    fused: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            fused[item] = fused.get(item, 0.0) + 1.0 / (k + rank)
    return fused


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The chance that a positive scores higher than a negative, ties counting half; None without one of either."""
    if not positive or not negative:
        return None
    high, low = np.asarray(positive, dtype=np.float64), np.sort(np.asarray(negative, dtype=np.float64))
    below = np.searchsorted(low, high, side="left")
    upto = np.searchsorted(low, high, side="right")
    return float((below + upto).sum() / 2 / (len(high) * len(low)))


@dataclass(frozen=True)
class Interval:
    """A mean difference and its 95 % interval."""

    mean: float
    low: float
    high: float


def paired_interval(differences: Mapping[str, Sequence[float]], *, seed: int = 1) -> Interval:
    """Mean of paired differences, whole groups (conversations) redrawn with replacement."""
    sums = np.array([sum(values) for values in differences.values()], dtype=np.float64)
    counts = np.array([len(values) for values in differences.values()], dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(sums), size=(REDRAWS, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(sums.sum() / counts.sum()), float(low), float(high))


def fit_logistic(features: Floats, answered: Floats, weights: Floats, *, ridge: float = 1e-5) -> Floats:
    """Weights of a logistic curve, the offset last, by Newton's method.

    Args:
        features: Shape (examples, features).
        answered: 1 or 0 for each example.
        weights: What each example counts; their scale does not matter.
        ridge: Pull of the weights (not of the offset) towards 0, so that a feature that tells nothing stays finite.
    """
    inputs = np.column_stack([features, np.ones(len(features))])
    weights = weights / weights.sum()
    pull = np.full(inputs.shape[1], ridge)
    pull[-1] = 0.0
    found = np.zeros(inputs.shape[1])
    for _ in range(NEWTON_STEPS):
        chance = logistic(inputs @ found)
        slope = inputs.T @ (weights * (answered - chance)) - pull * found
        bend = (inputs * (weights * chance * (1 - chance))[:, None]).T @ inputs + np.diag(pull + 1e-12)
        step = np.linalg.solve(bend, slope)
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return found


def logistic(score: Floats) -> Floats:
    """The logistic curve, 0 to 1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -500, 500))), dtype=np.float64)


def mean_of(values: Sequence[float]) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None
