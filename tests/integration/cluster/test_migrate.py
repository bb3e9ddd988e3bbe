"""`migrate` on a real PostgreSQL: run twice, at once, with odd names and passwords, and taken back without a trace."""

import asyncio
import json

import psycopg
import pytest
from sqlalchemy import text

from console.credentials import CredentialRepository
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine
from shared_services.kit.errors import BadInputError, ConflictError, NotFoundError
from tests.integration.cluster.databases import ODD, Databases, catalogue
from workshop_cli.cluster.names import role_of

pytestmark = pytest.mark.postgres

LONGEST = "a" + "-very" * 10 + "-xy"
NAMES = ["a", "kubernetes-security-101", "2-fold", LONGEST]


async def test_core_gets_roles_schemas_databases_tables_and_credentials(databases: Databases) -> None:
    await databases.core()
    with databases.connect("core") as connection:
        tables = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'core'").fetchall()}
        assert {"credentials", "jobs_jobs", "library_versions"} <= tables
        assert connection.execute("SHOW search_path").fetchone() == ("core",)
    with databases.connect("rag") as connection:
        tables = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'rag'").fetchall()}
        assert {"rag_indexes", "jobs_jobs"} <= tables
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT 1 FROM core.credentials")
    for role, database in (("core", "core_console_jobs"), ("core", "core_converter_jobs"), ("rag", "rag_jobs")):
        with databases.connect(role, database) as connection:
            connection.execute("CREATE SCHEMA dbos")
    engine = create_engine(databases.url("core"))
    found = await CredentialRepository(engine).find("rag-credential-" + "r" * 32)
    await engine.dispose()
    assert found is not None
    assert (found.subject, found.roles, found.workshop) == ("service:rag", frozenset({Role.ADMIN}), None)


