"""Server-sent events, both ways: written by services, read by clients."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

KEEP_ALIVE_SECONDS = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"


@dataclass(frozen=True)
class ServerSentEvent:
    """One event. `data` is text, JSON in this house."""

    event: str
    data: str
    id: str | None = None

    def json(self) -> Any:
        """The data, parsed."""
        return json.loads(self.data)


def encode(event: str, data: BaseModel | dict[str, Any], event_id: int | str | None = None) -> bytes:
    """One event as bytes."""
    text = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    head = f"id: {event_id}\n" if event_id is not None else ""
    body = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"{head}event: {event}\n{body}\n".encode()


async def decode(chunks: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
    """Events from a byte stream cut anywhere. Comments are passed over; an event without its blank line is not given."""
    buffer = b""
    name, data, event_id = "message", list[str](), None
    async for chunk in chunks:
        buffer += chunk
        while b"\n" in buffer:
            raw, buffer = buffer.split(b"\n", 1)
            line = raw.rstrip(b"\r").decode()
            if not line:
                if data:
                    yield ServerSentEvent(name, "\n".join(data), event_id)
                name, data = "message", []
            elif not line.startswith(":"):
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    event_id = value


class EventStreamResponse(StreamingResponse):
    """Sends events as they come, and a comment after `keep_alive` quiet seconds.

    The events are closed with the response, however it ends: a reader who goes away ends what makes the events too.
    """

    def __init__(self, events: AsyncIterator[bytes], *, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._events = events
        self._keep_alive = keep_alive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, the events and the end; nothing more to a reader who has gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if await self._send_events(receive, send):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, receive: Receive, send: Send) -> bool:
        """Send every event; whether the reader stayed to the end. What the events raise is not wrapped by the task group."""
        writing = asyncio.Lock()
        last = anyio.current_time()

        async def write(chunk: bytes) -> None:
            nonlocal last
            async with writing:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                last = anyio.current_time()

        async def attend() -> None:
            """Keep the connection alive, and end the events when the reader goes away."""
            while True:
                with anyio.CancelScope(deadline=last + self._keep_alive):
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    tasks.cancel_scope.cancel()
                    return
                if anyio.current_time() >= last + self._keep_alive:
                    await write(_KEEP_ALIVE)

        failure: Exception | None = None
        stayed = False
        async with anyio.create_task_group() as tasks:
            # One task for both: each takes several kilobytes for as long as the stream lasts.
            tasks.start_soon(attend)
            try:
                async for event in self._events:
                    await write(event)
                stayed = True
            except Exception as error:
                failure = error
            finally:
                # Here, with no further scope around it: the events may hold task groups and scopes of their own.
                await self._close_events()
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return stayed

    async def _close_events(self) -> None:
        if not isinstance(self._events, AsyncGenerator):
            return
        try:
            await self._events.aclose()
        except BaseExceptionGroup as group:
            # What a task group inside the generator makes of its being closed.
            _, others = group.split(GeneratorExit)
            if others is not None:
                raise others from group


def event_stream(events: AsyncIterator[bytes], *, keep_alive: float = KEEP_ALIVE_SECONDS) -> StreamingResponse:
    """A response that sends `events` (from `encode`) as they come, and a comment after `keep_alive` quiet seconds.

    A generator of events is closed when the reader goes away, in the task that runs it.
    """
    return EventStreamResponse(events, keep_alive=keep_alive)
