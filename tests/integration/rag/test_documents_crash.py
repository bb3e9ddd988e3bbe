"""A post of shared documents that is killed, or fails, at each of its steps: the old documents stay, or the new ones are whole."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from agents.rag.errors import ModelUnavailableError
from shared_services.kit.errors import ConflictError, StorageFullError
from tests.integration.rag.libraries import OPS, Library, open_library, scope
from tests.unit.rag.fakes import FakeEmbedder

ROOT = Path(__file__).parents[3]

# step, whether before or after it, and what is read afterwards
STEPS = [
    ("begin", "before", "old"),
    ("begin", "after", "old"),
    ("insert", "before", "old"),
    ("insert", "after", "old"),
    ("seal", "before", "old"),
    ("seal", "after", "old"),
    ("flip", "before", "old"),
    ("flip", "after", "new"),
    ("delete_documents", "before", "new"),
    ("delete_documents", "after", "new"),
    ("forget", "before", "new"),
]


def _files(word: str) -> dict[str, str | bytes]:
    return {name: f"# {name}\n\n## One\n\nIt is {word}.\n\n## Two\n\n{'The same in both. ' * 40}\n" for name in ("a.md", "b.md")}


def _at(library: Library, step: str, when: str, happens: Callable[[], None]) -> None:
    """Let something happen before or after the first call of a step."""
    owner: Any = library.table if hasattr(library.table, step) else library.store
    real = getattr(owner, step)

    async def awaited(*args: Any) -> Any:
        if when == "before":
            happens()
        result = await real(*args)
        if when == "after":
            happens()
        return result

    def called(*args: Any) -> Any:
        if when == "before":
            happens()
        result = real(*args)
        if when == "after":
            happens()
        return result

    setattr(owner, step, awaited if owner is library.table else called)


async def _state(library: Library) -> set[str]:
    """Which word every document has; their rows must be whole."""
    chunks = await library.chunks("java")
    shelf = await library.documents.visible(scope("java"), library.embedder.model_id)
    assert shelf is not None
    assert {document.id for document in shelf.documents.values()} == {"a", "b"}
    words = {"new" if "new" in chunk.text else "old" for chunk in chunks if "It is" in chunk.text}
    for number, document in shelf.documents.items():
        said = await library.documents.get(OPS, document.id)
        assert sum(chunk.document == number for chunk in chunks) == said.chunks
    return words


async def _clean(library: Library) -> None:
    shelf = await library.documents.visible(scope("java"), library.embedder.model_id)
    assert shelf is not None
    assert library.raw_numbers(shelf.collection) == set(shelf.documents)
    assert library.store.collections() == [shelf.collection]
    assert await library.table.left_over(building_for=timedelta(0)) == []


async def _post_and_die(folder: Path, step: str, when: str) -> None:
    async with open_library(folder) as library:
        _at(library, step, when, lambda: os._exit(9))
        await library.post(_files("new"))


@pytest.mark.parametrize(("step", "when", "word"), STEPS)
async def test_killed_at_a_step(tmp_path: Path, step: str, when: str, word: str) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
    command = [sys.executable, "-m", __name__, str(tmp_path), step, when]
    died = await anyio.run_process(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert died.returncode == 9, died.stderr
    async with open_library(tmp_path) as library:
        assert await _state(library) == {word}
        await library.recover()
        assert await _state(library) == {word}
        await _clean(library)
        await library.post(_files("new"))
        assert await _state(library) == {"new"}
        await _clean(library)


@pytest.mark.parametrize(("step", "when", "word"), [row for row in STEPS if row[2] == "old"])
async def test_failed_at_a_step(tmp_path: Path, step: str, when: str, word: str) -> None:
    class FullError(Exception):
        pass

    def fail() -> None:
        raise FullError

    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        real = getattr(library.table if hasattr(library.table, step) else library.store, step)
        _at(library, step, when, fail)
        with pytest.raises(FullError):
            await library.post(_files("new"))
        assert await _state(library) == {word}
        setattr(library.table if hasattr(library.table, step) else library.store, step, real)
        await library.post(_files("new"))
        assert await _state(library) == {"new"}
        await library.recover()
        await _clean(library)


async def test_rows_that_could_not_be_deleted_go_with_the_next_change(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        real = library.store.delete_documents

        def full(*_args: object) -> None:
            raise StorageFullError("The disk is full.")

        library.store.delete_documents = full  # type: ignore[method-assign]
        report = await library.post(_files("new"))
        assert len(report.indexed) == 2
        assert await _state(library) == {"new"}
        library.store.delete_documents = real  # type: ignore[method-assign]
        await library.post({"c.md": "# C\n\nText.\n"}, "other")
        shelf = await library.documents.visible(scope("java", "other"), library.embedder.model_id)
        assert shelf is not None
        assert library.raw_numbers(shelf.collection) == set(shelf.documents)


async def test_a_model_that_fails_leaves_the_old(tmp_path: Path) -> None:
    class Failing(FakeEmbedder):
        failing = False

        def encode(self, texts):
            if self.failing:
                raise ModelUnavailableError("There are no weights.")
            return super().encode(texts)

    embedder = Failing()
    async with open_library(tmp_path, embedder) as library:
        await library.post(_files("old"))
        embedder.failing = True
        with pytest.raises(ModelUnavailableError):
            await library.post(_files("new"))
        assert await _state(library) == {"old"}
        await _clean(library)


async def test_a_cancelled_post_leaves_the_old(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        with anyio.CancelScope() as cancel:
            _at(library, "insert", "after", lambda: anyio.from_thread.run_sync(cancel.cancel))
            await library.post(_files("new"))
        assert cancel.cancelled_caught
        assert await _state(library) == {"old"}
        await _clean(library)


async def test_searches_read_the_old_until_the_new_is_whole(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        seen: list[set[str]] = []

        async def look() -> None:
            seen.append(await _state(library))

        real = library.store.insert

        def insert(*args: Any) -> None:
            real(*args)
            anyio.from_thread.run(look)

        library.store.insert = insert  # type: ignore[method-assign]
        await library.post(_files("new"))
        assert len(seen) >= 2
        assert all(words == {"old"} for words in seen)
        assert await _state(library) == {"new"}


async def test_a_revision_that_another_process_published_first_wins(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        old = await library.table.find("a")
        assert old is not None
        number = await library.table.begin(old, "text")
        await library.table.flip([number])
        with pytest.raises(ConflictError):
            await library.table.flip([number])


async def test_a_shelf_that_is_gone_from_the_store_is_made_again(tmp_path: Path) -> None:
    async with open_library(tmp_path) as library:
        await library.post(_files("old"))
        [collection] = library.store.collections()
        library.store.drop(collection)
        await library.recover()
        assert await library.seen("java") == set()
        assert len(await library.documents.listed(OPS)) == 2
        assert await library.documents.reindex(OPS) == 2
        assert await _state(library) == {"old"}
        await _clean(library)


async def test_what_another_process_builds_is_left_to_it(tmp_path: Path) -> None:
    async with open_library(tmp_path, alone=False) as library:
        await library.post(_files("old"))
        old = await library.table.find("a")
        assert old is not None
        number = await library.table.begin(old, "text")
        await library.documents.recover()
        assert await library.table.left_over(building_for=timedelta(0)) == [(number, old.collection)]
    async with open_library(tmp_path) as library:
        await library.recover()
        await _clean(library)
        with pytest.raises(ConflictError):
            await library.table.flip([number])


@pytest.mark.parametrize("alone", [True, False])
async def test_a_shelf_that_could_not_be_made_is_made_later(tmp_path: Path, alone: bool) -> None:
    async with open_library(tmp_path, alone=alone) as library:
        real = library.store.create

        def full(*_args: object) -> None:
            raise StorageFullError("The disk is full.")

        library.store.create = full  # type: ignore[method-assign]
        with pytest.raises(StorageFullError):
            await library.post(_files("old"))
        library.store.create = real  # type: ignore[method-assign]
        await library.post(_files("old"))
        assert await _state(library) == {"old"}
        await _clean(library)


if __name__ == "__main__":
    anyio.run(_post_and_die, Path(sys.argv[1]), sys.argv[2], sys.argv[3])
