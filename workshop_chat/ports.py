"""What the chat agent needs from outside, as narrow as it uses it. The typed clients fit as they are."""

from typing import Protocol

from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import SearchRequest, SearchResponse


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
