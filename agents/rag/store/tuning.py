"""Index parameters on Milvus."""

import math

HNSW_M = 24
"""Neighbours of a node in the graph."""

HNSW_EF_CONSTRUCTION = 200
PARTITIONS = 64
"""Partitions that workshops are spread over by their key's hash; Milvus' own default is 16, its most 1,024 of a collection."""

LEAST_EF = 64
MOST_EF = 4_096
_SMALL = 10_000


def search_ef(limit: int, chunks: int) -> int:
    """How many candidates an HNSW search keeps: twice what is asked for, and more by half for each tenfold beyond 10,000 chunks.

    Args:
        limit: Hits asked for; the engine demands at least as many candidates.
        chunks: Chunks of the index that is searched.
    """
    growth = 1 + 0.5 * math.log10(max(chunks, _SMALL) / _SMALL)
    return max(limit, min(MOST_EF, math.ceil(max(LEAST_EF, 2 * limit) * growth)))
