"""Shared documents on real engines, for tests."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from agents.rag.documents.intake import LIMITS, Limits, Posted
from agents.rag.documents.repository import DocumentRepository
from agents.rag.documents.service import DocumentsService
from agents.rag.form import CURRENT_FORM, Form
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.scope import Scope, SharedScope
from agents.rag.service import RagService
from agents.rag.store import StoredChunk
from agents.rag.store.lite import MilvusLiteStore
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import SharedDocumentsReport
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.tokens import Claims
from tests.unit.rag.fakes import FakeEmbedder

OPS = Claims("ops:olga", "rag", 0, roles=frozenset({Role.OPS}))


def scope(*tags: str, focus: str | None = None, workshop: str = "shop") -> Scope:
    return Scope.of(Claims("service:chat", "rag", 0, workshop=workshop, tags=tags, content_focus=focus))


@dataclass
class Library:
    documents: DocumentsService
    store: MilvusLiteStore
    table: DocumentRepository
    embedder: FakeEmbedder
    rag: RagService
    dropped: list[str]

    async def post(self, files: dict[str, str | bytes], tags: str = "java", focus: str | None = None) -> SharedDocumentsReport:
        posted = [Posted(path, raw.encode() if isinstance(raw, str) else raw) for path, raw in files.items()]
        return await self.documents.add(OPS, posted, tags.split(","), focus)

    async def seen(self, *tags: str, focus: str | None = None) -> set[str]:
        """Ids of what a workshop may read."""
        shelf = await self.documents.visible(scope(*tags, focus=focus), self.embedder.model_id)
        return {document.id for document in shelf.documents.values()} if shelf else set()

    async def texts(self, *tags: str) -> list[str]:
        """What a workshop that reads its shelf finds on it."""
        return [chunk.text for chunk in await self.chunks(*tags)]

    async def chunks(self, *tags: str) -> list[StoredChunk]:
        reader = scope(*tags)
        shelf = await self.documents.visible(reader, self.embedder.model_id)
        if shelf is None:
            return []
        return [chunk for chunk, _ in self.store.read(reader.shared(shelf.documents), shelf.collection)]

    def raw_numbers(self, collection: str, numbers: Collection[int] = range(1, 200)) -> set[int]:
        """Numbers of the documents that have rows in the store, whatever the bookkeeping says."""
        rows = self.store._rows(SharedScope.whole(OPS, numbers), collection, ["document"])
        return {row["document"] for row in rows}

    async def recover(self) -> list[str]:
        return await self.rag.recover(keep=await self.documents.recover())


@asynccontextmanager
async def open_library(
    folder: Path,
    embedder: FakeEmbedder | None = None,
    *,
    form: Form = CURRENT_FORM,
    limits: Limits = LIMITS,
    alone: bool = True,
) -> AsyncIterator[Library]:
    engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
    await migrate(engine, MIGRATIONS)
    store = MilvusLiteStore(folder)
    await anyio.to_thread.run_sync(store.open)
    model = embedder or FakeEmbedder()
    table = DocumentRepository(session_factory(engine))
    rag = RagService(store, model, IndexRepository(session_factory(engine)))
    try:
        dropped: list[str] = []
        documents = DocumentsService(store, model, table, form=form, limits=limits, alone=alone, dropped=dropped.append)
        yield Library(documents, store, table, model, rag, dropped)
    finally:
        await anyio.to_thread.run_sync(store.close)
        await engine.dispose()
