"""The RAG agent's memory, at rest and at work: `python -m benchmarks.memory [--quick] [--json]`.

`at_rest`: resident memory, in MB, of a fresh process that holds the agent with the exported model on the folder of
`benchmarks.latency` (50,000 chunks in 100 workshops): when it has started, when as many workshops have been searched as
stay loaded, and when all hundred have been searched twice; with the default of loaded collections and with all of them.

`long_run`: 10,000 operations on small workshops in one process: searches, changed versions indexed and made to serve,
workshops removed and others of new names in their place. Vectors are random, the model is loaded all the same. Memory is
read along; the growth is the slope of a line through the second half's readings, in MB per 10,000 operations, and counts
as none below a twentieth of what the process held at the middle.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from benchmarks.agent import (
    CACHE,
    HalfRealEmbedder,
    conditions,
    made_folder,
    made_index,
    open_agent,
    product_embedder,
    publish,
    resident_mb,
    say,
    scope_of,
)
from benchmarks.made_workshops import Maker
from shared_services.contracts.rag import SearchRequest

CHUNKS = 500
WORKSHOPS = 100
GOAL_MB = 1024
READINGS = 100
MOST_GROWTH = 0.05
SMALL_WORKSHOPS = 30
SMALL_CHUNKS = 50
SEARCHED, PUBLISHED = 0.86, 0.12
"""Shares of the operations; what is left removes a workshop and publishes another one."""


async def at_rest(cache: Path, loaded: int) -> dict[str, float]:
    """Memory of this process, which has not held anything before."""
    embedder = HalfRealEmbedder(product_embedder(cache))
    embedder.real = True
    async with open_agent(made_folder(cache, WORKSHOPS, CHUNKS), embedder, loaded_collections=loaded) as service:
        found = {"started": resident_mb()}
        await _search_each(service, range(loaded))
        found["searched_as_many_as_stay"] = resident_mb()
        for _ in range(2):
            await _search_each(service, range(WORKSHOPS))
        found["searched_all_twice"] = resident_mb()
    return {name: round(value) for name, value in found.items()}


async def _search_each(service: RagService, workshops: Sequence[int]) -> None:
    for number in workshops:
        await service.search(scope_of(number), SearchRequest(query=Maker().questions(number, 1)[0]))


async def long_run(cache: Path, operations: int) -> dict[str, Any]:
    """Memory along a long run."""
    maker = Maker()
    random = np.random.default_rng(11)
    held = deque(range(SMALL_WORKSHOPS))
    editions = dict.fromkeys(held, 0)
    counts = {"searches": 0, "versions": 0, "removals": 0}
    readings: list[float] = []

    async def publish_next(number: int) -> None:
        editions[number] += 1
        edition = editions[number]
        await publish(service, maker.workshop(number, SMALL_CHUNKS, edition=edition), f"v{edition}")

    with tempfile.TemporaryDirectory(prefix="rag-memory-") as folder:
        async with open_agent(Path(folder), HalfRealEmbedder(product_embedder(cache))) as service:
            for number in held:
                await publish_next(number)
            for done in range(operations):
                drawn, number = random.random(), held[int(random.integers(0, len(held)))]
                if drawn < SEARCHED:
                    question = maker.questions(number, 1, series=done)[0]
                    await service.search(scope_of(number), SearchRequest(query=question))
                    counts["searches"] += 1
                elif drawn < SEARCHED + PUBLISHED:
                    await publish_next(number)
                    counts["versions"] += 1
                else:
                    gone = held.popleft()
                    await service.remove(scope_of(gone))
                    held.append(max(held) + 1)
                    editions[held[-1]] = 0
                    await publish_next(held[-1])
                    counts["removals"] += 1
                if (done + 1) % max(operations // READINGS, 1) == 0:
                    readings.append(resident_mb())
                    if len(readings) % 10 == 0:
                        say(f"{done + 1} operations, {readings[-1]:.0f} MB")
    growth, middle = slope(readings), readings[len(readings) // 2]
    return {
        "operations": operations,
        **counts,
        "mb": [round(each) for each in readings[9::10]],
        "growth_mb_per_10000": round(growth * READINGS * 10_000 / operations, 1),
        "at_the_middle_mb": round(middle),
        "steady": growth * READINGS * 10_000 / operations < MOST_GROWTH * middle,
    }


def slope(readings: Sequence[float]) -> float:
    """Of a line through the second half of the readings, per reading."""
    second = np.asarray(readings[len(readings) // 2 :])
    return float(np.polyfit(np.arange(len(second)), second, 1)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--only", choices=["at_rest", "long_run"])
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of what is made once and kept")
    parser.add_argument("--quick", action="store_true", help="2,000 operations")
    parser.add_argument("--probe", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    where = conditions()
    if given.probe:
        print(json.dumps(anyio.run(at_rest, given.cache, given.probe)))
        return
    found: dict[str, Any] = {"goal_mb": GOAL_MB, "conditions": where}
    if given.only != "long_run":
        anyio.run(made_index, given.cache, WORKSHOPS, CHUNKS)
        default = RagSettings.model_fields["loaded_collections"].default
        found["at_rest"] = {f"{count}_loaded": _probe(given.cache, count) for count in (default, WORKSHOPS)}
    if given.only != "at_rest":
        found["long_run"] = anyio.run(long_run, given.cache, 2_000 if given.quick else given.operations)
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


def _probe(cache: Path, loaded: int) -> Any:
    say(f"a fresh process with {loaded} loaded")
    command = [sys.executable, "-m", "benchmarks.memory", "--probe", str(loaded), "--cache", str(cache)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
