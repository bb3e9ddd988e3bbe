"""One chat agent as a process of its own: `python -m workshop_chat`, with its settings in the environment."""

import os
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from math import ceil
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.kit.database import create_engine
from shared_services.kit.errors import PlatformError
from shared_services.kit.logging import configure_logging
from shared_services.kit.tokens import TokenVerifier
from shared_services.llm.settings import LlmSettings, build_gateway, build_moderator
from workshop_chat.app import create_app
from workshop_chat.credentials import FileTokens
from workshop_chat.participants import MIN_KEY_BYTES
from workshop_chat.settings import ChatSettings

REQUEST_SECONDS = 30.0
LAST_READERS_SECONDS = 5
STARTUP_FAILED = 3
"""uvicorn's own status for it."""


class StartError(PlatformError):
    """The process cannot start as it is configured."""

    slug = "start"
    title = "The chat agent cannot start"


class Server(uvicorn.Server):
    """Tells the app when the process is told to end, and not first when the last reader has gone."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers finish, then readers go, then stop."""
        self._drain()
        await super().shutdown(sockets)


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


def build(settings: ChatSettings, llm: LlmSettings) -> FastAPI:
    """The app with real clients, which are closed when it stops.

    Raises:
        StartError: A file that the settings name is missing or unusable.
    """
    if settings.core_public_key_file is None:
        raise StartError("CORE_PUBLIC_KEY_FILE is not set. Name the file with the core's public key.")
    if settings.token_file is None:
        raise StartError("WORKSHOP_TOKEN_FILE is not set. Name the file with this chat agent's tokens.")
    if settings.participant_key_file is None:
        raise StartError("PARTICIPANT_KEY_FILE is not set. Name a file for the secret that signs participants' cookies.")
    try:
        verifier = TokenVerifier.from_pem(settings.core_public_key_file.read_bytes())
        key = load_or_create_secret(settings.participant_key_file)
        join_code = settings.join_code_file.read_text().strip() if settings.join_code_file else None
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"A key or code cannot be read: {error}") from error
    tokens = FileTokens(settings.token_file)
    # One TLS context for both: each takes megabytes.
    tls = httpx.create_ssl_context()
    library = httpx.AsyncClient(base_url=settings.library_address, timeout=REQUEST_SECONDS, verify=tls)
    rag = httpx.AsyncClient(base_url=settings.rag_address, timeout=REQUEST_SECONDS, verify=tls)
    engine = create_engine(settings.database_url)
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
        )
    except ValueError as error:
        raise StartError(str(error)) from error
    serve = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with library, rag, serve(app):
                yield
        finally:
            await engine.dispose()

    app.router.lifespan_context = lifespan
    return app


def main() -> int:
    """Run until stopped; the exit status."""
    try:
        settings, llm = ChatSettings.model_validate({}), LlmSettings()
        bound = {"namespace": settings.namespace} if settings.namespace else {}
        configure_logging(settings.log_level, as_json=settings.log_json, bound=bound)
        app = build(settings, llm)
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        sys.stderr.write(f"The settings cannot be used: {rows}\n")
        return 1
    except PlatformError as error:
        sys.stderr.write(f"{error.title}: {error.detail}\n")
        return 1
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ceil(settings.drain_seconds) + LAST_READERS_SECONDS,
    )
    server = Server(config, app.state.drain)
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else STARTUP_FAILED


if __name__ == "__main__":
    sys.exit(main())
