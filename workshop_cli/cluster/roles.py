"""Roles, schemas and databases: made where they are missing, put right where they differ, taken away without a trace.

A role may log in, and in the shared database it may use one schema, which the administrator owns, so that no role can open its
own to another. Everything here may run twice and go on from wherever an earlier run was killed.
"""

from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection
from psycopg.errors import UndefinedObject
from psycopg.sql import SQL, Composed, Identifier, Literal

from shared_services.kit.errors import ConflictError
from workshop_cli.cluster.accounts import Account
from workshop_cli.cluster.server import Server

Connection = AsyncConnection[Any]

_WANTED: Final[tuple[tuple[str, bool, LiteralString], ...]] = (
    ("rolcanlogin", True, "LOGIN"),
    ("rolsuper", False, "NOSUPERUSER"),
    ("rolcreatedb", False, "NOCREATEDB"),
    ("rolcreaterole", False, "NOCREATEROLE"),
    ("rolreplication", False, "NOREPLICATION"),
    ("rolbypassrls", False, "NOBYPASSRLS"),
)

_CLOSED_FUNCTIONS: Final[tuple[LiteralString, ...]] = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "pg_lock_status()",
)
"""Large objects lie in no schema: whoever may connect could fill the disk with them. Nor do advisory locks, and whoever reads
which ones another role holds, which is otherwise its secret, could take them first."""


@dataclass(frozen=True)
class Attributes:
    """What a role is, beside its name and password."""

    rolcanlogin: bool
    rolsuper: bool
    rolcreatedb: bool
    rolcreaterole: bool
    rolreplication: bool
    rolbypassrls: bool
    rolconnlimit: int


def alterations(found: Attributes | None, connections: int) -> Composed:
    """The options of CREATE ROLE or ALTER ROLE that lead from what is there to what is wanted.

    Only what differs is named: an administrator that is no superuser may not even say again that a role is none.

    Args:
        found: The role; None where there is none, which then begins without any right.
        connections: How many it may have at once.
    """
    options = [SQL(option) for name, wanted, option in _WANTED if (getattr(found, name) if found else False) is not wanted]
    return SQL(" ").join([*options, SQL("CONNECTION LIMIT {}").format(Literal(connections))])


async def ensure_role(server: Server, account: Account, connections: int) -> None:
    """The role of an account, with its password and nothing more.

    The password is hashed here: neither the server's log nor anybody who watches its statements sees it.

    Raises:
        ConflictError: The role is the administrator's own or a superuser.
    """
    connection = server.connection
    found = await _attributes(connection, account.role)
    if account.role == await value(connection, SQL("SELECT current_user::text")) or (found and found.rolsuper):
        raise ConflictError(
            f"The role {account.role!r} is an administrator of PostgreSQL, and a service must not be one. Give the service a "
            "role of its own."
        )
    name = Identifier(account.role)
    secret = connection.pgconn.encrypt_password(account.password.encode(), account.role.encode(), b"scram-sha-256").decode()
    options = alterations(found, connections)
    verb = SQL("ALTER ROLE") if found else SQL("CREATE ROLE")
    await connection.execute(SQL("{} {} {} PASSWORD {}").format(verb, name, options, Literal(secret)))
    if not await _is_superuser(connection):
        # Who may make roles may not give away a database to one, or end what one does, without being a member of it.
        await connection.execute(SQL("GRANT {} TO CURRENT_USER").format(name))


async def ensure_shared_database(server: Server, database: str) -> None:
    """The database of every role's schema, in which nobody may do anything until it is granted."""
    await _create_database(server, database, None)
    closed = [row[0] for row in await rows(server.connection, _CLOSABLE, (database,))]
    for name in closed:
        await server.connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(name)))
    superuser = await _is_superuser(server.connection)
    async with server.into(database) as inside:
        await inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        if superuser:
            for function in _CLOSED_FUNCTIONS:
                await inside.execute(SQL("REVOKE EXECUTE ON FUNCTION pg_catalog.{} FROM PUBLIC").format(SQL(function)))


