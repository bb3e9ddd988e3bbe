"""Bookkeeping of shared documents, in the relational store: it alone decides which revision of a document is read, and by whom.

A revision is a row with a number of its own, which its passages carry in the vector store. It is `building` until all of
them are there, then `current` by one transaction that makes its predecessor `retired`; a retired or abandoned one is
forgotten once its passages are deleted. What no current row names is invisible.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched

from sqlalchemy import JSON, ColumnElement, DateTime, String, Text, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, deferred, mapped_column

from agents.rag.form import Form
from agents.rag.repository import Base
from shared_services.contracts.rag import DocumentFormat
from shared_services.kit.database import storage_errors
from shared_services.kit.errors import ConflictError

BUILDING = "building"
CURRENT = "current"
RETIRED = "retired"

NOT_YET = datetime.min.replace(tzinfo=UTC)

_MOST_VALUES = 500


class ShelfRow(Base):
    """The collection of all shared documents that one model indexed."""

    __tablename__ = "rag_shelves"

    collection: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200))
    rows_form: Mapped[int]
    generation: Mapped[int]


class DocumentRow(Base):
    """One revision of a shared document."""

    __tablename__ = "rag_documents"
    __table_args__ = {"sqlite_autoincrement": True}

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(63))
    title: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON)
    content_focus: Mapped[str | None] = mapped_column(String(63))
    format: Mapped[str] = mapped_column(String(20))
    file: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = deferred(mapped_column(Text))
    chunks: Mapped[int]
    collection: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    reading: Mapped[int]
    chunking: Mapped[int]
    terms_form: Mapped[int]
    rows_form: Mapped[int]
    indexed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(String(10))


@dataclass(frozen=True)
class Revision:
    """One revision of a document, its text aside.

    Attributes:
        number: 0 for one that is not stored yet.
        tags: Sorted.
        reading: The version of the reader that its text comes from.
        form: What it was indexed by.
    """

    id: str
    title: str
    tags: tuple[str, ...]
    content_focus: str | None
    format: DocumentFormat
    file: str
    sha256: str
    chunks: int
    collection: str
    model: str
    reading: int
    form: Form
    number: int = 0
    indexed_at: datetime = NOT_YET


@dataclass(frozen=True)
class StoredShelf:
    """A shelf's collection, how often its documents have changed, and the model of its vectors."""

    collection: str
    generation: int
    model: str


