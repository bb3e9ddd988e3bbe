"""The client of a model's server: a connection for each request, and nothing kept between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from shared_services.llm.connections import connection_each, proxy_for


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Upstream:
    """Answers each request with a cookie and the beginning of a body that never ends."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.hung_up = asyncio.Event()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Upstream"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nset-cookie: who=somebody; path=/\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
            await reader.read(1)
            self.hung_up.set()
        writer.close()


async def test_each_request_has_its_connection_which_ends_with_its_response():
    async with Upstream().serving() as upstream, connection_each(upstream.url, 5.0) as http:
        async with http.stream("GET", upstream.url) as first, http.stream("GET", upstream.url) as second:
            assert [await anext(each.aiter_raw()) for each in (first, second)] == [b"hi", b"hi"]
            assert upstream.connections == 2
            assert not upstream.hung_up.is_set()
        await upstream.hung_up.wait()


async def test_no_cookie_of_one_call_goes_along_with_another():
    async with Upstream().serving() as upstream, connection_each(upstream.url, 5.0) as http:
        for _ in range(2):
            async with http.stream("GET", upstream.url) as response:
                assert "set-cookie" in response.headers
    assert len(upstream.heads) == 2
    assert not any(b"cookie:" in head.lower() for head in upstream.heads)


async def test_a_server_that_is_not_there_is_told_as_httpx_tells_it():
    async with Upstream().serving() as upstream:
        url = upstream.url
    async with connection_each(url, 5.0) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


def test_the_proxy_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("https://models.example/v1") is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.cluster.local")
    assert proxy_for("https://models.example/v1") == "http://proxy.example:3128"
    assert proxy_for("https://ogx.models.svc.cluster.local:8321") is None
    assert proxy_for("http://models.example/v1") is None
    monkeypatch.setenv("ALL_PROXY", "http://all.example:3128")
    assert proxy_for("http://models.example/v1") == "http://all.example:3128"
