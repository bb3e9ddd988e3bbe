"""What one replica of a chat agent holds with what it requests: `python -m benchmarks.replica [--json]`. Needs root.

The chat agent runs under a hard quota of its request (0.1 of a core, 128 MiB; `benchmarks.limits`), which is the worst that a
full node does to it, on a PostgreSQL of its own where one is installed, in front of a scripted library, RAG agent and model
(`benchmarks.chat_world`). Participants join within a minute and stay: each holds a live connection, and before a question opens
the step's page. The model writes 200 tokens of each answer, 20 a second. A rate is held where no answer is lost or stays behind
and 95 in 100 first blocks come within a second of the model's own.

- `participants`, `questions_a_minute`: of this one replica; a workshop has two.
- `first_question_ms`: of a process that has just started, whose parts are imported when first needed; the rates come after it.
- `first_block_ms`: beyond the model's own time, as in `benchmarks.chat_streams`. `page_ms`: from asking for the page to its end.
- `cores`: what was used; `throttled`: the share of periods of 100 ms in which the quota ran out.
- `memory_mb`: what cannot be given back, at its greatest; `refused`: how often the limit stood in the way.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from benchmarks.chat_streams import Participant, Stream, delays, part, request, tokens_needed
from benchmarks.chat_world import STEP, ChatAgent, ScriptedWorld, chat_agent, made_folder
from benchmarks.limits import Limits, limits
from tests.postgres import postgres_binaries, throwaway_postgres

CPU, MEMORY_MB = 0.1, 128
RATES = (15, 30, 60)
SECONDS_BETWEEN_QUESTIONS = 120
TOKENS, TOKENS_A_SECOND = 200, 20.0
JOINING_SECONDS = 60.0
LOOK_SECONDS = 0.5
GOAL_MS = 1000


class Taking(Participant):
    """One who stays: joined once, with the live connection open, and asks now and then."""

    def __init__(self, port: int) -> None:
        super().__init__(port, Stream("m000000"))
        self._cookie = b""
        self._live: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Open the page and take part."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=60, trust_env=False) as http:
            await http.get(f"/steps/{STEP}")
            joined = await http.post("/api/v1/conversations")
            joined.raise_for_status()
            self._cookie = "; ".join(f"{each.name}={each.value}" for each in http.cookies.jar).encode()
        self._live = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: %b\r\n\r\n" % self._cookie)
        try:
            while await reader.read(4096):
                pass
        finally:
            writer.close()

    async def leave(self) -> None:
        """Close the live connection."""
        if self._live is not None:
            self._live.cancel()
            await asyncio.gather(self._live, return_exceptions=True)

    async def ask(self, stream: Stream) -> float:
        """Open the step, ask and read the answer to its end; seconds that the page took. What goes wrong is noted."""
        self._stream = stream
        began = time.perf_counter()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=60, trust_env=False) as http:
                (await http.get(f"/steps/{STEP}", headers={"cookie": self._cookie.decode()})).raise_for_status()
            page = time.perf_counter() - began
            await self._ask_again()
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError, httpx.HTTPError) as error:
            stream.problem = f"{type(error).__name__}: {error}"
            return time.perf_counter() - began
        return page

    async def _ask_again(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        cookie = b"cookie: %b\r\n" % self._cookie
        try:
            _, body = await self._call(reader, writer, "/api/v1/conversations", b"", cookie)
            path = f"/api/v1/conversations/{json.loads(body)['id']}/messages"
            question = {"text": f"Which port does the application listen on? {self._stream.marker}", "step": STEP}
            self._stream.asked_at = time.perf_counter()
            writer.write(request(path, json.dumps(question).encode(), b"accept: text/event-stream\r\n" + cookie))
            await self._read_answer(reader)
        finally:
            writer.close()


@contextlib.contextmanager
def database() -> Iterator[str | None]:
    """A PostgreSQL's address; None, for SQLite, where none is installed."""
    if postgres_binaries() is None:
        yield None
        return
    with throwaway_postgres() as url:
        yield url


