"""Versions come whole or not at all, and a crash leaves the one before."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from agents.rag.embedder import Vector
from agents.rag.errors import NotIndexedError, StoreUnavailableError
from agents.rag.store.lite import MilvusLiteStore
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.errors import BadInputError
from shared_services.library.form import WorkshopFiles
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

SHOP = scope_of("shop")


def _version(word: str, sections: int = 12) -> WorkshopFiles:
    text = "".join(f"## Part {number}\n\nThe password of room {number} is {word}.\n\n" for number in range(sections))
    return workshop("shop", {"start": f"# Start\n\n{text}"})


async def _words(room: Room, version: str | None = None) -> set[str]:
    found = await room.service.search(SHOP, SearchRequest(query="password of the room", limit=50, version=version))
    assert found.passages
    return {word for passage in found.passages for word in ("alpha", "beta", "gamma") if word in passage.text}


async def test_a_version_is_searchable_by_name_and_serves_once_activated(room: Room) -> None:
    reported: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        reported.append((done, total))

    status = await room.service.index(SHOP, "v1", _version("alpha"), progress)
    assert not status.active
    assert reported[0] == (0, status.chunks)
    assert reported[-1] == (status.chunks, status.chunks)
    assert await _words(room, "v1") == {"alpha"}
    with pytest.raises(NotIndexedError):
        await _words(room)
    assert (await room.service.activate(SHOP, "v1")).active
    assert await _words(room) == {"alpha"}
    with pytest.raises(NotIndexedError):
        await room.service.activate(SHOP, "v2")


async def test_the_version_before_stays_by_name_and_the_one_before_that_goes(room: Room) -> None:
    for version, word in (("v1", "alpha"), ("v2", "beta"), ("v3", "gamma")):
        await room.service.index(SHOP, version, _version(word))
        await room.service.activate(SHOP, version)
        assert await _words(room) == {word}
    assert await _words(room, "v2") == {"beta"}
    with pytest.raises(NotIndexedError):
        await _words(room, "v1")
    assert len(room.store.collections()) == 2


async def test_the_flip_is_whole_while_searches_run(room: Room) -> None:
    await room.service.index(SHOP, "v1", _version("alpha"))
    await room.service.activate(SHOP, "v1")
    seen: list[set[str]] = []
    done = anyio.Event()

    async def search() -> None:
        while not done.is_set():
            seen.append(await _words(room))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(search)
        for number, word in enumerate(("beta", "gamma", "alpha", "beta")):
            await room.service.index(SHOP, f"w{number}", _version(word))
            await room.service.activate(SHOP, f"w{number}")
        await anyio.sleep(0.1)
        done.set()
    assert all(len(words) == 1 for words in seen)
    assert {"alpha"} in seen
    assert seen[-1] == {"beta"}


async def test_indexing_the_same_version_again_embeds_nothing(room: Room) -> None:
    first = await room.service.index(SHOP, "v1", _version("alpha"))
    encoded = room.embedder.encoded
    assert await room.service.index(SHOP, "v1", _version("alpha")) == first
    assert room.embedder.encoded == encoded


async def test_two_publishers_at_once_both_end_whole(room: Room) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.service.index, SHOP, "v1", _version("alpha"))
        tasks.start_soon(room.service.index, SHOP, "v1", _version("alpha"))
        tasks.start_soon(room.service.index, SHOP, "v2", _version("beta"))
    assert await _words(room, "v1") == {"alpha"}
    assert await _words(room, "v2") == {"beta"}
    assert len(room.store.collections()) == 2


class _BreakingEmbedder(FakeEmbedder):
    def encode(self, texts: Sequence[str]) -> list[Vector]:
        if self.encoded > 8:
            raise MemoryError("no memory for the batch")
        return super().encode(texts)


async def test_a_failure_while_indexing_leaves_the_old_version(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
        await room.service.activate(SHOP, "v1")
    async with open_room(tmp_path, _BreakingEmbedder()) as room:
        with pytest.raises(MemoryError):
            await room.service.index(SHOP, "v2", _version("beta", 80))
        assert len(room.store.collections()) == 1
    async with open_room(tmp_path) as room:
        assert await room.service.recover() == []
        assert await _words(room) == {"alpha"}


_CRASH = """
import os, signal, sys, anyio
from pathlib import Path
from tests.integration.rag.conftest import open_room
from tests.integration.rag.test_indexing import SHOP, _version
from tests.unit.rag.fakes import FakeEmbedder

async def main():
    async with open_room(Path(sys.argv[1])) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
        await room.service.activate(SHOP, "v1")
        async def progress(done, total):
            if done >= 24:
                os.kill(os.getpid(), signal.SIGKILL)
        await room.service.index(SHOP, "v2", _version("beta", 300), progress)
