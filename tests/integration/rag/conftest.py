"""The RAG agent on real engines: Milvus Lite in a folder, SQLite in a file."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import pytest

from agents.rag.embedder import Embedder
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.scope import Scope
from agents.rag.service import RagService
from agents.rag.store.lite import MilvusLiteStore
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.tokens import Claims
from tests.unit.rag.fakes import FakeEmbedder


@dataclass
class Room:
    service: RagService
    store: MilvusLiteStore
    indexes: IndexRepository
    embedder: Embedder


def scope_of(workshop: str, *tags: str) -> Scope:
    return Scope.of(Claims("service:test", "rag", 0, workshop=workshop, tags=tags))


@asynccontextmanager
async def open_room(folder: Path, embedder: Embedder | None = None) -> AsyncIterator[Room]:
    engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
    await migrate(engine, MIGRATIONS)
    store = MilvusLiteStore(folder)
    await anyio.to_thread.run_sync(store.open)
    model = embedder or FakeEmbedder()
    indexes = IndexRepository(session_factory(engine))
    try:
        yield Room(RagService(store, model, indexes), store, indexes, model)
    finally:
        await anyio.to_thread.run_sync(store.close)
        await engine.dispose()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


@pytest.fixture
def rooms(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Room]]:
    return lambda embedder=None: open_room(tmp_path, embedder)


@pytest.fixture(scope="session")
def model() -> Iterator[SentenceTransformerEmbedder]:
    embedder = SentenceTransformerEmbedder()
    yield embedder
    embedder.close()
