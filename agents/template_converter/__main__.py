"""The template converter as a process of its own: `python -m agents.template_converter`, with its settings in the environment.

Where it has a database, conversions run here as durable jobs. Their rows are the console's, so that people follow and cancel
them there; what makes them go on after a kill is this process' own.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI

from agents.template_converter.app import create_app
from agents.template_converter.job import converter_jobs
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterServerSettings, ConverterSettings
from shared_services.clients.credentials import ExchangedTokens
from shared_services.clients.library import LibraryClient
from shared_services.jobs.endpoints import jobs_router
from shared_services.jobs.service import Jobs
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.auth import caller_identity
from shared_services.kit.database import create_engine, is_server, reachable
from shared_services.kit.health import Readiness
from shared_services.kit.logging import configure_logging
from shared_services.kit.process import StartError, load_verifier, run_reporting, serve
from shared_services.kit.tokens import TokenVerifier

REQUEST_SECONDS = 60.0
GRACE_SECONDS = 10


def build(
    settings: ConverterServerSettings, converter: ConverterService, verifier: TokenVerifier, running: JobsSettings
) -> tuple[FastAPI, Jobs]:
    """The app with conversions, which run within its lifespan and are followed under `/api/v1/jobs`.

    Raises:
        StartError: A setting is missing.
    """
    for name, value in (("CONVERTER_JOBS_URL", settings.jobs_url), ("CORE_ENDPOINT", settings.core_endpoint)):
        if not value:
            raise StartError(f"{name} is not set. Conversions need it; without CONVERTER_DATABASE_URL there are none.")
    if settings.credential_file is None:
        raise StartError("WORKSHOP_CREDENTIAL_FILE is not set. Name the file with the template converter's credential.")
    core = httpx.AsyncClient(base_url=settings.core_endpoint, timeout=REQUEST_SECONDS)
    tokens = ExchangedTokens(core, settings.credential_file, (LibraryClient.audience,))
    engine = create_engine(settings.database_url)

    def library() -> LibraryClient:
        return LibraryClient(core, tokens)

    jobs = Jobs(
        engine,
        settings.jobs_url,
        converter_jobs(converter, library),
        running.executor_id,
        concurrency=running.concurrency,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with core, tokens.kept():
                try:
                    await jobs.start()
                    yield
                finally:
                    await jobs.stop()
        finally:
            await engine.dispose()

    readiness = tokens.report(Readiness())
    readiness.add("database", partial(reachable, engine))
    app = create_app(
        converter, verifier, jobs, library=library, public_url=settings.public_url, readiness=readiness, lifespan=lifespan
    )
    app.include_router(jobs_router(jobs, caller_identity(verifier, "jobs")))
    return app, jobs


def _run() -> int:
    settings, converter = ConverterServerSettings(), ConverterService(ConverterSettings())
    configure_logging(settings.log_level, as_json=settings.log_json)
    verifier = load_verifier(settings.core_public_key_file)
    if not settings.database_url:
        app = create_app(converter, verifier, public_url=settings.public_url)
        return serve(app, settings.host, settings.port, grace=GRACE_SECONDS)
    app, jobs = build(settings, converter, verifier, JobsSettings())
    prepare = jobs.prepare if is_server(settings.database_url) else None
    return serve(app, settings.host, settings.port, grace=GRACE_SECONDS, drain=jobs.drain, prepare=prepare)


def main() -> int:
    """Run until stopped; the exit status."""
    return run_reporting(_run)


if __name__ == "__main__":
    sys.exit(main())
