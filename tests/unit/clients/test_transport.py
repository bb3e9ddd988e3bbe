"""The transport in the process streams: the first event is read before the last is sent."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from shared_services.clients.library import LibraryClient
from shared_services.clients.transport import InProcessTransport
from shared_services.kit.errors import UnavailableError


def client(handler) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/{path:path}", handler, methods=["GET", "POST"])])
    return httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://test")


async def test_the_first_event_is_seen_before_the_last_is_sent():
    go_on = asyncio.Event()

    async def handler(_request: Request) -> StreamingResponse:
        async def body():
            yield b"first"
            await go_on.wait()
            yield b"last"

        return StreamingResponse(body())

    async with client(handler) as http, http.stream("GET", "/") as response:
        chunks = response.aiter_raw()
        assert await asyncio.wait_for(anext(chunks), 1) == b"first"
        go_on.set()
        assert await asyncio.wait_for(anext(chunks), 1) == b"last"


async def test_closing_early_ends_the_handler():
    ended = asyncio.Event()

    async def handler(_request: Request) -> StreamingResponse:
        async def body():
            try:
                while True:
                    yield b"more"
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return StreamingResponse(body())

    async with client(handler) as http:
        async with http.stream("GET", "/") as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(ended.wait(), 30)
    assert ended.is_set()


async def test_a_crash_before_the_response_is_an_error_of_the_transport():
    async def handler(_request: Request) -> PlainTextResponse:
        raise RuntimeError("broken")

    async with client(handler) as http:
        response = await http.get("/")
        assert response.status_code == 500


async def test_a_crash_in_mid_stream_is_not_a_complete_response():
    async def handler(_request: Request) -> StreamingResponse:
        async def body():
            yield b"first"
            raise RuntimeError("broken")

        return StreamingResponse(body())

    async with client(handler) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")


async def test_bodies_headers_and_queries_arrive():
    async def handler(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.headers['x-a']} {request.query_params['q']} {(await request.body()).decode()}")

    async with client(handler) as http:
        response = await http.post("/x", params={"q": "a b&c"}, headers={"X-A": "1"}, content="body")
        assert response.text == "1 a b&c body"


async def test_an_unreachable_service_is_named():
    async def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url="http://library:8080") as http:
        with pytest.raises(UnavailableError, match="library service at http://library:8080"):
            await LibraryClient(http).list()


async def test_an_answer_in_another_form_is_not_passed_on():
    async def odd(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"surprise": True})

    async with httpx.AsyncClient(transport=httpx.MockTransport(odd), base_url="http://library:8080") as http:
        with pytest.raises(UnavailableError, match="not understood"):
            await LibraryClient(http).list()
