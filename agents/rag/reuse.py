"""Which chunks of a version need the model: those whose embedded text no indexed version of the workshop has a vector for.

The embedded text begins with the titles that a chunk stands under, so a renamed step is embedded again as a whole, and a
word changed in one section leaves the vectors of the others as they are.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.rag.chunking import Chunk
from agents.rag.embedder import Vector


def digest(embedded: str) -> str:
    """The SHA-256 of what the model reads of a chunk, in hexadecimal digits."""
    return hashlib.sha256(embedded.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Work:
    """Rows of a new index.

    Attributes:
        known: Number, chunk and vector of each chunk that needs no model.
        missing: Numbers and chunks by the text that they share and that is to be embedded.
    """

    known: list[tuple[int, Chunk, Vector]]
    missing: dict[str, list[tuple[int, Chunk]]]

    def batches(self, size: int) -> Iterator[list[str]]:
        """The missing texts, `size` at a time, those of like length together: a model pads each to the longest beside it."""
        texts = sorted(self.missing, key=len)
        for first in range(0, len(texts), size):
            yield texts[first : first + size]

    def embedded(self, texts: Sequence[str], vectors: Sequence[Vector]) -> list[tuple[int, Chunk, Vector]]:
        """The rows of a batch, once its vectors are there."""
        return [
            (number, chunk, vector) for text, vector in zip(texts, vectors, strict=True) for number, chunk in self.missing[text]
        ]


def divided(chunks: Sequence[Chunk], held: Mapping[str, Vector]) -> Work:
    """What is to be done for `chunks`, where `held` gives vectors by digest."""
    work = Work([], {})
    for number, chunk in enumerate(chunks):
        vector = held.get(digest(chunk.indexed))
        if vector is None:
            work.missing.setdefault(chunk.indexed, []).append((number, chunk))
        else:
            work.known.append((number, chunk, vector))
    return work
