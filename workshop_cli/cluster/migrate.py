"""`migrate core | workshop | remove`: what a Job does before services of the core or of a workshop start, or after one is gone.

Each may run twice, at once with itself, and after it was killed anywhere: it looks at what is there and does the rest.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from psycopg.sql import SQL
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from shared_services.kit.database import MigrationSet, create_engine, migrate
from shared_services.kit.errors import BadInputError, NotFoundError, UnavailableError
from shared_services.kit.logging import configure_logging
from workshop_cli.cluster.accounts import Account, account
from workshop_cli.cluster.names import role_of, workshop_name
from workshop_cli.cluster.outcome import run_reported, say
from workshop_cli.cluster.records import forget_jobs
from workshop_cli.cluster.roles import (
    drop_role,
    ensure_own_database,
    ensure_role,
    ensure_schema,
    ensure_shared_database,
    value,
)
from workshop_cli.cluster.server import Say, Server, with_server
from workshop_cli.cluster.settings import CoreMigrationSettings, RemovalSettings, WorkshopMigrationSettings

ROLES = "roles and databases"

CORE_CONNECTIONS = 120
"""Two consoles and two template converters, each with the pools of its tables and of its jobs' engine."""

RAG_CONNECTIONS = 60
"""Two RAG agents, likewise."""

CHAT_CONNECTIONS = 60
"""Two chat agents and a third while they are replaced, each with a pool of 15 and one connection that listens."""


async def migrate_core(settings: CoreMigrationSettings, say: Say) -> None:
    """Roles, schemas and databases of the core and of the RAG agent, their tables, and the credentials of the shared agents.

    Raises:
        PlatformError: It cannot be done; the sentence says why.
    """
    from console.credentials import CredentialRepository, converter_credential, rag_credential

    core = account("CORE_DATABASE_URL", settings.core_database_url)
    rag = account("RAG_DATABASE_URL", settings.rag_database_url)
    own = [
        _own(core, "CORE_JOBS_URL", settings.core_jobs_url),
        _own(core, "CONVERTER_JOBS_URL", settings.converter_jobs_url),
        _own(rag, "RAG_JOBS_URL", settings.rag_jobs_url),
    ]
    for one in (core, rag):
        _refuse_workshops_role(one)
    if core.role == rag.role or core.database != rag.database:
        raise BadInputError("CORE_DATABASE_URL and RAG_DATABASE_URL have to name two roles and one database.")
    credentials = [
        rag_credential(_line("RAG_CREDENTIAL_FILE", settings.rag_credential_file)),
        converter_credential(_line("CONVERTER_CREDENTIAL_FILE", settings.converter_credential_file)),
    ]

    async def work(server: Server) -> None:
        async with server.alone(ROLES):
            say(f"Roles {core.role} and {rag.role}")
            await ensure_role(server, core, CORE_CONNECTIONS)
            await ensure_role(server, rag, RAG_CONNECTIONS)
            say(f"Database {core.database} and its schemas")
            await ensure_shared_database(server, core.database)
            await ensure_schema(server, core)
            await ensure_schema(server, rag)
            for one in own:
                say(f"Database {one.database}")
                await ensure_own_database(server, one)
        await _tables(core, _core_tables(), say)
        await _tables(rag, _rag_tables(), say)
        say("Credentials of the shared agents")
        engine = create_engine(core.url)
        try:
            repository = CredentialRepository(engine)
            for credential in credentials:
                await repository.register(credential)
        finally:
            await engine.dispose()

    await with_server(settings.admin_url, settings.wait_seconds, say, work)
    say("The core's database is ready.")


async def migrate_workshop(settings: WorkshopMigrationSettings, say: Say) -> None:
    """Role and schema of a workshop, its chat agent's tables, and its credential with the tags and the focus of its context.

    Raises:
        PlatformError: It cannot be done; the sentence says why.
    """
    from console.credentials import CredentialRepository, chat_credential
    from workshop_chat.settings import ChatSettings, contexts_of
    from workshop_chat.tables import MIGRATIONS

    chat = ChatSettings.model_validate({})
    name = workshop_name(chat.workshop)
    core = account("CORE_DATABASE_URL", settings.core_database_url)
    own = account("DATABASE_URL", settings.database_url)
    if own.role != role_of(name):
        raise BadInputError(f"DATABASE_URL names the role {own.role!r}; the one of workshop {name} is {role_of(name)}.")
    if own.database != core.database:
        raise BadInputError(f"DATABASE_URL names the database {own.database!r}, CORE_DATABASE_URL {core.database!r}.")
    context = contexts_of(chat).configured()
    credential = chat_credential(
        name,
        _line("WORKSHOP_CREDENTIAL_FILE", settings.credential_file),
        tags=context.rag_context_filter or (),
        content_focus=context.content_focus,
        join_code=_text("JOIN_CODE_FILE", settings.join_code_file) or None if settings.join_code_file else None,
    )

    async def work(server: Server) -> None:
        async with server.alone(f"workshop {name}"):
            await _refuse_without_core(server, core)
            async with server.alone(ROLES):
                say(f"Role and schema {own.role}")
                await ensure_role(server, own, CHAT_CONNECTIONS)
                await ensure_schema(server, own)
            await _tables(own, [MIGRATIONS], say)
            say("Credential of the chat agent")
            engine = create_engine(core.url)
            try:
                await CredentialRepository(engine).register(credential)
            finally:
                await engine.dispose()

    await with_server(settings.admin_url, settings.wait_seconds, say, work)
    say(f"The database is ready for workshop {name}.")


