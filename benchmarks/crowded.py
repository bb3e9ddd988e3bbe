"""How long a search takes while workshops are indexed: `python -m benchmarks.crowded [--ingests N] [--seconds S] [--json]`.

One process, the exported model, Milvus Lite. The same searches are made in turns, with nothing else going on and while so
many workshops are indexed at once, and so a machine that is busy otherwise slows both.
"""

import argparse
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from statistics import median, quantiles

import anyio
import anyio.to_thread

from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.model_check import sample
from agents.rag.model_export import export
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.scope import Scope
from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from agents.rag.store.lite import MilvusLiteStore
from benchmarks.indexed import VERSION, say
from benchmarks.start import made_workshop
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles

CHUNKS = 400


def _named(slug: str, sections: int) -> WorkshopFiles:
    made = made_workshop(sections)
    # Titles stand in what is embedded, so that no vector is taken over from another round.
    steps = {step: manifest.model_copy(update={"title": f"{slug} {manifest.title}"}) for step, manifest in made.steps.items()}
    return WorkshopFiles(made.manifest.model_copy(update={"slug": slug}), steps, made.files)


def _scope(slug: str) -> Scope:
    return Scope.of(Claims("service:benchmark", "rag", 0, workshop=slug))


@asynccontextmanager
async def opened(exports: Path, batch: int) -> AsyncIterator[RagService]:
    """The RAG agent's logic on a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rag-crowded-") as folder:
        engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
        store = MilvusLiteStore(Path(folder))
        with closing(ExportingEmbedder(exports=exports, batch=batch)) as embedder:
            try:
                await migrate(engine, MIGRATIONS)
                await anyio.to_thread.run_sync(store.open)
                yield RagService(store, embedder, IndexRepository(session_factory(engine)), batch=batch)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(store.close)
                    await engine.dispose()


async def searched(service: RagService, queries: Sequence[str], seconds: float) -> list[float]:
    """Milliseconds of searches made one after the other."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        await service.search(_scope("searched"), SearchRequest(query=queries[len(taken) % len(queries)]))
        taken.append((time.perf_counter() - began) * 1000)
        await anyio.sleep(0.01)
    return taken


async def measure(exports: Path, batch: int, ingests: int, rounds: int, seconds: float) -> dict[str, float]:
    """Medians and 95th percentiles, in milliseconds, alone and beside ingests."""
    queries = [text for text in sample().questions if len(text) < 120 and len(text.split()) > 3][:20]
    alone: list[float] = []
    beside: list[float] = []
    indexed = 0
    async with opened(exports, batch) as service:
        await service.index(_scope("searched"), VERSION, _named("searched", CHUNKS))
        await service.activate(_scope("searched"), VERSION)
        await searched(service, queries, 1)
        for number in range(rounds):
            alone += await searched(service, queries, seconds)
            async with anyio.create_task_group() as tasks:
                done = [0] * ingests

                async def ingest(which: int, done: list[int] = done, number: int = number) -> None:
                    async def progress(so_far: int, _total: int) -> None:
                        done[which] = so_far

                    slug = f"other-{number}-{which}"
                    await service.index(_scope(slug), VERSION, _named(slug, 20 * CHUNKS), progress)

                for which in range(ingests):
                    tasks.start_soon(ingest, which)
                while not all(done):  # noqa: ASYNC110 - each ingest has its own first batch
                    await anyio.sleep(0.05)
                began = sum(done)
                beside += await searched(service, queries, seconds)
                indexed += sum(done) - began
                tasks.cancel_scope.cancel()
            say(f"round {number + 1}: {median(alone):.1f} ms alone, {median(beside):.1f} ms beside")
    return {
        "batch": batch,
        "ingests": ingests,
        "alone_p50_ms": round(median(alone), 1),
        "alone_p95_ms": round(quantiles(alone, n=20)[-1], 1),
        "beside_p50_ms": round(median(beside), 1),
        "beside_p95_ms": round(quantiles(beside, n=20)[-1], 1),
        "beside_most_ms": round(max(beside), 1),
        "searches_beside": len(beside),
        "indexed_per_s": round(indexed / (rounds * seconds), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingests", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--batch", type=int, default=RagSettings().batch)
    parser.add_argument("--exports", type=Path, help="folder of exported models; a fresh one where none is named")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        exports = given.exports or Path(made)
        export("", exports)
        found = anyio.run(measure, exports, given.batch, given.ingests, given.rounds, given.seconds)
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:18} {value:8}")


if __name__ == "__main__":
    main()
