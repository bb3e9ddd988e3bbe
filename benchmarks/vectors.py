"""An embedder that reads each text once, and where a file is given keeps the vectors there for the next measurement."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from agents.rag.embedder import Embedder, Vector


class VectorsError(ValueError):
    """A file that holds no vectors, or another model's; says which and what to do."""


class RememberingEmbedder:
    """An embedder in front of another one.

    Args:
        embedder: What reads the texts that are not known.
        kept: Where vectors are read from, and written to by `close`; None keeps them in memory alone.
    """

    def __init__(self, embedder: Embedder, kept: Path | None = None) -> None:
        self._embedder = embedder
        self._kept = kept
        self._vectors: dict[bytes, Vector] = _read(kept, embedder.model_id) if kept else {}
        self._held = len(self._vectors)

    @property
    def model_id(self) -> str:
        """The model's."""
        return self._embedder.model_id

    @property
    def dimension(self) -> int:
        """The model's."""
        return self._embedder.dimension

    @property
    def ready(self) -> bool:
        """The model's."""
        return self._embedder.ready

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, in order."""
        digests = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._vectors}
        if missing:
            # texts of like length together: a batch is padded to its longest
            ordered = sorted(missing, key=lambda digest: len(missing[digest]))
            read = self._embedder.encode([missing[digest] for digest in ordered])
            self._vectors.update(zip(ordered, read, strict=True))
        return [self._vectors[digest] for digest in digests]

    def warm(self) -> None:
        """Load the model."""
        self._embedder.warm()

    def close(self) -> None:
        """Write what is new, and end the model's thread."""
        try:
            if self._kept and len(self._vectors) > self._held:
                _write(self._kept, self._embedder.model_id, self._vectors)
        finally:
            self._embedder.close()


def _read(path: Path, model_id: str) -> dict[bytes, Vector]:
    if not path.exists():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            made_by, digests, vectors = str(held["model"]), held["digests"], held["vectors"]
    except (ValueError, KeyError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise VectorsError(f"{path} holds no vectors ({error}). Name another file, or remove it.") from error
    if made_by != model_id:
        raise VectorsError(f"{path} holds vectors of {made_by}, and this is {model_id}. Name another file, or remove it.")
    return {digest.tobytes(): vector for digest, vector in zip(digests, vectors, strict=True)}


def _write(path: Path, model_id: str, vectors: dict[bytes, Vector]) -> None:
    digests = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(len(vectors), -1)
    beside = path.with_name(f"{path.name}.part.npz")
    np.savez(beside, model=np.array(model_id), digests=digests, vectors=np.array(list(vectors.values()), dtype=np.float32))
    beside.replace(path)
