"""Only so many collections are in memory, and one that left it comes back when it is searched."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.service import RagService
from agents.rag.store.lite import MilvusLiteStore
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.database import create_engine, migrate, session_factory
from tests.integration.rag.conftest import Room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import workshop

WORKSHOPS = [f"hall-{number}" for number in range(7)]
LOADED = 2


@pytest.fixture
async def halls(tmp_path: Path) -> AsyncIterator[Room]:
    """Seven workshops, in a store that loads two."""
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    await migrate(engine, MIGRATIONS)
    store = MilvusLiteStore(tmp_path, loaded=LOADED)
    await anyio.to_thread.run_sync(store.open)
    indexes, model = IndexRepository(session_factory(engine)), FakeEmbedder()
    room = Room(RagService(store, model, indexes), store, indexes, model)
    try:
        for name in WORKSHOPS:
            await _publish(room, name, "v1", "copper")
        yield room
    finally:
        await anyio.to_thread.run_sync(store.close)
        await engine.dispose()


async def _publish(room: Room, name: str, version: str, metal: str) -> None:
    files = workshop(name, {"start": f"# Start\n\nThe gate of {name} is made of {metal}.\n"})
    await room.service.index(scope_of(name), version, files)
    await room.service.activate(scope_of(name), version)


async def _gate(room: Room, name: str) -> str:
    found = await room.service.search(scope_of(name), SearchRequest(query="what is the gate made of"))
    assert f"gate of {name} is" in found.passages[0].text
    assert found.passages[0].scores.bm25
    assert found.passages[0].scores.dense
    return found.passages[0].text


def _in_memory(room: Room) -> list[str]:
    """What the engine itself holds open and loaded."""
    held = room.store._engine._collections
    return [name for (_, name), collection in held.items() if collection.load_state == "loaded"]


async def test_at_most_so_many_are_loaded_and_a_released_one_comes_back(halls: Room) -> None:
    for name in [*WORKSHOPS, *reversed(WORKSHOPS), *WORKSHOPS]:
        await _gate(halls, name)
        assert len(_in_memory(halls)) <= LOADED
        # what is not loaded is not held open either
        assert len(halls.store._engine._collections) <= LOADED
    first = await halls.indexes.find(WORKSHOPS[0], None)
    assert first is not None
    assert first.collection not in _in_memory(halls)
    await _gate(halls, WORKSHOPS[0])
    assert first.collection in _in_memory(halls)


async def test_searches_at_once_on_more_collections_than_may_be_loaded_all_answer(halls: Room) -> None:
    answered: list[str] = []
    most = 0

    async def visitor(first: int) -> None:
        nonlocal most
        for step in range(12):
            name = WORKSHOPS[(first + step * 3) % len(WORKSHOPS)]
            await _gate(halls, name)
            answered.append(name)
            most = max(most, len(_in_memory(halls)))

    async with anyio.create_task_group() as tasks:
        for first in range(8):
            tasks.start_soon(visitor, first)
    assert len(answered) == 8 * 12
    assert set(answered) == set(WORKSHOPS)
    assert most <= LOADED


async def test_publishing_and_removing_go_on_while_collections_come_and_go(halls: Room) -> None:
    done = anyio.Event()

    async def visitor(names: list[str]) -> None:
        while not done.is_set():
            for name in names:
                await _gate(halls, name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(visitor, WORKSHOPS[:3])
        tasks.start_soon(visitor, WORKSHOPS[2:5])
        for number in range(3):
            await _publish(halls, WORKSHOPS[0], f"w{number}", f"tin{number}")
        await halls.service.remove(scope_of(WORKSHOPS[6]))
        done.set()
    assert "tin2" in await _gate(halls, WORKSHOPS[0])
    assert "copper" in await _gate(halls, WORKSHOPS[1])
    assert len(_in_memory(halls)) <= LOADED
