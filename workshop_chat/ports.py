"""What the chat agent needs from outside, as narrow as it uses it. The typed clients fit as they are."""

from collections.abc import Sequence
from typing import Protocol

from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import EmbeddingsRequest, EmbeddingsResponse, SearchRequest, SearchResponse
from workshop_chat.help import StepRecord


class Library(Protocol):
    """Published versions of workshops; raises `PlatformError`s."""

    async def current(self, workshop: str) -> WorkshopVersion:
        """The version that participants see."""
        ...

    async def version(self, workshop: str, version: str) -> WorkshopVersion:
        """One version."""
        ...

    async def file(self, workshop: str, sha256: str) -> bytes:
        """A file's bytes by content hash."""
        ...


class Search(Protocol):
    """Retrieval inside the scope that the caller's token names; raises `PlatformError`s."""

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages, best first."""
        ...


class Embeddings(Protocol):
    """The RAG agent's embedding model; raises `PlatformError`s."""

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """A vector of length 1 for each text, in order."""
        ...


class Retrieval(Search, Embeddings, Protocol):
    """What the RAG agent does for a chat agent."""


class Progress(Protocol):
    """What is known of participants on the steps of one workshop; raises `PlatformError`s."""

    async def seen(self, participant: str, step: str) -> None:
        """A participant is on a step now."""
        ...

    async def record(self, participant: str, step: str) -> StepRecord:
        """What is known of a participant on a step."""
        ...

    async def hints_shown(self, conversation: str, participant: str, step: str) -> Sequence[str]:
        """The texts of a step's hints that answers of a conversation have cited."""
        ...
