"""The relational store: SQLite on the laptop, PostgreSQL in the cluster, through SQLAlchemy 2 async and Alembic.

Each room that keeps tables has its own metadata, its own folder of migrations and its own version table, so that a
chat agent's schema holds the chat agent's tables alone.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from shared_services.kit.errors import StorageFullError, UnavailableError

SQLITE_BUSY_MILLISECONDS = 30_000
SQLITE_CACHE_KILOBYTES = 512
"""For each connection. The system holds the file's pages anyway, once for all."""
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 30.0
POOL_SECONDS = 10.0
ANSWER_SECONDS = 3.0
"""How soon a store has to answer its readiness check; probes wait no longer than that."""
_REVISION = re.compile(r"""^revision\b.*?=\s*["']([^"']+)""", re.MULTILINE)
_DOWN_REVISION = re.compile(r"""^down_revision\b.*?=\s*["']([^"']+)""", re.MULTILINE)


@dataclass(frozen=True)
class MigrationSet:
    """A room's migrations: `folder` holds `versions/`, the version table is `<room>_alembic_version`."""

    room: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Where the revision of the tables is kept."""
        return f"{self.room}_alembic_version"


@dataclass(frozen=True)
class PoolBounds:
    """How many connections one process holds to a server that it shares with others.

    Attributes:
        most: At once; whoever needs one more waits for it.
        idle_seconds: After which the server closes one that nobody used; 0 keeps them.
    """

    most: int
    idle_seconds: int = 0


def create_engine(url: str, bounds: PoolBounds | None = None) -> AsyncEngine:
    """An engine for `sqlite:///PATH`, `postgresql://...` or the same with their async drivers named.

    SQLite commits are durable against a power cut (`synchronous=FULL` over a write-ahead log) and wait for each other.

    Args:
        url: Where the store is.
        bounds: Of connections to a server; SQLAlchemy's own (15, kept for ever) when absent. Says nothing to a file.
    """
    if url.startswith("sqlite"):
        path = url.split("://", 1)[1]
        # Its driver takes memory that a process with a server as its store need not have.
        from shared_services.kit.sqlite import create_sqlite_engine

        engine = create_sqlite_engine(path, SQLITE_BUSY_MILLISECONDS / 1000)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    address = url.split("://", 1)[1]
    # A server that does not answer must not hold anybody up for asyncpg's minute.
    given: dict[str, Any] = {"timeout": CONNECT_SECONDS}
    bound: dict[str, Any] = {}
    if bounds is not None:
        # The one used last goes first, so that those which are not needed stay idle, and are closed.
        bound = {"pool_size": bounds.most, "max_overflow": 0, "pool_use_lifo": True, "pool_timeout": POOL_SECONDS}
        given["command_timeout"] = COMMAND_SECONDS
        if bounds.idle_seconds:
            given["server_settings"] = {"idle_session_timeout": str(bounds.idle_seconds * 1000)}
    return create_async_engine(f"postgresql+asyncpg://{address}", pool_pre_ping=True, connect_args=given, **bound)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MILLISECONDS}",
        f"cache_size=-{SQLITE_CACHE_KILOBYTES}",
    )
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def reachable(engine: AsyncEngine) -> str | None:
    """None when the store answers soon, else why not; a check of readiness."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            with storage_errors():
                async with engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
    except TimeoutError:
        return f"The database has not answered for {ANSWER_SECONDS:g} s."
    except UnavailableError as error:
        return error.detail
    return None


def is_server(url: str) -> bool:
    """Whether a store is a server, which may be away and come back; a file is there or is not."""
    return not url.startswith("sqlite")


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def migrate(engine: AsyncEngine, migrations: MigrationSet) -> None:
    """Bring a room's tables to the newest revision; does nothing when they are there already.

    Raises:
        NewerDataError: The database is at a revision that this code does not know.
        StorageFullError: The disk is full.
    """
    newest = newest_revision(migrations.folder)
    with storage_errors():
        async with engine.begin() as connection:
            if newest is None or await connection.run_sync(_revision, migrations.version_table) != newest:
                # Alembic takes 10 MB, which a process that finds its tables up to date need not have.
                from shared_services.kit.migrations import upgrade

                await connection.run_sync(upgrade, migrations)


def newest_revision(folder: Path) -> str | None:
    """The revision that no other follows on, read from the migrations' files; None where there is not exactly one."""
    given = [file.read_text() for file in (folder / "versions").glob("*.py")]
    revisions = {found.group(1) for text in given if (found := _REVISION.search(text))}
    heads = revisions - {found.group(1) for text in given if (found := _DOWN_REVISION.search(text))}
    return heads.pop() if len(heads) == 1 else None


def _revision(connection: Connection, table: str) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608  a room's own name


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what a database driver says of a full disk or a lost server into errors that a caller may see."""
    try:
        yield
    except DBAPIError as error:
        text = str(error.orig).lower()
        if "disk is full" in text or "no space left" in text:
            raise StorageFullError("The disk is full. Free some space and try again; nothing was lost.") from error
        if error.connection_invalidated or (isinstance(error, OperationalError) and "unable to open" in text):
            raise UnavailableError(f"The database does not answer: {error.orig}. Try again in a moment.") from error
        raise
    except Exception as error:
        # What asyncpg says of a server that cannot be reached, or takes nobody in, comes through SQLAlchemy as it is;
        # its own word is that all connections were in use for too long.
        if isinstance(error, OSError | PoolTimeoutError) or type(error).__module__.startswith("asyncpg."):
            raise UnavailableError(f"The database does not answer: {error}. Try again in a moment.") from error
        raise
