"""What a chat agent stands on when it is measured: a library, a RAG agent and a model, scripted, in the measuring process.

They speak real HTTP and the real wire models, with answers that are ready beforehand, so that what is measured is the chat
agent's own. Each question carries a marker (`m000042`); the model says it in every sentence of its answer to that question.
"""

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared_services.contracts.library import LibraryFile, WorkshopVersion
from shared_services.contracts.rag import Passage, PassageScores, SearchResponse
from shared_services.contracts.workshop import SourcePlace, StepManifest, WorkshopManifest
from shared_services.kit.tokens import TokenIssuer

WORKSHOP = "measured"
STEP = "listen"
CONTENT = "# Listen\n\nThe application listens on port 8081 and counts the ships that pass.\n"
MARKER = re.compile(rb"m\d{6}")
READY_SECONDS = 60.0
_PAUSE = 0.01
FIRST_TOKENS = 3
"""Tokens that come at once with the model's first words, as real servers send them."""


@dataclass
class Told:
    """What the scripted model did for one question: when it was asked, and when it sent each of its tokens."""

    asked_at: float
    sent_at: list[float] = field(default_factory=list)
    ended_at: float | None = None
    hung_up: bool = False


def tokens_of(marker: str, tokens: int) -> list[str]:
    """The model's answer to one question, `tokens` pieces long: sentences of ten words that cite the passage."""
    sentence = ["The", " application", " of", f" {marker}", " listens", " on", " port", " 8081", " [1]", ".", " "]
    return [sentence[number % len(sentence)] for number in range(tokens)]


