"""Serving one app as a process of its own: told to end, it lets requests finish within a bound and says what failed in a line."""

import gc
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.types import ASGIApp
from structlog import get_logger

from shared_services.kit.errors import PlatformError
from shared_services.kit.opening import Prepare, Prepared
from shared_services.kit.tokens import TokenVerifier

log = get_logger()

CLOSING_SECONDS = 15.0
"""What is left of the end after requests have had their grace: jobs are stopped, connections closed."""
CUT_OFF = 4
"""The exit status of a process that did not end by itself in that time."""
STARTUP_FAILED = 3
"""uvicorn's own status for it."""


class StartError(PlatformError):
    """The process cannot start as it is configured."""

    slug = "start"
    title = "It cannot start"


class Server(uvicorn.Server):
    """Tells the app when the process is told to end, and not first when the last reader has gone."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None], last: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._last = last

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the app, and leave what stands then, which stays, out of every later search for garbage."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the app end its streams, then wait for requests, then stop; all of it within the bound."""
        bound = threading.Timer(self._last, _give_up, (self._last,))
        bound.daemon = True
        bound.start()
        self._drain()
        await super().shutdown(sockets)


def _give_up(seconds: float) -> None:
    # A thread that nothing can stop, such as one that waits for git, would hold the process until it is killed.
    log.warning("ended_by_force", seconds=seconds)
    os._exit(CUT_OFF)


def load_verifier(public_key_file: Path | None) -> TokenVerifier:
    """What tokens are checked with.

    Raises:
        StartError: No key is named, or it cannot be read.
    """
    if public_key_file is None:
        raise StartError("CORE_PUBLIC_KEY_FILE is not set. Name the PEM file with the core's public key.")
    try:
        return TokenVerifier.from_pem(public_key_file.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"The core's public key cannot be read from CORE_PUBLIC_KEY_FILE: {error}") from error


def serve(
    app: FastAPI,
    host: str,
    port: int,
    *,
    grace: int,
    drain: Callable[[], None] = lambda: None,
    prepare: Prepare | None = None,
    loop: Literal["asyncio", "uvloop"] = "asyncio",
) -> int:
    """Serve until SIGINT or SIGTERM; the exit status.

    Args:
        app: What to serve.
        host: Address to listen on.
        port: Port to listen on.
        grace: Seconds that requests get to finish once it is told to end; then they are cut. `CLOSING_SECONDS` later the
            process is gone, whatever still runs.
        drain: Called when it is told to end: ends the streams that would go on for ever.
        prepare: Tried until it succeeds, before the app is opened; None where there is nothing to wait for.
        loop: The event loop; uvloop takes less of the processor where there are many connections, and a megabyte.
    """

    def end() -> None:
        server.should_exit = True

    prepared = Prepared(app, prepare, end) if prepare else None
    served: ASGIApp = prepared or app
    config = uvicorn.Config(
        served,
        host=host,
        port=port,
        loop=loop,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace,
    )
    server = Server(config, drain, grace + CLOSING_SECONDS)
    with suppress(KeyboardInterrupt):
        server.run()
    return STARTUP_FAILED if not server.started or (prepared and prepared.failed) else 0


def run_reporting(run: Callable[[], int]) -> int:
    """The status that `run` gives, or 1 with a line on stderr where its settings or files cannot be used."""
    try:
        return run()
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        sys.stderr.write(f"The settings cannot be used: {rows}\n")
    except PlatformError as error:
        sys.stderr.write(f"{error.title}: {error.detail}\n")
    return 1