anyio.run(main)
"""


async def test_a_kill_in_the_middle_leaves_the_old_version(tmp_path: Path) -> None:
    ended = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-c", _CRASH, str(tmp_path)], cwd=Path(__file__).parents[3], env=os.environ | {"PYTHONPATH": "."}
        )
    )
    assert ended.returncode == -signal.SIGKILL
    async with open_room(tmp_path) as room:
        assert len(room.store.collections()) == 2
        assert len(await room.service.recover()) == 1
        assert len(room.store.collections()) == 1
        assert await _words(room) == {"alpha"}
        with pytest.raises(NotIndexedError):
            await room.service.status(SHOP, "v2")
        await room.service.index(SHOP, "v2", _version("beta"))
        await room.service.activate(SHOP, "v2")
        assert await _words(room) == {"beta"}


async def test_an_index_whose_collection_is_lost_is_forgotten(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
        room.store.drop(room.store.collections()[0])
        await room.service.recover()
        with pytest.raises(NotIndexedError):
            await room.service.status(SHOP)


async def test_the_folder_has_one_holder_and_reopens(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SHOP, "v1", workshop("shop", CLUSTER_STEPS))
        await room.service.activate(SHOP, "v1")
        before = await room.service.search(SHOP, SearchRequest(query="CrashLoopBackOff"))
        with pytest.raises(StoreUnavailableError, match="another process"):
            MilvusLiteStore(tmp_path).open()
        assert room.store.check() is None
    assert room.store.check() is not None
    with pytest.raises(StoreUnavailableError):
        room.store.collections()
    async with open_room(tmp_path) as room:
        after = await room.service.search(SHOP, SearchRequest(query="CrashLoopBackOff"))
        assert [(p.file, p.first_line, p.text, p.scores.bm25) for p in after.passages] == [
            (p.file, p.first_line, p.text, p.scores.bm25) for p in before.passages
        ]


async def test_passages_are_their_lines_byte_for_byte(room: Room) -> None:
    files = workshop("shop", CLUSTER_STEPS, more={"steps/deploy/hints.md": "Count the replicas.\n"})
    await room.service.index(SHOP, "v1", files)
    for query in ("scale replicas pods", "route certificate", "alert response time counter", "hints"):
        found = await room.service.search(SHOP, SearchRequest(query=query, limit=50, version="v1"))
        assert found.passages
        for passage in found.passages:
            lines = (files.text(passage.file) or "").splitlines(keepends=True)
            assert passage.text == "".join(lines[passage.first_line - 1 : passage.last_line])
            assert passage.commit == "c0ffee"
            assert passage.source.file == passage.file


async def test_kinds_narrow_and_the_step_is_favoured(room: Room) -> None:
    same = (
        "# Same\n\nPress the green button to go on with the exercise, wait for the lamp above the door, and write down "
        "what the display of the machine shows. This is the {0} round.\n"
    )
    files = workshop(
        "shop",
        {"one": same.format("first"), "two": same.format("second"), "three": same.format("third")},
        more={"steps/one/hints.md": "The green button is at the top.\n"},
    )
    await room.service.index(SHOP, "v1", files)
    for step in ("one", "two", "three"):
        request = SearchRequest(query="where is the button to go on with the exercise", step=step, version="v1", kinds=["prose"])
        assert (await room.service.search(SHOP, request)).passages[0].step == step
    hints = await room.service.search(SHOP, SearchRequest(query="green button", kinds=["hint"], version="v1"))
    assert [passage.kind for passage in hints.passages] == ["hint"]
    assert (await room.service.search(SHOP, SearchRequest(query="green button", kinds=[], version="v1"))).passages == []


async def test_another_model_is_told_apart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
    async with open_room(tmp_path, FakeEmbedder(32, "other@111111111111")) as room:
        assert await _words(room, "v1") == {"alpha"}
        await room.service.index(SHOP, "v1", _version("alpha"))
        assert (await room.service.status(SHOP)).model == "other@111111111111"
        assert await _words(room, "v1") == {"alpha"}
        assert len(room.store.collections()) == 1


async def test_files_of_another_workshop_are_refused(room: Room) -> None:
    with pytest.raises(BadInputError):
        await room.service.index(scope_of("other"), "v1", _version("alpha"))
    with pytest.raises(BadInputError, match="no text"):
        await room.service.index(SHOP, "v1", workshop("shop", {"start": "\n"}))


def _cut_search_files(folder: Path) -> int:
    files = [path for path in folder.rglob("*.idx") if path.stat().st_size]
    for path in files:
        path.write_bytes(path.read_bytes()[:130])
    return len(files)


async def test_a_search_file_that_was_cut_in_half_is_made_anew(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SHOP, "v1", workshop("shop", CLUSTER_STEPS))
        await room.service.activate(SHOP, "v1")
        before = await room.service.search(SHOP, SearchRequest(query="CrashLoopBackOff"))
    assert _cut_search_files(tmp_path)
    async with open_room(tmp_path) as room:
        after = await room.service.search(SHOP, SearchRequest(query="CrashLoopBackOff"))
    assert after.passages == before.passages
