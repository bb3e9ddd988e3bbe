"""How many answers one chat agent streams at once: `python -m benchmarks.chat_streams [--streams N --rate R] [--json]`.

The chat agent is one process (`python -m workshop_chat`) that may use one core; library, RAG agent, model and participants are
this process, on another core (`benchmarks.chat_world`). Each participant joins, begins a conversation and asks once; they come
one after the other over `ramp` seconds, and the answers are long enough for all of them to be under way together for a while.
By default: 1,000 participants whose model writes 2 tokens a second, 1,000 at 5, and 100 at 20. Each figure is of one such run.

- `lost`: streams that did not end with a whole answer by the model. `foreign`: streams with a byte of another participant's.
- `first_block_ms`: from sending the question to its first block, less the time that the model took from being asked until it had
  sent the tokens which that block needs. `block_ms`: the same delay from the model to the participant for all other blocks.
- `agent_core`: the share of its core that the agent used while all streams were under way. `peak_mb`: its greatest memory.
- `load_core`: the share of this process; near 1 it, and not the agent, is the limit, and the run says nothing.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chat_world import MARKER, STEP, ChatAgent, ScriptedWorld, Told, chat_agent, made_folder, tokens_of
from shared_services.llm.blocks import BlockAssembler

RUNS = ((1000, 2.0), (1000, 5.0), (100, 20.0))
GOALS = {"lost": 0, "foreign": 0, "first_block_p95_ms": 250, "peak_mb": 250}
PLATEAU_SECONDS = 20.0
READ_SECONDS = 60.0
_COOKIE = re.compile(rb"set-cookie: ([^;]+)", re.IGNORECASE)
_NOTE = re.compile(rb'"written_by":"model"')


@dataclass
class Stream:
    """What one participant sent and received; times by `time.perf_counter`."""

    marker: str
    asked_at: float = 0.0
    blocks_at: list[float] = field(default_factory=list)
    foreign: bool = False
    whole: bool = False
    problem: str = ""


class Participant:
    """One participant on connections of their own.

    Args:
        port: The agent's.
        stream: What is noted.
    """

    def __init__(self, port: int, stream: Stream) -> None:
        self._port = port
        self._stream = stream

    async def take_part(self) -> None:
        """Join, ask, and read the answer to its end; what goes wrong is noted."""
        try:
            await self._ask()
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
            self._stream.problem = f"{type(error).__name__}: {error}"

    async def _ask(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        try:
            head, body = await self._call(reader, writer, "/api/v1/conversations", b"", b"")
            cookie = _COOKIE.search(head)
            if cookie is None:
                raise ValueError(f"no cookie: {head[:80]!r}")
            conversation = json.loads(body)["id"]
            question = {"text": f"Which port does the application listen on? {self._stream.marker}", "step": STEP}
            self._stream.asked_at = time.perf_counter()
            extra = b"accept: text/event-stream\r\ncookie: %b\r\n" % cookie.group(1)
            path = f"/api/v1/conversations/{conversation}/messages"
            writer.write(request(path, json.dumps(question).encode(), extra))
            await self._read_answer(reader)
        finally:
            writer.close()

    async def _call(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes, extra: bytes
    ) -> tuple[bytes, bytes]:
        writer.write(request(path, body, extra))
        async with asyncio.timeout(READ_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length.group(1))) if length else b""
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise ValueError(f"{head.splitlines()[0]!r} {body[:300]!r}")
        return head, body

    async def _read_answer(self, reader: asyncio.StreamReader) -> None:
        own = self._stream.marker.encode()
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(f"{head.splitlines()[0]!r}")
        event = b""
        while size := int(await self._line(reader), 16):
            data = (await reader.readexactly(size + 2))[:-2]
            now = time.perf_counter()
            # An event may come in several pieces or several in one: only whole ones are looked at.
            *whole, event = (event + data).split(b"\n\n")
            for each in whole:
                self._take(each, own, now)

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        async with asyncio.timeout(READ_SECONDS):
            return await reader.readuntil(b"\r\n")

    def _take(self, event: bytes, own: bytes, now: float) -> None:
        if any(found != own for found in MARKER.findall(event)):
            self._stream.foreign = True
        kind = re.search(rb"^event: (\w+)", event, re.MULTILINE)
        if kind is None:
            return
        if kind.group(1) == b"block":
            self._stream.blocks_at.append(now)
        elif kind.group(1) == b"done":
            self._stream.whole = bool(_NOTE.search(event)) and b'"note":""' in event
            if not self._stream.whole:
                self._stream.problem = event[-300:].decode(errors="replace")
        elif kind.group(1) == b"error":
            self._stream.problem = event.decode(errors="replace")


def request(path: str, body: bytes, extra: bytes) -> bytes:
    """A POST as it goes over the connection; `extra` are whole header lines."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n".encode()
    )
    return head + extra + b"\r\n" + body


