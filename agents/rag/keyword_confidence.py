"""How likely the passages answer the question where keywords alone were searched: the index's vectors are another model's.

A logistic curve like `agents.rag.confidence`'s, without the cosine. `python -m benchmarks.keyword_confidence_fit` fits it
and measures it on tenants that it was not fitted on. It tells less than the curve with a cosine: a question in other words
than the text's finds little and is trusted little.
"""

import math
from dataclasses import dataclass

from agents.rag.confidence import FEWEST_CHUNKS, Evidence


@dataclass(frozen=True)
class KeywordWeights:
    """What each part of the evidence weighs in the curve: the first three as they are, `chunks` by the logarithm."""

    share: float
    named: float
    unknown: float
    chunks: float
    offset: float


CURRENT = KeywordWeights(share=7.1, named=1.5, unknown=-4.3, chunks=-0.3, offset=-0.8)
"""As fitted on all four tenants, rounded; no question about the example workshops was in the fit."""


def keyword_score(evidence: Evidence, weights: KeywordWeights = CURRENT) -> float:
    """The evidence weighed, before the logistic curve: 0 is an even chance."""
    return (
        weights.offset
        + weights.share * evidence.share
        + weights.named * evidence.named
        + weights.unknown * evidence.unknown
        + weights.chunks * math.log(max(evidence.chunks, FEWEST_CHUNKS))
    )


def keyword_confidence(evidence: Evidence) -> float:
    """An estimate from 0 to 1 that passages found by keywords alone answer the question."""
    return 1.0 / (1.0 + math.exp(-keyword_score(evidence)))
