"""Deletes what is kept of participants once it is older than the workshop wants to keep it.

A turn counts by when it was asked; with the last turn of a conversation goes the conversation. Rows go in small batches, so
that nobody waits, and what another process holds is left to it: two processes at once do each other's work, and no harm.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from sqlalchemy import Select, Table, delete, exists, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog import get_logger

from shared_services.kit.database import storage_errors
from shared_services.kit.errors import PlatformError
from workshop_chat import metrics
from workshop_chat.tables import ConversationRow, ProgressRow, SessionRow, TurnRow

log = get_logger()

EVERY_SECONDS = 6 * 3600.0
BATCH = 200
PAUSE_SECONDS = 0.05


class Retention:
    """Keeps one workshop's rows no longer than wanted.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are deleted.
        days: How long rows are kept; 0 for ever.
        now: The clock.
        batch: How many rows one transaction deletes.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        workshop: str,
        days: int,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        batch: int = BATCH,
    ) -> None:
        self._engine = engine
        self._workshop = workshop
        self._days = days
        self._now = now
        self._batch = batch

    async def run(self) -> None:
        """Sweep now and every few hours, for ever; returns at once where rows are kept for ever."""
        while self._days:
            try:
                gone = await self.sweep()
            except (PlatformError, SQLAlchemyError) as error:
                # The rows are still there in a few hours, and nobody waits for this.
                log.warning("retention_failed", workshop=self._workshop, error=str(error)[:500])
            else:
                if any(gone.values()):
                    log.info("retention_swept", workshop=self._workshop, days=self._days, **gone)
            await anyio.sleep(EVERY_SECONDS)

    async def sweep(self) -> dict[str, int]:
        """Delete what is too old; how many rows of each kind.

        Raises:
            UnavailableError: The store does not answer. What was deleted by then stays deleted.
        """
        if not self._days:
            return {}
        oldest = self._now() - timedelta(days=self._days)
        turns, conversations = TurnRow.__table__, ConversationRow.__table__
        old_turn = (TurnRow.asked_at < oldest, TurnRow.state != "answering")
        empty = (
            ConversationRow.created_at < oldest,
            ~exists().where(TurnRow.conversation == ConversationRow.id),
        )
        old_session = (SessionRow.active_at < oldest, SessionRow.seen_at < oldest)
        old_progress = (
            ProgressRow.last_seen_at < oldest,
            or_(ProgressRow.checked_at.is_(None), ProgressRow.checked_at < oldest),
        )
        gone = {
            "turns": await self._delete(turns, old_turn),
            "conversations": await self._delete(conversations, empty),
            "sessions": await self._delete(SessionRow.__table__, old_session),
            "steps": await self._delete(ProgressRow.__table__, old_progress),
        }
        for kind, count in gone.items():
            if count:
                metrics.EXPIRED.labels(self._workshop, kind).inc(count)
        return gone

    async def _delete(self, table: Any, old: tuple[Any, ...]) -> int:
        total = 0
        while True:
            with storage_errors():
                async with self._engine.begin() as connection:
                    chosen, gone = await self._delete_batch(connection, table, old)
            total += gone
            if chosen < self._batch:
                return total
            await anyio.sleep(PAUSE_SECONDS)

    async def _delete_batch(self, connection: AsyncConnection, table: Table, old: tuple[Any, ...]) -> tuple[int, int]:
        """One batch: how many rows were chosen, and how many of them were still old when they were held."""
        key = list(table.primary_key.columns)
        chosen: Select[Any] = select(*key).where(table.c.workshop == self._workshop, *old).limit(self._batch)
        rows = [tuple(row) for row in (await connection.execute(chosen.with_for_update(skip_locked=True))).all()]
        if not rows:
            return 0, 0
        # Asked again while the rows are held: a conversation may have got a turn since.
        doomed = delete(table).where(tuple_(*key).in_(rows), *old)
        return len(rows), (await connection.execute(doomed)).rowcount


@asynccontextmanager
async def running(retention: Retention) -> AsyncIterator[None]:
    """Sweep in the background while the block lasts."""
    # Not a task group: apps that share a process stop in any order, and a cancel scope must end in the order of its beginning.
    task = asyncio.create_task(retention.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
