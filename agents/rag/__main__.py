"""The RAG agent as a process of its own: `python -m agents.rag`, with durable jobs of its own."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from agents.rag.app import create_app
from agents.rag.files import LibraryFiles
from agents.rag.job import INDEX, REINDEX, index_job, reindex_job
from agents.rag.repository import MIGRATIONS
from agents.rag.service import Progress, RagService
from agents.rag.settings import RagSettings
from shared_services.clients.credentials import ExchangedTokens
from shared_services.clients.library import LibraryClient
from shared_services.jobs.endpoints import jobs_router
from shared_services.jobs.service import Jobs
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.auth import caller_identity
from shared_services.kit.database import create_engine, is_server, migrate, reachable
from shared_services.kit.health import Readiness
from shared_services.kit.logging import configure_logging
from shared_services.kit.process import StartError, load_verifier, run_reporting, serve
from shared_services.kit.tokens import Claims, TokenVerifier

REQUEST_SECONDS = 60.0
GRACE_SECONDS = 10
"""An index request that takes longer is cut; whoever asked for it asks again, and what was embedded is not embedded again."""


def build(
    settings: RagSettings,
    running: JobsSettings,
    engine: AsyncEngine,
    verifier: TokenVerifier,
    files: LibraryFiles,
    readiness: Readiness,
) -> tuple[FastAPI, Jobs]:
    """The app with its jobs, which run within its lifespan and are followed under `/api/v1/jobs`."""

    def service() -> RagService:
        found: RagService = app.state.service
        return found

    async def documents(claims: Claims, progress: Progress) -> int:
        found: int = await app.state.documents.reindex(claims, progress)
        return found

    jobs = Jobs(
        engine,
        settings.jobs_url or f"sqlite:///{settings.data / 'jobs.sqlite3'}",
        {INDEX: index_job(service, lambda: files), REINDEX: reindex_job(service, lambda: files, documents)},
        running.executor_id,
        concurrency=running.concurrency,
    )
    app = create_app(settings, engine, verifier, files, jobs=jobs, readiness=readiness)
    app.include_router(jobs_router(jobs, caller_identity(verifier, "jobs")))
    open_parts = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_parts(app):
            try:
                await jobs.start()
                yield
            finally:
                await jobs.stop()

    app.router.lifespan_context = lifespan
    return app, jobs


def tokens_of(settings: RagSettings) -> tuple[httpx.AsyncClient, ExchangedTokens]:
    """Tokens for the library, and the client of the core that gives them, which the caller closes.

    Raises:
        StartError: A setting is missing.
    """
    if not settings.core_endpoint:
        raise StartError("CORE_ENDPOINT is not set. Give the address of the console, e.g. http://console:8080.")
    if settings.credential_file is None:
        raise StartError("WORKSHOP_CREDENTIAL_FILE is not set. Name the file with the RAG agent's credential.")
    core = httpx.AsyncClient(base_url=settings.core_endpoint, timeout=REQUEST_SECONDS)
    return core, ExchangedTokens(core, settings.credential_file, (LibraryClient.audience,))


def _closing(
    app: FastAPI, core: httpx.AsyncClient, library: httpx.AsyncClient, tokens: ExchangedTokens, engine: AsyncEngine
) -> None:
    """Let the app's lifespan keep the tokens, and close what it was made with."""
    open_app = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with core, library, tokens.kept(), open_app(app):
                yield
        finally:
            await engine.dispose()

    app.router.lifespan_context = lifespan


def _run() -> int:
    settings = RagSettings()
    configure_logging(settings.log_level, as_json=settings.log_json)
    verifier = load_verifier(settings.core_public_key_file)
    core, tokens = tokens_of(settings)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"The folder RAG_DATA={settings.data} cannot be made: {error.strerror}.") from error
    engine = create_engine(settings.database_url)
    library = httpx.AsyncClient(base_url=settings.library_url or settings.core_endpoint, timeout=REQUEST_SECONDS)
    readiness = tokens.report(Readiness())
    readiness.add("database", partial(reachable, engine))
    app, jobs = build(settings, JobsSettings(), engine, verifier, LibraryFiles(LibraryClient(library, tokens)), readiness)
    _closing(app, core, library, tokens, engine)

    async def prepare() -> None:
        await migrate(engine, MIGRATIONS)
        await jobs.prepare()

    patient = is_server(settings.database_url)
    return serve(app, settings.host, settings.port, grace=GRACE_SECONDS, drain=jobs.drain, prepare=prepare if patient else None)


def main() -> int:
    """Run until stopped; 1 when it cannot start, 3 (uvicorn's own) when a part of it cannot."""
    return run_reporting(_run)


if __name__ == "__main__":
    sys.exit(main())
