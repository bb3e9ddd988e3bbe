"""Bookkeeping of the indexes, in the relational store: which collection holds which version of a workshop, and which serves.

A row is written before its collection is made and says `built` only when the collection is whole. What no built row
names is left over from a crash and may be dropped.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from agents.rag.form import Form
from shared_services.kit.database import storage_errors

MOST_WAITING = timedelta(hours=1)
"""How long a built index is kept for a publisher that has yet to make it the one that serves."""


class Base(DeclarativeBase):
    """The RAG agent's tables."""


class IndexRow(Base):
    """One index: a version of a workshop in a collection of its own."""

    __tablename__ = "rag_indexes"

    collection: Mapped[str] = mapped_column(String(64), primary_key=True)
    workshop: Mapped[str] = mapped_column(String(63), index=True)
    version: Mapped[str] = mapped_column(String(200))
    chunks: Mapped[int]
    model: Mapped[str] = mapped_column(String(200))
    form: Mapped[int]
    terms_form: Mapped[int]
    rows_form: Mapped[int]
    indexed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    active: Mapped[bool]
    built: Mapped[bool]
    waiting_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Index:
    """One index, as the rest of the room sees it."""

    collection: str
    workshop: str
    version: str
    chunks: int
    model: str
    form: Form
    indexed_at: datetime
    active: bool
    built: bool


class IndexRepository:
    """The table of indexes. Every method is one transaction."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def begin(self, collection: str, workshop: str, version: str, model: str, form: Form) -> None:
        """Note that a collection is being built."""
        row = IndexRow(
            collection=collection,
            workshop=workshop,
            version=version,
            chunks=0,
            model=model,
            form=form.chunking,
            terms_form=form.terms,
            rows_form=form.rows,
            indexed_at=datetime.now(UTC),
            active=False,
            built=False,
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                session.add(row)

    async def finish(self, collection: str, chunks: int) -> list[Index]:
        """Note that a collection is whole; it takes the place of an older one of the same version, serving if that one served.

        Returns:
            The indexes that it replaced, whose rows are gone now.
        """
        with storage_errors():
            async with self._sessions.begin() as session:
                row = await session.get_one(IndexRow, collection)
                same = select(IndexRow).where(
                    IndexRow.workshop == row.workshop,
                    IndexRow.version == row.version,
                    IndexRow.built,
                    IndexRow.collection != collection,
                )
                replaced = list(await session.scalars(same))
                row.built = True
                row.chunks = chunks
                row.indexed_at = row.waiting_since = datetime.now(UTC)
                row.active = any(old.active for old in replaced)
                for old in replaced:
                    await session.delete(old)
                return [_index(old) for old in replaced]

    async def expect(self, collection: str) -> None:
        """Note that a publisher who found a collection built is about to make it the one that serves."""
        with storage_errors():
            async with self._sessions.begin() as session:
                now = datetime.now(UTC)
                await session.execute(update(IndexRow).where(IndexRow.collection == collection).values(waiting_since=now))

    async def activate(self, workshop: str, version: str) -> list[Index] | None:
        """Make a built version the one that serves.

        The version that served before is kept, so that readers who still name it are answered; so is one that another
        publisher has just built and will activate next.

        Returns:
            The indexes that are no longer needed, whose rows are gone now; None when the version is not built.
        """
        with storage_errors():
            async with self._sessions.begin() as session:
                rows = list(await session.scalars(select(IndexRow).where(IndexRow.workshop == workshop, IndexRow.built)))
                chosen = next((row for row in rows if row.version == version), None)
                if chosen is None:
                    return None
                chosen.waiting_since = None
                if chosen.active:
                    return []
                since = datetime.now(UTC) - MOST_WAITING
                kept = {chosen.collection} | {row.collection for row in rows if row.active or _waits(row, since)}
                dropped = [row for row in rows if row.collection not in kept]
                await session.execute(update(IndexRow).where(IndexRow.workshop == workshop).values(active=False))
                chosen.active = True
                for row in dropped:
                    await session.delete(row)
                return [_index(row) for row in dropped]

    async def find(self, workshop: str, version: str | None) -> Index | None:
        """The built index of a version, or the one that serves where `version` is None."""
        query = select(IndexRow).where(IndexRow.workshop == workshop, IndexRow.built)
        query = query.where(IndexRow.active) if version is None else query.where(IndexRow.version == version)
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(query)
        return None if row is None else _index(row)

    async def newest(self, workshop: str) -> Index | None:
        """The index built last, serving or not."""
        query = select(IndexRow).where(IndexRow.workshop == workshop, IndexRow.built).order_by(IndexRow.indexed_at.desc())
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(query.limit(1))
        return None if row is None else _index(row)

    async def built(self, workshop: str | None = None) -> list[Index]:
        """Every built index, or those of one workshop; the newest first."""
        query = select(IndexRow).where(IndexRow.built).order_by(IndexRow.indexed_at.desc())
        query = query if workshop is None else query.where(IndexRow.workshop == workshop)
        with storage_errors():
            async with self._sessions() as session:
                return [_index(row) for row in await session.scalars(query)]

    async def forget(self, collection: str) -> None:
        """Remove the row of a collection."""
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(delete(IndexRow).where(IndexRow.collection == collection))

    async def forget_unbuilt(self) -> None:
        """Remove the rows of collections that were never finished."""
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(delete(IndexRow).where(~IndexRow.built))

    async def forget_workshop(self, workshop: str) -> list[Index]:
        """Remove every row of a workshop, and return what they said."""
        with storage_errors():
            async with self._sessions.begin() as session:
                rows = list(await session.scalars(select(IndexRow).where(IndexRow.workshop == workshop)))
                for row in rows:
                    await session.delete(row)
                return [_index(row) for row in rows]


def _waits(row: IndexRow, since: datetime) -> bool:
    return row.waiting_since is not None and _aware(row.waiting_since) > since


def _aware(at: datetime) -> datetime:
    """SQLite gives times without their zone; they are in UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _index(row: IndexRow) -> Index:
    at = _aware(row.indexed_at)
    form = Form(row.form, row.terms_form, row.rows_form)
    return Index(row.collection, row.workshop, row.version, row.chunks, row.model, form, at, row.active, row.built)