async def test_again_and_at_once_change_nothing(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.gather(*(databases.core() for _ in range(3)))
    for name in NAMES[:2]:
        monkeypatch.setenv("WORKSHOP_NAME", name)
        await asyncio.gather(*(databases.workshop(name, monkeypatch) for _ in range(3)))
    once = catalogue(databases)
    await asyncio.gather(databases.core(), databases.core())
    await databases.workshop(NAMES[0], monkeypatch)
    await databases.workshop(NAMES[1], monkeypatch)
    assert catalogue(databases) == once
    assert len([row for row in once["rows of core.credentials"] if "service:chat:" in row]) == 2


@pytest.mark.parametrize("name", NAMES)
async def test_names_and_odd_passwords(databases: Databases, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    await databases.core()
    await databases.workshop(name, monkeypatch, WORKSHOP_CONTEXT="healthcare-ml", CONTENT_FOCUS="clinical")
    role = role_of(name)
    engine = create_engine(databases.url(role))
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT current_user::text, current_schema()::text"))).one()
        assert tuple(row) == (role, role)
        await connection.execute(text("SELECT 1 FROM chat_turns"))
    await engine.dispose()
    with databases.connect(role) as connection:
        assert connection.execute("SELECT count(*) FROM chat_turns").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        databases.connect(role, password=ODD)
    core = create_engine(databases.url("core"))
    credential = await CredentialRepository(core).find(databases.secret(name))
    assert credential is not None
    assert (credential.subject, credential.workshop) == (f"service:chat:{name}", name)
    assert credential.tags
    assert credential.content_focus == "clinical"
    assert await CredentialRepository(core).join_code(name) == f"join {name}"
    await core.dispose()


async def test_a_changed_password_and_credential_are_taken(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await databases.core()
    await databases.workshop("a-b", monkeypatch)
    databases.connect("w_a-b").close()
    databases.passwords["w_a-b"] = "another ' one"
    new = databases.file("new", "n" * 40)
    await databases.workshop("a-b", monkeypatch, WORKSHOP_CREDENTIAL_FILE=new)
    databases.connect("w_a-b").close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        databases.connect("w_a-b", password=f"w_a-b {ODD}")
    engine = create_engine(databases.url("core"))
    assert await CredentialRepository(engine).find("n" * 40) is not None
    assert await CredentialRepository(engine).find(databases.secret("a-b")) is None
    await engine.dispose()


async def test_what_somebody_gave_a_role_is_taken_back(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await databases.core()
    await databases.workshop("a", monkeypatch)
    right = catalogue(databases)
    with databases.admin() as connection:
        connection.execute("ALTER ROLE w_a CREATEDB CREATEROLE BYPASSRLS CONNECTION LIMIT -1")
        connection.execute("GRANT CONNECT, TEMP ON DATABASE workshops TO PUBLIC")
    with databases.admin("workshops") as connection:
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    await databases.core()
    await databases.workshop("a", monkeypatch)
    assert catalogue(databases) == right


async def test_removal_leaves_nothing_of_the_workshop_and_all_of_the_others(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await databases.core()
    await databases.workshop("a", monkeypatch)
    before = catalogue(databases)
    await databases.workshop("a-b", monkeypatch)
    with databases.connect("w_a-b") as busy:
        busy.execute("CREATE TABLE more (x int); CREATE VIEW seen AS SELECT * FROM more; CREATE TYPE own AS ENUM ('x')")
        busy.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        busy.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; LISTEN x")
        busy.execute("INSERT INTO more VALUES (1)")
        await databases.remove("a-b")
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
    assert catalogue(databases) == before
    await databases.remove("a-b")
    await asyncio.gather(databases.remove("a-b"), databases.remove("a-b"))
    assert catalogue(databases) == before
    with databases.connect("w_a") as connection:
        assert connection.execute("SELECT count(*) FROM chat_turns").fetchone() == (0,)


@pytest.mark.parametrize(("role", "jobs"), [("core", "core_console_jobs"), ("core", "core_converter_jobs"), ("rag", "rag_jobs")])
async def test_removal_forgets_the_jobs_about_the_workshop_alone(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, role: str, jobs: str
) -> None:
    await databases.core()
    await databases.workshop("a", monkeypatch)
    with databases.connect(role) as connection, databases.connect(role, jobs) as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS dbos; CREATE TABLE dbos.workflow_status (workflow_uuid text)")
        engine.execute("CREATE TABLE dbos.operation_outputs (workflow_uuid text)")
        for job, subject in (("1", "a"), ("2", "a-b"), ("3", "a 2026-01-01T00-00-00Z"), ("4", "b a")):
            connection.execute(
                "INSERT INTO jobs_jobs (id, kind, subject, owner, state, executor, input, created_at, updated_at, done, message, "
                "cancel_requested, runs, last_event) VALUES (%s, 'publish', %s, 'o', 'succeeded', 'e', '{}', now(), now(), 0, '', false, 1, 0)",
                (job, subject),
            )
            engine.execute("INSERT INTO dbos.workflow_status VALUES (%s)", (job,))
            engine.execute("INSERT INTO dbos.operation_outputs VALUES (%s)", (job,))
        await databases.remove("a")
        assert connection.execute("SELECT id FROM jobs_jobs ORDER BY id").fetchall() == [("2",), ("4",)]
        assert engine.execute("SELECT * FROM dbos.workflow_status ORDER BY 1").fetchall() == [("2",), ("4",)]
        assert engine.execute("SELECT * FROM dbos.operation_outputs ORDER BY 1").fetchall() == [("2",), ("4",)]


async def test_removal_of_what_is_half_there(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await databases.remove("a")  # there is no core
    await databases.core()
    before = catalogue(databases)
    with databases.admin("workshops") as connection:
        connection.execute('CREATE SCHEMA "w_a"')
    await databases.remove("a")
    assert catalogue(databases) == before
    await databases.workshop("a", monkeypatch)
    with databases.admin("workshops") as connection:
        connection.execute("DROP SCHEMA w_a CASCADE")
    await databases.remove("a")
    assert catalogue(databases) == before


async def test_a_workshop_without_a_core_is_refused(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="core-migrate"):
        await databases.workshop("a", monkeypatch)
    with databases.admin() as connection:
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'w_a'").fetchone() == (0,)


async def test_a_workshop_gets_no_other_role_than_its_own(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await databases.core()
    before = catalogue(databases)
    for url in (databases.url("core"), databases.url("w_b"), databases.url("w_a", "core_console_jobs")):
        with pytest.raises(BadInputError) as refused:
            await databases.workshop("a", monkeypatch, DATABASE_URL=url)
        assert ODD not in refused.value.detail
    assert catalogue(databases) == before


async def test_a_service_never_becomes_the_administrator(databases: Databases) -> None:
    env = databases.core_env() | {
        "RAG_DATABASE_URL": databases.url("postgres"),
        "RAG_JOBS_URL": databases.url("postgres", "rag_jobs"),
    }
    from workshop_cli.cluster.migrate import migrate_core
    from workshop_cli.cluster.settings import CoreMigrationSettings

    with pytest.raises(ConflictError, match="administrator"):
        await migrate_core(CoreMigrationSettings.model_validate(env), databases.lines.append)
    databases.admin().close()


async def test_an_administrator_who_is_no_superuser(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with databases.admin() as connection:
        connection.execute("CREATE ROLE ops LOGIN CREATEDB CREATEROLE PASSWORD 'ops'")
    databases.passwords["ops"] = "ops"
    managed = Databases(databases.url("ops", "postgres"), databases.folder)
    await managed.core()
    await managed.core()
    await managed.workshop("a", monkeypatch)
    managed.connect("w_a").close()
    await managed.workshop("a", monkeypatch)
    with managed.connect("w_a"):
        await managed.remove("a")
    with databases.admin() as connection:
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'w_a'").fetchone() == (0,)


async def test_no_password_is_written_anywhere(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with databases.admin() as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
    try:
        databases.passwords = dict.fromkeys(("core", "rag", "w_a"), "find-me-anywhere")
        await databases.core()
        await databases.workshop("a", monkeypatch)
        with databases.admin() as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    finally:
        with databases.admin() as connection:
            connection.execute("ALTER SYSTEM RESET log_statement")
            connection.execute("SELECT pg_reload_conf()")
    from pathlib import Path

    log = (Path(folder).parent / "log").read_text()
    assert "CREATE ROLE" in log
    assert "find-me-anywhere" not in log
    assert "find-me-anywhere" not in json.dumps(databases.lines)
