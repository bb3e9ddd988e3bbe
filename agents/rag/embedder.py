"""What an embedding model is to the rest of the RAG agent, whichever engine runs it. Knows no engine itself."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class Embedder(Protocol):
    """An embedding model."""

    @property
    def model_id(self) -> str:
        """The model's name and the beginning of its weights' SHA-256; two indexes fit together when these are equal."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector. May load the model."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order. Blocks; call it from a worker thread.

        Raises:
            ModelUnavailableError: The model cannot be loaded.
        """
        ...

    def warm(self) -> None:
        """Load the model now. Blocks; call it from a worker thread.

        Raises:
            ModelUnavailableError: The model cannot be loaded.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        ...

    def close(self) -> None:
        """End the model's thread, without waiting for what it does."""
        ...


def batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Places of texts in batches of at most `size`, the longest first, so that texts of like length are padded together."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    return [order[first : first + size] for first in range(0, len(order), size)]


def in_order(cut: Sequence[Sequence[int]], vectors: Sequence[Iterable[Vector]]) -> list[Vector]:
    """The vectors of `batches`, in the order of the texts."""
    by_place = {
        place: vector for batch, found in zip(cut, vectors, strict=True) for place, vector in zip(batch, found, strict=True)
    }
    return [by_place[place] for place in sorted(by_place)]
