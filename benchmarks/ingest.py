"""Chunks ingested per second, beside other libraries with the same weights: `python -m benchmarks.ingest [--quick] [--json]`.

The product takes its whole way: a workshop's files to an index that is whole and can be searched (`RagService.index` on
Milvus Lite, the exported model, its default batch). The others (`benchmarks.peers`) are given the same chunks as ready texts
and run the same weights by sentence-transformers, each with its defaults, in an environment of their own that is made with
uv where it is not there. One after the other within each round, after a round that does not count; ratios are medians over
rounds. The chunks are those of a made workshop (114 word pieces on average), and with `--set` also every passage of a
retrieval set, on which Recall@5 and nDCG@10 are measured: the product asks as it does, with the turns before the question;
the others search the question's vector, which is their default.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import anyio.to_thread

from agents.rag.chunking import Chunk, chunk_workshop
from agents.rag.model_files import ModelFiles
from agents.rag.scope import Scope
from agents.rag.service import RagService
from benchmarks.agent import CACHE, VERSION, conditions, exported_model, open_agent, product_embedder, publish, say
from benchmarks.made_workshops import Maker
from benchmarks.measures import mean_of, ndcg, recall
from benchmarks.questions import DEFAULT_SET, Question, SetError, read_passages, read_questions, step_of, tenants_of, workshop_of
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles

PACKAGES = (
    "chromadb>=1,<2",
    "llama-index-core>=0.14,<0.15",
    "llama-index-embeddings-huggingface>=0.6,<0.8",
    "haystack-ai>=2.20,<3",
    "langchain-milvus>=0.3,<0.5",
    "langchain-huggingface>=1,<2",
    "milvus-lite>=3.2,<3.3",
    "sentence-transformers>=5,<7",
)
PEERS = ("chroma", "llama-index", "haystack", "langchain-milvus")
PRODUCT = "product"
GOALS = {"times_the_best_peer": 4, "where_bf16_is_not_faster": 3}
DEEPEST = 50


class PeerProcess:
    """One library in a process of its own; closed by leaving it as a context."""

    def __init__(self, python: Path, name: str) -> None:
        command = [str(python), str(Path(__file__).with_name("peers.py")), name, str(ModelFiles().folder)]
        self._name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, encoding="utf-8"
        )

    def __enter__(self) -> "PeerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()
        self._said.close()

    def ask(self, command: dict[str, Any]) -> Any:
        """The answer to a command.

        Raises:
            RuntimeError: The process ended; the message holds what it said last.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"{self._name} was started without pipes")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            raise RuntimeError(f"{self._name} ended: {self._said.read().decode('utf-8', 'replace')[-800:]}")
        return json.loads(line)


def peers_python(cache: Path) -> Path:
    """The Python of the environment that the peers run in; made where it is not there whole, which takes minutes."""
    python = cache / "peers" / "bin" / "python"
    done = cache / "peers" / "packages.json"
    if done.is_file() and json.loads(done.read_text()) == list(PACKAGES):
        return python
    say(f"installing the other libraries in {cache / 'peers'}")
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--clear", "--quiet", "--python", sys.executable, str(cache / "peers")], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True)
    done.write_text(json.dumps(PACKAGES))
    return python


def scope_of(workshop: WorkshopFiles) -> Scope:
    """The scope of a workshop."""
    return Scope.of(Claims("service:benchmark", "rag", 0, workshop=workshop.manifest.slug))


async def product_seconds(service: RagService, workshop: WorkshopFiles) -> float:
    """Seconds from files to an index that is whole; it is forgotten afterwards."""
    started = time.perf_counter()
    await service.index(scope_of(workshop), VERSION, workshop)
    seconds = time.perf_counter() - started
    await service.remove(scope_of(workshop))
    return seconds


async def speeds(service: RagService, peers: dict[str, PeerProcess], workshop: WorkshopFiles, rounds: int) -> dict[str, Any]:
    """Chunks per second of each, and how many times each other one's speed the product's is."""
    chunks = chunk_workshop(workshop)
    taken: dict[str, list[float]] = {name: [] for name in (PRODUCT, *peers)}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump([chunk.indexed for chunk in chunks], file)
        file.flush()
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}: {len(chunks)} chunks by each")
            seconds = {PRODUCT: await product_seconds(service, workshop)}
            for name, peer in peers.items():
                seconds[name] = await anyio.to_thread.run_sync(peer.ask, {"ingest": file.name})
            for name, each in seconds.items() if number else ():
                taken[name].append(each)
    per_second = {name: round(median(len(chunks) / each for each in found), 1) for name, found in taken.items()}
    times = {name: median(a / b for a, b in zip(taken[name], taken[PRODUCT], strict=True)) for name in peers}
    best = [min(taken[name][place] for name in peers) / own for place, own in enumerate(taken[PRODUCT])]
    return {
        "chunks": len(chunks),
        "rounds": rounds,
        "chunks_per_s": per_second,
        "times": {name: round(value, 2) for name, value in times.items()},
        "times_the_best_peer": round(median(best), 2),
    }


