"""Puts the RAG agent together. The model is loaded in the background once the app has started, so that it answers at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from agents.rag.admission import Admission
from agents.rag.card import rag_card
from agents.rag.embedder import Embedder
from agents.rag.endpoints import AUDIENCE, FilesSource, create_router
from agents.rag.errors import ModelUnavailableError
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.repository import IndexRepository
from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from agents.rag.store.lite import MilvusLiteStore
from agents.rag.workers import usable_cores, worker_count
from shared_services.kit import http
from shared_services.kit.a2a import A2AFace, OpenFace, mount_a2a
from shared_services.kit.database import MigrationSet, migrate, session_factory
from shared_services.kit.health import Readiness
from shared_services.kit.tokens import TokenVerifier

log = get_logger()

MIGRATIONS = MigrationSet("rag", Path(__file__).parent / "migrations")


def create_app(
    settings: RagSettings,
    engine: AsyncEngine,
    verifier: TokenVerifier,
    files_source: FilesSource,
    embedder: Embedder | None = None,
    *,
    warm: bool = True,
) -> FastAPI:
    """The RAG agent's app. Its lifespan migrates its tables, opens the index, and gives both back at the end.

    Args:
        settings: Where the index is kept, and with which model.
        engine: Relational store of the bookkeeping; stays the caller's to dispose of.
        verifier: Checks tokens for the audience `rag`.
        files_source: Where the files of a version come from.
        embedder: In place of the one that `settings.model` names.
        warm: Load the model at the start; else when it is first needed, which suits a process that may not need it.
    """
    workers = worker_count(settings.workers, usable_cores())
    model = embedder or _embedder(settings, workers)
    store = MilvusLiteStore(settings.data, loaded=settings.loaded_collections)
    service = RagService(store, model, IndexRepository(session_factory(engine)), batch=settings.batch * workers)
    admission = Admission(settings.ingest_running, settings.ingest_waiting)
    state = _ModelState(model)

    def load_face() -> OpenFace:
        from agents.rag.executor import rag_face

        return rag_face(service, files_source, admission)

    face = A2AFace(load_face, verifier, AUDIENCE)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Before anything else is imported in another thread: it hides a library while it imports others.
        await anyio.to_thread.run_sync(store.open)
        # A task of its own and no task group: a group would wrap every error of whoever holds this lifespan open.
        warming = asyncio.create_task(state.warm()) if warm else None
        try:
            await migrate(engine, MIGRATIONS)
            await service.recover()
            yield
        finally:
            if warming is not None:
                warming.cancel()
            with anyio.CancelScope(shield=True):
                await face.close()
                await anyio.to_thread.run_sync(model.close)
                await anyio.to_thread.run_sync(store.close)

    async def store_ready() -> str | None:
        return await anyio.to_thread.run_sync(store.check)

    readiness = Readiness()
    readiness.add("store", store_ready)
    readiness.add("model", state.report)
    app = http.create_app("RAG agent", service="rag", readiness=readiness, lifespan=lifespan)
    app.include_router(create_router(service, verifier, files_source, admission))
    mount_a2a(app, face, rag_card, settings.public_url)
    app.state.service = service
    app.state.admission = admission
    return app


def _embedder(settings: RagSettings, workers: int) -> Embedder:
    if settings.engine == "reference":
        return SentenceTransformerEmbedder(settings.model, batch=settings.batch, threads=settings.threads, workers=workers)
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
