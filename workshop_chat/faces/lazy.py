"""An app that is made when it is first asked for, so that a face costs nothing while nobody uses it."""

import asyncio
from collections.abc import Callable

import anyio
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send


class LazyApp:
    """Serves an app that `make` builds at the first request, and runs its lifespan until `close`."""

    def __init__(self, make: Callable[[], Starlette]) -> None:
        self._make = make
        self._app: Starlette | None = None
        self._starting = anyio.Lock()
        self._stop = anyio.Event()
        self._held: asyncio.Task[None] | None = None

    @property
    def made(self) -> bool:
        """Whether anybody has asked for it."""
        return self._app is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._app is None:
            async with self._starting:
                if self._app is None:
                    await self._start()
        assert self._app is not None
        await self._app(scope, receive, send)

    async def _start(self) -> None:
        app = self._make()
        running: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def hold() -> None:
            # Entered and left in one task, which a lifespan with a task group asks for.
            try:
                async with app.router.lifespan_context(app):
                    running.set_result(None)
                    await self._stop.wait()
            except Exception as error:
                if running.done():
                    raise
                running.set_exception(error)

        self._held = asyncio.create_task(hold())
        await running
        self._app = app

    async def close(self) -> None:
        """End the app's lifespan; does nothing where nobody has asked for it."""
        self._stop.set()
        if self._held is not None:
            await self._held
            self._held = None
            self._app = None