def tokens_needed(tokens: int) -> list[int]:
    """For each block of an answer of so many tokens, the number (from 0) of the token that finishes it."""
    assembler, needed = BlockAssembler(), list[int]()
    for number, piece in enumerate(tokens_of("m000000", tokens)):
        needed += [number] * len(assembler.feed(piece))
    return needed + [tokens - 1] * len(assembler.close())


def delays(stream: Stream, told: Told, needed: Sequence[int]) -> tuple[float, list[float]]:
    """Seconds of the first block beyond the model's own, and of each other block after the token that finished it."""
    own = told.sent_at[needed[0]] - told.asked_at
    first = stream.blocks_at[0] - stream.asked_at - own
    others = zip(stream.blocks_at[1:], needed[1:], strict=False)
    return first, [at - told.sent_at[number] for at, number in others if number < len(told.sent_at) - 1]


def part(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie; not a number of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))] if ordered else float("nan")


async def measure(streams: int, rate: float, ramp: float, agent_core: Sequence[int]) -> dict[str, Any]:
    """One run."""
    tokens = int((ramp + PLATEAU_SECONDS) * rate)
    world = ScriptedWorld(tokens)
    async with world.serving():
        with made_folder() as (folder, issuer), chat_agent(world.url, folder, issuer, cores=agent_core) as agent:
            await asyncio.to_thread(agent.until, "/readyz")
            await _all_of(1, 0.0, agent, first=900_000)
            rest = agent.resident_mb()
            world.rate = rate
            began = time.perf_counter()
            shares = asyncio.create_task(_shares(agent, began + ramp, began + ramp + PLATEAU_SECONDS * 0.75))
            taken = await _all_of(streams, ramp, agent)
            agent_share, load_share = await shares
            peak = agent.peak_mb()
    needed = tokens_needed(tokens)
    good = [each for each in taken if each.whole and len(each.blocks_at) == len(needed)]
    measured = [delays(each, world.told[each.marker], needed) for each in good]
    firsts, others = [each for each, _ in measured], [one for _, many in measured for one in many]
    problems = sorted({each.problem[:200] for each in taken if each.problem})
    return {
        "streams": streams,
        "tokens_per_s": rate,
        "tokens_each": tokens,
        "lost": streams - len(good),
        "foreign": sum(each.foreign for each in taken),
        "first_block_p50_ms": round(part(firsts, 0.5) * 1000),
        "first_block_p95_ms": round(part(firsts, 0.95) * 1000),
        "block_p50_ms": round(part(others, 0.5) * 1000),
        "block_p95_ms": round(part(others, 0.95) * 1000),
        "agent_core": round(agent_share, 2),
        "load_core": round(load_share, 2),
        "used_once_mb": round(rest),
        "peak_mb": round(peak),
        "problems": problems[:5],
    }


async def _all_of(streams: int, ramp: float, agent: ChatAgent, first: int = 0) -> list[Stream]:
    taken = [Stream(f"m{first + number:06}") for number in range(streams)]
    began = time.perf_counter()
    running = []
    for number, stream in enumerate(taken):
        await asyncio.sleep(max(0.0, began + number * ramp / streams - time.perf_counter()))
        running.append(asyncio.create_task(Participant(agent.port, stream).take_part()))
    await asyncio.gather(*running)
    return taken


async def _shares(agent: ChatAgent, begin: float, end: float) -> tuple[float, float]:
    """How much of a core the agent and this process used between two moments."""
    await asyncio.sleep(max(0.0, begin - time.perf_counter()))
    moment, used, own = time.perf_counter(), agent.processor_seconds(), time.process_time()
    await asyncio.sleep(max(0.0, end - time.perf_counter()))
    seconds = time.perf_counter() - moment
    return (agent.processor_seconds() - used) / seconds, (time.process_time() - own) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_streams", description=__doc__)
    parser.add_argument("--streams", type=int)
    parser.add_argument("--rate", type=float, help="tokens a second of each stream")
    parser.add_argument("--ramp", type=float, default=40.0, help="seconds over which the participants come")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    runs = [(given.streams or 1000, given.rate or 2.0)] if given.streams or given.rate else RUNS
    found = []
    for streams, rate in runs:
        print(f"{streams} streams at {rate:g} tokens/s", file=sys.stderr, flush=True)
        found.append(asyncio.run(measure(streams, rate, given.ramp, cores[:1])))
        if not given.json:
            for name, value in found[-1].items():
                print(f"{name:20}", value, flush=True)
            print(flush=True)
    if given.json:
        print(json.dumps({"runs": found, "goals": GOALS, "cores": len(cores), "load_before": os.getloadavg()[2]}))


if __name__ == "__main__":
    main()
