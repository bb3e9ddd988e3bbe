"""How likely the passages answer the question: a logistic curve over what the rankings say of their best.

`benchmarks.confidence_fit` fits the weights on questions over four bodies of text, each searched whole (about 900 chunks)
and in random parts of 8, 25, 80 and 300 chunks: 420 answerable ones, 104 that the text does not answer, and the answerable
ones asked with their passages hidden and of a wrong text. The best of many chunks is nearer by chance than the best of few,
which is why the number of chunks counts against, and why a lead says more among many. Two weights were set by hand, since
these questions have too few identifiers and names: a question that is little more than `--replicas=3` has a low cosine
wherever it is answered, and a question about a product that the workshop never mentions is near to what the workshop says
of another one. The others were fitted around these, and the offset was moved by 0.25 towards answering.
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
        lead: How far the first passage's score is ahead of a later one's, 0 to 1; see `agents.rag.ranking.lead`.
    """

    cosine: float
    share: float
    named: float
    unknown: float
    chunks: int
    lead: float = 0.0


@dataclass(frozen=True)
class Weights:
    """What each part of the evidence weighs in the curve: `chunks` by its logarithm, `lead_chunks` by that times the lead."""

    cosine: float
    share: float
    named: float
    unknown: float
    lead: float
    lead_chunks: float
    chunks: float
    offset: float


CURRENT = Weights(cosine=9.9, share=3.2, named=3.5, unknown=-6.0, lead=1.6, lead_chunks=0.67, chunks=-0.52, offset=-4.4)


def score(evidence: Evidence, weights: Weights = CURRENT) -> float:
    """The evidence weighed, before the logistic curve: 0 is an even chance."""
    size = math.log(max(evidence.chunks, FEWEST_CHUNKS))
    return (
        weights.offset
        + weights.cosine * evidence.cosine
        + weights.share * evidence.share
        + weights.named * evidence.named
        + weights.unknown * evidence.unknown
        + (weights.lead + weights.lead_chunks * size) * evidence.lead
        + weights.chunks * size
    )


def confidence(evidence: Evidence) -> float:
    """An estimate from 0 to 1 that the passages answer the question."""
    return 1.0 / (1.0 + math.exp(-score(evidence)))
