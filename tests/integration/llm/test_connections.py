"""The client of a model's server: a connection for each request, and nothing kept between them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared_services.llm.connections import ConnectionEach, connection_each, proxy_for
from shared_services.llm.wire import MOST_HEAD_BYTES


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


@asynccontextmanager
async def saying(*parts: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that answers every request with these bytes, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"{'https' if tls else 'http'}://localhost:{server.sockets[0].getsockname()[1]}/v1?a=b"


async def asked(url: str) -> bytes:
    async with connection_each(url, 5.0) as http:
        return (await http.post(url, content=b"{}")).content


async def test_bytes_that_are_cut_anywhere_are_one_body():
    whole = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n"
    )
    async with saying(*(bytes([byte]) for byte in whole)) as url:
        assert await asked(url) == b"one two"


async def test_a_body_of_untold_length_ends_with_its_connection():
    async with saying(b"HTTP/1.1 200 OK\r\n\r\n", b"all of it") as url:
        assert await asked(url) == b"all of it"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 200 OK\r\ncontent-le"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n"],
        [b"220 mail.example ESMTP\r\n"],
        [b"HTTP/1.1 200 OK\r\n", *[b"x-filler: %b\r\n" % (b"x" * 1000)] * 200],
    ],
    ids=["nothing", "half a head", "too short", "no last chunk", "no chunk", "no HTTP", "endless head"],
)
async def test_what_is_no_whole_response_is_an_error_of_the_protocol(parts: list[bytes]):
    async with saying(*parts) as url:
        with pytest.raises(httpx.TransportError):
            await asked(url)


async def test_a_body_that_is_read_slowly_is_not_gathered_in_memory():
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (1 << 26))
        with suppress(ConnectionError):
            while sent < 1 << 26:
                writer.write(bytes(1 << 16))
                sent += 1 << 16
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connection_each(url, 5.0) as http, http.stream("GET", url) as response:
            before = -1
            while before != sent:
                before = sent
                await asyncio.sleep(0.3)
            assert sent < 1 << 25
            assert sum([len(part) async for part in response.aiter_raw()]) == 1 << 26


async def test_a_long_body_that_comes_with_its_head_is_no_long_head():
    body = b"x" * (MOST_HEAD_BYTES + 1)
    async with saying(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body) as url:
        assert await asked(url) == body


async def test_a_request_of_untold_length_is_not_sent():
    async def parts() -> AsyncIterator[bytes]:
        yield b"{}"

    async with saying(b"HTTP/1.1 200 OK\r\n\r\n") as url, connection_each(url, 5.0) as http:
        with pytest.raises(httpx.LocalProtocolError, match="length"):
            await http.post(url, content=parts())


async def test_a_header_with_a_line_break_is_not_sent():
    async with saying(b"HTTP/1.1 200 OK\r\n\r\n") as url, connection_each(url, 5.0) as http:
        with pytest.raises(httpx.LocalProtocolError):
            await http.get(url, headers=[(b"x-mine", b"one\r\nx-other: two")])


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path):
    authority, server = certificate(tmp_path)
    async with saying(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkept", tls=server) as url:
        with pytest.raises(httpx.ConnectError):
            await asked(url)
        trusting = ssl.create_default_context(cafile=str(authority))
        async with httpx.AsyncClient(transport=ConnectionEach(trusting)) as http:
            assert (await http.get(url)).content == b"kept"


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost` that vouches for itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "cert.pem", folder / "both.pem"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(private + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context
