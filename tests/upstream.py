"""A language model's server whose every word is scripted: OpenAI's `/v1/models` and `/v1/chat/completions` over real HTTP.

With `judge` it is a safety model's server as well, which answers at `/v1/moderations` and `/v1/safety/run-shield`, too, or asked
for chat by the name `GUARD`; what it was asked is in `judged`.

It is the true outside of the model path: what a model says, how slowly, and how it breaks. Use it as a context manager:

    with ScriptedUpstream() as upstream:
        upstream.script(Say("Run `make run`. [1]"), Fail(429))
        ...  # talk to upstream.url
        assert upstream.requests[0].body["stream"] is True
        upstream.wait_until(lambda: upstream.requests[0].disconnected)

Replies are given in order, the last one again and again; `script` also takes a function of the request.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn


@dataclass(frozen=True)
class Say:
    """Answer with this text.

    Attributes:
        text: The answer; a list gives the pieces as they are to be sent.
        piece: Characters of each piece, where `text` is one string.
        wait: Seconds before the first piece.
        gap: Seconds between pieces.
        finish: The finish_reason.
        done: Send `[DONE]`; without it the stream just ends.
        cut_after: Break the connection after this many pieces.
        error_after: Send an error event after this many pieces.
        garbage_after: Send a chunk that is not JSON after this many pieces.
        end_after: End the stream, orderly but without a finish_reason, after this many pieces.
        thoughts: Pieces of `reasoning_content` before the answer, `gap` apart.
        hold_open: Keep the connection open after the last chunk.
    """

    text: str | list[str] = "Yes. [1]"
    piece: int = 4
    wait: float = 0.0
    gap: float = 0.0
    finish: str = "stop"
    done: bool = True
    cut_after: int | None = None
    error_after: int | None = None
    garbage_after: int | None = None
    end_after: int | None = None
    thoughts: int = 0
    hold_open: bool = False

    def pieces(self) -> list[str]:
        """The pieces in order."""
        if isinstance(self.text, list):
            return self.text
        return [self.text[at : at + self.piece] for at in range(0, len(self.text), self.piece)]


@dataclass(frozen=True)
class Endless:
    """Never stop: `text` again and again, `gap` seconds apart."""

    text: str = "on and on "
    gap: float = 0.01


@dataclass(frozen=True)
class Silence:
    """Take the request and say nothing."""


@dataclass(frozen=True)
class Fail:
    """Answer with an error status."""

    status: int
    message: str = "scripted failure"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Answer with these bytes, whatever they are."""

    body: bytes
    content_type: str = "text/event-stream"
    status: int = 200


@dataclass(frozen=True)
class HangUp:
    """Send the headers of an answer and break the connection."""


Reply = Say | Endless | Silence | Fail | Raw | HangUp

GUARD = "llama-guard"


@dataclass(frozen=True)
class Safe:
    """A safety model's word that a text is safe."""


@dataclass(frozen=True)
class Unsafe:
    """A safety model's word that a text is not, with what it found: a code where it is asked as a shield or by chat."""

    found: tuple[str, ...] = ("S1",)


Judge = Callable[[str], Safe | Unsafe | Reply]
"""What a safety model says of a text."""


def verdict_of(word: Safe | Unsafe | Reply, path: str) -> Reply:
    """A safety model's word in the form of the address that it was asked at."""
    if not isinstance(word, Safe | Unsafe):
        return word
    found = word.found if isinstance(word, Unsafe) else ()
    if path == "/v1/chat/completions":
        return Say("unsafe\n" + ",".join(found) if isinstance(word, Unsafe) else "\n\nsafe")
    if path == "/v1/moderations":
        categories = {name: name in found for name in ("violence", "self-harm", *found)}
        body: dict[str, Any] = {
            "id": "modr-1",
            "model": GUARD,
            "results": [{"flagged": isinstance(word, Unsafe), "categories": categories}],
        }
    else:
        violation = {"violation_level": "error", "user_message": "No.", "metadata": {"violation_type": ",".join(found)}}
        body = {"violation": violation if isinstance(word, Unsafe) else None}
    return Raw(json.dumps(body).encode(), "application/json")


