"""A reader who goes away ends what makes the events, wherever it was at that moment."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from shared_services.kit.sse import encode, event_stream

SCOPE = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET", "path": "/", "headers": []}


class Reader:
    """An ASGI caller that takes `most` pieces, then stops reading and hangs up."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: list[bytes] = []
        self.gone = anyio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] != "http.response.body":
            return
        self.taken.append(message["body"])
        if len(self.taken) >= self.most:
            self.gone.set()
            await anyio.sleep_forever()


@pytest.mark.parametrize("grouped", [False, True])
async def test_events_are_closed_when_the_reader_stops_reading(grouped: bool):
    closed: list[str] = []

    async def plain() -> AsyncIterator[bytes]:
        try:
            while True:
                yield encode("block", {})
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.01)
            closed.append("events")

    async def with_a_group() -> AsyncIterator[bytes]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            try:
                while True:
                    yield encode("block", {})
            finally:
                closed.append("events")
                tasks.cancel_scope.cancel()

    reader = Reader(3)
    response = event_stream(with_a_group() if grouped else plain())
    with anyio.fail_after(60):
        await response(SCOPE, reader.receive, reader.send)
    assert closed == ["events"]
    assert len(reader.taken) == 3


async def test_an_error_of_the_events_is_not_wrapped():
    async def broken() -> AsyncIterator[bytes]:
        yield encode("block", {})
        raise RuntimeError("broken")

    response = event_stream(broken())

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_message: dict[str, Any]) -> None:
        return

    with pytest.raises(RuntimeError, match="broken"):
        await response({**SCOPE, "asgi": {"version": "3.0", "spec_version": "2.4"}}, never, send)
