"""What a workshop's role is refused: each thing that it could try, tried."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.cluster.databases import Databases, catalogue
from tests.postgres import throwaway_postgres

pytestmark = pytest.mark.postgres

OTHER = "other-workshop"

REFUSED = {
    "another workshop's table": f'SELECT * FROM "w_{OTHER}".chat_turns',
    "writing to another workshop's table": f"INSERT INTO \"w_{OTHER}\".chat_notes (workshop) VALUES ('x')",
    "emptying another workshop's table": f'TRUNCATE "w_{OTHER}".chat_turns',
    "locking another workshop's table": f'BEGIN; LOCK TABLE "w_{OTHER}".chat_turns',
    "a table in another workshop's schema": f'CREATE TABLE "w_{OTHER}".x (x int)',
    "dropping another workshop's schema": f'DROP SCHEMA "w_{OTHER}" CASCADE',
    "opening its own schema to others": f'GRANT ALL ON SCHEMA "w_mine" TO "w_{OTHER}"; CREATE SCHEMA AUTHORIZATION "w_mine"',
    "the core's credentials": "SELECT * FROM core.credentials",
    "a credential of its own making": "INSERT INTO core.credentials (subject) VALUES ('service:rag')",
    "the core's library": "SELECT * FROM core.library_versions",
    "the core's jobs": "SELECT * FROM core.jobs_jobs",
    "the index's bookkeeping": "DELETE FROM rag.rag_indexes",
    "a table in public": "CREATE TABLE public.x (x int)",
    "a function in public": "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a type in public": "CREATE TYPE public.t AS ENUM ('a')",
    "a schema": "CREATE SCHEMA mine",
    "a temporary table": "CREATE TEMP TABLE x (x int)",
    "an extension": "CREATE EXTENSION dblink",
    "a trusted extension": "CREATE EXTENSION pgcrypto",
    "a language": "CREATE LANGUAGE mine HANDLER plpgsql_call_handler",
    "a publication": "CREATE PUBLICATION p",
    "a large object": "SELECT lo_create(0)",
    "a large object by number": "SELECT lo_creat(-1)",
    "a large object with bytes": "SELECT lo_from_bytea(0, 'x')",
    "the locks of others": "SELECT * FROM pg_locks",
    "a file as a large object": "SELECT lo_import('/etc/passwd')",
    "a file": "SELECT pg_read_file('/etc/passwd')",
    "a binary file": "SELECT pg_read_binary_file('PG_VERSION')",
    "a folder": "SELECT pg_ls_dir('.')",
    "the server's log": "SELECT pg_current_logfile()",
    "a file as a table": "CREATE TABLE f (x text); COPY f FROM '/etc/passwd'",
    "writing a file": "COPY (SELECT 1) TO '/tmp/workshop-refusals'",
    "a program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "a foreign server": "CREATE FOREIGN DATA WRAPPER w",
    "hashes of passwords": "SELECT rolpassword FROM pg_authid",
    "hashes of passwords by the view": "SELECT passwd FROM pg_shadow",
    "the rules of who may connect": "SELECT * FROM pg_hba_file_rules",
    "a role": "CREATE ROLE x",
    "another's password": f"ALTER ROLE \"w_{OTHER}\" PASSWORD 'x'",
    "its own rights": "ALTER ROLE w_mine CREATEROLE",
    "its own limit": "ALTER ROLE w_mine CONNECTION LIMIT 1000",
    "membership in the core": "GRANT core TO w_mine",
    "reading every table": "GRANT pg_read_all_data TO w_mine",
    "being the core": "SET ROLE core",
    "being another workshop": f'SET ROLE "w_{OTHER}"',
    "being the administrator": "SET SESSION AUTHORIZATION postgres",
    "a database": "CREATE DATABASE x",
    "dropping the database": "DROP DATABASE core_console_jobs",
    "the database's settings": "ALTER DATABASE workshops SET search_path TO w_mine",
    "the size of another database": "SELECT pg_database_size('core_console_jobs')",
    "the server's settings": "ALTER SYSTEM SET log_statement = 'all'",
    "settings read anew": "SELECT pg_reload_conf()",
    "a restart of the log": "SELECT pg_switch_wal()",
    "a checkpoint": "CHECKPOINT",
    "a replication slot": "SELECT pg_create_physical_replication_slot('x')",
    "a tablespace": "CREATE TABLESPACE t LOCATION '/tmp'",
    "an event trigger": "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
    "statistics of others reset": "SELECT pg_stat_reset()",
}
"""What is tried -> the statements; the last of them has to be refused, for want of the right to do it."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with throwaway_postgres("admin") as url, pytest.MonkeyPatch.context() as monkeypatch:
        databases = Databases(url, tmp_path_factory.mktemp("secrets"))
        asyncio.run(databases.core())
        for name in ("mine", OTHER):
            asyncio.run(databases.workshop(name, monkeypatch))
        yield databases


