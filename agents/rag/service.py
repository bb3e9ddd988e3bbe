"""The RAG agent's logic: indexing a version, making it the one that serves, searching inside a scope, forgetting a workshop.

Indexing builds a collection that nobody reads until it is whole; `activate` is one transaction in the bookkeeping. What
a crash leaves behind is not marked as built there, and `recover` drops it. Several agents may share a store and the
bookkeeping; what one keeps in memory of a collection has a name that no other index ever gets, so it cannot be stale.
"""

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from functools import partial

import anyio
import anyio.to_thread
from structlog import get_logger

from agents.rag.chunking import Chunk, chunk_workshop
from agents.rag.documents.shelf import Shelf, Shelves
from agents.rag.embedder import Embedder, Vector
from agents.rag.errors import (
    IndexGoneError,
    IndexLostError,
    ModelMismatchError,
    ModelUnavailableError,
    NotIndexedError,
    ShelfGoneError,
    StoreUnavailableError,
)
from agents.rag.form import CURRENT_FORM, Form
from agents.rag.metrics import CHUNKS_EMBEDDED, CHUNKS_TAKEN_OVER, SEARCH_SECONDS, SEARCHES, forget_workshop
from agents.rag.ranking import Candidate
from agents.rag.repository import LEASE, Index, IndexRepository
from agents.rag.reuse import digest, divided
from agents.rag.scope import Scope
from agents.rag.search import KEPT_INDEXES, Searcher
from agents.rag.store import MAX_TEXT_BYTES, Owner, VectorStore
from agents.rag.turns import Readers, Turnstile
from agents.rag.workers import in_background
from shared_services.contracts.rag import IndexStatus, Passage, PassageScores, SearchRequest, SearchResponse
from shared_services.contracts.workshop import SourcePlace
from shared_services.kit.errors import BadInputError, PlatformError
from shared_services.library.form import WorkshopFiles

log = get_logger()

