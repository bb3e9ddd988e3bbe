"""An HTTP client that opens a connection for each request and closes it with its response.

With one pool for all, streams wait for each other from a few hundred on; a client for each of them has to be made, and held
for as long as the stream lasts. So the client is shared, and holds nothing: no connection, and no cookies that one
participant's call would carry over to another's. Calls share the TLS context alone.
"""

import ssl
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx

from shared_services.llm.wire import exchange

_LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=0)


class _Body(httpx.AsyncByteStream):
    """A response's bytes that come through a proxy; closing it closes the connection."""

    def __init__(self, stream: httpx.AsyncByteStream, transport: httpx.AsyncHTTPTransport) -> None:
        self._stream = stream
        self._transport = transport

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        # Also for a caller who was cancelled: the server shall know at once.
        with anyio.CancelScope(shield=True):
            try:
                await self._stream.aclose()
            finally:
                await self._transport.aclose()


class ConnectionEach(httpx.AsyncBaseTransport):
    """Opens a connection for each request, by itself where no proxy is in between.

    Args:
        tls: What servers' certificates are checked with.
        proxy: Through which it connects; directly where absent.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: str | None = None) -> None:
        self._tls = tls
        self._proxy = proxy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.TransportError: As httpx's own transport.
        """
        if self._proxy is None:
            return await exchange(request, self._tls)
        transport = httpx.AsyncHTTPTransport(verify=self._tls, limits=_LIMITS, proxy=self._proxy)
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await transport.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Body(response.stream, transport)
        return response


def proxy_for(address: str) -> str | None:
    """The proxy that the system's settings (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` ...) name for an address."""
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    given = getproxies()
    proxy = given.get(parts.scheme) or given.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def connection_each(address: str, connect_seconds: float) -> httpx.AsyncClient:
    """A client for requests to one address, without end once they are connected: whoever waits keeps the time.

    Reads the system's certificates, which takes some tens of milliseconds.
    """
    tls = httpx.create_ssl_context()
    tls.set_alpn_protocols(["http/1.1"])
    return httpx.AsyncClient(
        transport=ConnectionEach(tls, proxy_for(address)),
        timeout=httpx.Timeout(connect=connect_seconds, read=None, write=30.0, pool=None),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )
