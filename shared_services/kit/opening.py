"""Answering probes before what a service stands on is there, such as a database server that starts at the same time.

A process that ends because its database is not there yet is started again by whoever watches it, later and later. One that
goes on trying serves as soon as it can, and its readiness says what it waits for.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog import get_logger

from shared_services.kit.errors import NewerDataError, UnavailableError
from shared_services.kit.http import problem_response

log = get_logger()

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

Prepare = Callable[[], Awaitable[None]]
"""Makes what an app stands on ready, such as its tables; raises what is in the way; can be called again."""


class Prepared:
    """An app that is opened once `prepare` has succeeded. Until then `/healthz` is well, and all else is told to wait.

    Lifecycle: preparing (`prepare` again and again) -> the app's lifespan -> serving. Where the lifespan itself fails, `failed`
    is set and `on_failure` called, and nothing is tried again: it may be half open.

    Args:
        app: What is served.
        prepare: Tried until it succeeds.
        on_failure: Ends the process.
    """

    def __init__(self, app: FastAPI, prepare: Prepare, on_failure: Callable[[], None]) -> None:
        self._app = app
        self._prepare = prepare
        self._on_failure = on_failure
        self._problem = "It is not opened yet."
        self._open = False
        self._closing = asyncio.Event()
        self.failed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the process's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._open:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._waiting(scope)(scope, receive, send)

    def _waiting(self, scope: Scope) -> ASGIApp:
        if scope["path"] == "/healthz":
            return JSONResponse({"status": "ok"})
        if scope["path"] == "/readyz":
            return JSONResponse({"ready": False, "checks": {"database": self._problem}}, status_code=503)
        error = UnavailableError("The service is starting and waits for its database. Try again in a moment.")
        response: Response = problem_response(error.problem(), {"retry-after": "5"})
        return response

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        # One task for the whole of the app's lifespan: what is entered in it has to be left in the same one.
        serving = asyncio.create_task(self._serve())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._closing.set()
        if not self._open:
            serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self) -> None:
        await self._until_prepared()
        try:
            async with self._app.router.lifespan_context(self._app):
                self._open = True
                await self._closing.wait()
        except Exception:
            log.exception("lifespan_failed", while_open=self._open)
            self.failed = not self._open
            self._on_failure()

    async def _until_prepared(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._prepare()
            except Exception as error:
                told = f"The database cannot be used: {error}"
                if told != self._problem:
                    log.warning("not_open_yet", error=f"{type(error).__name__}: {error}")
                self._problem = told
                # Data of a newer version stays so until another program comes; looking again may still see that it went back.
                await asyncio.sleep(LONGEST_PAUSE_SECONDS if isinstance(error, NewerDataError) else pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return
