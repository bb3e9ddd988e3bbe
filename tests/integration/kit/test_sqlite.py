"""SQLite's connections: one visit to their thread a statement, and nothing left behind by a caller who goes away."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared_services.kit.database import create_engine
from shared_services.kit.sqlite import WholeConnection


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(f"sqlite:///{tmp_path}/ships.db")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE ships (name TEXT PRIMARY KEY)"))
    yield engine
    await engine.dispose()


async def driver_of(connection: AsyncConnection) -> Any:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, WholeConnection)
    return driver


async def test_a_statement_takes_one_visit_and_an_end_without_a_transaction_none(engine: AsyncEngine):
    async with engine.connect() as connection:
        driver = await driver_of(connection)
        before = driver._asked
        assert (await connection.execute(text("SELECT 1 UNION SELECT 2"))).scalars().all() == [1, 2]
        assert driver._asked == before + 1
        await connection.rollback()
        assert driver._asked == before + 1


async def test_what_is_written_is_committed_or_rolled_back(engine: AsyncEngine):
    insert = text("INSERT INTO ships VALUES (:name)")
    async with engine.begin() as connection:
        ran = await connection.execute(insert, [{"name": "Beagle"}, {"name": "Fram"}])
        assert ran.rowcount == 2
    async with engine.connect() as connection:
        await connection.execute(insert, {"name": "Gjoa"})
        with pytest.raises(IntegrityError):
            await connection.execute(insert, {"name": "Fram"})
        await connection.rollback()
    async with engine.connect() as connection:
        await connection.execute(insert, {"name": "Terra Nova"})
    async with engine.connect() as connection:
        named = (await connection.execute(text("SELECT name FROM ships ORDER BY name"))).scalars().all()
        assert named == ["Beagle", "Fram"]


async def test_a_caller_who_goes_away_in_the_middle_of_a_statement_leaves_no_transaction(engine: AsyncEngine):
    running, go_on = threading.Event(), threading.Event()

    def hold() -> str:
        running.set()
        go_on.wait()
        return "Endurance"

    async def write() -> None:
        async with engine.begin() as connection:
            await (await driver_of(connection)).create_function("hold", 0, hold)
            await connection.execute(text("INSERT INTO ships SELECT hold()"))

    writing = asyncio.create_task(write())
    await anyio.to_thread.run_sync(running.wait)
    writing.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO ships VALUES ('Fram')"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT name FROM ships"))).scalars().all() == ["Fram"]
