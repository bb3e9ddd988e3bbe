"""Answers whose every event is scripted, in front of a real chat agent: what the page makes of the wire's contract.

Everything else (the page, its files, conversations) is the chat agent's own.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import anyio
from pydantic import BaseModel

from shared_services.contracts.chat import Answer, BlockEvent, CheckVerdict, Citation, HelpWay, StatusEvent
from shared_services.kit.sse import encode
from shared_services.pages.markdown import render_answer

MESSAGES = re.compile(r"/api/v1/conversations/[^/]+/messages$")
TURN = re.compile(r"/api/v1/conversations/[^/]+/turns/(\d+)(/events|/stop|/feedback|)$")
HELP = re.compile(r"/api/v1/steps/[^/]+/help$")


@dataclass(frozen=True)
class Hold:
    """Wait here until `ScriptedAnswers.go_on` is set, which a stop does too."""


@dataclass(frozen=True)
class Cut:
    """End the response here, the first time; whoever asks for the rest gets it."""


Event = BaseModel | Hold | Cut


def block(n: int, markdown: str, before: str = "\n\n") -> BlockEvent:
    """A piece of an answer as the chat agent sends it."""
    return BlockEvent(n=n, markdown=markdown, html=render_answer(markdown), before=before if n else "")


def whole(answer: str = "", **fields: Any) -> Answer:
    """The last event of an answer."""
    given = {"abstained": False, "written_by": "model", "nearest": [], "citations": [], "timings": {"total": 1234.5}}
    return Answer.model_validate({"conversation": "c", "number": 1, "answer": answer, **given, **fields})


_NAMES: dict[type[BaseModel], str] = {
    BlockEvent: "block",
    StatusEvent: "status",
    Citation: "citation",
    CheckVerdict: "check",
    Answer: "done",
}


@dataclass
class ScriptedAnswers:
    """The layer in front of `app`.

    Attributes:
        script: The events of the next answers.
        ways: What `GET /steps/{step}/help` says; None leaves that to the app.
        messages: Bodies of the messages that came.
        resumed: The `Last-Event-ID` of each request for the rest; None where there was none.
        kept: The question as it is kept.
        refuse_events: How many requests for the rest are answered with 503 before one is answered.
    """

    app: Callable[..., Any]
    script: Sequence[Event] = ()
    ways: list[HelpWay] | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    resumed: list[str | None] = field(default_factory=list)
    stops: int = 0
    kept: str = ""
    refuse_events: int = 0
    asked_help: int = 0
    feedback: list[dict[str, Any]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    cuts: int = 0

    def reset(self) -> None:
        """Forget all that came, and answer nothing."""
        self.messages.clear()
        self.resumed.clear()
        self.feedback.clear()
        self.stops = self.refuse_events = self.asked_help = 0
        self.ways = None
        self.answer_with()

    def answer_with(self, *script: Event) -> None:
        """What is answered from now on."""
        self.script = script
        self.go_on.clear()
        self.stopped = False
        self.cuts = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path, method = scope.get("path", ""), scope.get("method", "")
        turn = TURN.search(path)
        if HELP.search(path) and self.ways is not None:
            self.asked_help += 1
            await _json(send, [way.model_dump(mode="json") for way in self.ways])
        elif method == "POST" and MESSAGES.search(path) and self.script:
            self.messages.append(json.loads(await _body(receive)))
            address = path.removesuffix("messages") + f"turns/{len(self.messages)}"
            await self._stream(send, 0, [(b"content-location", address.encode())])
        elif turn is None or not self.script:
            await self.app(scope, receive, send)
        elif not turn[2]:
            await _json(send, {"number": int(turn[1]), "question": self.kept, "state": "done"})
        elif turn[2] == "/stop":
            self.stops += 1
            self.stopped = True
            self.go_on.set()
            await _json(send, {}, 202)
        elif turn[2] == "/feedback":
            self.feedback.append(json.loads(await _body(receive)))
            await _json(send, self.feedback[-1])
        else:
            last = dict(scope["headers"]).get(b"last-event-id")
            self.resumed.append(last.decode() if last else None)
            if self.refuse_events:
                self.refuse_events -= 1
                await _json(send, {"title": "Away", "status": 503}, 503)
            else:
                await self._stream(send, int(last or 0), [])

    async def _stream(self, send: Any, after: int, headers: list[tuple[bytes, bytes]]) -> None:
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), *headers]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        cuts = 0
        for number, event in enumerate(self.script, 1):
            if isinstance(event, Hold):
                await anyio.to_thread.run_sync(self.go_on.wait, abandon_on_cancel=True)
            elif isinstance(event, Cut):
                cuts += 1
                if cuts > self.cuts:
                    self.cuts = cuts
                    break
            elif number > after:
                stopped = self.stopped and isinstance(event, Answer)
                shown = event.model_copy(update={"stopped": True}) if stopped else event
                if not self.stopped or stopped:
                    data = encode(_NAMES[type(event)], shown, number)
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Any) -> bytes:
    raw, more = b"", True
    while more:
        message = await receive()
        raw += message.get("body", b"")
        more = message.get("more_body", False)
    return raw


async def _json(send: Any, value: Any, status: int = 200) -> None:
    headers = [(b"content-type", b"application/json"), (b"date", formatdate(time.time(), usegmt=True).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})