async def remove_workshop(settings: RemovalSettings, say: Say) -> None:
    """Take away a workshop's credential and the jobs about it, then its schema and its role; there may be nothing of them.

    Raises:
        PlatformError: It cannot be done; the sentence says why.
    """
    from console.credentials import CredentialRepository

    name = workshop_name(settings.workshop)
    core = account("CORE_DATABASE_URL", settings.core_database_url)
    rag = account("RAG_DATABASE_URL", settings.rag_database_url)
    role = role_of(name)

    async def work(server: Server) -> None:
        async with server.alone(f"workshop {name}"):
            if await _has_credentials(server, core):
                engine = create_engine(core.url)
                try:
                    gone = await CredentialRepository(engine).revoke(name)
                finally:
                    await engine.dispose()
                say("Credential revoked" if gone else "No credential was registered")
                jobs = await forget_jobs(core.url, name) + await forget_jobs(rag.url, name)
                say(f"{jobs} of the core's jobs were about it and are forgotten")
            async with server.alone(ROLES):
                dropped = await drop_role(server, role, core.database)
            say(f"Role and schema {role} removed" if dropped else f"There was no role {role}")

    await with_server(settings.admin_url, settings.wait_seconds, say, work)
    say(f"Nothing of workshop {name} is left in the database.")


def _own(owner: Account, variable: str, url: SecretStr) -> Account:
    found = account(variable, url)
    if (found.role, found.password) != (owner.role, owner.password):
        raise BadInputError(f"{variable} has to name the role {owner.role!r} with the same password as the other addresses.")
    if found.database == owner.database:
        raise BadInputError(
            f"{variable} names the database {found.database!r}, which holds every workshop's schema. Name another."
        )
    return found


def _refuse_workshops_role(found: Account) -> None:
    if found.role.startswith(role_of("")):
        raise BadInputError(f"The role {found.role!r} is named like a workshop's. Name another.")


def _text(variable: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"The file {path} of {variable} cannot be read: {error}.") from error


def _line(variable: str, path: Path) -> str:
    text = _text(variable, path)
    if not text:
        raise BadInputError(f"The file {path} of {variable} is empty.")
    return text


def _core_tables() -> list[MigrationSet]:
    from console.credentials import MIGRATIONS as CREDENTIALS
    from shared_services.jobs.service import MIGRATIONS as JOBS
    from shared_services.library.repository import MIGRATIONS as LIBRARY

    return [LIBRARY, CREDENTIALS, JOBS]


def _rag_tables() -> list[MigrationSet]:
    from agents.rag.repository import MIGRATIONS as RAG
    from shared_services.jobs.service import MIGRATIONS as JOBS

    return [RAG, JOBS]


async def _tables(owner: Account, migrations: Sequence[MigrationSet], say: Say) -> None:
    """Bring tables up to date as the role that they belong to, which also shows that it is let in."""
    engine = create_engine(owner.url)
    try:
        for one in migrations:
            say(f"Tables of {one.room} in schema {owner.role}")
            await migrate(engine, one)
    finally:
        await engine.dispose()


async def _refuse_without_core(server: Server, core: Account) -> None:
    if not await _has_credentials(server, core):
        raise NotFoundError(
            f"There is no core in database {core.database!r} yet, or an older one. Deploy the shared core first: its Job "
            "core-migrate has to complete."
        )


async def _has_credentials(server: Server, core: Account) -> bool:
    if not await value(server.connection, SQL("SELECT 1 FROM pg_database WHERE datname = %s"), (core.database,)):
        return False
    there = SQL(
        "SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname = %s AND relname = 'credentials'"
    )
    async with server.into(core.database) as inside:
        return bool(await value(inside, there, (core.role,)))


def parser() -> argparse.ArgumentParser:
    """The arguments; what they work on is in the environment."""
    root = argparse.ArgumentParser(
        prog="workshop-service migrate",
        description="Prepares PostgreSQL for the core or for a workshop, or removes a workshop from it. Its settings are in the "
        "environment (docs/configuration.md).",
    )
    root.add_argument("what", choices=["core", "workshop", "remove"])
    return root


async def _run(what: str) -> int:
    try:
        if what == "core":
            await migrate_core(CoreMigrationSettings.model_validate({}), say)
        elif what == "workshop":
            await migrate_workshop(WorkshopMigrationSettings.model_validate({}), say)
        else:
            await remove_workshop(RemovalSettings.model_validate({}), say)
    except DBAPIError as error:
        raise UnavailableError(f"The database refused: {error.orig}. Nothing is half done; run this again.") from error
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate; the exit status."""
    given = parser().parse_args(arguments)
    configure_logging("warning", as_json=False)
    return run_reported(lambda: asyncio.run(_run(given.what)), f"migrate {given.what}")
