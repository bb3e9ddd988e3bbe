"""Events survive the wire however it is cut, and a quiet stream is kept alive."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from shared_services.clients.transport import InProcessTransport
from shared_services.kit.sse import ServerSentEvent, decode, encode, event_stream


async def chunked(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def collect(data: bytes, size: int) -> list[ServerSentEvent]:
    return [event async for event in decode(chunked(data, size))]


@given(texts=st.lists(st.text(), max_size=4), size=st.integers(1, 50))
def test_what_is_encoded_is_decoded_whatever_the_chunks(texts: list[str], size: int):
    data = b"".join(encode("block", {"text": text}, number) for number, text in enumerate(texts))
    events = asyncio.run(collect(data, size))
    assert [event.json()["text"] for event in events] == texts
    assert [event.id for event in events] == [str(number) for number in range(len(texts))]


async def test_comments_and_an_unfinished_event_are_passed_over():
    data = b": hello\n\n" + encode("done", {}) + b"event: block\ndata: {}\n"
    assert [event.event for event in await collect(data, 7)] == ["done"]


async def test_a_quiet_stream_sends_comments():
    async def slow() -> AsyncIterator[bytes]:
        yield encode("status", {})
        await asyncio.sleep(0.2)
        yield encode("done", {})

    app = Starlette(routes=[Route("/", lambda _request: event_stream(slow(), keep_alive=0.05))])
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://test") as http:
        text = (await http.get("/")).text
    assert text.replace(": keep-alive\n\n", "") == "event: status\ndata: {}\n\nevent: done\ndata: {}\n\n"
    assert text.index(": keep-alive") < text.index("event: done")


async def test_a_reader_who_goes_away_ends_what_makes_the_events():
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield encode("progress", {})
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    app = Starlette(routes=[Route("/", lambda _request: event_stream(endless()))])
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://test") as http:
        async with http.stream("GET", "/") as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(ended.wait(), 30)
    assert ended.is_set()
