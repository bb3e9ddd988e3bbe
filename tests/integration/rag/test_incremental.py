"""What is embedded when a version comes that shares most of its text with one that is indexed already."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from agents.rag.form import CURRENT_FORM, Form
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.service import RagService
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.library.form import WorkshopFiles
from tests.integration.rag.conftest import Room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import workshop

GUIDE = scope_of("guide")
SECTIONS = 500


def _guide(changed: dict[int, str] | None = None, *, sections: int = SECTIONS, title: str = "") -> WorkshopFiles:
    """A workshop of at least as many chunks as sections; `changed` gives the word of some sections."""
    words = changed or {}
    steps = {
        f"step-{first}": f"# Step {first}\n\n"
        + "".join(
            f"## Valve {number}\n\nTurn valve {number} until the gauge of pump {number} shows {words.get(number, 'green')}. "
            + f"Then note what pump {number} says about line {number} and go on to the next valve of the hall. " * 5
            + "\n\n"
            for number in range(first, min(first + 50, sections))
        )
        for first in range(0, sections, 50)
    }
    return workshop("guide", steps, title=title)


async def _first(room: Room, query: str, version: str) -> str:
    found = await room.service.search(GUIDE, SearchRequest(query=query, version=version))
    return found.passages[0].text


async def test_a_changed_word_embeds_at_most_three_chunks(room: Room) -> None:
    first = await room.service.index(GUIDE, "v1", _guide())
    assert first.chunks >= SECTIONS
    assert room.embedder.encoded == first.chunks
    reported: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        reported.append((done, total))

    second = await room.service.index(GUIDE, "v2", _guide({321: "magenta"}), progress)
    assert second.chunks == first.chunks
    assert 1 <= room.embedder.encoded - first.chunks <= 3
    assert reported[0] == (0, second.chunks)
    assert reported[-1] == (second.chunks, second.chunks)
    assert reported == sorted(reported)
    assert "magenta" in await _first(room, "magenta gauge of pump 321", "v2")
    assert "magenta" not in await _first(room, "magenta gauge of pump 321", "v1")


async def test_an_index_of_taken_over_vectors_answers_like_one_made_anew(
    tmp_path: Path, rooms: Callable[..., AbstractAsyncContextManager[Room]]
) -> None:
    queries = ["valve 7", "pump 31 shows magenta", "what about line 12", "the next valve of the hall"]

    async def answers(room: Room) -> list[list[tuple[str, float | None, float | None]]]:
        found = [await room.service.search(GUIDE, SearchRequest(query=query, version="v2", limit=20)) for query in queries]
        return [
            sorted((p.text, round(p.scores.dense or 0, 5), round(p.scores.bm25 or 0, 5)) for p in each.passages) for each in found
        ]

    changed = _guide({31: "magenta"}, sections=60)
    async with rooms() as room:
        await room.service.index(GUIDE, "v2", changed)
        anew = await answers(room)
        await room.service.remove(GUIDE)
        await room.service.index(GUIDE, "v1", _guide(sections=60))
        before = room.embedder.encoded
        await room.service.index(GUIDE, "v2", changed)
        assert room.embedder.encoded - before <= 3
        assert await answers(room) == anew


async def test_vectors_are_taken_over_unchanged_through_many_versions(room: Room) -> None:
    await room.service.index(GUIDE, "v0", _guide(sections=20))
    index = await room.indexes.find("guide", "v0")
    assert index is not None
    digests = {row["digest"] for row in room.store._rows(GUIDE, index.collection, ["workshop_id", "digest"])}
    original = room.store.vectors(GUIDE, index.collection, digests)
    for number in range(1, 6):
        await room.service.index(GUIDE, f"v{number}", _guide({3: f"word{number}"}, sections=20))
        await room.service.activate(GUIDE, f"v{number}")
    last = await room.indexes.find("guide", None)
    assert last is not None
    held = room.store.vectors(GUIDE, last.collection, digests)
    assert len(held) >= len(original) - 3
    assert all(np.array_equal(vector, original[digest]) for digest, vector in held.items())


async def test_another_workshop_gives_no_vectors(room: Room) -> None:
    await room.service.index(GUIDE, "v1", _guide(sections=10))
    before = room.embedder.encoded
    other = _guide(sections=10)
    copy = replace(other, manifest=other.manifest.model_copy(update={"slug": "copy"}))
    status = await room.service.index(scope_of("copy"), "v1", copy)
    assert room.embedder.encoded - before == status.chunks
    index = await room.indexes.find("guide", "v1")
    assert index is not None
    digests = {row["digest"] for row in room.store._rows(GUIDE, index.collection, ["workshop_id", "digest"])}
    assert digests
    assert room.store.vectors(scope_of("copy"), index.collection, digests) == {}


async def test_another_model_embeds_everything(rooms: Callable[..., AbstractAsyncContextManager[Room]]) -> None:
    async with rooms() as room:
        status = await room.service.index(GUIDE, "v1", _guide(sections=10))
    async with rooms(FakeEmbedder(32, "other@111111111111")) as room:
        await room.service.index(GUIDE, "v1", _guide(sections=10))
        assert room.embedder.encoded == status.chunks


@pytest.mark.parametrize(
    "newer",
    [
        replace(CURRENT_FORM, chunking=CURRENT_FORM.chunking + 1),
        replace(CURRENT_FORM, terms=CURRENT_FORM.terms + 1),
        replace(CURRENT_FORM, rows=CURRENT_FORM.rows + 1),
    ],
)
async def test_a_newer_form_indexes_the_same_version_anew(room: Room, newer: Form) -> None:
    await room.service.index(GUIDE, "v1", _guide(sections=10))
    await room.service.activate(GUIDE, "v1")
    [old] = room.store.collections()
    upgraded = RagService(room.store, room.embedder, room.indexes, form=newer)
    before = room.embedder.encoded
    status = await upgraded.index(GUIDE, "v1", _guide(sections=10))
    assert status.active
    [new] = room.store.collections()
    assert new != old
    index = await room.indexes.find("guide", None)
    assert index is not None
    assert index.form == newer
    # rows of another kind may hold no digests, so nothing is read from them
    assert room.embedder.encoded - before == (status.chunks if newer.rows != CURRENT_FORM.rows else 0)
    await upgraded.index(GUIDE, "v1", _guide(sections=10))
    assert room.store.collections() == [new]


async def test_indexes_from_before_forms_were_kept_are_of_the_first(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/old.sqlite3")
    await migrate(engine, MIGRATIONS)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE rag_turns"))
        for name in ("serving", "built"):
            await connection.execute(text(f"DROP INDEX ux_rag_indexes_{name}"))
        for column in ("terms_form", "rows_form", "waiting_since", "agent", "touched_at", "dropping"):
            await connection.execute(text(f"ALTER TABLE rag_indexes DROP COLUMN {column}"))
        for table in ("rag_documents", "rag_shelves"):
            await connection.execute(text(f"DROP TABLE {table}"))
        await connection.execute(text("UPDATE rag_alembic_version SET version_num = 'rag_0001'"))
        await connection.execute(
            text("INSERT INTO rag_indexes VALUES ('index_0', 'guide', 'v1', 3, 'm', 1, '2026-01-01 00:00:00', 1, 1)")
        )
    await migrate(engine, MIGRATIONS)
    index = await IndexRepository(session_factory(engine)).find("guide", None)
    assert index is not None
    assert (index.form, index.chunks) == (Form(1, 1, 1), 3)
    assert index.form.rows != CURRENT_FORM.rows
    await engine.dispose()
