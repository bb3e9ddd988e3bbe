"""Which app answers an address: `/agents/NAME/...` a shared agent, `/w/NAME/...` a workshop's chat agent, else the console."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import quote

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from shared_services.kit.errors import NotFoundError, ProblemError
from shared_services.kit.http import problem_response

MakeChatApp = Callable[[str], Awaitable[FastAPI]]
"""The chat app of a workshop; NotFoundError or a problem of status 404 where there is no such workshop."""


class ChatMounts:
    """The chat apps of this process, made when first asked for and closed when their workshop goes."""

    def __init__(self, make: MakeChatApp) -> None:
        self._make = make
        self._apps: dict[str, tuple[FastAPI, AsyncExitStack]] = {}
        self._making = asyncio.Lock()

    async def get(self, workshop: str) -> FastAPI:
        """The running chat app of a workshop.

        Raises:
            NotFoundError: There is no such workshop.
        """
        if workshop not in self._apps:
            async with self._making:
                if workshop not in self._apps:
                    await self._start(workshop)
        return self._apps[workshop][0]

    async def _start(self, workshop: str) -> None:
        try:
            app = await self._make(workshop)
        except ProblemError as error:
            if error.status == 404:
                raise NotFoundError(error.detail) from error
            raise
        stack = AsyncExitStack()
        await stack.enter_async_context(app.router.lifespan_context(app))
        self._apps[workshop] = (app, stack)

    async def drop(self, workshop: str) -> None:
        """Close a workshop's chat app; nothing happens when it is not running."""
        found = self._apps.pop(workshop, None)
        if found:
            await found[1].aclose()

    async def close(self) -> None:
        """Close every chat app, all at once: each may wait for answers to finish."""
        await asyncio.gather(*(self.drop(workshop) for workshop in list(self._apps)))


class House:
    """The ASGI app of the whole process. A browser that asks for what is not there is shown the console's page for that."""

    def __init__(self, console: ASGIApp, agents: dict[str, ASGIApp], chats: ChatMounts) -> None:
        self._console = console
        self._agents = agents
        self._chats = chats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._console(scope, receive, send)
            return
        kind, _, rest = scope["path"].removeprefix("/").partition("/")
        name, slash, _ = rest.partition("/")
        if kind not in ("w", "agents") or not name:
            await self._console(scope, receive, send)
        elif not slash:
            await _redirect(f"/{kind}/{quote(name)}/", scope, send)
        elif kind == "agents":
            await self._serve(self._agents.get(name), f"There is no agent '{name}'.", f"/agents/{name}", scope, receive, send)
        else:
            try:
                app: ASGIApp | None = await self._chats.get(name)
            except NotFoundError:
                app = None
            await self._serve(app, f"No workshop is published as '{name}'.", f"/w/{name}", scope, receive, send)

    async def _serve(self, app: ASGIApp | None, missing: str, root: str, scope: Scope, receive: Receive, send: Send) -> None:
        if app is None and b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            # Without its last slash, which the console would redirect to take away and this app to put back.
            await self._console({**scope, "path": scope["path"].rstrip("/")}, receive, send)
            return
        if app is None:
            await problem_response(NotFoundError(f"{missing} The list of workshops is at /.").problem())(scope, receive, send)
            return
        await app({**scope, "root_path": scope.get("root_path", "") + root}, receive, send)


async def _redirect(location: str, scope: Scope, send: Send) -> None:
    query = scope["query_string"].decode("latin-1")
    target = f"{location}?{query}" if query else location
    headers = [(b"location", target.encode("latin-1", "replace")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
