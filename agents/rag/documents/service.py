"""Shared documents: read, indexed and forgotten by those who look after them, and shown to the workshops whose context allows it.

A new revision is indexed under a number of its own beside the one that is read meanwhile; one transaction in the
bookkeeping makes it the current one. Searches name the numbers that they may read, so what a crash leaves is never seen,
and `recover` deletes it at the next start.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import anyio
from structlog import get_logger

from agents.rag.documents.chunks import chunk_document
from agents.rag.documents.errors import DocumentNotFoundError, UnreadableError
from agents.rag.documents.formats import READING_VERSION, Reading, read_document
from agents.rag.documents.intake import LIMITS, Limits, Posted, ids_of, unpacked
from agents.rag.documents.repository import DocumentRepository, Revision, StoredShelf
from agents.rag.documents.shelf import Shelf
from agents.rag.documents.shelving import Count, Draft, Progress, Shelving, no_progress
from agents.rag.embedder import Embedder
from agents.rag.form import CURRENT_FORM, Form
from agents.rag.scope import Scope, SharedScope, checked_slug, visible_focus
from agents.rag.store import VectorStore
from shared_services.contracts.rag import DocumentRef, RefusedDocument, SharedDocument, SharedDocumentsReport
from shared_services.kit.errors import BadInputError
from shared_services.kit.tokens import Claims

log = get_logger()

MOST_TAGS = 50
MOST_CONTEXTS = 500
MOST_SHELVES = 8


def _nobody(_collection: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Labels:
    """Who is to see a document."""

    tags: tuple[str, ...]
    content_focus: str | None

    @classmethod
    def of(cls, tags: Iterable[str], content_focus: str | None) -> "Labels":
        """Tags and focus, in lower case and checked.

        Raises:
            BadInputError: One is no id, or there is no tag, or there are too many.
        """
        normal = sorted({checked_slug(tag.strip().lower(), "The tag") for tag in tags if tag.strip()})
        if not normal:
            raise BadInputError("Name at least one tag: a document without one is seen by no workshop.")
        if len(normal) > MOST_TAGS:
            raise BadInputError(f"A document has at most {MOST_TAGS} tags; these are {len(normal)}.")
        focus = (content_focus or "").strip().lower()
        return cls(tuple(normal), checked_slug(focus, "The content focus") if focus else None)


@dataclass
class _Known:
    """The documents of a shelf as they were at one generation, and what each context sees of them."""

    collection: str
    generation: int
    model: str
    documents: list[Revision]
    shelves: dict[tuple[frozenset[str], str | None], Shelf | None] = field(default_factory=dict)

    def seen_by(self, scope: Scope) -> Shelf | None:
        """What a workshop sees."""
        context = (scope.tags, scope.content_focus)
        if context not in self.shelves:
            if len(self.shelves) >= MOST_CONTEXTS:
                self.shelves.clear()
            seen = {
                one.number: DocumentRef(id=one.id, title=one.title)
                for one in self.documents
                if not scope.tags.isdisjoint(one.tags) and visible_focus(one.content_focus, scope.content_focus)
            }
            self.shelves[context] = Shelf(self.collection, self.generation, seen, self.model) if seen else None
        return self.shelves[context]


class DocumentsService:
    """One store, one model, one table of documents.

    Args:
        batch: Chunks embedded at once; a search waits for at most one such batch.
        form: What documents are indexed by; one of another form is indexed anew when it is posted again.
        limits: How much one request may bring.
        alone: No other process writes to this store.
        dropped: Told each collection that is gone, for who keeps something of it in memory.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        documents: DocumentRepository,
        *,
        batch: int = 8,
        form: Form = CURRENT_FORM,
        limits: Limits = LIMITS,
        alone: bool = True,
        dropped: Callable[[str], None] = _nobody,
    ) -> None:
        self._documents = documents
        self._shelving = Shelving(store, embedder, documents, batch=batch, form=form, alone=alone, dropped=dropped)
        self._form = form
        self._limits = limits
        self._writing = anyio.Lock()
        self._known: dict[str, _Known] = {}

    async def recover(self) -> set[str]:
        """Put bookkeeping and store in agreement after a crash; called once, before anything else.

        Returns:
            The collections that shared documents need.
        """
        async with self._writing:
            await self._shelving.recover()
            return await self._documents.collections()

    async def add(
        self,
        claims: Claims,
        files: Sequence[Posted],
        tags: Iterable[str],
        content_focus: str | None = None,
        progress: Progress = no_progress,
    ) -> SharedDocumentsReport:
        """Take documents, each a file or a member of an archive. All that can be read become visible together, or none does.

        A document takes the place of one with the same id. One that is there already, just so, is left as it is; of a
        changed one, only the chunks are embedded whose embedded text its old revision does not hold.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
            BadInputError: A tag is no id, an archive is damaged, or nothing was posted.
            TooLargeError: A limit is passed.
            ModelUnavailableError: The model cannot be loaded; what was visible stays so, here and below.
            StoreUnavailableError: The store does not answer.
            StorageFullError: The disk is full.
            ConflictError: Another process published the same documents meanwhile.
        """
        SharedScope.whole(claims, ())
        labels = Labels.of(tags, content_focus)
        posted, refused = await self._shelving.run(unpacked, files, self._limits)
        if not posted and not refused:
            raise BadInputError("There is no document in what was posted.")
        async with self._writing:
            model = await self._shelving.model()
            held = await self._documents.current()
            ids = ids_of((file.path for file in posted), {document.file: document.id for document in held})
            by_id = {document.id: document for document in held}
            collection = await self._shelving.shelf(model) if posted else ""
            drafts: list[Draft] = []
            unchanged: list[str] = []
            try:
                for file in posted:
                    try:
                        draft = await self._draft(file, ids[file.path], labels, by_id.get(ids[file.path]), model, collection)
                    except UnreadableError as error:
                        refused.append(RefusedDocument(file=file.path, detail=str(error)))
                        continue
                    if draft is None:
                        unchanged.append(ids[file.path])
                    else:
                        drafts.append(draft)
                count = Count(sum(len(draft.chunks) for draft in drafts), progress)
                await progress(0, count.total)
                indexed = await self._shelving.publish(claims, collection, drafts, count)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._shelving.tidied()
        log.info("rag_documents_added", indexed=len(indexed), unchanged=len(unchanged), refused=len(refused))
        return SharedDocumentsReport(
            indexed=[_wire(revision) for revision in indexed],
            unchanged=sorted(unchanged),
            refused=sorted(refused, key=lambda row: row.file),
            embedded=count.embedded,
        )

    async def listed(self, claims: Claims, tags: Collection[str] = ()) -> list[SharedDocument]:
        """Every document, by id; those with one of `tags` where any is given.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
        """
        SharedScope.whole(claims, ())
        found = await self._documents.current()
        return [_wire(document) for document in found if not tags or not set(tags).isdisjoint(document.tags)]

    async def get(self, claims: Claims, document: str) -> SharedDocument:
        """One document.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
            DocumentNotFoundError: There is none of this id.
        """
        SharedScope.whole(claims, ())
        found = await self._documents.find(document)
        if found is None:
            raise _missing(document)
        return _wire(found)

    async def text(self, claims: Claims, document: str) -> str:
        """The text whose lines a document's citations count.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
            DocumentNotFoundError: There is none of this id.
        """
        SharedScope.whole(claims, ())
        found = await self._documents.text(document)
        if found is None:
            raise _missing(document)
        return found

    async def remove(self, claims: Claims, document: str) -> None:
        """Forget a document: no search sees it from now on, and its rows are deleted.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
            DocumentNotFoundError: There is none of this id.
        """
        SharedScope.whole(claims, ())
        async with self._writing:
            if not await self._documents.retire(document):
                raise _missing(document)
            await self._shelving.tidy()
        log.info("rag_document_removed", document=document)

    async def reindex(self, claims: Claims, progress: Progress = no_progress) -> int:
        """Index with the embedder's model, and in today's form, every document that is not; they change over together.

        Returns:
            How many were.

        Raises:
            ForbiddenError: The caller does not look after shared documents.
            ModelUnavailableError: The model cannot be loaded; what was visible stays so, here and below.
            StoreUnavailableError: The store does not answer.
            StorageFullError: The disk is full.
        """
        SharedScope.whole(claims, ())
        async with self._writing:
            model = await self._shelving.model()
            shelf = await self._documents.shelf(model, self._form)
            here = shelf.collection if shelf else None
            old = [one for one in await self._documents.current() if (one.collection, one.form) != (here, self._form)]
            count = Count(sum(document.chunks for document in old), progress)
            await progress(0, count.total)
            if not old:
                return 0
            collection = await self._shelving.shelf(model)
            drafts = []
            try:
                for document in old:
                    text = await self._documents.text(document.id) or ""
                    reading = Reading(document.format, document.title, text)
                    try:
                        drafts.append(await self._drafted(document, reading, document, model, collection))
                    except UnreadableError as error:
                        log.warning("rag_document_left", document=document.id, reason=str(error))
                count.total = sum(len(draft.chunks) for draft in drafts)
                await self._shelving.publish(claims, collection, drafts, count)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._shelving.tidied()
        log.info("rag_documents_reindexed", documents=len(drafts), model=model)
        return len(drafts)

    async def visible(self, scope: Scope, model: str) -> Shelf | None:
        """The documents whose tags meet the scope's and whose focus fits; None where there are none.

        Those indexed with `model`, or, where there are none, those that another model has indexed and nobody yet anew.
        """
        if not scope.tags:
            return None
        shelves = sorted(await self._documents.shelves(), key=lambda shelf: shelf.model != model)
        for shelf in shelves:
            seen = (await self._known_of(shelf)).seen_by(scope)
            if seen is not None:
                return seen
        return None

    async def _known_of(self, shelf: StoredShelf) -> _Known:
        known = self._known.get(shelf.collection)
        if known is None or known.generation != shelf.generation:
            # the documents are read after the number, so they may be newer than it says, and never older
            documents = await self._documents.current(shelf.collection)
            known = self._known[shelf.collection] = _Known(shelf.collection, shelf.generation, shelf.model, documents)
            while len(self._known) > MOST_SHELVES:
                self._known.pop(next(iter(self._known)))
        return known

    async def _draft(
        self, file: Posted, document: str, labels: Labels, old: Revision | None, model: str, collection: str
    ) -> Draft | None:
        """What is to be indexed of a file; None where it is there already."""
        sha256 = hashlib.sha256(file.raw).hexdigest()
        same = old is not None and (old.sha256, old.file, old.reading) == (sha256, file.path, READING_VERSION)
        if old is not None and same:
            if (old.tags, old.content_focus, old.collection, old.form) == (
                labels.tags,
                labels.content_focus,
                collection,
                self._form,
            ):
                return None
            text = await self._documents.text(document)
            reading = Reading(old.format, old.title, text or "")
        else:
            reading = await self._shelving.run(read_document, file.path, file.raw)
        new = Revision(
            id=document,
            title=reading.title,
            tags=labels.tags,
            content_focus=labels.content_focus,
            format=reading.format,
            file=file.path,
            sha256=sha256,
            chunks=0,
            collection=collection,
            model=model,
            reading=READING_VERSION,
            form=self._form,
        )
        return await self._drafted(new, reading, old, model, collection)

    async def _drafted(self, about: Revision, reading: Reading, old: Revision | None, model: str, collection: str) -> Draft:
        chunks = await self._shelving.run(chunk_document, about.file, reading)
        new = replace(about, chunks=len(chunks), collection=collection, model=model, form=self._form)
        return Draft(new, reading.text, chunks, old)


def _missing(document: str) -> DocumentNotFoundError:
    return DocumentNotFoundError(f"There is no shared document {document[:80]!r}. `workshop documents list` names them all.")


def _wire(revision: Revision) -> SharedDocument:
    return SharedDocument(
        id=revision.id,
        title=revision.title,
        tags=list(revision.tags),
        content_focus=revision.content_focus,
        format=revision.format,
        file=revision.file,
        sha256=revision.sha256,
        chunks=revision.chunks,
        model=revision.model,
        indexed_at=revision.indexed_at,
    )
