"""A deterministic embedder without a model: each word's hash points somewhere, a text points where its words do."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from agents.rag.embedder import Vector


class FakeEmbedder:
    def __init__(self, dimension: int = 64, model_id: str = "fake@000000000000") -> None:
        self.dimension = dimension
        self.model_id = model_id
        self.ready = False
        self.encoded = 0
        self.closed = False

    def warm(self) -> None:
        self.ready = True

    def close(self) -> None:
        self.closed = True

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        self.encoded += len(texts)
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        total = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "little")
            total += np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        return (total / np.linalg.norm(total)).astype(np.float32)
