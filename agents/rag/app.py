"""Puts the RAG agent together. The model is loaded in the background once the app has started, so that it answers at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from agents.rag.admission import Admission
from agents.rag.card import rag_card
from agents.rag.documents.endpoints import create_documents_router
from agents.rag.documents.repository import DocumentRepository
from agents.rag.documents.service import DocumentsService
from agents.rag.embedder import Embedder
from agents.rag.embeddings import TextEmbeddings
from agents.rag.endpoints import AUDIENCE, create_router
from agents.rag.errors import ModelUnavailableError
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.files import FilesSource
from agents.rag.ready_embedder import ReadyEmbedder
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from agents.rag.store import VectorStore
from agents.rag.store.lite import MilvusLiteStore
from agents.rag.store.milvus import MilvusStore
from agents.rag.workers import usable_cores, worker_count
from shared_services.jobs.service import Jobs
from shared_services.kit import http
from shared_services.kit.a2a import A2AFace, OpenFace, mount_a2a
from shared_services.kit.database import migrate, session_factory
from shared_services.kit.errors import UnavailableError
from shared_services.kit.health import Readiness
from shared_services.kit.tokens import TokenVerifier

log = get_logger()

RECOVER_SECONDS = 300.0
"""How often an agent that shares its store looks for what another one left half-built."""

RETRY_SECONDS = 5.0

BATCHES_AT_ONCE = 8
"""What an ingest hands to the model at once, in batches: texts of like length go together, and searches come in between."""


def create_app(
    settings: RagSettings,
    engine: AsyncEngine,
    verifier: TokenVerifier,
    files_source: FilesSource,
    embedder: Embedder | None = None,
    *,
    jobs: Jobs | None = None,
    warm: bool = True,
    readiness: Readiness | None = None,
) -> FastAPI:
    """The RAG agent's app. Its lifespan migrates its tables, opens the index, and gives both back at the end.

    Args:
        settings: Where the index is kept, and with which model.
        engine: Relational store of the bookkeeping; stays the caller's to dispose of.
        verifier: Checks tokens for the audience `rag`.
        files_source: Where the files of a version come from.
        embedder: In place of the one that `settings.model` names.
        jobs: Run indexing that the caller does not wait for, and reindexing; they know the kinds of `agents.rag.job` and are
            started and stopped by the caller, within this app's lifespan.
        warm: Load the model at the start; else when it is first needed, which suits a process that may not need it.
        readiness: What `/readyz` reports besides the app's own.
    """
    workers = worker_count(settings.workers, usable_cores())
    model = embedder or _embedder(settings, workers)
    store = _store(settings)
    documents = DocumentsService(
        store,
        model,
        DocumentRepository(session_factory(engine)),
        batch=settings.batch * workers * BATCHES_AT_ONCE,
        alone=store.exclusive,
        dropped=lambda collection: service.forget_documents(collection),
    )
    service = RagService(
        store,
        model,
        IndexRepository(session_factory(engine)),
        batch=settings.batch * workers * BATCHES_AT_ONCE,
        shelves=documents,
    )
    admission = Admission(settings.ingest_running, settings.ingest_waiting)
    state = _ModelState(model)

    async def recover() -> None:
        await service.recover(keep=await documents.recover())

    def load_face() -> OpenFace:
        from agents.rag.executor import rag_face

        return rag_face(service, files_source, admission)

    face = A2AFace(load_face, verifier, AUDIENCE)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Before anything else is imported in another thread: it hides a library while it imports others.
        await anyio.to_thread.run_sync(store.open)
        # Tasks of their own and no task group: a group would wrap every error of whoever holds this lifespan open.
        tasks = [asyncio.create_task(state.warm())] if warm else []
        try:
            await migrate(engine, MIGRATIONS)
            if store.exclusive:
                await recover()
            else:
                tasks.append(asyncio.create_task(_now_and_then(recover)))
            yield
        finally:
            for task in tasks:
                task.cancel()
            with anyio.CancelScope(shield=True):
                await face.close()
                await anyio.to_thread.run_sync(model.close)
                await anyio.to_thread.run_sync(store.close)

    async def store_ready() -> str | None:
        return await anyio.to_thread.run_sync(store.check)

    readiness = readiness or Readiness()
    readiness.add("store", store_ready)
    readiness.add("model", state.report)
    app = http.create_app("RAG agent", service="rag", readiness=readiness, lifespan=lifespan)
    app.include_router(create_router(service, verifier, files_source, admission, TextEmbeddings(model), jobs))
    app.include_router(create_documents_router(documents, verifier, admission))
    mount_a2a(app, face, rag_card, settings.public_url)
    app.state.service = service
    app.state.documents = documents
    app.state.admission = admission
    return app


async def _now_and_then(recover: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled. A store or database that does not answer is asked again: this agent serves as soon as they do."""
    while True:
        try:
            await recover()
            pause = RECOVER_SECONDS
        except UnavailableError as error:
            log.warning("rag_recovery_put_off", detail=error.detail)
            pause = RETRY_SECONDS
        except Exception:
            log.exception("rag_recovery_failed")
            pause = RECOVER_SECONDS
        await asyncio.sleep(pause)


def _store(settings: RagSettings) -> VectorStore:
    if not settings.milvus_uri:
        return MilvusLiteStore(settings.data, loaded=settings.loaded_collections)
    return MilvusStore(
        settings.milvus_uri,
        token=settings.milvus_token.get_secret_value() if settings.milvus_token else "",
        database=settings.milvus_database,
        timeout=settings.milvus_timeout_seconds,
        replicas=settings.milvus_replicas,
    )


def _embedder(settings: RagSettings, workers: int) -> Embedder:
    if settings.engine == "reference":
        return SentenceTransformerEmbedder(settings.model, batch=settings.batch, threads=settings.threads, workers=workers)
    if settings.exports:
        return ReadyEmbedder(
            settings.model,
            exports=settings.exports,
            precision=settings.precision,
            batch=settings.batch,
            threads=settings.threads,
            workers=workers,
        )
    return ExportingEmbedder(
        settings.model,
        exports=settings.data / "models",
        precision=settings.precision,
        batch=settings.batch,
        threads=settings.threads,
        workers=workers,
    )


class _ModelState:
    """Whether the model is loaded, is loading, or could not be."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._failure: str | None = None

    async def warm(self) -> None:
        """Load the model; a failure is kept for the readiness report, and a search tries again."""
        try:
            await anyio.to_thread.run_sync(self._embedder.warm, abandon_on_cancel=True)
        except ModelUnavailableError as error:
            self._failure = error.detail
            log.exception("embedding_model_unavailable", detail=error.detail)

    async def report(self) -> str | None:
        """None when the model is loaded."""
        if self._embedder.ready:
            return None
        return self._failure or "The embedding model is still loading."