_CLOSABLE: Final = SQL(
    "SELECT datname::text FROM pg_database WHERE (datname = %s OR datname IN (current_database(), 'postgres', 'template1')) "
    "AND pg_has_role(datdba, 'USAGE') ORDER BY 1"
)
"""Databases that every role could connect to otherwise, where the administrator may change that. Those of others stay."""


async def ensure_schema(server: Server, account: Account) -> None:
    """A schema of the role's name, its own alone, in the account's database, where alone it looks for tables."""
    role, database = Identifier(account.role), Identifier(account.database)
    async with server.into(account.database) as inside:
        await inside.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(role))
        await inside.execute(SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(role))
        await inside.execute(SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(role, role))
        await inside.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        await inside.execute(SQL("ALTER ROLE {} IN DATABASE {} SET search_path TO {}").format(role, database, role))


async def ensure_own_database(server: Server, account: Account) -> None:
    """A database that belongs to the account's role, and that no other may connect to."""
    await _create_database(server, account.database, account.role)
    owner = await value(
        server.connection, SQL("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = %s"), (account.database,)
    )
    name, role = Identifier(account.database), Identifier(account.role)
    if owner != account.role:
        await server.connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(name, role))
    await server.connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


async def _create_database(server: Server, database: str, owner: str | None) -> None:
    if await value(server.connection, SQL("SELECT 1 FROM pg_database WHERE datname = %s"), (database,)):
        return
    belongs = SQL(" OWNER {}").format(Identifier(owner)) if owner else SQL("")
    # template0: somebody who looks into template1 would be in the way.
    await server.connection.execute(
        SQL("CREATE DATABASE {}{} TEMPLATE template0 ENCODING 'UTF8'").format(Identifier(database), belongs)
    )


async def drop_role(server: Server, role: str, database: str) -> bool:
    """End what a role does, and remove it with its schema and whatever else it owns. Whether there was anything.

    Args:
        server: Where.
        role: Also its schema's name.
        database: Of the schema.
    """
    name = Identifier(role)
    there = await _attributes(server.connection, role) is not None
    if there:
        await server.connection.execute(SQL("ALTER ROLE {} NOLOGIN").format(name))
        await server.connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (role,)
        )
    if not await value(server.connection, SQL("SELECT 1 FROM pg_database WHERE datname = %s"), (database,)):
        await _drop_alone(server.connection, name)
        return there
    async with server.into(database) as inside:
        schema = await value(inside, SQL("SELECT 1 FROM pg_namespace WHERE nspname = %s"), (role,))
        await inside.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        if there:
            await inside.execute(SQL("DROP OWNED BY {} CASCADE").format(name))
            await inside.execute(SQL("DROP ROLE {}").format(name))
    return there or bool(schema)


async def _drop_alone(connection: Connection, name: Identifier) -> None:
    try:
        await connection.execute(SQL("DROP OWNED BY {} CASCADE").format(name))
    except UndefinedObject:
        return
    await connection.execute(SQL("DROP ROLE IF EXISTS {}").format(name))


async def _is_superuser(connection: Connection) -> bool:
    return bool(await value(connection, SQL("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))


async def _attributes(connection: Connection, role: str) -> Attributes | None:
    wanted = SQL(
        "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit "
        "FROM pg_roles WHERE rolname = %s"
    )
    found = await rows(connection, wanted, (role,))
    return Attributes(*found[0]) if found else None


async def rows(connection: Connection, query: SQL, values: tuple[object, ...] = ()) -> list[Any]:
    """Every row of a query."""
    return await (await connection.execute(query, values)).fetchall()


async def value(connection: Connection, query: SQL, values: tuple[object, ...] = ()) -> Any:
    """The first column of a query's first row; None where there is none."""
    found = await (await connection.execute(query, values)).fetchone()
    return found[0] if found else None