async def measure(rates: Sequence[int], minutes: float, cpu: float, memory_mb: int) -> dict[str, Any]:
    """Every rate on one agent, which has started once before: the registration makes its tables."""
    world = ScriptedWorld(TOKENS, TOKENS_A_SECOND)
    with database() as url, made_folder() as (folder, issuer), limits(cpu, memory_mb) as given:
        async with world.serving():
            with chat_agent(world.url, folder, issuer, database=url) as first:
                await asyncio.to_thread(first.until, "/readyz")
            with chat_agent(world.url, folder, issuer, database=url, within=given.within) as agent:
                ready = await asyncio.to_thread(agent.until, "/readyz")
                rest = given.anonymous_mb()
                cold = await _first_question(world, agent)
                runs = [await _rate(world, agent, given, rate, minutes, number) for number, rate in enumerate(rates)]
    return {
        "cpu": cpu,
        "memory_limit_mb": memory_mb,
        "database": "postgresql" if url else "sqlite",
        "ready_s": round(ready, 1),
        "at_rest_mb": round(rest),
        "first_question_ms": cold,
        "runs": runs,
    }


async def _first_question(world: ScriptedWorld, agent: ChatAgent) -> int:
    """Milliseconds to the first block of the process's first answer, beyond the model's own."""
    taking, stream = Taking(agent.port), Stream("m999999")
    await taking.join()
    await taking.ask(stream)
    await taking.leave()
    return round(delays(stream, world.told[stream.marker], tokens_needed(TOKENS))[0] * 1000)


async def _rate(world: ScriptedWorld, agent: ChatAgent, given: Limits, rate: int, minutes: float, number: int) -> dict[str, Any]:
    people = [Taking(agent.port) for _ in range(round(rate * SECONDS_BETWEEN_QUESTIONS / 60))]
    memory = [given.anonymous_mb()]
    watching = asyncio.create_task(_watch(given, memory))
    for joining in people:
        await asyncio.gather(joining.join(), asyncio.sleep(JOINING_SECONDS / len(people)))
    streams = [Stream(f"m{number:02}{each:04}") for each in range(round(rate * minutes))]
    began, used, before, refused = time.perf_counter(), agent.processor_seconds(), given.throttled(), given.refused()
    asking = []
    for each, stream in enumerate(streams):
        await asyncio.sleep(max(0.0, began + each * 60 / rate - time.perf_counter()))
        asking.append(asyncio.create_task(people[each % len(people)].ask(stream)))
    pages = await asyncio.gather(*asking)
    seconds, after = time.perf_counter() - began, given.throttled()
    await asyncio.gather(*(each.leave() for each in people))
    watching.cancel()
    needed = tokens_needed(TOKENS)
    good = [each for each in streams if each.whole and len(each.blocks_at) == len(needed)]
    firsts = [delays(each, world.told[each.marker], needed)[0] for each in good]
    lost = len(streams) - len(good)
    p95 = part(firsts, 0.95) * 1000
    return {
        "participants": len(people),
        "questions_a_minute": rate,
        "minutes": minutes,
        "lost": lost,
        "foreign": sum(each.foreign for each in streams),
        "first_block_p50_ms": round(part(firsts, 0.5) * 1000) if good else None,
        "first_block_p95_ms": round(p95) if good else None,
        "page_p95_ms": round(part(pages, 0.95) * 1000),
        "cores": round((agent.processor_seconds() - used) / seconds, 3),
        "throttled": round((after[1] - before[1]) / max(1, after[0] - before[0]), 2),
        "memory_mb": round(max(memory)),
        "refused": given.refused() - refused,
        "held": lost == 0 and p95 <= GOAL_MS,
        "problems": sorted({each.problem[:160] for each in streams if each.problem})[:3],
    }


async def _watch(given: Limits, memory: list[float]) -> None:
    while True:
        memory.append(given.anonymous_mb())
        await asyncio.sleep(LOOK_SECONDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replica", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="questions a minute, one run for each")
    parser.add_argument("--minutes", type=float, default=2.0, help="of each rate")
    parser.add_argument("--cpu", type=float, default=CPU)
    parser.add_argument("--memory", type=int, default=MEMORY_MB, help="MiB")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if os.geteuid():
        sys.exit("benchmarks.replica makes control groups, which root alone may.")
    found = asyncio.run(measure(given.rates, given.minutes, given.cpu, given.memory))
    found["load_before"] = os.getloadavg()[2]
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if name != "runs":
            print(f"{name:20}", value)
    for run in found["runs"]:
        print()
        for name, value in run.items():
            print(f"{name:20}", value)


if __name__ == "__main__":
    main()
