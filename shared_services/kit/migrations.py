"""Brings a room's tables to the newest revision. Imports Alembic, so `database.migrate` imports it where there is work for it."""

from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from shared_services.kit.database import MigrationSet
from shared_services.kit.errors import NewerDataError


def upgrade(connection: Connection, migrations: MigrationSet) -> None:
    """Run the migrations that the database has not had, in the transaction of `connection`.

    Raises:
        NewerDataError: The database is at a revision that this code does not know.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations.folder))
    script = ScriptDirectory.from_config(config)

    def revisions(current: Any, _context: MigrationContext) -> Any:
        try:
            return script._upgrade_revs("head", current)  # noqa: SLF001  what alembic's own env.py calls
        except CommandError as error:
            raise NewerDataError(
                f"The data of '{migrations.room}' is at revision {', '.join(current)}, which this version of the program does "
                "not know. Start the newer version that wrote it, or use another data folder."
            ) from error

    if connection.dialect.name == "postgresql":
        # Two processes that start at once on an empty database take turns; the second then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:table))"), {"table": migrations.version_table})
    context = MigrationContext.configure(
        connection, opts={"version_table": migrations.version_table, "fn": revisions, "script": script}
    )
    with Operations.context(context):
        context.run_migrations()
