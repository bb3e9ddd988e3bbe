"""Forgets the jobs that were about a workshop: their rows, and what the engine of durable jobs kept of their steps."""

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared_services.kit.database import create_engine

_KEPT_BY_THE_ENGINE = text(
    "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.columns "
    "WHERE table_schema = 'dbos' AND column_name = 'workflow_uuid'"
)
"""Every table with rows of a job: not all of them refer to the one that lists the jobs."""


async def forget_jobs(url: str, workshop: str) -> int:
    """Delete a service's jobs whose subject is the workshop; gives how many there were.

    The engine's rows go first, since the jobs' own say which they are: what is stopped between the two is ended by the next call.

    Args:
        url: Of the service's role and database. The engine's databases belong to the same role.
        workshop: Its name.
    """
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            jobs = await _jobs_about(connection, workshop)
            others = await connection.execute(
                text(
                    "SELECT datname FROM pg_database "
                    "WHERE datdba = CAST(current_user AS regrole) AND datname <> current_database()"
                )
            )
            databases = [str(row.datname) for row in others]
        for database in databases:
            await _forget_in(database, url, jobs)
        await _delete(engine, jobs)
    finally:
        await engine.dispose()
    return len(jobs)


async def _jobs_about(connection: AsyncConnection, workshop: str) -> list[str]:
    if await connection.scalar(text("SELECT to_regclass('jobs_jobs')")) is None:
        return []
    # An index's subject is the workshop and the version.
    about = text("SELECT id FROM jobs_jobs WHERE split_part(subject, ' ', 1) = :workshop")
    found = await connection.execute(about, {"workshop": workshop})
    return [str(row.id) for row in found]


async def _forget_in(database: str, url: str, jobs: list[str]) -> None:
    engine = create_engine(make_url(url).set(database=database).render_as_string(hide_password=False))
    try:
        async with engine.begin() as connection:
            for row in (await connection.execute(_KEPT_BY_THE_ENGINE)).all():
                # The name comes quoted from the catalogue.
                await connection.execute(text(f"DELETE FROM {row.name} WHERE workflow_uuid = ANY(:jobs)"), {"jobs": jobs})  # noqa: S608
    finally:
        await engine.dispose()


async def _delete(engine: AsyncEngine, jobs: list[str]) -> None:
    if not jobs:
        return
    async with engine.begin() as connection:
        # Their steps and events go with them.
        await connection.execute(text("DELETE FROM jobs_jobs WHERE id = ANY(:jobs)"), {"jobs": jobs})