async def quality(
    service: RagService, peers: dict[str, PeerProcess], folder: Path, only: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Recall@5 and nDCG@10 of each on a retrieval set, with the seconds that each took to ingest it."""
    questions = [each for each in read_questions(folder / "questions.jsonl") if each.ranked]
    tenants = tenants_of(read_passages(folder / "corpus.jsonl"))
    if strange := set(only) - set(tenants):
        raise RuntimeError(f"{folder} has no tenant {', '.join(sorted(strange))}")
    rankings: dict[str, list[tuple[Question, list[str]]]] = {name: [] for name in (PRODUCT, *peers)}
    seconds = dict.fromkeys(rankings, 0.0)
    total = 0
    for number, (tenant, passages) in enumerate(tenants.items(), start=1):
        if only and tenant not in only:
            continue
        workshop = workshop_of(f"tenant-{number}", passages)
        ids = {step_of(place): passage.passage_id for place, passage in enumerate(passages)}
        own = [each for each in questions if each.tenant == tenant]
        chunks = chunk_workshop(workshop)
        total += len(chunks)
        say(f"{tenant}: {len(chunks)} chunks, {len(own)} questions")
        started = time.perf_counter()
        await publish(service, workshop)
        seconds[PRODUCT] += time.perf_counter() - started
        for question in own:
            response = await service.search(scope_of(workshop), question.request(DEEPEST))
            rankings[PRODUCT].append((question, _passages([each.step for each in response.passages if each.step], ids)))
        for name, peer in peers.items():
            took, found = await anyio.to_thread.run_sync(_asked, peer, chunks, [each.text for each in own])
            seconds[name] += took
            for question, places in zip(own, found, strict=True):
                rankings[name].append((question, _passages([chunks[place].step for place in places], ids)))
    return {
        name: {
            "recall_at_5": _mean([recall(ranking, question.relevant, 5) for question, ranking in asked]),
            "ndcg_at_10": _mean([ndcg(ranking, question.relevant, 10) for question, ranking in asked]),
            "chunks_per_s": round(total / seconds[name], 1),
        }
        for name, asked in rankings.items()
    }


def _mean(values: list[float]) -> float | None:
    found = mean_of(values)
    return None if found is None else round(found, 3)


def _asked(peer: PeerProcess, chunks: Sequence[Chunk], questions: list[str]) -> tuple[float, list[list[int]]]:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump([chunk.indexed for chunk in chunks], file)
        file.flush()
        seconds = peer.ask({"ingest": file.name})
    return seconds, peer.ask({"search": questions, "limit": min(DEEPEST, len(chunks))})


def _passages(steps: Sequence[str], ids: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(ids[step] for step in steps))


async def measure(given: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    exported_model(given.cache)
    python = peers_python(given.cache)
    workshop = Maker().workshop(0, given.chunks)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rag-ingest-")))
        peers = {name: stack.enter_context(PeerProcess(python, name)) for name in given.peers}
        async with open_agent(folder, product_embedder(given.cache)) as service:
            found = await speeds(service, peers, workshop, given.rounds)
            if given.set is not None:
                found["quality"] = await quality(service, peers, given.set, given.tenant)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=300)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument(
        "--set", type=Path, default=DEFAULT_SET if DEFAULT_SET.is_dir() else None, help="folder of a retrieval set"
    )
    parser.add_argument("--tenant", nargs="*", default=[], help="of the set, these alone")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of what is made once and kept")
    parser.add_argument("--quick", action="store_true", help="three rounds of 200 chunks, one tenant")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.chunks, given.tenant = 3, 200, given.tenant or ["cloud"]
    where = conditions()
    try:
        found = anyio.run(measure, given) | {"goals": GOALS, "conditions": where}
    except (RuntimeError, SetError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{parser.prog}: {error}")
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


if __name__ == "__main__":
    main()
