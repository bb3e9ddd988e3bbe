"""The RAG agent as a process of its own: `python -m agents.rag`, with durable jobs of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from agents.rag.app import create_app
from agents.rag.files import LibraryFiles
from agents.rag.job import INDEX, REINDEX, index_job, reindex_job
from agents.rag.service import Progress, RagService
from agents.rag.settings import RagSettings
from shared_services.clients.library import LibraryClient
from shared_services.jobs.endpoints import jobs_router
from shared_services.jobs.service import Jobs
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.auth import caller_identity
from shared_services.kit.database import create_engine
from shared_services.kit.logging import configure_logging
from shared_services.kit.tokens import Claims, TokenVerifier

log = get_logger()

SHUTDOWN_SECONDS = 10
"""Who follows a job holds a response open, which must not hold up the end."""


def build(
    settings: RagSettings, running: JobsSettings, engine: AsyncEngine, verifier: TokenVerifier, files: LibraryFiles
) -> FastAPI:
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
    app = create_app(settings, engine, verifier, files, jobs=jobs)
    app.include_router(jobs_router(jobs, caller_identity(verifier, "jobs")))
    serve = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serve(app):
            try:
                await jobs.start()
                yield
            finally:
                await jobs.stop()

    app.router.lifespan_context = lifespan
    return app


async def _serve(settings: RagSettings) -> None:
    def token(audience: str) -> str:
        """The mounted token; it is for the library alone, which checks its own audience. Whoever mounts it renews it."""
        return settings.token_file.read_text().strip()

    verifier = TokenVerifier.from_pem(settings.public_key.read_bytes())
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = create_engine(settings.database_url)
    async with httpx.AsyncClient(base_url=settings.library_url, timeout=60) as http:
        app = build(settings, JobsSettings(), engine, verifier, LibraryFiles(LibraryClient(http, token)))
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, timeout_graceful_shutdown=SHUTDOWN_SECONDS
        )
        await uvicorn.Server(config).serve()
    await engine.dispose()


def main() -> int:
    """Run until interrupted; 1 when it cannot start, 3 (uvicorn's own) when a part of it cannot."""
    configure_logging()
    try:
        settings = RagSettings()
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        sys.stderr.write(f"The settings cannot be used: {rows}\n")
        return 1
    try:
        asyncio.run(_serve(settings))
    except (OSError, ValueError) as error:
        log.exception("rag_cannot_start", error=str(error), hint="RAG_PUBLIC_KEY names a PEM file of an Ed25519 public key")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