SEARCH_THREADS = 8
INGEST_THREADS = 2
SEARCH_ATTEMPTS = 3
INSERT_ROWS = 64
TOUCH_SECONDS = 15.0

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many of how many chunks are embedded."""


async def no_progress(_done: int, _total: int) -> None:
    """For who does not want to be told."""


class RagService:
    """One store, one model, one table of indexes.

    Args:
        batch: Chunks handed to the model at once.
        form: What new indexes are made by; one of another form is made anew when its version is indexed again.
        shelves: What workshops may read of the shared documents; None where there are none.
        kept: How many workshops' indexes a search keeps in memory, and how many selections of shared documents.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        indexes: IndexRepository,
        *,
        batch: int = 8,
        form: Form = CURRENT_FORM,
        shelves: Shelves | None = None,
        kept: int = KEPT_INDEXES,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._indexes = indexes
        self._batch = batch
        self._form = form
        self._shelves = shelves
        self._searcher = Searcher(store, embedder, kept=kept)
        self._writers = Turnstile()
        self._readers = Readers()
        self._told_of: set[str] = set()
        self._search_threads = anyio.CapacityLimiter(SEARCH_THREADS)
        self._ingest_threads = anyio.CapacityLimiter(INGEST_THREADS)

    async def recover(self, keep: Collection[str] = ()) -> list[str]:
        """Put bookkeeping and store in agreement after a crash; called first of all, and now and then where agents share a store.

        What another agent is building stays. Only in a store that is this process's own is an unknown collection left over.

        Args:
            keep: Collections that are no workshop's and are needed all the same.

        Returns:
            The collections that were dropped: half-built ones, and such as no index needs any more.
        """
        alone = self._store.exclusive
        given_up = {index.collection for index in await self._indexes.abandoned(timedelta(0) if alone else LEASE)}
        built = await self._indexes.built()
        present = set(await self._ingest(self._store.collections))
        for index in built:
            if index.collection not in present:
                log.error("rag_index_missing", workshop=index.workshop, version=index.version, collection=index.collection)
                await self._indexes.forget_missing(index.collection)
        unknown = present - {index.collection for index in built} - set(keep)
        left_over = sorted(unknown if alone else present & given_up)
        for collection in sorted(given_up | set(left_over)):
            await self._dropped(collection)
        if left_over:
            log.info("rag_recovered", dropped=left_over)
        return left_over

    async def index(self, scope: Scope, version: str, workshop: WorkshopFiles, progress: Progress = no_progress) -> IndexStatus:
        """Index a version. It is searchable by its version afterwards; `activate` makes it the workshop's own.

        A version that is already indexed by the same model and in the same form is left as it is. Of another one, only
        the chunks are embedded whose embedded text no indexed version of the workshop holds.

        Raises:
            BadInputError: The files are another workshop's, or hold no text.
            ModelMismatchError: The model gives vectors of another length than its index has.
            ModelUnavailableError: The model cannot be loaded.
            StoreUnavailableError: The store does not answer.
            StorageFullError: The disk is full; what served before still serves.
            IndexLostError: The workshop was removed meanwhile, or another agent took this one for gone.
        """
        if not _VERSION.fullmatch(version):
            raise BadInputError(f"{version[:80]!r} is not a version: 1 to 200 letters, digits, dots, hyphens and underscores.")
        if workshop.manifest.slug != scope.workshop:
            raise BadInputError(f"The files are of workshop '{workshop.manifest.slug}', not of '{scope.workshop}'.")
        async with self._writers.alone(scope.workshop):
            model = await self._ingest(lambda: self._embedder.model_id)
            held = await self._indexes.find(scope.workshop, version)
            same = held and (held.model, held.form) == (model, self._form)
            if held and same and await self._indexes.expect(held.collection):
                await progress(held.chunks, held.chunks)
                return _status(held, model, self._form)
            chunks = await self._ingest(_chunked, workshop)
            collection = f"index_{uuid.uuid4().hex}"
            await self._indexes.begin(collection, scope.workshop, version, model, self._form)
            try:
                held_vectors = await self._vectors(scope, model, chunks)
                await self._build(scope, collection, model, chunks, held_vectors, workshop, progress)
                replaced = await self._finished(scope, collection, len(chunks))
            except BaseException as error:
                with anyio.CancelScope(shield=True):
                    await self._discard(collection)
                if isinstance(error, IndexGoneError):
                    raise IndexLostError(_lost(scope)) from error
                raise
            await self._drop_in_time(replaced)
        log.info("rag_indexed", workshop=scope.workshop, version=version, chunks=len(chunks), model=model)
        return await self.status(scope, version)

    async def _vectors(self, scope: Scope, model: str, chunks: list[Chunk]) -> dict[str, Vector]:
        """By digest, the vectors of `chunks` that the workshop's indexes of this model hold."""
        wanted = {digest(chunk.indexed) for chunk in chunks}
        found: dict[str, Vector] = {}
        for index in await self._indexes.built(scope.workshop):
            if not wanted or (index.model, index.form.rows) != (model, self._form.rows):
                continue
            try:
                found |= await self._ingest(self._store.vectors, scope, index.collection, wanted)
            except IndexGoneError as error:
                log.warning("rag_vectors_gone", collection=index.collection, error=error.detail, next="they are embedded again")
            wanted -= found.keys()
        return found

    async def _build(
        self,
        scope: Scope,
        collection: str,
        model: str,
        chunks: list[Chunk],
        held: dict[str, Vector],
        workshop: WorkshopFiles,
        progress: Progress,
    ) -> None:
        commit = workshop.manifest.source.commit if workshop.manifest.source else None
        dimension = await self._ingest(lambda: self._embedder.dimension)
        await self._ingest(self._store.create, collection, model, dimension)
        await progress(0, len(chunks))
        done = 0
        touched = time.monotonic()

        async def add(rows: list[tuple[int, Chunk, Vector]]) -> None:
            nonlocal done, touched
            for first in range(0, len(rows), INSERT_ROWS):
                some = rows[first : first + INSERT_ROWS]
                _check_length(some, dimension, self._embedder)
                await self._ingest(self._store.insert, Owner.of(scope), collection, some, commit)
                done += len(some)
                if time.monotonic() - touched > TOUCH_SECONDS:
                    touched = time.monotonic()
                    if not await self._indexes.touch(collection):
                        raise IndexLostError(_lost(scope))
                await progress(done, len(chunks))

        work = divided(chunks, held)
        await add(work.known)
        CHUNKS_TAKEN_OVER.labels(scope.workshop).inc(len(work.known))
        for texts in work.batches(self._batch):
            vectors = await self._ingest(self._embedder.encode, texts)
            CHUNKS_EMBEDDED.labels(scope.workshop).inc(len(texts))
            await add(work.embedded(texts, vectors))
        await self._ingest(self._store.seal, collection)
        await self._ingest(self._searcher.prepare, scope, collection)

    async def _finished(self, scope: Scope, collection: str, chunks: int) -> list[Index]:
        replaced = await self._indexes.finish(collection, scope.workshop, chunks)
        if replaced is None:
            raise IndexLostError(_lost(scope))
        return replaced

    async def _discard(self, collection: str) -> None:
        try:
            await self._dropped(collection)
        except Exception as error:
            log.warning("rag_discard_failed", collection=collection, error=str(error), next="dropped by the next recovery")
            self._searcher.forget(collection)
            # unmarked it is taken once its lease is over
            with suppress(PlatformError):
                await self._indexes.give_up(collection)

    async def activate(self, scope: Scope, version: str) -> IndexStatus:
        """Make an indexed version the one that a search without a version reads; the change is whole and at once.

        The version that served before stays searchable by name until the next one comes.

        Raises:
            NotIndexedError: The version is not indexed.
        """
        async with self._writers.alone(scope.workshop):
            dropped = await self._indexes.activate(scope.workshop, version) if _VERSION.fullmatch(version) else None
            if dropped is None:
                raise NotIndexedError(f"Version {version[:80]!r} of workshop '{scope.workshop}' is not indexed. Index it first.")
            await self._drop_in_time(dropped)
        return await self.status(scope, version)

    async def status(self, scope: Scope, version: str | None = None) -> IndexStatus:
        """What is indexed of a version; of the serving one, else of the newest, where none is named.

        Raises:
            NotIndexedError: Nothing is.
        """
        found = await self._find(scope, version)
        if found is None and version is None:
            found = await self._indexes.newest(scope.workshop)
        if found is None:
            raise NotIndexedError(_missing(scope, version))
        try:
            model = await self._model()
        except ModelUnavailableError:
            model = ""  # then none is in use, and what is indexed can be told all the same
        return _status(found, model, self._form)

    async def serving(self) -> list[IndexStatus]:
        """The index that serves of each workshop, by name: what tells whoever looks after them which are to be made anew.

        Raises:
            ModelUnavailableError: The model in use is not there.
        """
        found = [index for index in await self._indexes.built() if index.active]
        model = await self._model() if found else ""
        return [_status(index, model, self._form) for index in sorted(found, key=lambda index: index.workshop)]

    async def remove(self, scope: Scope) -> None:
        """Forget a workshop: bookkeeping, rows, caches and statistics. Does nothing when nothing is indexed.

        A search that is under way meanwhile ends with what it has read, or finds nothing indexed; it leaves nothing behind.
        """
        async with self._writers.alone(scope.workshop):
            await self._drop(await self._indexes.forget_workshop(scope.workshop))
            forget_workshop(scope.workshop)
        log.info("rag_removed", workshop=scope.workshop)

    async def search(self, scope: Scope, request: SearchRequest) -> SearchResponse:
        """Passages of the scope's workshop, and of the shared documents that it may read, best first.

        Where the index was made with another model, keywords alone are searched. When the shared documents cannot be searched,
        the log says so, and the workshop's own passages are the answer.

        Raises:
            NotIndexedError: The workshop, or the version that the request names, is not indexed.
            ModelUnavailableError: The model cannot be loaded.
            StoreUnavailableError: The store does not answer.
        """
        started = time.perf_counter()
        scope = scope.narrowed(request.tags, request.content_focus)
        gone: Shelf | None = None
        for attempt in range(1, SEARCH_ATTEMPTS + 1):
            index = await self._readable(scope, request.version)
            shelf = await self._shelf(scope, index.model) if attempt < SEARCH_ATTEMPTS else None
            if shelf == gone:
                shelf = None
            keywords_only = await self._of_another_model(index)
            search = partial(self._searcher.search, keywords_only=keywords_only)
            try:
                with self._readers.reading(index.collection, self._searcher.forget):
                    found = await anyio.to_thread.run_sync(
                        search, scope, index.collection, request, shelf, limiter=self._search_threads
                    )
                    if index.collection not in self._readers.dropped:
                        SEARCHES.labels(scope.workshop).inc()
                break
            except ShelfGoneError as error:
                gone = shelf
                log.warning("rag_shared_documents_gone", workshop=scope.workshop, error=error.detail, next="asked for once more")
            except IndexGoneError:
                # replaced since it was looked up
                if attempt == SEARCH_ATTEMPTS:
                    raise
        seconds = time.perf_counter() - started
        SEARCH_SECONDS.observe(seconds)
        return SearchResponse(
            passages=[_passage(candidate, shelf) for candidate in found.candidates],
            confidence=round(found.confidence, 4),
            version=index.version,
            took_ms=round(seconds * 1000, 2),
            keywords_only=keywords_only,
        )

    def forget_documents(self, collection: str) -> None:
        """Drop what is kept in memory of a collection of shared documents."""
        self._searcher.forget(collection)

    async def _shelf(self, scope: Scope, model: str) -> Shelf | None:
        """The shared documents that the scope may read; without tags there are none, and nobody is asked."""
        if self._shelves is None or not scope.tags:
            return None
        try:
            return await self._shelves.visible(scope, model)
        except PlatformError as error:
            log.exception("rag_shared_documents_unknown", workshop=scope.workshop, error=error.detail)
            return None

    async def _readable(self, scope: Scope, version: str | None) -> Index:
        index = await self._find(scope, version)
        if index is None:
            raise NotIndexedError(_missing(scope, version))
        return index

    async def _of_another_model(self, index: Index) -> bool:
        """Whether the vectors of an index are of no use here; said once in the log for each."""
        model = await self._model()
        if index.model == model:
            return False
        if index.collection not in self._told_of:
            self._told_of.add(index.collection)
            log.warning(
                "rag_keywords_only",
                workshop=index.workshop,
                version=index.version,
                made_with=index.model,
                model=model,
                next="searched by its keywords alone until `workshop reindex` has made it anew",
            )
        return True

    async def _model(self) -> str:
        return await anyio.to_thread.run_sync(lambda: self._embedder.model_id, limiter=self._search_threads)

    async def _find(self, scope: Scope, version: str | None) -> Index | None:
        if version is not None and not _VERSION.fullmatch(version):
            return None
        return await self._indexes.find(scope.workshop, version)

    async def _drop(self, indexes: list[Index]) -> None:
        for index in indexes:
            await self._dropped(index.collection)

    async def _drop_in_time(self, indexes: list[Index]) -> None:
        """Drop what nobody finds any more; a store that does not answer now is asked again by `recover`."""
        try:
            await self._drop(indexes)
        except StoreUnavailableError as error:
            log.warning("rag_drop_put_off", collections=[index.collection for index in indexes], error=error.detail)

    async def _dropped(self, collection: str) -> None:
        """Drop a collection that is marked, then its row. Another agent keeps its memory of it, but finds it named nowhere."""
        await self._ingest(self._store.drop, collection)
        self._searcher.forget(collection)
        self._readers.drop(collection)
        self._told_of.discard(collection)
        await self._indexes.forget(collection)

    async def _ingest[T, *A](self, function: Callable[[*A], T], *arguments: *A) -> T:
        return await anyio.to_thread.run_sync(in_background, function, *arguments, limiter=self._ingest_threads)


