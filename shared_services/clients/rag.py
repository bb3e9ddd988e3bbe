"""Client of the RAG agent. The token says which workshop is searched."""

from collections.abc import Awaitable, Callable

import httpx

from shared_services.clients.service import NO_TIMEOUT, ServiceClient
from shared_services.contracts.jobs import Job
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import (
    EmbeddingsRequest,
    EmbeddingsResponse,
    IndexRequest,
    IndexStatus,
    ReindexRequest,
    SearchRequest,
    SearchResponse,
)
from shared_services.kit.errors import ProblemError, UnavailableError
from shared_services.kit.sse import decode
from shared_services.kit.tokens import TokenSource

OnProgress = Callable[[int, int], Awaitable[None]]


class RagClient(ServiceClient):
    """Searches within the token's workshop; with an author's token indexes."""

    audience = "rag"
    service = "RAG"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages for a question, best first."""
        return await self._model(SearchResponse, "POST", "/api/v1/search", body=request)

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """A vector for each text, in order."""
        return await self._model(EmbeddingsResponse, "POST", "/api/v1/embeddings", body=request)

    async def index(self, workshop: str, version: str, on_progress: OnProgress | None = None) -> IndexStatus:
        """Index a version without making it current; `on_progress` gets chunks done and in all.

        Raises:
            UnavailableError: The stream ended before the index was built.
            ProblemError: What the agent said went wrong.
        """
        path = f"/api/v1/workshops/{workshop}/index"
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        body = IndexRequest(version=version).model_dump_json()
        async with self._stream("POST", path, content=body, headers=headers) as response:
            async for event in decode(response.aiter_bytes()):
                if event.event == "progress" and on_progress is not None:
                    await on_progress(int(event.json()["done"]), int(event.json()["total"]))
                elif event.event == "done":
                    return IndexStatus.model_validate_json(event.data)
                elif event.event == "error":
                    raise ProblemError(Problem.model_validate_json(event.data))
        raise UnavailableError("The RAG agent ended before the index was built. Run it again; the old index still serves.")

    async def start_indexing(self, workshop: str, version: str, *, activate: bool = False) -> Job:
        """Start indexing a version as a job; its result is an `IndexStatus`.

        Raises:
            UnavailableError: The agent has no jobs; it then has indexed the version while this call waited.
        """
        body = IndexRequest(version=version, activate=activate)
        path = f"/api/v1/workshops/{workshop}/index"
        return await self._model(Job, "POST", path, body=body, headers={"prefer": "respond-async"}, timeout=NO_TIMEOUT)

    async def reindex(self, request: ReindexRequest) -> Job:
        """Start indexing anew what another model or older rules have left behind; the job's result is a `ReindexReport`."""
        return await self._model(Job, "POST", "/api/v1/reindex", body=request)

    async def serving(self) -> list[IndexStatus]:
        """The index that serves of each workshop, by name."""
        return await self._model(list[IndexStatus], "GET", "/api/v1/indexes")

    async def activate(self, workshop: str, version: str) -> IndexStatus:
        """Make an indexed version the workshop's current one."""
        return await self._model(
            IndexStatus, "POST", f"/api/v1/workshops/{workshop}/activate", body=IndexRequest(version=version)
        )

    async def status(self, workshop: str) -> IndexStatus:
        """What is indexed of a workshop."""
        return await self._model(IndexStatus, "GET", f"/api/v1/workshops/{workshop}/index")

    async def remove(self, workshop: str) -> None:
        """Remove everything that is indexed of a workshop."""
        await self._request("DELETE", f"/api/v1/workshops/{workshop}/index")
