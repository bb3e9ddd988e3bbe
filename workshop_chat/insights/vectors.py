"""Vectors of questions from the RAG agent, asked for once: the last ones are kept by a hash of the text."""

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import anyio
from structlog import get_logger

from shared_services.contracts.rag import MAX_EMBEDDED_CHARACTERS, MAX_EMBEDDED_TEXTS, EmbeddingsRequest
from shared_services.kit.errors import PlatformError
from workshop_chat.ports import Embeddings

log = get_logger()

KEPT_VECTORS = 2_000
"""In a whole process, however many workshops it serves: 3 MB of 384 numbers each."""

PATIENCE_SECONDS = 20.0

NOTE_NONE = "This chat agent has no embedding model to ask, so questions are grouped by the words that they share."
NOTE_AWAY = (
    "The search service's embedding model did not answer, so questions are grouped by the words that they share, which finds "
    "fewer of those that mean the same. Load this again in a moment."
)


@dataclass(frozen=True)
class Found:
    """Vectors by text, all of one model; None, and why, where there are not all of them."""

    vectors: dict[str, array[float]] | None
    model: str = ""
    note: str = ""


class VectorCache:
    """The vectors asked for last, of several workshops, each of which gets only what it asked for itself.

    Args:
        size: How many are kept.
    """

    def __init__(self, size: int = KEPT_VECTORS) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[str, bytes], tuple[str, array[float]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, workshop: str, text: str) -> tuple[str, array[float]] | None:
        """A text's model and vector."""
        key = (workshop, _digest(text))
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, workshop: str, text: str, model: str, vector: Sequence[float]) -> None:
        """Keep a text's vector; the one that was asked for longest ago leaves where there is no room."""
        self._kept[workshop, _digest(text)] = (model, array("f", vector))
        self._kept.move_to_end((workshop, _digest(text)))
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)


@lru_cache(maxsize=1)
def shared_cache() -> VectorCache:
    """The cache of this process."""
    return VectorCache()


class QuestionVectors:
    """Vectors of one workshop's questions.

    Args:
        workshop: Its slug.
        embeddings: The RAG agent; None where there is none to ask.
        cache: What is kept between two looks.
        patience: Seconds that all of them may take; what came until then is kept for the next look.
    """

    def __init__(
        self, workshop: str, embeddings: Embeddings | None, cache: VectorCache, *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._workshop = workshop
        self._embeddings = embeddings
        self._cache = cache
        self._patience = patience

    async def of(self, texts: Sequence[str]) -> Found:
        """Vectors of different texts. Never raises: without all of them it says why."""
        if self._embeddings is None:
            return Found(None, note=NOTE_NONE)
        wanted = list(dict.fromkeys(texts))
        with anyio.move_on_after(self._patience):
            try:
                found = await self._ask(self._embeddings, wanted)
            except PlatformError as error:
                log.warning("question_vectors_missing", workshop=self._workshop, slug=error.slug, detail=error.detail)
                return Found(None, note=NOTE_AWAY)
            if found is not None:
                return found
        log.warning("question_vectors_missing", workshop=self._workshop, slug="timeout", texts=len(wanted))
        return Found(None, note=NOTE_AWAY)

    async def _ask(self, embeddings: Embeddings, wanted: list[str]) -> Found | None:
        """None where the agent's model changed while it was asked, twice."""
        found = {text: kept for text in wanted if (kept := self._cache.get(self._workshop, text))}
        for _ in range(2):
            missing = [text for text in wanted if text not in found]
            for first in range(0, len(missing), MAX_EMBEDDED_TEXTS):
                some = missing[first : first + MAX_EMBEDDED_TEXTS]
                answer = await embeddings.embeddings(EmbeddingsRequest(texts=[text[:MAX_EMBEDDED_CHARACTERS] for text in some]))
                for text, vector in zip(some, answer.vectors, strict=False):
                    self._cache.put(self._workshop, text, answer.model, vector)
                    found[text] = (answer.model, array("f", vector))
            models = {model for model, _ in found.values()}
            if len(models) <= 1 and len(found) == len(wanted):
                return Found({text: vector for text, (_, vector) in found.items()}, next(iter(models), ""))
            # Some were kept from before the agent got another model: all are asked for anew.
            found = {}
        return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
