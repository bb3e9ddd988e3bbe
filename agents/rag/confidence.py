"""How likely the passages answer the question: a logistic curve over what the rankings say of their best.

The weights were fitted on questions over four bodies of text, each searched whole (about 900 chunks) and in random parts
of 8, 25, 80 and 300 chunks: 420 answerable ones, 104 that the text does not answer, and the answerable ones asked of a
wrong text; together with 50 short questions about two workshops of a few chunks. The offset was then moved by 0.4
towards answering. The best of many chunks is nearer by chance than the best of few, which is why the number of chunks
counts against. The weight of identifiers was set by hand: a question that is little more than `--replicas=3` has a low
cosine wherever it is answered. So was that of unknown names: a question about a product that the workshop never mentions
is near to what the workshop says of another one.
"""

import math
from dataclasses import dataclass

ANSWER_FROM = 0.5
"""From this confidence on, the passages are taken to answer the question."""

FEWEST_CHUNKS = 3


@dataclass(frozen=True)
class Evidence:
    """What the rankings say of their best.

    Attributes:
        cosine: Best cosine similarity of a chunk with a form of the question.
        share: Best BM25 score over the most that the question's terms could reach, 0 to 1.
        named: Share of the question's term weight that is identifiers which the first passage holds literally, 0 to 1.
        unknown: Names in the question that no chunk holds, over the question's terms, 0 to 1.
        chunks: How many chunks were searched.
    """

    cosine: float
    share: float
    named: float
    unknown: float
    chunks: int


@dataclass(frozen=True)
class Weights:
    """What each part of the evidence weighs in the curve: the first four as they are, `chunks` by the logarithm."""

    cosine: float
    share: float
    named: float
    unknown: float
    chunks: float
    offset: float


CURRENT = Weights(cosine=10.9, share=6.1, named=3.5, unknown=-6.0, chunks=-0.74, offset=-3.0)


def score(evidence: Evidence, weights: Weights = CURRENT) -> float:
    """The evidence weighed, before the logistic curve: 0 is an even chance."""
    return (
        weights.offset
        + weights.cosine * evidence.cosine
        + weights.share * evidence.share
        + weights.named * evidence.named
        + weights.unknown * evidence.unknown
        + weights.chunks * math.log(max(evidence.chunks, FEWEST_CHUNKS))
    )


def confidence(evidence: Evidence) -> float:
    """An estimate from 0 to 1 that the passages answer the question."""
    return 1.0 / (1.0 + math.exp(-score(evidence)))
