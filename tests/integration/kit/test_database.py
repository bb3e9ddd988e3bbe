"""Migrations: applied once, by one process at a time, and without Alembic where there is nothing to do."""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from shared_services.kit.database import create_engine, migrate, newest_revision
from tests.postgres import throwaway_postgres
from workshop_chat.tables import MIGRATIONS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.postgres
async def test_processes_that_start_at_once_on_an_empty_database_take_turns():
    with throwaway_postgres() as url:
        engines = [create_engine(url) for _ in range(4)]
        async with anyio.create_task_group() as tasks:
            for engine in engines:
                tasks.start_soon(migrate, engine, MIGRATIONS)
        async with engines[0].connect() as connection:
            revisions = (await connection.execute(text("SELECT version_num FROM chat_alembic_version"))).scalars().all()
        for engine in engines:
            await engine.dispose()
    assert revisions == [newest_revision(MIGRATIONS.folder)]


async def test_an_older_database_is_brought_forward(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/chat.db")
    await migrate(engine, MIGRATIONS)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE chat_alembic_version"))
        for table in ("turns", "conversations", "sessions", "progress", "notes"):
            await connection.execute(text(f"DROP TABLE chat_{table}"))
        await connection.execute(text("CREATE TABLE chat_alembic_version (version_num VARCHAR(32) NOT NULL)"))
    await migrate(engine, MIGRATIONS)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM chat_turns"))).scalar() == 0
    await engine.dispose()


def test_a_process_that_finds_its_tables_up_to_date_leaves_alembic_alone(tmp_path: Path):
    program = f"""
import asyncio, sys
from shared_services.kit.database import create_engine, migrate
from workshop_chat.tables import MIGRATIONS
async def main():
    engine = create_engine("sqlite:///{tmp_path}/chat.db")
    await migrate(engine, MIGRATIONS)
    await engine.dispose()
asyncio.run(main())
print("alembic" in sys.modules)
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True
        )
        for _ in range(2)
    ]
    assert [(each.stdout.strip(), each.stderr) for each in said] == [("True", ""), ("False", "")]


def test_where_two_revisions_follow_on_one_nobody_guesses(tmp_path: Path):
    (tmp_path / "versions").mkdir()
    for name, before in (("a", "None"), ("b", "'a'"), ("c", "'a'")):
        (tmp_path / "versions" / f"{name}.py").write_text(f"revision: str = '{name}'\ndown_revision = {before}\n")
    assert newest_revision(tmp_path) is None
    (tmp_path / "versions" / "c.py").unlink()
    assert newest_revision(tmp_path) == "b"
