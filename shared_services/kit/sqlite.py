"""SQLite in a thread of its own, one visit to that thread for each statement.

The driver visits its thread to make a cursor, to execute, to fetch and to close, and again to end a transaction that was never
begun; each visit wakes two threads, which costs several times what a short statement does.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECTIONS = 15


class WholeCursor:
    """A cursor that holds all rows of its statement; made and closed where the statement runs."""

    def __init__(self, connection: "WholeConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def execute(self, sql: str, parameters: Any = ()) -> "WholeCursor":
        """Run a statement and fetch what it gives."""
        self._take(await self._connection.visit(_run, sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> "WholeCursor":
        """Run a statement once for each of `parameters`."""
        self._take(await self._connection.visit(_run_many, sql, parameters))
        return self

    def _take(self, ran: tuple[Any, int | None, int, list[Any]]) -> None:
        self.description, self.lastrowid, self.rowcount, self._rows = ran

    async def fetchall(self) -> Sequence[Any]:
        """The rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open."""


class WholeConnection(aiosqlite.Connection):
    """A connection whose cursors are `WholeCursor`s."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # A process that ends does not wait for it.
        self._thread.daemon = True
        # Each is counted by one thread alone, the first by the one that asks, the second by the connection's.
        self._asked = self._done = 0

    async def visit(self, run: Callable[..., Any], *given: Any) -> Any:
        """What `run` makes of the connection, in its thread."""
        return await self._execute(run, self._conn, *given)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._asked += 1
        return await super()._execute(self._count, partial(fn, *args, **kwargs))  # type: ignore[no-untyped-call]

    def _count(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            self._done += 1

    @property
    def _at_rest(self) -> bool:
        """Whether no transaction is open. A caller who was cancelled may have left a statement that still runs, or will."""
        return self._asked == self._done and not self._conn.in_transaction

    async def cursor(self) -> Any:  # type: ignore[override]
        """A cursor; nothing happens in the thread yet."""
        return WholeCursor(self)

    async def commit(self) -> None:
        """Commit, where there is a transaction."""
        if not self._at_rest:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, where there is a transaction."""
        if not self._at_rest:
            await super().rollback()


def _run(connection: sqlite3.Connection, sql: str, parameters: Any) -> tuple[Any, int | None, int, list[Any]]:
    cursor = connection.execute(sql, parameters)
    try:
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.lastrowid, cursor.rowcount, rows
    finally:
        cursor.close()


def _run_many(
    connection: sqlite3.Connection, sql: str, parameters: Iterable[Sequence[Any]]
) -> tuple[Any, int | None, int, list[Any]]:
    cursor = connection.executemany(sql, parameters)
    try:
        return None, cursor.lastrowid, cursor.rowcount, []
    finally:
        cursor.close()


def create_sqlite_engine(path: str, busy_seconds: float) -> AsyncEngine:
    """An engine on a file, or on memory where `path` is SQLAlchemy's name for that.

    Args:
        path: What follows `sqlite://` in an address.
        busy_seconds: How long a statement waits for another connection's transaction.
    """

    def connect(*given: Any, **options: Any) -> WholeConnection:
        return WholeConnection(partial(sqlite3.connect, *given, **options))

    given: dict[str, Any] = {"timeout": busy_seconds, "async_creator_fn": connect}
    # All are kept, since opening one takes a thread and a file, and the one used last goes first; memory has only one.
    pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True} if path.strip("/") not in {"", ":memory:"} else {}
    return create_async_engine(f"sqlite+aiosqlite://{path}", connect_args=given, **pool)