class DocumentRepository:
    """The tables of shared documents. Every method is one transaction."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def shelf(self, model: str, form: Form) -> StoredShelf | None:
        """The shelf of a model."""
        query = select(ShelfRow).where(ShelfRow.model == model, ShelfRow.rows_form == form.rows)
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(query)
        return None if row is None else StoredShelf(row.collection, row.generation, row.model)

    async def shelves(self) -> list[StoredShelf]:
        """Every model's shelf, the newest form first."""
        with storage_errors():
            async with self._sessions() as session:
                rows = await session.scalars(select(ShelfRow).order_by(ShelfRow.rows_form.desc(), ShelfRow.collection))
                return [StoredShelf(row.collection, row.generation, row.model) for row in rows]

    async def add_shelf(self, collection: str, model: str, form: Form) -> None:
        """Note a shelf whose collection is about to be made.

        Raises:
            ConflictError: Another process makes one for this model.
        """
        try:
            with storage_errors():
                async with self._sessions.begin() as session:
                    session.add(ShelfRow(collection=collection, model=model, rows_form=form.rows, generation=0))
        except IntegrityError as error:
            raise ConflictError("Another process changes the shared documents. Try again in a moment.") from error

    async def collections(self) -> set[str]:
        """The collections of all shelves."""
        with storage_errors():
            async with self._sessions() as session:
                return set(await session.scalars(select(ShelfRow.collection)))

    async def empty_shelves(self, *, unused: bool) -> list[str]:
        """Collections of shelves that no revision stands on, whatever its state; such as none ever stood on where `unused`."""
        query = select(ShelfRow.collection).where(ShelfRow.collection.not_in(select(DocumentRow.collection)))
        query = query if unused else query.where(ShelfRow.generation > 0)
        with storage_errors():
            async with self._sessions() as session:
                return list(await session.scalars(query))

    async def forget_shelf(self, collection: str) -> None:
        """Remove the row of a shelf."""
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(delete(ShelfRow).where(ShelfRow.collection == collection))

    async def current(self, collection: str | None = None) -> list[Revision]:
        """The current revision of every document, by id; of those on one shelf where `collection` is given."""
        query = select(DocumentRow).where(DocumentRow.state == CURRENT).order_by(DocumentRow.id)
        query = query if collection is None else query.where(DocumentRow.collection == collection)
        with storage_errors():
            async with self._sessions() as session:
                return [_revision(row) for row in await session.scalars(query)]

    async def find(self, document: str) -> Revision | None:
        """The current revision of one document."""
        query = select(DocumentRow).where(DocumentRow.id == document, DocumentRow.state == CURRENT)
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(query)
        return None if row is None else _revision(row)

    async def text(self, document: str) -> str | None:
        """The text of a document's current revision."""
        query = select(DocumentRow.text).where(DocumentRow.id == document, DocumentRow.state == CURRENT)
        with storage_errors():
            async with self._sessions() as session:
                found: str | None = await session.scalar(query)
        return found

    async def begin(self, revision: Revision, text: str) -> int:
        """Note a revision whose passages are about to be indexed, and return its number."""
        row = DocumentRow(
            id=revision.id,
            title=revision.title,
            tags=list(revision.tags),
            content_focus=revision.content_focus,
            format=revision.format,
            file=revision.file,
            sha256=revision.sha256,
            text=text,
            chunks=revision.chunks,
            collection=revision.collection,
            model=revision.model,
            reading=revision.reading,
            chunking=revision.form.chunking,
            terms_form=revision.form.terms,
            rows_form=revision.form.rows,
            indexed_at=datetime.now(UTC),
            state=BUILDING,
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                return row.number

    async def flip(self, numbers: Sequence[int]) -> list[Revision]:
        """Make built revisions the current ones, all at once; their predecessors are retired.

        Raises:
            ConflictError: One of them is gone, or another process published the same document just now.
        """
        now = datetime.now(UTC)
        try:
            with storage_errors():
                async with self._sessions.begin() as session:
                    rows: list[DocumentRow] = []
                    for some in _some(numbers):
                        query = select(DocumentRow).where(DocumentRow.number.in_(some), DocumentRow.state == BUILDING)
                        rows += await session.scalars(query)
                    collections = {row.collection for row in rows}
                    shelves = set(await session.scalars(select(ShelfRow.collection)))
                    if len(rows) != len(numbers) or not collections <= shelves:
                        raise _conflict()
                    for ids in _some([row.id for row in rows]):
                        collections |= await _retire(session, DocumentRow.id.in_(ids))
                    for some in _some(numbers):
                        chosen = update(DocumentRow).where(DocumentRow.number.in_(some))
                        await session.execute(chosen.values(state=CURRENT, indexed_at=now))
                    await _count(session, collections)
        except IntegrityError as error:
            raise _conflict() from error
        return sorted((_revision(row) for row in rows), key=lambda revision: revision.id)

    async def retire(self, document: str) -> bool:
        """Make a document invisible; whether there was one."""
        with storage_errors():
            async with self._sessions.begin() as session:
                collections = await _retire(session, DocumentRow.id == document)
                await _count(session, collections)
                return bool(collections)

    async def left_over(self, *, building_for: timedelta | None = None) -> list[tuple[int, str]]:
        """Number and collection of each retired revision, and of each that has been building for so long at least."""
        stale = DocumentRow.state == RETIRED
        if building_for is not None:
            begun = DocumentRow.indexed_at <= datetime.now(UTC) - building_for
            stale |= (DocumentRow.state == BUILDING) & begun
        query = select(DocumentRow.number, DocumentRow.collection).where(stale)
        with storage_errors():
            async with self._sessions() as session:
                return [(number, collection) for number, collection in await session.execute(query)]

    async def forget(self, numbers: Iterable[int]) -> None:
        """Remove the rows of revisions that are not current."""
        with storage_errors():
            async with self._sessions.begin() as session:
                for some in _some(list(numbers)):
                    await session.execute(delete(DocumentRow).where(DocumentRow.number.in_(some), DocumentRow.state != CURRENT))


def _conflict() -> ConflictError:
    return ConflictError("Another process published the same shared documents meanwhile. Post them again.")


def _some[T](values: Sequence[T]) -> Iterator[tuple[T, ...]]:
    return batched(values, _MOST_VALUES)


async def _retire(session: AsyncSession, which: ColumnElement[bool]) -> set[str]:
    meant = which & (DocumentRow.state == CURRENT)
    collections = set(await session.scalars(select(DocumentRow.collection).where(meant)))
    await session.execute(update(DocumentRow).where(meant).values(state=RETIRED).execution_options(synchronize_session=False))
    return collections


async def _count(session: AsyncSession, collections: Iterable[str]) -> None:
    changed = update(ShelfRow).where(ShelfRow.collection.in_(list(collections)))
    await session.execute(changed.values(generation=ShelfRow.generation + 1).execution_options(synchronize_session=False))


def _revision(row: DocumentRow) -> Revision:
    at = row.indexed_at if row.indexed_at.tzinfo else row.indexed_at.replace(tzinfo=UTC)
    known: DocumentFormat = row.format  # type: ignore[assignment]
    return Revision(
        id=row.id,
        title=row.title,
        tags=tuple(row.tags),
        content_focus=row.content_focus,
        format=known,
        file=row.file,
        sha256=row.sha256,
        chunks=row.chunks,
        collection=row.collection,
        model=row.model,
        reading=row.reading,
        form=Form(row.chunking, row.terms_form, row.rows_form),
        number=row.number,
        indexed_at=at,
    )
