"""Client of the RAG agent's shared documents, for who looks after them."""

from collections.abc import Iterable

import httpx

from shared_services.clients.rag import OnProgress
from shared_services.clients.service import ServiceClient
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import SharedDocument, SharedDocumentsReport
from shared_services.kit.errors import ProblemError, UnavailableError
from shared_services.kit.sse import decode
from shared_services.kit.tokens import TokenSource

_PATH = "/api/v1/shared-documents"


class DocumentsClient(ServiceClient):
    """Adds, lists and removes shared documents."""

    audience = "rag"
    service = "RAG"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def add(
        self,
        files: Iterable[tuple[str, bytes]],
        tags: Iterable[str],
        content_focus: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> SharedDocumentsReport:
        """Post documents, or archives of them, each with its path; `on_progress` gets chunks done and in all.

        Raises:
            UnavailableError: The stream ended before they were indexed.
            ProblemError: What the agent said went wrong.
        """
        data = {"tags": ",".join(tags)} | ({"content_focus": content_focus} if content_focus else {})
        parts = [("files", (path, raw, "application/octet-stream")) for path, raw in files]
        headers = {"accept": "text/event-stream"}
        async with self._stream("POST", _PATH, data=data, files=parts, headers=headers) as response:
            async for event in decode(response.aiter_bytes()):
                if event.event == "progress" and on_progress is not None:
                    await on_progress(int(event.json()["done"]), int(event.json()["total"]))
                elif event.event == "done":
                    return SharedDocumentsReport.model_validate_json(event.data)
                elif event.event == "error":
                    raise ProblemError(Problem.model_validate_json(event.data))
        raise UnavailableError("The RAG agent ended before the documents were indexed. The old ones are still there; post again.")

    async def list(self, tags: Iterable[str] = ()) -> list[SharedDocument]:
        """Every document, by id; those with one of `tags` where any is given."""
        return await self._model(list[SharedDocument], "GET", _PATH, params={"tags": [*tags]})

    async def get(self, document: str) -> SharedDocument:
        """One document.

        Raises:
            ProblemError: Status 404: there is none of this id.
        """
        return await self._model(SharedDocument, "GET", f"{_PATH}/{document}")

    async def text(self, document: str) -> str:
        """The text whose lines a document's citations count."""
        response = await self._request("GET", f"{_PATH}/{document}/text")
        return response.content.decode()

    async def remove(self, document: str) -> None:
        """Remove a document.

        Raises:
            ProblemError: Status 404: there is none of this id.
        """
        await self._request("DELETE", f"{_PATH}/{document}")