def _chunked(workshop: WorkshopFiles) -> list[Chunk]:
    chunks = chunk_workshop(workshop)
    kept = [chunk for chunk in chunks if len(chunk.text.encode()) <= MAX_TEXT_BYTES]
    if len(kept) < len(chunks):
        log.warning("rag_chunks_too_large", workshop=workshop.manifest.slug, left_out=len(chunks) - len(kept))
    if not kept:
        raise BadInputError(f"Workshop '{workshop.manifest.slug}' holds no text that could be indexed.")
    return kept


def _lost(scope: Scope) -> str:
    return (
        f"The index of workshop '{scope.workshop}' was given up while it was built: the workshop was removed, or this agent "
        f"was not heard of for {LEASE.total_seconds() / 60:.0f} minutes. Publish the workshop again."
    )


def _missing(scope: Scope, version: str | None) -> str:
    what = f"Version {version[:80]!r} of workshop" if version is not None else "Workshop"
    return f"{what} '{scope.workshop}' is not indexed. Publish the workshop; that indexes it."


def _check_length(rows: list[tuple[int, Chunk, Vector]], dimension: int, embedder: Embedder) -> None:
    found = next((len(vector) for _, _, vector in rows if len(vector) != dimension), None)
    if found is not None:
        raise ModelMismatchError(
            f"The index holds vectors of {dimension} numbers, and {embedder.model_id} gave one of {found}: they are of two "
            "models. The index that served before still serves; check that RAG_MODEL names one model, and index again."
        )


def _status(index: Index, model: str, form: Form) -> IndexStatus:
    return IndexStatus(
        workshop=index.workshop,
        version=index.version,
        chunks=index.chunks,
        model=index.model,
        indexed_at=index.indexed_at,
        active=index.active,
        current_model=index.model == model,
        current_form=index.form == form,
    )


def _passage(candidate: Candidate, shelf: Shelf | None) -> Passage:
    chunk = candidate.chunk
    document = shelf.documents[chunk.document] if shelf and chunk.document else None
    return Passage(
        workshop=None if document else chunk.workshop,
        step=None if document else chunk.step,
        step_title="" if document else chunk.step_title,
        document=document,
        file=chunk.file,
        first_line=chunk.first_line,
        last_line=chunk.last_line,
        heading=list(chunk.heading),
        kind=chunk.kind,
        text=chunk.text,
        commit=chunk.commit,
        source=SourcePlace(file=chunk.source_file or chunk.file, line=chunk.source_line or chunk.first_line),
        scores=PassageScores(dense=candidate.dense, bm25=candidate.bm25, fused=candidate.fused),
    )
