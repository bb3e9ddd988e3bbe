"""The RAG agent over HTTP: thin routes over `RagService`. The workshop of a search is in the caller's token and nowhere else."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Protocol

import anyio
from fastapi import APIRouter, Depends, Header, Response
from structlog import get_logger

from agents.rag.admission import Admission
from agents.rag.scope import Scope
from agents.rag.service import Progress, RagService, no_progress
from shared_services.contracts.identity import Role
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import IndexRequest, IndexStatus, SearchRequest, SearchResponse
from shared_services.kit.auth import bearer_claims
from shared_services.kit.errors import ForbiddenError, PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import encode, event_stream
from shared_services.kit.tokens import Claims, TokenVerifier
from shared_services.library.form import WorkshopFiles

log = get_logger()

AUDIENCE = "rag"
SERVICE_PREFIX = "service:"
_WRITERS = frozenset({Role.AUTHOR, Role.ADMIN})


class FilesSource(Protocol):
    """Where the files of a published version come from: the library."""

    async def fetch(self, workshop: str, version: str) -> WorkshopFiles:
        """The files of a version.

        Raises:
            NotFoundError: There is no such version.
        """
        ...


def writer_scope(claims: Claims, workshop: str) -> Scope:
    """The scope in which this caller may change the index of `workshop`.

    A service, an author and an admin may; a token that is bound to a workshop opens that one alone.

    Raises:
        ForbiddenError: Someone else, or another workshop's token.
    """
    if not (claims.subject.startswith(SERVICE_PREFIX) and claims.workshop is None) and not claims.roles & _WRITERS:
        raise ForbiddenError("Only authors, admins and the platform's own services may change what is indexed.")
    return Scope.of(claims, workshop=workshop)


def create_router(service: RagService, verifier: TokenVerifier, files: FilesSource, admission: Admission) -> APIRouter:
    """The agent's routes."""
    router = APIRouter(prefix="/api/v1")
    caller = bearer_claims(verifier, audience=AUDIENCE)

    @router.post("/search")
    async def search(request: SearchRequest, claims: Annotated[Claims, Depends(caller)]) -> SearchResponse:
        return await service.search(Scope.of(claims), request)

    @router.post("/workshops/{name}/index", response_model=IndexStatus, responses={200: {"content": {"text/event-stream": {}}}})
    async def index(
        name: str,
        body: IndexRequest,
        claims: Annotated[Claims, Depends(caller)],
        accept: Annotated[str, Header()] = "application/json",
    ) -> Any:
        scope = writer_scope(claims, name)
        admission.check()

        async def run(progress: Progress = no_progress) -> IndexStatus:
            async with admission.admitted():
                workshop = await files.fetch(scope.workshop, body.version)
                return await service.index(scope, body.version, workshop, progress)

        return event_stream(_indexing(run)) if "text/event-stream" in accept else await run()

    @router.post("/workshops/{name}/activate")
    async def activate(name: str, body: IndexRequest, claims: Annotated[Claims, Depends(caller)]) -> IndexStatus:
        return await service.activate(writer_scope(claims, name), body.version)

    @router.get("/workshops/{name}/index")
    async def status(name: str, claims: Annotated[Claims, Depends(caller)], version: str | None = None) -> IndexStatus:
        return await service.status(Scope.of(claims, workshop=name), version)

    @router.delete("/workshops/{name}/index", status_code=204)
    async def remove(name: str, claims: Annotated[Claims, Depends(caller)]) -> Response:
        await service.remove(writer_scope(claims, name))
        return Response(status_code=204)

    return router


async def _indexing(run: Callable[[Progress], Any]) -> AsyncIterator[bytes]:
    """`progress` events while `run` works, then `done` with the status, or `error` with a problem document."""
    send, receive = anyio.create_memory_object_stream[bytes](16)

    async def progress(done: int, total: int) -> None:
        await send.send(encode("progress", {"done": done, "total": total}))

    async def work() -> None:
        async with send:
            try:
                event = encode("done", await run(progress))
            except PlatformError as error:
                event = encode("error", error.problem(request_id.get()))
            except Exception as error:
                log.exception("rag_index_crashed", error=type(error).__name__)
                problem: Problem = PlatformError("The log has the details.").problem(request_id.get())
                event = encode("error", problem)
            await send.send(event)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        async with receive:
            async for event in receive:
                yield event
