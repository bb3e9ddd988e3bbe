"""PostgreSQL as its administrator sees it: waited for, and changed by one `migrate` at a time."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from shared_services.kit.errors import ConflictError, PlatformError, UnavailableError
from workshop_cli.cluster.accounts import connection_options, server_of

ADMIN_URL = "POSTGRES_ADMIN_URL"
CONNECT_SECONDS = 5
PAUSE_SECONDS = 1.0
SAY_EVERY_SECONDS = 10.0

Say = Callable[[str], None]
"""Shows a line of progress."""

_WAITING_DOES_NOT_HELP = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "is not permitted to log in",
    "permission denied for database",
    "does not support SSL",
    "certificate",
)


class AdministrationError(PlatformError):
    """PostgreSQL refuses its administrator."""

    slug = "postgres-administration"
    title = "PostgreSQL cannot be prepared"


def is_hopeless(error: OperationalError) -> bool:
    """Whether a refused connection would be refused for ever. libpq gives no code before one is made, only words."""
    return any(words in str(error) for words in _WAITING_DOES_NOT_HELP)


def first_line(error: BaseException) -> str:
    """What an error says in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Server:
    """A connection of the administrator's, and others like it into other databases.

    Attributes:
        connection: Commits each statement by itself. In it are the locks, which end with it.
    """

    def __init__(self, url: SecretStr, connection: AsyncConnection[Any], deadline: float, say: Say) -> None:
        self._url = url
        self._deadline = deadline
        self._say = say
        self.connection = connection

    @asynccontextmanager
    async def into(self, database: str) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction in another database, committed when the block ends without an error."""
        async with await _connect(self._url, database) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """Hold a lock of this name for the length of the block, whichever process asks; it ends with its holder.

        Raises:
            ConflictError: Another process has not given it back in time.
        """
        key = int.from_bytes(hashlib.sha256(f"workshop-assistant:{what}".encode()).digest()[:8], "big", signed=True)
        said = -SAY_EVERY_SECONDS
        while not await self._value("SELECT pg_try_advisory_lock(%s)", key):
            if time.monotonic() > self._deadline:
                raise ConflictError(f"Another process has been busy with {what} for too long. Run this again when it has ended.")
            if time.monotonic() - said >= SAY_EVERY_SECONDS:
                said = time.monotonic()
                self._say(f"Waiting for another process that is busy with {what}")
            await asyncio.sleep(PAUSE_SECONDS / 4)
        try:
            yield
        finally:
            if not self.connection.closed:
                await self.connection.execute("SELECT pg_advisory_unlock(%s)", (key,))

    async def _value(self, query: str, *values: object) -> Any:
        found = await (await self.connection.execute(query.encode(), values)).fetchone()
        return found[0] if found else None


async def _connect(url: SecretStr, database: str | None = None) -> AsyncConnection[Any]:
    usual: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "workshop-migrate"}
    return await AsyncConnection.connect(**(usual | connection_options(ADMIN_URL, url, database)), autocommit=True)


async def with_server(url: SecretStr, seconds: float, say: Say, work: Callable[[Server], Awaitable[None]]) -> None:
    """Do `work` on the server once it answers, and again from its beginning where the server is lost meanwhile.

    Args:
        url: The administrator's address.
        seconds: How long to wait for the server in all.
        say: Told what is waited for.
        work: Changes nothing that is right already, so that it may run twice.

    Raises:
        UnavailableError: It did not answer in time.
        AdministrationError: It refuses the administrator.
    """
    where = server_of(ADMIN_URL, url)
    deadline = time.monotonic() + seconds
    said = -SAY_EVERY_SECONDS
    while True:
        try:
            async with await _connect(url) as connection:
                await work(Server(url, connection, deadline, say))
        except InsufficientPrivilege as error:
            raise AdministrationError(
                f"The user of {ADMIN_URL} may not do what is needed on {where}: {first_line(error)}. Give it the attribute "
                "SUPERUSER, or CREATEROLE and CREATEDB."
            ) from error
        except (OperationalError, InterfaceError, OSError, UnavailableError) as error:
            if isinstance(error, OperationalError) and is_hopeless(error):
                raise AdministrationError(f"PostgreSQL at {where} takes {ADMIN_URL} not in: {first_line(error)}.") from error
            left = deadline - time.monotonic()
            if left <= 0:
                raise UnavailableError(
                    f"PostgreSQL at {where} has not answered as it should for {seconds:g} s: {first_line(error)}. See that its "
                    "pod runs and its Service is reached from here, and run this again."
                ) from error
            if time.monotonic() - said >= SAY_EVERY_SECONDS:
                said = time.monotonic()
                say(f"Waiting for PostgreSQL at {where}, {left:.0f} s more at most: {first_line(error)}")
            await asyncio.sleep(min(PAUSE_SECONDS, left))
        else:
            return
