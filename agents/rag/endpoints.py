"""The RAG agent over HTTP: thin routes over `RagService`. The workshop of a search is in the caller's token and nowhere else."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Header, Response
from starlette.responses import JSONResponse
from structlog import get_logger

from agents.rag.admission import Admission
from agents.rag.embeddings import TextEmbeddings
from agents.rag.files import FilesSource
from agents.rag.job import INDEX, REINDEX, index_input
from agents.rag.scope import Scope
from agents.rag.service import Progress, RagService, no_progress
from shared_services.contracts.identity import Role
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
from shared_services.jobs.service import Jobs
from shared_services.kit.auth import bearer_claims
from shared_services.kit.errors import ForbiddenError, PlatformError
from shared_services.kit.identity import Permission, identity_of, require
from shared_services.kit.logging import request_id
from shared_services.kit.preferences import prefers_async
from shared_services.kit.sse import encode, event_stream
from shared_services.kit.tokens import Claims, TokenVerifier

log = get_logger()

AUDIENCE = "rag"
SERVICE_PREFIX = "service:"
_WRITERS = frozenset({Role.AUTHOR, Role.ADMIN})


def writer_scope(claims: Claims, workshop: str) -> Scope:
    """The scope in which this caller may change the index of `workshop`.

    A service, an author and an admin may; a token that is bound to a workshop opens that one alone.

    Raises:
        ForbiddenError: Someone else, or another workshop's token.
    """
    if not (claims.subject.startswith(SERVICE_PREFIX) and claims.workshop is None) and not claims.roles & _WRITERS:
        raise ForbiddenError("Only authors, admins and the platform's own services may change what is indexed.")
    return Scope.of(claims, workshop=workshop)


def keeper_of_indexes(claims: Claims) -> None:
    """Refuse a caller who may not look after every workshop's index; ops, admins and the platform's own services may.

    Raises:
        ForbiddenError: Someone else, or a token that is bound to a workshop.
    """
    if not (claims.subject.startswith(SERVICE_PREFIX) and claims.workshop is None):
        require(identity_of(claims), Permission.INDEX_RENEW)


def create_router(
    service: RagService,
    verifier: TokenVerifier,
    files: FilesSource,
    admission: Admission,
    embeddings: TextEmbeddings,
    jobs: Jobs | None = None,
) -> APIRouter:
    """The agent's routes; where there are no jobs, everything is done while the caller waits, and nothing is reindexed."""
    router = APIRouter(prefix="/api/v1")
    caller = bearer_claims(verifier, audience=AUDIENCE)

    @router.post("/search")
    async def search(request: SearchRequest, claims: Annotated[Claims, Depends(caller)]) -> SearchResponse:
        return await service.search(Scope.of(claims), request)

    @router.post("/embeddings")
    async def embed(request: EmbeddingsRequest, claims: Annotated[Claims, Depends(caller)]) -> EmbeddingsResponse:
        """Vectors of a few texts, for whoever holds a workshop's token; nothing is kept of them."""
        return await embeddings.embed(Scope.of(claims), request.texts)

    @router.post(
        "/workshops/{name}/index",
        response_model=IndexStatus,
        responses={200: {"content": {"text/event-stream": {}}}, 202: {"model": Job}},
    )
    async def index(
        name: str,
        body: IndexRequest,
        claims: Annotated[Claims, Depends(caller)],
        accept: Annotated[str, Header()] = "application/json",
        prefer: Annotated[list[str] | None, Header(description="`respond-async` gives a job in place of the outcome.")] = None,
    ) -> Any:
        scope = writer_scope(claims, name)
        if jobs is not None and prefers_async(prefer or []):
            given = index_input(scope.workshop, body.version, activate=body.activate)
            job = await jobs.submit(INDEX, f"{scope.workshop} {body.version}", claims.subject, given)
            return _accepted(job, {"preference-applied": "respond-async"})
        admission.check()

        async def run(progress: Progress = no_progress) -> IndexStatus:
            async with admission.admitted():
                workshop = await files.fetch(scope.workshop, body.version)
                status = await service.index(scope, body.version, workshop, progress)
            return await service.activate(scope, body.version) if body.activate else status

        return event_stream(progress_events(run)) if "text/event-stream" in accept else await run()

    @router.get("/indexes")
    async def serving(claims: Annotated[Claims, Depends(caller)]) -> list[IndexStatus]:
        """The index that serves of each workshop, for who looks after them."""
        keeper_of_indexes(claims)
        return await service.serving()

    if jobs is not None:

        @router.post("/reindex", status_code=202, response_model=Job)
        async def reindex(body: ReindexRequest, claims: Annotated[Claims, Depends(caller)]) -> Response:
            """Start a job that indexes anew what another model or older rules have left behind."""
            keeper_of_indexes(claims)
            subject = ", ".join(body.workshops) if body.workshops else "everything"
            return _accepted(await jobs.submit(REINDEX, subject, claims.subject, body.model_dump(mode="json")), {})

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


def _accepted(job: Job, headers: dict[str, str]) -> Response:
    """202 with a job. Where this agent is mounted plays no part in its address: all jobs of a process are in one place."""
    location = {"location": f"/api/v1/jobs/{job.id}"}
    return JSONResponse(job.model_dump(mode="json"), status_code=202, headers=location | headers)


async def progress_events(run: Callable[[Progress], Any]) -> AsyncIterator[bytes]:
    """`progress` events while `run` works, then `done` with what it returns, or `error` with a problem document."""
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
