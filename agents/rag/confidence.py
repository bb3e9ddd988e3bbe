"""How likely the passages answer the question: a logistic curve over what both rankings say of their best."""

import math

COSINE_WEIGHT = 10.0
SHARE_WEIGHT = 2.0
OFFSET = -5.0


def confidence(cosine: float, share: float) -> float:
    """An estimate from 0 to 1.

    Args:
        cosine: Best cosine similarity of a passage with the question.
        share: Best BM25 score over what the question's terms could reach together, 0 to about 1.
    """
    return 1.0 / (1.0 + math.exp(-(OFFSET + COSINE_WEIGHT * cosine + SHARE_WEIGHT * share)))
