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

COSINE_WEIGHT = 10.9
SHARE_WEIGHT = 6.1
NAMED_WEIGHT = 3.5
UNKNOWN_WEIGHT = -6.0
CHUNKS_WEIGHT = -0.74
OFFSET = -3.0
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


def confidence(evidence: Evidence) -> float:
    """An estimate from 0 to 1 that the passages answer the question."""
    score = (
        OFFSET
        + COSINE_WEIGHT * evidence.cosine
        + SHARE_WEIGHT * evidence.share
        + NAMED_WEIGHT * evidence.named
        + UNKNOWN_WEIGHT * evidence.unknown
        + CHUNKS_WEIGHT * math.log(max(evidence.chunks, FEWEST_CHUNKS))
    )
    return 1.0 / (1.0 + math.exp(-score))
