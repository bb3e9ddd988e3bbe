"""A removed workshop is nowhere any more: not in rows, files, tables, memory or statistics, whatever went on meanwhile."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from prometheus_client import REGISTRY

from agents.rag.errors import NotIndexedError
from agents.rag.scope import Scope
from agents.rag.store import StoredChunk
from shared_services.contracts.rag import SearchRequest
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.workshops import workshop

HARBOUR = scope_of("harbour")
MILL = scope_of("mill")
WORD = "quicksilver"


async def _publish(room: Room, name: str, version: str, word: str) -> None:
    files = workshop(name, {"start": f"# Start\n\nThe lock of the {name} opens with {word} {version}.\n"})
    await room.service.index(scope_of(name), version, files)
    await room.service.activate(scope_of(name), version)


async def _both(room: Room) -> None:
    for version in ("v1", "v2", "v3"):
        await _publish(room, "harbour", version, WORD)
    await _publish(room, "mill", "v1", "millstone")
    for scope in (HARBOUR, MILL):
        for version in (None, "v1") if scope is MILL else (None, "v2"):
            found = await room.service.search(scope, SearchRequest(query="what opens the lock", version=version))
            assert found.passages


def _statistics(name: str) -> list[str]:
    samples = (sample for metric in REGISTRY.collect() if metric.name.startswith("workshop_rag_") for sample in metric.samples)
    return [sample.name for sample in samples if name in sample.labels.values()]


def _table_rows(database: Path) -> str:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return repr([connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables])


def _in_memory(room: Room) -> str:
    service = room.service
    held = [service._searcher._contents, service._writers, service._readers, room.store._residents._places]
    return repr([*held, list(room.store._engine._collections)])


async def test_nothing_of_it_is_left(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _both(room)
        collections = [index.collection for index in await room.indexes.built("harbour")]
        assert len(collections) == 2
        # what is looked for below is there before
        assert _statistics("harbour")
        assert "harbour" in _table_rows(tmp_path / "rag.sqlite3")
        assert WORD in _in_memory(room)
        assert any(WORD.encode() in path.read_bytes() for path in _files(tmp_path / "milvus.db"))
        await room.service.remove(HARBOUR)
        assert _statistics("harbour") == []
        for name in ("harbour", WORD, *collections):
            assert name not in _in_memory(room)
            assert name not in _table_rows(tmp_path / "rag.sqlite3")
        assert not set(collections) & set(room.store.collections())
        # the neighbour is whole
        assert _statistics("mill")
        assert (await room.service.search(MILL, SearchRequest(query="lock"))).passages
        await room.service.remove(HARBOUR)
    for path in _files(tmp_path / "milvus.db"):
        assert not re.search(rb"harbour|" + WORD.encode(), path.read_bytes()), path
        assert not any(name in str(path) for name in collections)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_search_under_way_brings_nothing_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    await _both(room)
    index = await room.indexes.find("harbour", None)
    assert index is not None
    room.service._searcher.forget(index.collection)
    has_read, may_go_on = threading.Event(), threading.Event()
    read = room.store.read

    def slow_read(scope: Scope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        rows = list(read(scope, collection))
        has_read.set()
        may_go_on.wait(20)
        yield from rows

    monkeypatch.setattr(room.store, "read", slow_read)
    missed: list[str] = []

    async def search() -> None:
        try:
            await room.service.search(HARBOUR, SearchRequest(query="what opens the lock"))
        except NotIndexedError as error:
            missed.append(error.detail)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(search)
        await anyio.to_thread.run_sync(has_read.wait, 20)
        await room.service.remove(HARBOUR)
        may_go_on.set()
    assert len(missed) == 1
    assert _statistics("harbour") == []
    assert WORD not in _in_memory(room)
    assert room.service._readers.counts == {}
    assert room.service._readers.dropped == set()


async def test_a_workshop_of_the_same_name_starts_from_nothing(room: Room) -> None:
    await _both(room)
    await room.service.remove(HARBOUR)
    before = room.embedder.encoded
    await _publish(room, "harbour", "v1", "driftwood")
    assert room.embedder.encoded > before
    found = await room.service.search(HARBOUR, SearchRequest(query="what opens the lock", limit=50))
    assert found.passages
    assert not any(WORD in passage.text for passage in found.passages)
