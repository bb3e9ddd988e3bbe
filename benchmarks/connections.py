"""How many connections one replica of a chat agent has to PostgreSQL: `python -m benchmarks.connections [--streams N] [--json]`.

A PostgreSQL of its own, one replica (`python -m workshop_chat`) with the pool that it has by default, a scripted library, RAG
agent and model (`benchmarks.chat_world`). Participants come at once, open the page and ask; the model writes 5 tokens a second.
Connections are those that PostgreSQL counts for the replica's database, twice a second.

- `rest`: of a replica that is ready and has nothing to do. `streams`: the most while answers were written; `after`: when they
  have ended and idle connections had their time to be closed.
- `rest_mb`: resident memory at rest.
- `most`: what the settings allow, with the connection that it listens on. `server_kb`: what one idle connection takes of
  PostgreSQL's memory that it shares with no other.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.chat_streams import Participant, Stream
from benchmarks.chat_world import ScriptedWorld, chat_agent, made_folder
from tests.postgres import throwaway_postgres
from workshop_chat.settings import ChatSettings

REST_SECONDS = 45.0
TOKENS, RATE = 60, 5.0
LOOK_SECONDS = 0.5
_COUNT = "SELECT array_agg(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def _private_kb(process: int) -> int:
    rows = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith(("Private_Clean:", "Private_Dirty:")))


class Counted:
    """The replica's connections, as PostgreSQL sees them."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def now(self) -> list[int]:
        """Their processes at the server."""
        row = self._connection.execute(_COUNT).fetchone()
        return list(row[0] or []) if row else []

    async def most(self, ended: asyncio.Event) -> int:
        """The most at once until something has ended."""
        most = 0
        while not ended.is_set():
            most = max(most, len(self.now()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), LOOK_SECONDS)
        return most

    def close(self) -> None:
        """Close its own connection."""
        self._connection.close()


async def measure(streams: int) -> dict[str, Any]:
    """The figures."""
    with throwaway_postgres() as url, made_folder() as (folder, issuer):
        async with ScriptedWorld(TOKENS, RATE).serving() as world:
            with chat_agent(world.url, folder, issuer, database=url) as agent:
                await asyncio.to_thread(agent.until, "/readyz")
                counted = Counted(url)
                await asyncio.sleep(REST_SECONDS)
                rest = counted.now()
                figures: dict[str, Any] = {
                    "rest": len(rest),
                    "rest_mb": round(agent.resident_mb(), 1),
                    "server_kb": max(map(_private_kb, rest)),
                }
                asked = [Stream(f"m{number:06}") for number in range(streams)]
                ended = asyncio.Event()
                watching = asyncio.create_task(counted.most(ended))
                began = time.perf_counter()
                people = [Participant(agent.port, stream) for stream in asked]
                await asyncio.gather(*(person.take_part() for person in people))
                figures["seconds"] = round(time.perf_counter() - began, 1)
                ended.set()
                figures["streams"] = await watching
                figures["lost"] = sum(not stream.whole for stream in asked)
                await asyncio.sleep(REST_SECONDS)
                figures["after"] = len(counted.now())
                counted.close()
    figures["most"] = ChatSettings.model_fields["database_pool"].default + 1
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.connections", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    figures = asyncio.run(measure(given.streams))
    print(json.dumps(figures) if given.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 1 if figures["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
