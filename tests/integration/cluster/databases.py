"""A PostgreSQL for the core and its workshops: addresses with odd passwords, settings of `migrate`, and what the server holds."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy.engine import make_url

from workshop_cli.cluster.migrate import migrate_core, migrate_workshop, remove_workshop
from workshop_cli.cluster.names import role_of
from workshop_cli.cluster.settings import CoreMigrationSettings, RemovalSettings, WorkshopMigrationSettings

ODD = "".join(chr(code) for code in range(32, 127)) + "é€\u00a0ß\u2028💧"
"""Every sign that ASCII prints, and some that it does not know."""


class Databases:
    """Addresses on one server, each of a role with a password of its own.

    Args:
        admin_url: The administrator's.
        folder: For files with credentials.
    """

    def __init__(self, admin_url: str, folder: Path) -> None:
        self.admin_url = admin_url
        self.folder = folder
        self.passwords: dict[str, str] = {}
        self.lines: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def url(self, role: str, database: str = "workshops") -> str:
        password = quote(self.passwords.get(role, f"{role} {ODD}"), safe="")
        return (
            make_url(self.admin_url)
            .set(username="x", password="y", database=database)
            .render_as_string(hide_password=False)
            .replace("x:y@", f"{role}:{password}@", 1)
        )

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def core_env(self) -> dict[str, str]:
        return {
            "POSTGRES_ADMIN_URL": self.admin_url,
            "POSTGRES_WAIT_SECONDS": "30",
            "CORE_DATABASE_URL": self.url("core"),
            "CORE_JOBS_URL": self.url("core", "core_console_jobs"),
            "CONVERTER_JOBS_URL": self.url("core", "core_converter_jobs"),
            "RAG_DATABASE_URL": self.url("rag"),
            "RAG_JOBS_URL": self.url("rag", "rag_jobs"),
            "RAG_CREDENTIAL_FILE": self.file("rag", "rag-credential-" + "r" * 32),
            "CONVERTER_CREDENTIAL_FILE": self.file("converter", "converter-credential-" + "c" * 32),
        }

    def workshop_env(self, name: str) -> dict[str, str]:
        return {
            "POSTGRES_ADMIN_URL": self.admin_url,
            "POSTGRES_WAIT_SECONDS": "30",
            "CORE_DATABASE_URL": self.url("core"),
            "DATABASE_URL": self.url(role_of(name)),
            "WORKSHOP_NAME": name,
            "WORKSHOP_CREDENTIAL_FILE": self.file(f"{name}.credential", self.secret(name)),
            "JOIN_CODE_FILE": self.file(f"{name}.code", f"join {name}"[:64]),
        }

    @staticmethod
    def secret(name: str) -> str:
        return f"credential-of-{name}-{'s' * 32}"

    async def core(self) -> None:
        await migrate_core(CoreMigrationSettings.model_validate(self.core_env()), self.lines.append)

    async def workshop(self, name: str, monkeypatch: Any, **more: str) -> None:
        env = self.workshop_env(name) | more
        for variable, text in env.items():
            monkeypatch.setenv(variable, text)
        await migrate_workshop(WorkshopMigrationSettings.model_validate(env), self.lines.append)

    async def remove(self, name: str) -> None:
        wanted = ("POSTGRES_ADMIN_URL", "CORE_DATABASE_URL", "RAG_DATABASE_URL", "POSTGRES_WAIT_SECONDS")
        env = {key: self.core_env()[key] for key in wanted}
        await remove_workshop(RemovalSettings.model_validate(env | {"WORKSHOP_NAME": name}), self.lines.append)

    def admin(self, database: str | None = None) -> psycopg.Connection[Any]:
        options = make_url(self.admin_url).translate_connect_args(username="user", database="dbname")
        return psycopg.connect(**(options | ({"dbname": database} if database else {})), autocommit=True)

    def connect(self, role: str, database: str = "workshops", password: str | None = None) -> psycopg.Connection[Any]:
        options = make_url(self.url(role, database)).translate_connect_args(username="user", database="dbname")
        return psycopg.connect(**(options | ({"password": password} if password else {})), autocommit=True)

    def clear(self) -> None:
        """Leave the server as it was made."""
        with self.admin() as connection:
            connection.execute(
                "GRANT CONNECT, TEMP ON DATABASE postgres TO PUBLIC; GRANT CONNECT ON DATABASE template1 TO PUBLIC"
            )
            for (name,) in connection.execute(
                "SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template.)$'"
            ).fetchall():
                connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
            for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)'").fetchall():
                connection.execute(psycopg.sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(psycopg.sql.Identifier(name)))


_OF_THE_SERVER = {
    "roles": "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, "
    "rolconnlimit, rolvaliduntil FROM pg_roles",
    "members": "SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members",
    "databases": "SELECT datname, datdba::regrole::text, datacl::text[] FROM pg_database",
    "settings": "SELECT coalesce(datname, ''), coalesce(setrole::regrole::text, ''), setconfig FROM pg_db_role_setting "
    "LEFT JOIN pg_database ON pg_database.oid = setdatabase",
    "dependencies": "SELECT count(*) FROM pg_shdepend",
}
_OF_A_DATABASE = {
    "schemas": "SELECT nspname, nspowner::regrole::text, nspacl::text[] FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'",
    "relations": "SELECT nspname, relname, relkind, relowner::regrole::text, relacl::text[] FROM pg_class "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname !~ '^pg_'",
    "functions": "SELECT oid::regprocedure::text, proacl::text[] FROM pg_proc WHERE proacl IS NOT NULL",
    "types": "SELECT count(*) FROM pg_type",
    "large objects": "SELECT oid FROM pg_largeobject_metadata",
    "defaults": "SELECT defaclrole::regrole::text, defaclacl::text[] FROM pg_default_acl",
}


def _told(connection: psycopg.Connection[Any], queries: dict[str, str]) -> dict[str, list[str]]:
    return {
        what: sorted(
            repr(tuple(sorted(part) if isinstance(part, list) else part for part in row))
            for row in connection.execute(query.encode()).fetchall()
        )
        for what, query in queries.items()
    }


def catalogue(databases: Databases) -> dict[str, Any]:
    """What the server knows of roles, databases, schemas and rights, and every row of the core's tables, to compare."""
    with databases.admin() as connection:
        found: dict[str, Any] = _told(connection, _OF_THE_SERVER)
        names = [row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()]
    for name in names:
        with databases.admin(name) as connection:
            found[name] = _told(connection, _OF_A_DATABASE)
            if name == "workshops":
                tables = connection.execute(
                    "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|inf)'"
                ).fetchall()
                for schema, table in tables:
                    rows = connection.execute(
                        psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(schema, table))
                    ).fetchall()
                    found[f"rows of {schema}.{table}"] = sorted(map(repr, rows))
    return found
