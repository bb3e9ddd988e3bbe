"""Vectors of texts that are not indexed: what a chat agent tells by which questions are alike. Knows no HTTP.

They wait behind searches, as indexing does, and have a door of their own: a publication that takes minutes must not keep an
author from their insights, nor the other way round.
"""

from collections.abc import Sequence

import anyio
import anyio.to_thread

from agents.rag.admission import Admission, EmbeddingsFullError
from agents.rag.embedder import Embedder, Vector
from agents.rag.scope import Scope
from agents.rag.workers import in_background
from shared_services.contracts.rag import EmbeddingsResponse

RUNNING = 2
WAITING = 16
DECIMALS = 6
"""A cosine of 384 numbers rounded so is off by 1e-5 at most."""


class TextEmbeddings:
    """Embeds texts by the agent's own model.

    Args:
        embedder: The model.
        running: Requests that are with the model at once.
        waiting: Requests that wait for their turn; one more is refused.
    """

    def __init__(self, embedder: Embedder, *, running: int = RUNNING, waiting: int = WAITING) -> None:
        self._embedder = embedder
        self._admission = Admission(running, waiting, EmbeddingsFullError)
        self._threads = anyio.CapacityLimiter(running)

    async def embed(self, _scope: Scope, texts: Sequence[str]) -> EmbeddingsResponse:
        """One vector of length 1 for each text, in order. Nothing is kept of them, so a scope only shows that there is one.

        Raises:
            EmbeddingsFullError: As many requests run and wait as may.
            ModelUnavailableError: The model cannot be loaded.
        """
        async with self._admission.admitted():
            return await anyio.to_thread.run_sync(in_background, self._embed, list(texts), limiter=self._threads)

    def _embed(self, texts: list[str]) -> EmbeddingsResponse:
        vectors = self._embedder.encode(texts)
        return EmbeddingsResponse(model=self._embedder.model_id, vectors=[_numbers(vector) for vector in vectors])


def _numbers(vector: Vector) -> list[float]:
    return [round(float(number), DECIMALS) for number in vector]
