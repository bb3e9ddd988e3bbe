"""Two who publish one workshop at once: each version comes whole, one serves in the end, and nothing half-built stays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import update

from agents.rag.embedder import Vector
from agents.rag.errors import ModelUnavailableError, NotIndexedError
from agents.rag.repository import MOST_WAITING, IndexRow
from tests.integration.rag.conftest import Room, open_room
from tests.integration.rag.test_indexing import SHOP, _version, _words
from tests.unit.rag.fakes import FakeEmbedder

WORDS = {"v1": "alpha", "v2": "beta", "v3": "gamma"}


async def _index(room: Room, version: str) -> None:
    await room.service.index(SHOP, version, _version(WORDS[version]))


async def _publish(room: Room, version: str) -> None:
    await _index(room, version)
    await room.service.activate(SHOP, version)


async def _nothing_half_built(room: Room) -> None:
    built = await room.indexes.built()
    assert sorted(index.collection for index in built) == sorted(room.store.collections())
    assert sum(index.active for index in built) == 1
    assert await room.service.recover() == []


async def test_whoever_comes_last_wins_whole(room: Room) -> None:
    await _publish(room, "v1")
    seen: list[set[str]] = []
    done = anyio.Event()

    async def visitor() -> None:
        while not done.is_set():
            seen.append(await _words(room))

    async with anyio.create_task_group() as visitors:
        visitors.start_soon(visitor)
        async with anyio.create_task_group() as publishers:
            publishers.start_soon(_publish, room, "v2")
            publishers.start_soon(_publish, room, "v3")
        done.set()
    assert all(len(words) == 1 for words in seen)
    served = await _words(room)
    assert served in ({"beta"}, {"gamma"})
    assert (await room.service.status(SHOP)).version == ("v2" if served == {"beta"} else "v3")
    await _nothing_half_built(room)


async def test_a_version_that_another_publisher_has_built_is_there_to_be_activated(room: Room) -> None:
    await _publish(room, "v1")
    await _index(room, "v2")
    await _index(room, "v3")
    await room.service.activate(SHOP, "v2")
    await room.service.activate(SHOP, "v3")
    assert await _words(room) == {"gamma"}
    assert await _words(room, "v2") == {"beta"}
    with pytest.raises(NotIndexedError):
        await _words(room, "v1")
    await _nothing_half_built(room)


async def test_going_back_to_an_older_version_survives_another_publisher(room: Room) -> None:
    await _publish(room, "v1")
    await _publish(room, "v2")
    await _index(room, "v1")
    await _publish(room, "v3")
    await room.service.activate(SHOP, "v1")
    assert await _words(room) == {"alpha"}
    await _nothing_half_built(room)


async def test_a_version_whose_publisher_never_came_back_goes_in_the_end(room: Room) -> None:
    await _publish(room, "v1")
    await _index(room, "v2")
    long_ago = datetime.now(UTC) - 2 * MOST_WAITING - timedelta(seconds=1)
    async with room.indexes._sessions.begin() as session:
        await session.execute(update(IndexRow).where(IndexRow.version == "v2").values(waiting_since=long_ago))
    await _publish(room, "v3")
    with pytest.raises(NotIndexedError):
        await _words(room, "v2")
    await _nothing_half_built(room)


class _FailsOnce(FakeEmbedder):
    """Fails in the middle of the first indexing."""

    failed = False

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        if self.encoded >= 8 and not self.failed:
            self.failed = True
            raise ModelUnavailableError("The model broke.")
        return super().encode(texts)


async def test_when_the_first_of_two_fails_the_second_comes_whole(tmp_path: Path) -> None:
    failures: list[str] = []

    async def publish(room: Room, version: str) -> None:
        try:
            await _publish(room, version)
        except ModelUnavailableError as error:
            failures.append(error.detail)

    async with open_room(tmp_path, _FailsOnce()) as room:
        async with anyio.create_task_group() as publishers:
            publishers.start_soon(publish, room, "v1")
            publishers.start_soon(publish, room, "v1")
        assert failures == ["The model broke."]
        assert await _words(room) == {"alpha"}
        await _nothing_half_built(room)


async def test_a_publisher_who_is_stopped_leaves_the_other_alone(room: Room) -> None:
    await _publish(room, "v1")
    stopped = anyio.CancelScope()

    async def stop(done: int, _total: int) -> None:
        if done >= 8:
            stopped.cancel()
            await anyio.lowlevel.checkpoint()

    async def impatient() -> None:
        with stopped:
            await room.service.index(SHOP, "v2", _version("beta"), stop)

    async with anyio.create_task_group() as publishers:
        publishers.start_soon(impatient)
        publishers.start_soon(_publish, room, "v3")
    assert stopped.cancelled_caught
    assert await _words(room) == {"gamma"}
    with pytest.raises(NotIndexedError):
        await _words(room, "v2")
    await _nothing_half_built(room)
