"""How long a search takes, from a question's text to passages: `python -m benchmarks.latency [--quick] [--json]`.

Hybrid searches through the RAG agent's service with the real model, over 50,000 chunks in 100 made workshops on Milvus Lite
(see `benchmarks.made_workshops`; the chunks' vectors are random, the questions' are the model's, each question is asked
once). The data folder is made once and kept. What is measured:

- `one_workshop` and `all_loaded`: one client at a time, in rounds that alternate between an index of one workshop and one
  of a hundred, all of them loaded; `growth` is the median over rounds of the ratio of their medians.
- `fitting`: as it comes, 20 collections loaded, questions to 15 workshops. `any_workshop`: to all hundred, so that four of
  five have to be read from disk first. `coming_back_ms`: what the first search of a collection that was released costs
  more than the next one.
- `clients`: searches per second of 16 clients at once, all loaded, and with 20 loaded on the 15 workshops.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import numpy as np

from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from benchmarks.agent import CACHE, HalfRealEmbedder, conditions, made_index, open_agent, product_embedder, say, scope_of
from benchmarks.made_workshops import Maker
from shared_services.contracts.rag import SearchRequest

CHUNKS = 500
WORKING_SET = 15
CLIENTS = 16
GOALS = {"p50_ms": 10.0, "p95_ms": 25.0, "growth": 1.5, "searches_per_s": 100.0}


@dataclass
class Asker:
    """Asks made questions, none of them twice."""

    seed: int = 1
    _waiting: dict[int, Iterator[str]] = field(default_factory=dict)

    def question(self, workshop: int) -> str:
        """The workshop's next question."""
        return next(self._waiting.setdefault(workshop, self._questions(workshop)))

    def _questions(self, workshop: int) -> Iterator[str]:
        series = 0
        while True:
            yield from Maker().questions(workshop, 200, series=1_000 * self.seed + series)
            series += 1


async def searched(service: RagService, workshop: int, question: str) -> float:
    """Seconds of one search.

    Raises:
        RuntimeError: It found nothing, so that its time says nothing.
    """
    started = time.perf_counter()
    response = await service.search(scope_of(workshop), SearchRequest(query=question))
    seconds = time.perf_counter() - started
    if not response.passages:
        raise RuntimeError(f"nothing was found for {question!r}")
    return seconds


async def one_by_one(service: RagService, asker: Asker, workshops: Sequence[int]) -> list[float]:
    """Seconds of a search of each workshop named, one after the other."""
    return [await searched(service, workshop, asker.question(workshop)) for workshop in workshops]


async def at_once(service: RagService, asker: Asker, workshops: Sequence[int], clients: int) -> tuple[float, list[float]]:
    """Searches per second, and the seconds of each, when so many clients share the searches out among them."""
    asked = iter([(workshop, asker.question(workshop)) for workshop in workshops])
    taken: list[float] = []

    async def client() -> None:
        for workshop, question in asked:
            taken.append(await searched(service, workshop, question))

    started = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(clients):
            group.start_soon(client)
    return len(taken) / (time.perf_counter() - started), taken


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and the 95th part in a hundred, in milliseconds."""
    return {name: round(float(np.percentile(seconds, part)) * 1000, 2) for name, part in (("p50_ms", 50), ("p95_ms", 95))}


async def measure(cache: Path, workshops: int, rounds: int, searches: int) -> dict[str, Any]:
    """All figures."""
    one, many = await made_index(cache, 1, CHUNKS), await made_index(cache, workshops, CHUNKS)
    random = np.random.default_rng(5)
    asker = Asker()
    fitting = min(WORKING_SET, workshops)
    embedder = HalfRealEmbedder(product_embedder(cache))
    embedder.real = True
    found: dict[str, Any] = {}

    def anywhere(count: int) -> list[int]:
        return [int(number) for number in random.integers(0, workshops, count)]

    def within(count: int) -> list[int]:
        return [int(number) for number in random.integers(0, fitting, count)]

    async with AsyncExitStack() as stack:
        few = await stack.enter_async_context(open_agent(one, embedder))
        all_loaded = await stack.enter_async_context(open_agent(many, embedder, loaded_collections=workshops))
        say("reading every collection")
        await one_by_one(few, asker, [0] * 20)
        await one_by_one(all_loaded, asker, [*range(workshops), *range(workshops)])
        say("one client")
        taken: dict[str, list[list[float]]] = {"one_workshop": [], "all_loaded": []}
        for _ in range(rounds):
            taken["one_workshop"].append(await one_by_one(few, asker, [0] * searches))
            taken["all_loaded"].append(await one_by_one(all_loaded, asker, anywhere(searches)))
        found |= {name: spread([each for part in parts for each in part]) for name, parts in taken.items()}
        ratios = [median(b) / median(a) for a, b in zip(taken["one_workshop"], taken["all_loaded"], strict=True)]
        found["growth"] = round(median(ratios), 2)
        say(f"{CLIENTS} clients")
        tries = [await at_once(all_loaded, asker, anywhere(searches * 2), CLIENTS) for _ in range(rounds)]
        found["clients"] = {"all_loaded": _together(tries)}
    embedder = HalfRealEmbedder(product_embedder(cache))
    embedder.real = True
    async with open_agent(many, embedder) as service:
        say("as it comes: a working set that fits")
        await one_by_one(service, asker, list(range(fitting)) * 2)
        found["fitting"] = spread(await one_by_one(service, asker, within(rounds * searches)))
        tries = [await at_once(service, asker, within(searches * 2), CLIENTS) for _ in range(rounds)]
        found["clients"]["fitting"] = _together(tries)
        say("as it comes: any workshop")
        found["any_workshop"] = spread(await one_by_one(service, asker, anywhere(searches)))
        turns = [each for number in range(workshops) for each in (number, number)]
        seconds = await one_by_one(service, asker, turns)
        found["coming_back_ms"] = round((median(seconds[0::2]) - median(seconds[1::2])) * 1000, 1)
    loaded = RagSettings.model_fields["loaded_collections"].default
    return found | {"goals": GOALS, "workshops": workshops, "chunks": workshops * CHUNKS, "loaded_by_default": loaded}


def _together(tries: Sequence[tuple[float, list[float]]]) -> dict[str, float]:
    return {"searches_per_s": round(median(rate for rate, _ in tries), 1)} | spread([each for _, part in tries for each in part])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--searches", type=int, default=200, help="in a round, of each kind")
    parser.add_argument("--workshops", type=int, default=100)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of what is made once and kept")
    parser.add_argument("--quick", action="store_true", help="three rounds of 100")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds, searches = (3, 100) if given.quick else (given.rounds, given.searches)
    where = conditions()
    found = anyio.run(measure, given.cache, given.workshops, rounds, searches) | {"conditions": where}
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


if __name__ == "__main__":
    main()
