"""Server-sent events, both ways: written by services, read by clients."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
from pydantic import BaseModel
from starlette.responses import StreamingResponse

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


async def _with_keep_alive(events: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    send, receive = anyio.create_memory_object_stream[bytes](0)

    async def pump() -> None:
        async with send:
            async for event in events:
                await send.send(event)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pump)
        while True:
            with anyio.move_on_after(seconds) as waiting:
                try:
                    event = await receive.receive()
                except anyio.EndOfStream:
                    return
            yield _KEEP_ALIVE if waiting.cancelled_caught else event


def event_stream(events: AsyncIterator[bytes], *, keep_alive: float = KEEP_ALIVE_SECONDS) -> StreamingResponse:
    """A response that sends `events` (from `encode`) as they come, and a comment after `keep_alive` quiet seconds."""
    return StreamingResponse(
        _with_keep_alive(events, keep_alive),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
