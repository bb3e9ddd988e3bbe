"""How likely the passages answer the question: a logistic curve over what the rankings say of their best.

The weights of cosine and share were fitted on 420 answerable questions of four bodies of text, against 104 that the text
does not answer and 1,260 asked of the wrong text (half of the weight to the answerable, a quarter to each of the others),
then the offset was moved so that nine of ten answerable questions stay at `ANSWER_FROM` or above. The weight of the
identifiers was set by hand: a question that is little more than `--replicas=3` has a low cosine wherever it is answered.
"""

import math
from dataclasses import dataclass

ANSWER_FROM = 0.5
"""From this confidence on, the passages are taken to answer the question."""

COSINE_WEIGHT = 10.8
SHARE_WEIGHT = 3.3
NAMED_WEIGHT = 4.0
OFFSET = -6.6


@dataclass(frozen=True)
class Evidence:
    """What the rankings say of their best.

    Attributes:
        cosine: Best cosine similarity of a chunk with a form of the question.
        share: Best BM25 score over the most that the question's terms could reach, 0 to 1.
        named: Share of the question's term weight that is identifiers which the first passage holds literally, 0 to 1.
    """

    cosine: float
    share: float
    named: float


def confidence(evidence: Evidence) -> float:
    """An estimate from 0 to 1 that the passages answer the question."""
    score = OFFSET + COSINE_WEIGHT * evidence.cosine + SHARE_WEIGHT * evidence.share + NAMED_WEIGHT * evidence.named
    return 1.0 / (1.0 + math.exp(-score))
