"""One HTTP/1.1 request on a connection of its own, read by httptools (Node's parser), for httpx.

An answer comes token by token, each in a read of its own, from hundreds of connections at once. httpx's own transport goes
through six layers of Python for each; here the bytes of a read are parsed where they come and handed on as they are. It knows
nothing of what is not needed: connections that are used again, proxies, `HEAD`, protocols other than HTTP/1.1.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import httptools
import httpx

MOST_HEAD_BYTES: Final = 100 * 1024
MOST_UNREAD_BYTES: Final = 256 * 1024
"""Of a body, whose reader is slower than the server; the connection is not read until there is room again."""
HAPPY_EYEBALLS_SECONDS: Final = 0.25
_UNFIT: Final = frozenset(b"\r\n\0")


class Exchange(asyncio.Protocol):
    """A connection's only response, as it comes.

    Attributes:
        status: Known once `head` is done.
        headers: Likewise.
        head: Done with the last header, or with what went wrong before it.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._head_bytes = 0
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: httpx.TransportError | None = None

    async def piece(self) -> bytes:
        """What has come of the body since the last call, as soon as there is any; nothing once it has ended.

        Raises:
            httpx.TransportError: The connection broke, or what came is not HTTP.
        """
        while not self._unread:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        come = self._unread[0] if len(self._unread) == 1 else b"".join(self._unread)
        self._unread, self._unread_bytes = [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return come

    def hang_up(self) -> None:
        """Close the connection, whatever is still to come."""
        if self._transport is not None:
            self._transport.abort()

    # What the connection tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Something has come."""
        if self._ended or self._error is not None:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"The response is not HTTP: {error}"))
        if not self.head.done():
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._fail(httpx.RemoteProtocolError("The response's head has no end."))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whomever."""
        self._transport = None
        if not self._ended:
            told = any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self.headers)
            if exc is not None:
                self._fail(httpx.ReadError(str(exc) or type(exc).__name__))
            elif self.head.done() and not told:
                # A body whose length nobody told ends with its connection.
                self._ended = True
            else:
                self._fail(httpx.RemoteProtocolError("The server closed the connection before the end of its response."))
        self._wake()

    # What the parser tells

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or what trails a body."""
        if not self.head.done():
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.status = self._parser.get_status_code()
        if self.status < 200:
            # Only says that a response will come.
            self.headers = []
        elif not self.head.done():
            self.head.set_result(None)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unread.append(body)
        self._unread_bytes += len(body)
        if self._unread_bytes > MOST_UNREAD_BYTES and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The response is whole."""
        self._ended = self.status >= 200

    def _fail(self, error: httpx.TransportError) -> None:
        self._error = self._error or error
        if not self.head.done():
            self.head.set_exception(self._error)
            # Whoever was to hear of it may have been cancelled.
            self.head.exception()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Body(httpx.AsyncByteStream):
    """A response's bytes as they come; closing it closes the connection."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself: it is read once."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            httpx.TransportError: The connection broke.
        """
        come = await self._exchange.piece()
        if not come:
            raise StopAsyncIteration
        return come

    async def aclose(self) -> None:
        """Close the connection."""
        self._exchange.hang_up()


async def exchange(request: httpx.Request, tls: ssl.SSLContext) -> httpx.Response:
    """Connect, send a request, and give its response as soon as its head is there.

    Only connecting is timed (the request's `connect` timeout): whoever waits for the response keeps the time.

    Raises:
        httpx.TransportError: It could not be sent, or no response came.
    """
    sent = b"".join([_head(request), *[part async for part in cast("httpx.AsyncByteStream", request.stream)]])
    transport, response = await _connected(request, tls)
    try:
        transport.write(sent)
        await response.head
    except BaseException:
        response.hang_up()
        raise
    return httpx.Response(response.status, headers=response.headers, stream=Body(response))


async def _connected(request: httpx.Request, tls: ssl.SSLContext) -> tuple[asyncio.WriteTransport, Exchange]:
    url, secure = request.url, request.url.scheme == "https"
    host = url.raw_host.decode("ascii")
    loop = asyncio.get_running_loop()
    # uvloop tries one address after the other.
    options: dict[str, Any] = {"happy_eyeballs_delay": HAPPY_EYEBALLS_SECONDS} if isinstance(loop, asyncio.BaseEventLoop) else {}
    port = url.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(request.extensions.get("timeout", {}).get("connect")):
            return await loop.create_connection(
                Exchange,
                host,
                port,
                ssl=tls if secure else None,
                server_hostname=host if secure else None,
                **options,
            )
    except TimeoutError as error:
        raise httpx.ConnectTimeout(f"{host} did not answer in time.", request=request) from error
    except OSError as error:
        raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from error


def _head(request: httpx.Request) -> bytes:
    if "transfer-encoding" in request.headers:
        raise httpx.LocalProtocolError("A request is sent whole, so its length must be known.", request=request)
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    for name, value in request.headers.raw:
        if not _UNFIT.isdisjoint(name) or not _UNFIT.isdisjoint(value):
            raise httpx.LocalProtocolError(f"The header {name!r} has a line break in it.", request=request)
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join([*lines, b"", b""])
