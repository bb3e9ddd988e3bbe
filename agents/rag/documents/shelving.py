"""Puts revisions of shared documents on the shelf of a model, and takes off what is no longer read.

A revision's rows carry its number. They are inserted beside those that are read meanwhile, and become what is read by one
transaction of the bookkeeping; until then, and after it for the old ones, no search names them.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import anyio
import anyio.to_thread
from structlog import get_logger

from agents.rag.chunking import Chunk
from agents.rag.documents.repository import DocumentRepository, Revision
from agents.rag.embedder import Embedder, Vector
from agents.rag.errors import IndexGoneError
from agents.rag.form import Form
from agents.rag.metrics import CHUNKS_EMBEDDED, CHUNKS_TAKEN_OVER
from agents.rag.reuse import digest, divided
from agents.rag.scope import SHARED, SharedScope
from agents.rag.store import Owner, VectorStore
from agents.rag.workers import in_background
from shared_services.kit.tokens import Claims

log = get_logger()

INGEST_THREADS = 2
INSERT_ROWS = 64
ABANDONED = timedelta(hours=1)
"""For how long another process's revision may be building; one that was taken away meanwhile cannot become current."""

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many of how many chunks are indexed."""


async def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Draft:
    """A revision that is to be indexed; `old` is the one whose place it takes."""

    revision: Revision
    text: str
    chunks: list[Chunk]
    old: Revision | None


@dataclass
class Count:
    """How far a request's work is."""

    total: int
    progress: Progress
    done: int = 0
    embedded: int = 0

    async def add(self, rows: int) -> None:
        """So many more are done."""
        self.done += rows
        await self.progress(min(self.done, self.total), self.total)


class Shelving:
    """The vector store's side of shared documents. Its caller sees to it that one writes at a time.

    Args:
        batch: Chunks embedded at once; a search waits for at most one such batch.
        form: What documents are indexed by.
        alone: No other process writes to this store.
        dropped: Told each collection that is gone.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        documents: DocumentRepository,
        *,
        batch: int,
        form: Form,
        alone: bool,
        dropped: Callable[[str], None],
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._documents = documents
        self._batch = batch
        self._form = form
        self._alone = alone
        self._dropped = dropped
        self._threads = anyio.CapacityLimiter(INGEST_THREADS)

    async def model(self) -> str:
        """The embedder's model."""
        return await self.run(lambda: self._embedder.model_id)

    async def shelf(self, model: str) -> str:
        """The collection of the model's shelf, made where there is none."""
        held = await self._documents.shelf(model, self._form)
        if held is not None and (held.generation or held.collection in await self.run(self._store.collections)):
            return held.collection
        dimension = await self.run(lambda: self._embedder.dimension)
        # a process that died between the two lines below left a name and no collection
        collection = held.collection if held else f"index_{uuid.uuid4().hex}"
        if held is None:
            await self._documents.add_shelf(collection, model, self._form)
        try:
            await self.run(self._store.create, collection, model, dimension)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.tidied()
            raise
        return collection

    async def publish(self, claims: Claims, collection: str, drafts: list[Draft], count: Count) -> list[Revision]:
        """Index drafts beside what is read, then make them what is read."""
        if not drafts:
            return []
        numbers: list[int] = []
        try:
            for draft in drafts:
                number = await self._documents.begin(draft.revision, draft.text)
                numbers.append(number)
                await self._insert(claims, collection, number, draft, count)
            await self.run(self._store.seal, collection)
            return await self._documents.flip(numbers)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._discard(collection, numbers)
            raise

    async def _insert(self, claims: Claims, collection: str, number: int, draft: Draft, count: Count) -> None:
        new = draft.revision
        owner = Owner.of_document(SharedScope.whole(claims, [number]), number, new.tags, new.content_focus)
        work = divided(draft.chunks, await self._vectors(claims, collection, draft))

        async def add(rows: list[tuple[int, Chunk, Vector]]) -> None:
            for first in range(0, len(rows), INSERT_ROWS):
                some = rows[first : first + INSERT_ROWS]
                await self.run(self._store.insert, owner, collection, some, None)
                await count.add(len(some))

        await add(work.known)
        CHUNKS_TAKEN_OVER.labels(SHARED).inc(len(work.known))
        for texts in work.batches(self._batch):
            vectors = await self.run(self._embedder.encode, texts)
            CHUNKS_EMBEDDED.labels(SHARED).inc(len(texts))
            count.embedded += len(texts)
            await add(work.embedded(texts, vectors))

    async def _vectors(self, claims: Claims, collection: str, draft: Draft) -> dict[str, Vector]:
        """By digest, the vectors of the draft's chunks that its old revision holds."""
        if draft.old is None or draft.old.collection != collection:
            return {}
        wanted = {digest(chunk.indexed) for chunk in draft.chunks}
        scope = SharedScope.whole(claims, [draft.old.number])
        try:
            return await self.run(self._store.vectors, scope, collection, wanted)
        except IndexGoneError as error:
            log.warning("rag_vectors_gone", collection=collection, error=error.detail, next="they are embedded again")
            return {}

    async def _discard(self, collection: str, numbers: list[int]) -> None:
        """Undo what was begun; what cannot be undone now is invisible, and is deleted at the next start."""
        try:
            await self.run(self._store.delete_documents, collection, numbers)
            await self._documents.forget(numbers)
        except Exception as error:
            log.warning("rag_discard_failed", documents=numbers, error=str(error), next="deleted at the next start")

    async def recover(self) -> None:
        """Delete what a crash left behind."""
        if self._alone:
            for collection in await self._documents.collections() - set(await self.run(self._store.collections)):
                # its documents keep their texts, and are indexed again by `reindex` or when they are posted
                log.error("rag_shelf_missing", collection=collection, next="`workshop reindex` makes it again")
                await self._documents.forget_shelf(collection)
        await self.tidy(building_for=timedelta(0) if self._alone else ABANDONED)

    async def tidied(self) -> None:
        """Tidy where what was asked for is done, or has failed already."""
        try:
            await self.tidy()
        except Exception as error:
            log.warning("rag_tidy_failed", error=str(error), next="tidied with the next change, or at the next start")

    async def tidy(self, *, building_for: timedelta | None = None) -> None:
        """Delete the rows of revisions that are not read any more, and shelves on which nothing stands."""
        stale: dict[str, list[int]] = {}
        for number, collection in await self._documents.left_over(building_for=building_for):
            stale.setdefault(collection, []).append(number)
        for collection, numbers in stale.items():
            try:
                await self.run(self._store.delete_documents, collection, numbers)
                await self.run(self._store.seal, collection)
            except IndexGoneError:
                log.debug("rag_shelf_gone", collection=collection)
            await self._documents.forget(numbers)
        for collection in await self._documents.empty_shelves(unused=self._alone):
            await self.run(self._store.drop, collection)
            await self._documents.forget_shelf(collection)
            self._dropped(collection)

    async def run[T, *A](self, function: Callable[[*A], T], *arguments: *A) -> T:
        """Call something that blocks, in a worker thread."""
        return await anyio.to_thread.run_sync(in_background, function, *arguments, limiter=self._threads)