def tried(connection: psycopg.Connection[Any], what: str) -> psycopg.Error | None:
    """Each statement by itself, so that what would be kept is kept; the last one's refusal, None where it was done."""
    connection.execute("DROP TABLE IF EXISTS f")
    *first, last = REFUSED[what].split("; ")
    for statement in first:
        connection.execute(statement.encode())
    try:
        connection.execute(last.encode())
    except psycopg.Error as error:
        return error
    return None


@pytest.mark.parametrize("what", REFUSED)
def test_a_workshops_role_is_refused(prepared: Databases, what: str) -> None:
    with prepared.connect("w_mine") as connection:
        refusal = tried(connection, what)
    assert isinstance(refusal, psycopg.errors.InsufficientPrivilege), refusal


def test_trying_has_left_nothing(prepared: Databases) -> None:
    with prepared.connect("w_mine") as connection:
        connection.execute("DROP TABLE IF EXISTS f")
    before = catalogue(prepared)
    for what in REFUSED:
        with prepared.connect("w_mine") as connection:
            assert tried(connection, what) is not None
    with prepared.connect("w_mine") as connection:
        connection.execute("DROP TABLE IF EXISTS f")
    assert catalogue(prepared) == before


@pytest.mark.parametrize("database", ["postgres", "template1", "core_console_jobs", "core_converter_jobs", "rag_jobs"])
def test_other_databases_are_closed_to_it(prepared: Databases, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        prepared.connect("w_mine", database)


def test_the_core_and_the_rag_agent_are_closed_to_each_other_as_well(prepared: Databases) -> None:
    for role, table in (
        ("core", "rag.rag_indexes"),
        ("rag", "core.credentials"),
        ("core", "w_mine.chat_turns"),
        ("rag", "w_mine.chat_turns"),
    ):
        with prepared.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM {table}".encode())
    for role, database in (("core", "rag_jobs"), ("rag", "core_console_jobs"), ("rag", "postgres")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            prepared.connect(role, database)


def test_a_search_path_of_its_own_opens_nothing(prepared: Databases) -> None:
    with prepared.connect("w_mine") as connection:
        connection.execute(f'SET search_path TO core, "w_{OTHER}", public')
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM credentials")
        with pytest.raises(psycopg.errors.InvalidSchemaName):
            connection.execute("CREATE TABLE x (x int)")


def test_its_sessions_are_counted(prepared: Databases) -> None:
    with prepared.admin() as connection:
        row = connection.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'w_mine'").fetchone()
        assert row is not None
        (limit,) = row
    assert limit > 0
    held = [prepared.connect("w_mine") for _ in range(limit)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            prepared.connect("w_mine")
        prepared.connect(f"w_{OTHER}").close()
    finally:
        for connection in held:
            connection.close()


def test_what_another_workshop_listens_to_is_not_told(prepared: Databases) -> None:
    """PostgreSQL refuses LISTEN and NOTIFY to nobody; names that cannot be guessed protect, and no catalogue gives them away."""
    with prepared.connect(f"w_{OTHER}") as other, prepared.connect("w_mine") as mine:
        other.execute("LISTEN a_name_that_nobody_guesses")
        other.execute("NOTIFY a_name_that_nobody_guesses, 'secret'")
        assert [note.payload for note in other.notifies(timeout=1, stop_after=1)] == ["secret"]
        assert mine.execute("SELECT * FROM pg_listening_channels()").fetchall() == []
        seen = mine.execute("SELECT query FROM pg_stat_activity WHERE usename = %s", (f"w_{OTHER}",)).fetchall()
        assert seen == [("<insufficient privilege>",)]
        everything = mine.execute("SELECT * FROM pg_stat_activity").fetchall()
        assert "nobody_guesses" not in repr(everything)
        with pytest.raises(psycopg.Error):
            mine.execute("LISTEN \"*\"; SELECT pg_read_file('pg_notify/0000')")


def test_another_workshops_sessions_are_left_alone(prepared: Databases) -> None:
    with prepared.connect(f"w_{OTHER}") as other, prepared.connect("w_mine") as mine:
        pid = other.info.backend_pid
        for call in ("pg_terminate_backend", "pg_cancel_backend"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                mine.execute(f"SELECT {call}(%s)".encode(), (pid,))
        assert other.execute("SELECT 1").fetchone() == (1,)
