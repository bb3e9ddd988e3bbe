"""Workshops indexed as the product does it, in a folder that is gone afterwards, and random parts of them in memory.

`Indexed` is a workshop in Milvus Lite behind the RAG agent's service. `Part` is some of its chunks in memory, with the
same scores, for what would take an index of its own for every question: a question's passages hidden, workshops of
eight chunks.
"""

import math
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import structlog
from numpy.typing import NDArray

from agents.rag.chunking import chunk_workshop
from agents.rag.embedder import Embedder, Vector
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.scope import ReadScope, Scope
from agents.rag.service import RagService
from agents.rag.store import BM25_B, MAX_TEXT_BYTES, Hit, StoredChunk, VectorStore
from agents.rag.store.lite import MilvusLiteStore
from agents.rag.terms import inverse_frequency
from benchmarks.vectors import RememberingEmbedder
from shared_services.contracts.rag import ChunkKind
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles

VERSION = "measured"
BATCH = 32

ENGINE_K1 = 1.5
"""What Milvus Lite 3.2 scores with: it does not see the index parameter that pymilvus sends it."""


def say(text: str) -> None:
    """Tell how far a measurement has come, on stderr."""
    print(text, file=sys.stderr, flush=True)


def log_to_stderr() -> None:
    """Keep the product's log out of what a measurement prints."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@dataclass(frozen=True)
class Indexed:
    """An indexed workshop; rows and vectors are in the order of their ordinals."""

    scope: Scope
    collection: str
    rows: list[tuple[StoredChunk, list[str]]]
    vectors: NDArray[np.float32]

    @cached_property
    def step_rows(self) -> dict[str, list[int]]:
        """Ordinals by step."""
        found: dict[str, list[int]] = {}
        for chunk, _ in self.rows:
            found.setdefault(chunk.step, []).append(chunk.ordinal)
        return found

    @cached_property
    def postings(self) -> dict[str, list[tuple[int, int]]]:
        """For each term, the ordinals that hold it, and how often."""
        found: dict[str, list[tuple[int, int]]] = {}
        for chunk, held in self.rows:
            for term, count in Counter(held).items():
                found.setdefault(term, []).append((chunk.ordinal, count))
        return found


class Part:
    """Some chunks of an indexed workshop, searched in memory: exact cosines, and BM25 with the statistics of these chunks."""

    def __init__(self, whole: Indexed, ordinals: Iterable[int]) -> None:
        self._whole = whole
        self.scope, self.collection = whole.scope, whole.collection
        self._ordinals = sorted(set(ordinals))
        self._held = frozenset(self._ordinals)
        self._vectors = whole.vectors[self._ordinals]
        self._mean_length = sum(len(whole.rows[number][1]) for number in self._ordinals) / max(len(self._ordinals), 1)

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """Both halves of a question."""
        return (
            self.search_dense(scope, collection, vectors, limit, kinds),
            self.search_terms(scope, collection, queries, limit, kinds),
        )

    def search_dense(
        self, scope: ReadScope, collection: str, vectors: Sequence[Vector], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The nearest chunks to each vector."""
        allowed = self._allowed(kinds)
        found = []
        for vector in vectors:
            cosines = self._vectors @ vector
            hits = [Hit(number, float(cosine)) for number, cosine in zip(self._ordinals, cosines, strict=True)]
            found.append(_best(hits, allowed, limit))
        return found

    def search_terms(
        self, scope: ReadScope, collection: str, queries: Sequence[Sequence[str]], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The best chunks for each query by BM25."""
        allowed = self._allowed(kinds)
        return [_best(self._scored(query), allowed, limit) for query in queries]

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Every chunk of the part, with its terms."""
        return (self._whole.rows[number] for number in self._ordinals)

    def _allowed(self, kinds: Iterable[ChunkKind] | None) -> frozenset[int]:
        if kinds is None:
            return self._held
        wanted = set(kinds)
        return frozenset(number for number in self._ordinals if self._whole.rows[number][0].kind in wanted)

    def _scored(self, query: Sequence[str]) -> list[Hit]:
        scores: dict[int, float] = {}
        for term in dict.fromkeys(query):
            holding = [(number, count) for number, count in self._whole.postings.get(term, []) if number in self._held]
            weight = inverse_frequency(len(self._ordinals), len(holding))
            for number, count in holding:
                length = len(self._whole.rows[number][1]) / self._mean_length
                gain = count * (ENGINE_K1 + 1) / (count + ENGINE_K1 * (1 - BM25_B + BM25_B * length))
                scores[number] = scores.get(number, 0.0) + weight * gain
        return [Hit(number, score) for number, score in scores.items()]


def _best(hits: list[Hit], allowed: frozenset[int], limit: int) -> list[Hit]:
    kept = [hit for hit in hits if hit.ordinal in allowed and not math.isnan(hit.score)]
    return sorted(kept, key=lambda hit: (-hit.score, hit.ordinal))[:limit]


@dataclass(frozen=True)
class Bench:
    """The RAG agent's parts, open on a temporary folder."""

    service: RagService
    store: VectorStore
    indexes: IndexRepository
    embedder: RememberingEmbedder

    async def index(self, name: str, workshop: WorkshopFiles) -> Indexed:
        """Index a workshop as the product does, and read back what it stored.

        Raises:
            RuntimeError: The store holds other chunks than the workshop was cut into.
        """
        scope = Scope.of(Claims("service:benchmark", "rag", 0, workshop=workshop.manifest.slug))

        async def progress(done: int, total: int) -> None:
            if done == total or done % (8 * BATCH) == 0:
                say(f"{name}: {min(done, total)} of {total} chunks indexed")

        await self.service.index(scope, VERSION, workshop, progress)
        await self.service.activate(scope, VERSION)
        index = await self.indexes.find(scope.workshop, VERSION)
        if index is None:
            raise RuntimeError(f"{name} is not indexed")
        rows = await anyio.to_thread.run_sync(lambda: sorted(self.store.read(scope, index.collection), key=_ordinal))
        chunks = [chunk for chunk in chunk_workshop(workshop) if len(chunk.text.encode()) <= MAX_TEXT_BYTES]
        if [row.text for row, _ in rows] != [chunk.text for chunk in chunks]:
            raise RuntimeError(f"the store holds other chunks of {name} than it was cut into")
        vectors = await anyio.to_thread.run_sync(self.embedder.encode, [chunk.indexed for chunk in chunks])
        return Indexed(scope, index.collection, rows, np.array(vectors, dtype=np.float32))


def _ordinal(row: tuple[StoredChunk, list[str]]) -> int:
    return row[0].ordinal


@asynccontextmanager
async def open_bench(embedder: Embedder | None = None, vectors: Path | None = None) -> AsyncIterator[Bench]:
    """The RAG agent on Milvus Lite, SQLite and the real model, in a folder that is removed at the end.

    Args:
        embedder: In place of the product's own.
        vectors: A file that keeps the vectors from one measurement to the next.

    Raises:
        VectorsError: The file holds something else, or another model's vectors.
        ModelUnavailableError: The model cannot be loaded.
    """
    model = await anyio.to_thread.run_sync(RememberingEmbedder, embedder or SentenceTransformerEmbedder(), vectors)
    with tempfile.TemporaryDirectory(prefix="rag-benchmark-") as folder:
        engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
        store = MilvusLiteStore(Path(folder))
        try:
            await migrate(engine, MIGRATIONS)
            await anyio.to_thread.run_sync(store.open)
            indexes = IndexRepository(session_factory(engine))
            yield Bench(RagService(store, model, indexes, batch=BATCH), store, indexes, model)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(model.close)
                await anyio.to_thread.run_sync(store.close)
                await engine.dispose()
