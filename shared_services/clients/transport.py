"""An httpx transport that calls an ASGI app in this process and streams its response.

httpx's own ASGI transport gives a response only when it is complete; an answer that streams needs its first event
before its last is sent.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

_QUEUED_CHUNKS = 16


class _Body(httpx.AsyncByteStream):
    """The chunks of a running response; closing it tells the app that its caller is gone."""

    def __init__(self, call: "_Call") -> None:
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._call.chunks.get()) is not None:
            yield chunk
        if self._call.cut:
            raise httpx.RemoteProtocolError("the app ended before its response was complete")

    async def aclose(self) -> None:
        await self._call.close()


class _Call:
    """One request on its way through the app."""

    def __init__(self, app: ASGIApp, scope: dict[str, Any], body: bytes) -> None:
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUED_CHUNKS)
        self.head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        self.cut = False
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._complete = False
        self._task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            if not self.head.done():
                self.head.set_exception(httpx.RemoteProtocolError(f"the app failed: {type(error).__name__}"))
        finally:
            if not self.head.done():
                self.head.set_exception(httpx.RemoteProtocolError("the app ended without a response"))
            self.cut = not self._complete
            if not self._gone.is_set():
                await self.chunks.put(None)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self.head.done():
                self.head.set_result((message["status"], list(message.get("headers", []))))
        elif message["type"] == "http.response.body":
            if message.get("body") and not self._gone.is_set():
                await self.chunks.put(message["body"])
            self._complete = not message.get("more_body", False)

    async def close(self) -> None:
        """Tell the app that nobody reads any more, and wait for it to end."""
        self._gone.set()
        while not self.chunks.empty():
            self.chunks.get_nowait()
        if not self._task.done() and not self._complete:
            await asyncio.wait([self._task], timeout=1.0)
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self.head.done() and not self.head.cancelled():
            self.head.exception()


class InProcessTransport(httpx.AsyncBaseTransport):
    """Calls `app` with each request; `root_path` is where the app believes to be mounted."""

    def __init__(self, app: ASGIApp, *, root_path: str = "") -> None:
        self._app = app
        self._root_path = root_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.RemoteProtocolError: The app raised or ended without a response.
        """
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "path": self._root_path + request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "server": (request.url.host, request.url.port or 80),
            "client": ("127.0.0.1", 0),
            "root_path": self._root_path,
            "state": {},
        }
        call = _Call(self._app, scope, await request.aread())
        try:
            status, headers = await call.head
        except BaseException:
            await call.close()
            raise
        return httpx.Response(status, headers=headers, stream=_Body(call), request=request)
