"""Bookkeeping of the indexes, in the relational store: which collection holds which version of a workshop, and which serves.

A row is written before its collection is made and says `built` only when the collection is whole. While it is built, its
agent touches it now and then; one that was not touched for `LEASE` belongs to an agent that is gone. A row says `dropping`
before its collection is dropped and is removed afterwards. So whatever a crash leaves behind is named here, and agents that
share the table leave each other's work alone.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import DateTime, String, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from agents.rag.form import Form
from shared_services.kit.database import MigrationSet, storage_errors

MIGRATIONS = MigrationSet("rag", Path(__file__).parent / "migrations")

MOST_WAITING = timedelta(hours=1)
"""How long a built index is kept for a publisher that has yet to make it the one that serves."""

LEASE = timedelta(minutes=10)
"""How long a build may go untouched; longer than any one request to the model or the store."""

_TURN = text(
    "INSERT INTO rag_turns (workshop, turn) VALUES (:workshop, 1) ON CONFLICT (workshop) DO UPDATE SET turn = rag_turns.turn + 1"
)


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
    agent: Mapped[str] = mapped_column(String(32), default="")
    touched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    dropping: Mapped[bool] = mapped_column(default=False)


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
    """The table of indexes. Every method is one transaction.

    Args:
        agent: Tells this process from others that share the table; made up where none is given.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], agent: str = "") -> None:
        self._sessions = sessions
        self._agent = agent or uuid.uuid4().hex

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
            agent=self._agent,
            touched_at=datetime.now(UTC),
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                session.add(row)

    async def touch(self, collection: str) -> bool:
        """Note that a collection is still being built; False when it was taken away meanwhile."""
        mine = update(IndexRow).where(IndexRow.collection == collection, IndexRow.agent == self._agent, ~IndexRow.dropping)
        with storage_errors():
            async with self._sessions.begin() as session:
                done = await session.execute(mine.values(touched_at=datetime.now(UTC)).returning(IndexRow.collection))
                return done.first() is not None

    async def finish(self, collection: str, workshop: str, chunks: int) -> list[Index] | None:
        """Note that a collection is whole; it takes the place of an older one of the same version, serving if that one served.

        Returns:
            The indexes that it replaced, to be dropped; None when the collection was taken away meanwhile.
        """
        async with self._turn(workshop) as session:
            # who looks for abandoned builds waits for this row, and then finds it built
            row = await session.get(IndexRow, collection, with_for_update=True)
            if row is None or row.dropping or row.agent != self._agent:
                return None
            same = select(IndexRow).where(
                IndexRow.workshop == workshop,
                IndexRow.version == row.version,
                IndexRow.built,
                IndexRow.collection != collection,
            )
            replaced = list(await session.scalars(same))
            active = any(old.active for old in replaced)
            _give_up(replaced)
            # the places that are unique are left before they are taken
            await session.flush()
            row.built = True
            row.active = active
            row.chunks = chunks
            row.indexed_at = row.waiting_since = datetime.now(UTC)
            return [_index(old) for old in replaced]

    async def expect(self, collection: str) -> bool:
        """Note that a publisher who found a collection built is about to make it the one that serves; False when it is gone."""
        waits = update(IndexRow).where(IndexRow.collection == collection, IndexRow.built)
        with storage_errors():
            async with self._sessions.begin() as session:
                done = await session.execute(waits.values(waiting_since=datetime.now(UTC)).returning(IndexRow.collection))
                return done.first() is not None

    async def activate(self, workshop: str, version: str) -> list[Index] | None:
        """Make a built version the one that serves.

        The version that served before is kept, so that readers who still name it are answered; so is one that another
        publisher has just built and will activate next.

        Returns:
            The indexes that are no longer needed, to be dropped; None when the version is not built.
        """
        async with self._turn(workshop) as session:
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
            for row in rows:
                row.active = False
            _give_up(dropped)
            await session.flush()
            chosen.active = True
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

    async def forget_missing(self, collection: str) -> None:
        """Remove the row of a built index whose collection is lost; one that someone is dropping stays."""
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(delete(IndexRow).where(IndexRow.collection == collection, IndexRow.built))

    async def abandoned(self, lease: timedelta = LEASE) -> list[Index]:
        """What is to be dropped: what was marked and not yet dropped, and what an agent was building that is gone.

        Args:
            lease: How long a build may go untouched; none at all where no other agent can be building.
        """
        since = datetime.now(UTC) - lease
        unbuilt = update(IndexRow).where(~IndexRow.built, ~IndexRow.dropping)
        stale = unbuilt.where(or_(IndexRow.touched_at.is_(None), IndexRow.touched_at <= since))
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(stale.values(dropping=True))
                return [_index(row) for row in await session.scalars(select(IndexRow).where(IndexRow.dropping))]

    async def give_up(self, collection: str) -> None:
        """Mark a collection to be dropped."""
        marked = update(IndexRow).where(IndexRow.collection == collection)
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(marked.values(built=False, active=False, dropping=True))

    async def forget_workshop(self, workshop: str) -> list[Index]:
        """Mark everything of a workshop, and return it to be dropped; also what another agent is building."""
        async with self._turn(workshop) as session:
            rows = list(await session.scalars(select(IndexRow).where(IndexRow.workshop == workshop)))
            _give_up(rows)
            await session.execute(text("DELETE FROM rag_turns WHERE workshop = :workshop"), {"workshop": workshop})
            return [_index(row) for row in rows]

    @asynccontextmanager
    async def _turn(self, workshop: str) -> AsyncIterator[AsyncSession]:
        """A transaction that no other of the same workshop overlaps, on this agent or another.

        Its first statement writes: that locks the workshop's row on PostgreSQL, and all of SQLite, before anything is read.
        """
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(_TURN, {"workshop": workshop})
                yield session


def _give_up(rows: list[IndexRow]) -> None:
    for row in rows:
        row.built = row.active = False
        row.dropping = True


def _waits(row: IndexRow, since: datetime) -> bool:
    return row.waiting_since is not None and _aware(row.waiting_since) > since


def _aware(at: datetime) -> datetime:
    """SQLite gives times without their zone; they are in UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _index(row: IndexRow) -> Index:
    at = _aware(row.indexed_at)
    form = Form(row.form, row.terms_form, row.rows_form)
    return Index(row.collection, row.workshop, row.version, row.chunks, row.model, form, at, row.active, row.built)
