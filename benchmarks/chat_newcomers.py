"""What one more participant costs a chat agent: `python -m benchmarks.chat_newcomers [--newcomers N] [--postgres] [--json]`.

Participants come one after the other to one agent (`python -m workshop_chat`) in front of a scripted library, RAG agent and
model (`benchmarks.chat_world`). Each joins, begins a conversation, asks, and holds the answer open: the model says its first
two sentences at once and is then as good as silent. Figures of the agent's process alone, from the first newcomer after
`WARM` others to the last one's first block:

- `cpu_ms`: processor time (user and system, all threads) for each newcomer. It holds on a busy machine too, where seconds say
  nothing; what other programs take of the processor's caches can still lengthen it by a part.
- `kb`: resident memory for each answer that is held open, with its connections to participant and model.
- `idle_cpu_ms`: processor time in a second, for each answer held open, while nothing more is written.
"""

import argparse
import asyncio
import contextlib
import json
import os
import time
from typing import Any

from benchmarks.chat_streams import Participant, Stream
from benchmarks.chat_world import ChatAgent, ScriptedWorld, chat_agent, made_folder
from tests.postgres import throwaway_postgres

WARM = 20
TOKENS, AT_ONCE, RATE = 66, 26, 0.1
IDLE_SECONDS = 5.0
_PAUSE = 0.002
_FIRST_BLOCK_SECONDS = 60.0


async def _come(agent: ChatAgent, first: int, count: int, held: list[asyncio.Task[None]]) -> None:
    """So many participants, each after the last one's first block.

    Raises:
        RuntimeError: One had no block.
    """
    for number in range(first, first + count):
        stream = Stream(f"m{number:06}")
        held.append(asyncio.create_task(Participant(agent.port, stream).take_part()))
        end = time.monotonic() + _FIRST_BLOCK_SECONDS
        while not stream.blocks_at:
            if held[-1].done() or time.monotonic() > end:
                raise RuntimeError(f"no block came: {stream.problem}")
            await asyncio.sleep(_PAUSE)


async def measure(newcomers: int, database: str | None) -> dict[str, Any]:
    """All figures."""
    world = ScriptedWorld(TOKENS, RATE, at_once=AT_ONCE)
    held: list[asyncio.Task[None]] = []
    async with world.serving():
        with made_folder() as (folder, issuer), chat_agent(world.url, folder, issuer, database=database) as agent:
            await asyncio.to_thread(agent.until, "/readyz")
            await _come(agent, 0, WARM, held)
            used, memory = agent.processor_seconds(), agent.resident_mb()
            await _come(agent, WARM, newcomers, held)
            used, memory = agent.processor_seconds() - used, agent.resident_mb() - memory
            await asyncio.sleep(1.0)
            idle = agent.processor_seconds()
            await asyncio.sleep(IDLE_SECONDS)
            idle = agent.processor_seconds() - idle
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)
    return {
        "newcomers": newcomers,
        "store": "PostgreSQL" if database else "SQLite",
        "cpu_ms": round(used / newcomers * 1000, 1),
        "kb": round(memory * 1024 / newcomers),
        "idle_cpu_ms": round(idle / IDLE_SECONDS / len(held) * 1000, 2),
        "load_before": os.getloadavg()[2],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_newcomers", description=__doc__)
    parser.add_argument("--newcomers", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="keep conversations in a PostgreSQL of its own")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with throwaway_postgres() if given.postgres else contextlib.nullcontext() as database:
        found = asyncio.run(measure(given.newcomers, database))
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


if __name__ == "__main__":
    main()