@dataclass
class UpstreamRequest:
    """A request as it came; `disconnected` once the caller hung up before the reply was whole, `sent` counts text pieces."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    received_at: float
    sent: int = 0
    finished: bool = False
    disconnected: bool = False


class _BrokenConnectionError(Exception):
    """Raised inside the server to make it drop the connection."""


def model_row(name: str, kind: Literal["plain", "ogx"] = "plain", model_type: str = "llm") -> dict[str, Any]:
    """A row of `/v1/models`, as a plain server gives it or as OGX does."""
    row: dict[str, Any] = {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "upstream"}
    if kind == "ogx":
        row["custom_metadata"] = {"model_type": model_type, "provider_id": "scripted", "provider_resource_id": name}
    return row


class ScriptedUpstream:
    """The server. `url` has no `/v1`; `models` are the rows of `/v1/models` (or a `Reply` to break it); `key` is asked for when set."""

    def __init__(
        self,
        *,
        models: list[dict[str, Any]] | Reply | None = None,
        key: str | None = None,
        listen: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.models: list[dict[str, Any]] | Reply = [model_row("scripted-model")] if models is None else models
        self.key = key
        self.requests: list[UpstreamRequest] = []
        self.judged: list[UpstreamRequest] = []
        self._judge: Judge | None = None
        self._judges_at: frozenset[str] = frozenset()
        self.model_listings = 0
        self._replies: list[Reply | Callable[[UpstreamRequest], Reply]] = [Say()]
        self._socket = socket.socket()
        self._socket.bind(listen)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="scripted-upstream", daemon=True)

    def script(self, *replies: Reply | Callable[[UpstreamRequest], Reply]) -> None:
        """What to reply from now on, in order; the last one stays."""
        self._replies = list(replies)

    def judge(self, judge: Judge, *at: Literal["moderations", "safety/run-shield", "chat/completions"]) -> None:
        """Be a safety model's server: what to say of a text, and at which addresses; at `moderations` where none is named."""
        self._judge = judge
        self._judges_at = frozenset(f"/v1/{each}" for each in at or ("moderations",))

    @property
    def texts_judged(self) -> list[str]:
        """What was to be judged, in order."""
        return [_judged_text(request.body) for request in self.judged]

    def wait_until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        """Block until `true()`.

        Raises:
            AssertionError: It did not become true in time.
        """
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "the upstream did not see what was awaited"
            time.sleep(0.01)

    async def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        """`wait_until` for a running event loop."""
        await asyncio.to_thread(self.wait_until, true, seconds)

    def __enter__(self) -> "ScriptedUpstream":
        self._thread.start()
        self.wait_until(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def _next_reply(self, request: UpstreamRequest) -> Reply:
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply(request) if callable(reply) else reply

    async def _app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        raw = await _read_body(receive)
        path = scope["path"].replace("//", "/")
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            await _send_json(send, 401, {"error": {"message": "wrong key"}})
        elif path == "/v1/models":
            self.model_listings += 1
            if isinstance(self.models, list):
                await _send_json(send, 200, {"object": "list", "data": self.models})
            else:
                request = UpstreamRequest(path, headers, {}, time.monotonic())
                await self._answer(self.models, request, receive, send)
        elif path in self._judges_at and (path != "/v1/chat/completions" or json.loads(raw)["model"] == GUARD):
            request = UpstreamRequest(path, headers, json.loads(raw), time.monotonic())
            self.judged.append(request)
            assert self._judge is not None
            await self._answer(verdict_of(self._judge(_judged_text(request.body)), path), request, receive, send)
        elif path == "/v1/chat/completions":
            request = UpstreamRequest(path, headers, json.loads(raw), time.monotonic())
            self.requests.append(request)
            await self._answer(self._next_reply(request), request, receive, send)
        elif path in {"/health", "/ping"}:
            await _send_json(send, 200, {})
        else:
            await _send_json(send, 404, {"error": {"message": f"no {path} here"}})

    async def _answer(self, reply: Reply, request: UpstreamRequest, receive: Any, send: Any) -> None:
        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        watcher = asyncio.ensure_future(watch())
        writer = asyncio.ensure_future(_write(reply, request, send))
        try:
            await asyncio.wait({watcher, writer}, return_when=asyncio.FIRST_COMPLETED)
            request.disconnected = not writer.done()
            if writer.done():
                writer.result()
                request.finished = True
        finally:
            for task in (watcher, writer):
                task.cancel()
            await asyncio.gather(watcher, writer, return_exceptions=True)


def _judged_text(body: dict[str, Any]) -> str:
    if "input" in body:
        return str(body["input"])
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def _write(reply: Reply, request: UpstreamRequest, send: Any) -> None:
    match reply:
        case Fail(status, message, headers):
            await _send_json(send, status, {"error": {"message": message, "type": "scripted", "code": status}}, headers)
        case Raw(body, content_type, status):
            await _start(send, status, content_type)
            await send({"type": "http.response.body", "body": body})
        case Silence():
            await asyncio.Event().wait()
        case HangUp():
            await _start(send, 200, "text/event-stream")
            raise _BrokenConnectionError
        case Say() if not request.body.get("stream"):
            await asyncio.sleep(reply.wait + reply.gap * len(reply.pieces()))
            await _send_json(send, 200, _completion("".join(reply.pieces()), reply.finish))
        case _:
            await _start(send, 200, "text/event-stream")
            async for data in _events(reply, request):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _events(reply: Reply, request: UpstreamRequest) -> AsyncIterator[bytes]:
    yield _chunk({"role": "assistant", "content": ""})
    while isinstance(reply, Endless):
        request.sent += 1
        yield _chunk({"content": reply.text})
        await asyncio.sleep(reply.gap)
    assert isinstance(reply, Say)
    await asyncio.sleep(reply.wait)
    for _ in range(reply.thoughts):
        yield _chunk({"reasoning_content": "hm "})
        await asyncio.sleep(reply.gap)
    breaks = {reply.cut_after: None, reply.error_after: _ERROR_EVENT, reply.garbage_after: _GARBAGE_EVENT, reply.end_after: b""}
    for number, piece in enumerate([*reply.pieces(), ""]):
        if number in breaks:
            last = breaks[number]
            if last is None:
                raise _BrokenConnectionError
            yield last
            return
        if piece:
            request.sent += 1
            yield _chunk({"content": piece})
            await asyncio.sleep(reply.gap)
    for event in _ending(reply, request):
        yield event
    if reply.hold_open:
        await asyncio.Event().wait()


def _ending(reply: Say, request: UpstreamRequest) -> Iterator[bytes]:
    yield _chunk({}, reply.finish)
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield _data({**_BASE, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
    if reply.done:
        yield b"data: [DONE]\n\n"


_ERROR_EVENT = b'data: {"error": {"message": "scripted error in the stream", "code": 500}}\n\n'
_GARBAGE_EVENT = b"data: <html>no json</html>\n\n"
_BASE: dict[str, Any] = {"id": "chatcmpl-scripted", "created": 1_700_000_000, "model": "scripted-model"}
_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({**_BASE, "object": "chat.completion.chunk", "choices": [choice]})


def _completion(text: str, finish: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {**_BASE, "object": "chat.completion", "choices": [choice], "usage": _USAGE}


async def _read_body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _start(send: Any, status: int, content_type: str, headers: dict[str, str] | None = None) -> None:
    pairs = {"content-type": content_type, **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _send_json(send: Any, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
    await _start(send, status, "application/json", headers)
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


@contextmanager
def closed_port() -> Iterator[str]:
    """The address of a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
