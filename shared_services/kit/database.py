"""The relational store: SQLite on the laptop, PostgreSQL in the cluster, through SQLAlchemy 2 async and Alembic.

Each room that keeps tables has its own metadata, its own folder of migrations and its own version table, so that a
chat agent's schema holds the chat agent's tables alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from shared_services.kit.errors import NewerDataError, StorageFullError, UnavailableError

SQLITE_BUSY_MILLISECONDS = 30_000


@dataclass(frozen=True)
class MigrationSet:
    """A room's migrations: `folder` holds `versions/`, the version table is `<room>_alembic_version`."""

    room: str
    folder: Path


def create_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///PATH`, `postgresql://...` or the same with their async drivers named.

    SQLite commits are durable against a power cut (`synchronous=FULL` over a write-ahead log) and wait for each other.
    """
    if url.startswith("sqlite"):
        path = url.split("://", 1)[1]
        engine = create_async_engine(f"sqlite+aiosqlite://{path}", connect_args={"timeout": SQLITE_BUSY_MILLISECONDS / 1000})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    address = url.split("://", 1)[1]
    return create_async_engine(f"postgresql+asyncpg://{address}", pool_pre_ping=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={SQLITE_BUSY_MILLISECONDS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def migrate(engine: AsyncEngine, migrations: MigrationSet) -> None:
    """Bring a room's tables to the newest revision; does nothing when they are there already.

    Raises:
        NewerDataError: The database is at a revision that this code does not know.
        StorageFullError: The disk is full.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations.folder))
    script = ScriptDirectory.from_config(config)
    with storage_errors():
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, script, migrations.room)


def _upgrade(connection: Connection, script: ScriptDirectory, room: str) -> None:
    def revisions(current: Any, _context: MigrationContext) -> Any:
        try:
            return script._upgrade_revs("head", current)  # noqa: SLF001  what alembic's own env.py calls
        except CommandError as error:
            raise NewerDataError(
                f"The data of '{room}' is at revision {', '.join(current)}, which this version of the program does not know. "
                "Start the newer version that wrote it, or use another data folder."
            ) from error

    context = MigrationContext.configure(
        connection, opts={"version_table": f"{room}_alembic_version", "fn": revisions, "script": script}
    )
    with Operations.context(context):
        context.run_migrations()


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