class ScriptedWorld:
    """Library, RAG agent and model behind one address.

    Args:
        tokens: Length of each of the model's answers.
        rate: Tokens in a second of each answer; 0 for all at once.
        at_once: How many of them come at once, before the others at that rate.
    """

    def __init__(self, tokens: int = 60, rate: float = 0.0, *, at_once: int = FIRST_TOKENS) -> None:
        self.tokens = tokens
        self.rate = rate
        self.at_once = at_once
        self.told: dict[str, Told] = {}
        self.searches: list[float] = []
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()
        version = _version()
        self._answers = {
            f"/api/v1/library/{WORKSHOP}": _json_response(version.model_dump_json().encode()),
            f"/api/v1/library/{WORKSHOP}/versions/{version.version}": _json_response(version.model_dump_json().encode()),
            f"/api/v1/library/{WORKSHOP}/files/{version.files[0].sha256}": _json_response(CONTENT.encode()),
            "/api/v1/tokens": _json_response(b'{"token":"scripted","expires_in":600}'),
            "/v1/models": _json_response(b'{"object":"list","data":[{"id":"scripted","object":"model","owned_by":"me"}]}'),
        }
        self._search = _json_response(_found(version.version).model_dump_json().encode())

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ScriptedWorld"]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=4096)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(found.group(1))) if found else b""
                path = head.split(b" ", 2)[1].decode().partition("?")[0].replace("//", "/")
                if path == "/v1/chat/completions":
                    await self._speak(body, reader, writer)
                    return
                began = time.perf_counter()
                if path == "/api/v1/search":
                    writer.write(self._search)
                    self.searches.append(time.perf_counter() - began)
                else:
                    writer.write(self._answers.get(path) or _response(b"404 Not Found", b"application/json", b"{}"))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _speak(self, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        marker = MARKER.findall(body)[-1].decode()
        told = self.told[marker] = Told(time.perf_counter())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        began = time.perf_counter()
        pieces = tokens_of(marker, self.tokens)
        for number, piece in enumerate(pieces):
            if self.rate and number >= self.at_once:
                # By the clock and not by pauses: what this process loses of time it makes good.
                await asyncio.sleep(max(0.0, began + (number - self.at_once + 1) / self.rate - time.perf_counter()))
            if writer.is_closing() or reader.at_eof():
                told.hung_up = True
                return
            writer.write(_chunk({"content": piece}))
            told.sent_at.append(time.perf_counter())
        writer.write(_chunk({}, "stop") + _chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        told.ended_at = time.perf_counter()
        await writer.drain()


def _version() -> WorkshopVersion:
    raw = CONTENT.encode()
    return WorkshopVersion(
        workshop=WORKSHOP,
        version="v1",
        number=1,
        created_at=datetime.now(UTC),
        published_at=datetime.now(UTC),
        current=True,
        manifest=WorkshopManifest(slug=WORKSHOP, title="Measured", steps=[STEP]),
        steps={STEP: StepManifest(title="Listen")},
        files=[LibraryFile(path=f"steps/{STEP}/content.md", sha256=hashlib.sha256(raw).hexdigest(), size=len(raw))],
    )


def _found(version: str) -> SearchResponse:
    text = CONTENT.split("\n\n")[1].strip()
    passages = [
        Passage(
            workshop=WORKSHOP,
            step=STEP,
            step_title="Listen",
            file=f"steps/{STEP}/content.md",
            first_line=3 + number,
            last_line=3 + number,
            heading=["Listen", f"Part {number}"],
            kind="prose",
            text=f"{text} It is the {number}. sentence that says so, and there are more.",
            source=SourcePlace(file="README.md", line=3),
            scores=PassageScores(dense=0.8, bm25=9.0, fused=0.9),
        )
        for number in range(8)
    ]
    return SearchResponse(passages=passages, confidence=0.95, version=version, took_ms=1.0)


def _response(status: bytes, kind: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (status, kind, len(body), body)


def _json_response(body: bytes) -> bytes:
    return _response(b"200 OK", b"application/json", body)


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_HEAD = (
    '{"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1700000000,"model":"scripted","choices":[{"index":0,'
)


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    text = f'data: {_HEAD}"delta":{json.dumps(delta)},"finish_reason":{json.dumps(finish)}}}]}}\n\n'
    return _chunked(text.encode())


@dataclass(frozen=True)
class ChatAgent:
    """A chat agent as a process of its own."""

    process: "subprocess.Popen[bytes]"
    port: int
    started_at: float

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def until(self, path: str) -> float:
        """Seconds from the making of the process until `path` answered 200.

        Raises:
            RuntimeError: The process ended.
            TimeoutError: It took longer than a minute.
        """
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as http:
            while time.perf_counter() - self.started_at < READY_SECONDS:
                if self.process.poll() is not None:
                    raise RuntimeError(f"the chat agent ended with {self.process.returncode}")
                try:
                    if http.get(path).status_code == 200:
                        return time.perf_counter() - self.started_at
                except httpx.TransportError:
                    pass
                time.sleep(_PAUSE)
        raise TimeoutError(f"{path} did not answer in {READY_SECONDS:g} s")

    def resident_mb(self) -> float:
        """Resident memory, in MB of 1,048,576 bytes."""
        return self._status("VmRSS")

    def peak_mb(self) -> float:
        """The greatest resident memory so far, in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024

    def processor_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def chat_agent(
    world_url: str,
    folder: Path,
    issuer: TokenIssuer,
    *,
    cores: Sequence[int] = (),
    model: bool = True,
    database: str | None = None,
    within: Sequence[str] = (),
) -> Iterator[ChatAgent]:
    """Run `python -m workshop_chat` on `folder`, in front of a scripted world.

    Args:
        world_url: Where library, RAG agent and model are.
        folder: Its database and keys; used again, it is a second start.
        issuer: Signs the tokens that the agent believes.
        cores: The only processors that it may use; empty for all.
        model: Whether it is told of the model.
        database: Address of its database; a file of SQLite's in `folder` without one.
        within: What goes before its command, e.g. `benchmarks.limits.Limits.within`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "core.pem").write_bytes(issuer.public_pem())
    (folder / "credential").write_text("scripted")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
        "WORKSHOP_NAME": WORKSHOP,
        "CORE_PUBLIC_KEY_FILE": f"{folder}/core.pem",
        "WORKSHOP_CREDENTIAL_FILE": f"{folder}/credential",
        "PARTICIPANT_KEY_FILE": f"{folder}/participant.key",
        "DATABASE_URL": database or f"sqlite:///{folder}/chat.db",
        "LIBRARY_ENDPOINT": world_url,
        "RAG_ENDPOINT": world_url,
        "CHAT_PORT": str(port),
        "LOG_LEVEL": "warning",
        "NO_PROXY": "*",
        # Everybody may ask at once and as often as they like: what is measured is the agent, not its limits.
        "PARTICIPANT_LIMIT": "100000",
        "CHAT_MODEL_STREAMS": "0",
        "CHAT_MESSAGES_PER_MINUTE": "0",
        "CHAT_ANSWERS_AT_ONCE": "0",
    } | ({"LLAMA_STACK_ENDPOINT": world_url} if model else {})
    pin = ["taskset", "-c", ",".join(map(str, cores))] if cores else []
    log = folder / "agent.log"
    with log.open("ab") as written:
        began = time.perf_counter()
        command = [*within, *pin, sys.executable, "-m", "workshop_chat"]
        process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    agent = ChatAgent(process, port, began)
    try:
        yield agent
    except RuntimeError as error:
        raise RuntimeError(f"{error}; its log: {log.read_text()[-2000:]}") from error
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextmanager
def made_folder() -> Iterator[tuple[Path, TokenIssuer]]:
    """An empty folder for a chat agent and who signs its tokens."""
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        yield Path(folder), TokenIssuer(Ed25519PrivateKey.generate())
