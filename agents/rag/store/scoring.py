"""Scores of the rows that an engine found for any part of a question, counted anew for each part."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.rag.embedder import Vector
from agents.rag.store import Hit
from agents.rag.store.bm25 import Statistics


def nearest(rows: Sequence[Any], vectors: Sequence[Vector], limit: int) -> list[list[Hit]]:
    """For each vector the nearest of the rows, which carry `id` and `dense`; scores are cosines."""
    if not rows:
        return [[] for _ in vectors]
    held = np.asarray([row["dense"] for row in rows], dtype=np.float32)
    held /= np.maximum(np.linalg.norm(held, axis=1, keepdims=True), 1e-12)
    found = []
    for vector in vectors:
        cosines = held @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        found.append(_best([Hit(row["id"], float(cosine)) for row, cosine in zip(rows, cosines, strict=True)], limit))
    return found


def matching(rows: Sequence[Any], queries: Sequence[Sequence[str]], statistics: Statistics, limit: int) -> list[list[Hit]]:
    """For each query the best of the rows that hold its terms, which carry `id` and `terms`; scores are BM25."""
    held = [(row["id"], row["terms"].split()) for row in rows]
    found = []
    for query in queries:
        hits = [Hit(number, statistics.score(query, terms)) for number, terms in held]
        found.append(_best([hit for hit in hits if hit.score > 0], limit))
    return found


def _best(hits: list[Hit], limit: int) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.ordinal))[:limit]
