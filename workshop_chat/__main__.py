"""One chat agent as a process of its own: `python -m workshop_chat`, with its settings in the environment."""

import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from pathlib import Path

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.clients.credentials import ExchangedTokens
from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.kit.database import PoolBounds, create_engine, is_server, migrate
from shared_services.kit.health import Readiness
from shared_services.kit.logging import configure_logging
from shared_services.kit.process import StartError, run_reporting, serve
from shared_services.kit.tokens import TokenVerifier
from shared_services.llm.settings import LlmSettings, build_gateway, build_moderator
from workshop_chat.app import create_app
from workshop_chat.participants import MIN_KEY_BYTES
from workshop_chat.sessions import running
from workshop_chat.settings import ChatSettings
from workshop_chat.tables import MIGRATIONS

REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 3.0
"""A service whose pods are gone refuses nothing, it is silent."""
LAST_READERS_SECONDS = 5


def load_or_create_secret(path: Path) -> bytes:
    """The secret in a file, made (mode 0600, whole or not at all) when it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(MIN_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path.read_bytes()


def build(settings: ChatSettings, llm: LlmSettings) -> tuple[FastAPI, AsyncEngine]:
    """The app with real clients, and its store; all are closed when it stops.

    Raises:
        StartError: A file that the settings name is missing or unusable.
    """
    if settings.core_public_key_file is None:
        raise StartError("CORE_PUBLIC_KEY_FILE is not set. Name the file with the core's public key.")
    if settings.credential_file is None:
        raise StartError("WORKSHOP_CREDENTIAL_FILE is not set. Name the file with this chat agent's credential.")
    if settings.participant_key_file is None:
        raise StartError("PARTICIPANT_KEY_FILE is not set. Name a file for the secret that signs participants' cookies.")
    try:
        verifier = TokenVerifier.from_pem(settings.core_public_key_file.read_bytes())
        key = load_or_create_secret(settings.participant_key_file)
        join_code = settings.join_code_file.read_text().strip() if settings.join_code_file else None
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"A key or code cannot be read: {error}") from error
    # One TLS context for all: each takes megabytes.
    tls = httpx.create_ssl_context()
    patience = httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS)
    library = httpx.AsyncClient(base_url=settings.library_address, timeout=patience, verify=tls)
    rag = httpx.AsyncClient(base_url=settings.rag_address, timeout=patience, verify=tls)
    core = httpx.AsyncClient(base_url=settings.core_address, timeout=patience, verify=tls)
    tokens = ExchangedTokens(core, settings.credential_file, (LibraryClient.audience, RagClient.audience))
    engine = create_engine(settings.database_url, PoolBounds(settings.database_pool, settings.database_idle_seconds))
    retrieval = RagClient(rag, tokens)
    try:
        app = create_app(
            settings,
            library=LibraryClient(library, tokens),
            rag=retrieval,
            embeddings=retrieval,
            gateway=build_gateway(llm),
            engine=engine,
            verifier=verifier,
            participant_key=key,
            join_code=join_code,
            max_tokens=llm.max_tokens,
            context_characters=llm.context_characters,
            moderator=build_moderator(llm),
            readiness=tokens.report(Readiness()),
        )
    except ValueError as error:
        raise StartError(str(error)) from error
    serve = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with library, rag, core, tokens.kept(), serve(app), running(app.state.content.keep):
                yield
        finally:
            await engine.dispose()

    app.router.lifespan_context = lifespan
    return app, engine


def _run() -> int:
    settings, llm = ChatSettings.model_validate({}), LlmSettings()
    bound = {"namespace": settings.namespace} if settings.namespace else {}
    configure_logging(settings.log_level, as_json=settings.log_json, bound=bound)
    app, engine = build(settings, llm)
    grace = ceil(settings.drain_seconds) + LAST_READERS_SECONDS
    prepare = partial(migrate, engine, MIGRATIONS) if is_server(settings.database_url) else None
    return serve(app, settings.host, settings.port, grace=grace, drain=app.state.drain, prepare=prepare, loop="uvloop")


def main() -> int:
    """Run until stopped; the exit status."""
    return run_reporting(_run)


if __name__ == "__main__":
    sys.exit(main())
