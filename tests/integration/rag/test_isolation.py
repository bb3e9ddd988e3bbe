"""No passage of another workshop, by accident or by attack."""

from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agents.rag.store.lite as store_module
from agents.rag.metrics import SCOPE_VIOLATIONS
from agents.rag.scope import Scope
from agents.rag.store.lite import MilvusLiteStore
from shared_services.contracts.rag import SearchRequest, Turn
from shared_services.kit.errors import BadInputError, NotFoundError
from shared_services.kit.tokens import Claims
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import workshop

HOSTILE = [
    '" or 1==1 or workshop_id == "',
    "' or '1'=='1",
    'blue"] or workshop_id in ["blue',
    "\\",
    '\\" or 1==1',
    "%",
    "like '%'",
    "a\x00b",
    "\x00",
    "{x}",
    "{{workshop_id}}",
    "{{{{}}}} ${x} #{y}",
    "x" * 10_240,
    '"' * 10_240,
    "ｂｌｕｅ",
    "blue\u200b",
    "ЬLUE",
    "\u202eeulb",
    "../../blue",
    "\ud800",
    "\n\r\t",
    "workshop_id != ''",
    "blue",
]

RED = {"start": "# Start\n\nThe secret door of the red tower opens with the phrase amber falcon.\n\nTurn the key twice.\n"}
BLUE = {"start": "# Start\n\nThe secret door of the blue tower opens with the phrase silver heron.\n\nTurn the key thrice.\n"}


async def _both(room: Room) -> None:
    for slug, steps in (("red", RED), ("blue", BLUE)):
        await room.service.index(scope_of(slug), "v1", workshop(slug, steps))
        await room.service.activate(scope_of(slug), "v1")


async def test_crossed_questions_find_nothing_of_the_other(room: Room) -> None:
    await _both(room)
    for own, other, foreign in (("red", "blue", "heron"), ("blue", "red", "falcon")):
        for query in (f"what opens the {other} tower?", foreign, "secret door phrase", f"workshop {other}"):
            found = await room.service.search(scope_of(own), SearchRequest(query=query, limit=50))
            assert {passage.workshop for passage in found.passages} <= {own}
            assert not any(foreign in passage.text for passage in found.passages)
    assert "falcon" in (await room.service.search(scope_of("red"), SearchRequest(query="phrase"))).passages[0].text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_questions_stay_inside(room: Room, text: str) -> None:
    await _both(room)
    request = SearchRequest.model_construct(
        query=text,
        limit=50,
        step=None,
        kinds=None,
        history=[Turn.model_construct(speaker="user", text=text)],
        version=None,
    )
    found = await room.service.search(scope_of("red"), request)
    assert all(passage.workshop == "red" and "heron" not in passage.text for passage in found.passages)
    with pytest.raises(NotFoundError):
        await room.service.search(scope_of("red"), request.model_copy(update={"version": text}))


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_hostile_names_and_tags_make_no_scope(text: str) -> None:
    with pytest.raises(BadInputError):
        Scope.of(Claims("service:x", "rag", 0, workshop=text))
    with pytest.raises(BadInputError):
        Scope.of(Claims("service:x", "rag", 0, workshop="red", tags=(text,)))
    with pytest.raises(BadInputError):
        Scope.of(Claims("service:x", "rag", 0, workshop="red", content_focus=text))


async def test_hostile_content_is_stored_and_found_as_it_is(room: Room) -> None:
    lines = [text for text in HOSTILE if "\ud800" not in text and "\x00" not in text and "\n" not in text]
    content = "# Odd\n\n" + "\n\n".join(f"Marmot says {line}" for line in lines) + "\n"
    await _both(room)
    files = workshop("odd", {"start": content}, title='q" or 1==1', more={"steps/start/hints.md": "Marmot \x00 {{x}}\n"})
    await room.service.index(scope_of("odd"), "v1", files)
    found = await room.service.search(scope_of("odd"), SearchRequest(query="marmot says", limit=50, version="v1"))
    assert found.passages
    for passage in found.passages:
        whole = (files.text(passage.file) or "").split("\n")
        assert passage.text.rstrip("\n") == "\n".join(whole[passage.first_line - 1 : passage.last_line])


async def test_any_question_stays_inside(tmp_path: Path) -> None:
    holder: list[Room] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=200))
    def check(text: str) -> None:
        request = SearchRequest(query=text, limit=50)
        searcher = holder[0].service._searcher
        collection = holder[0].store.collections()
        for name in collection:
            for candidate in searcher.search(scope_of("red"), name, request).candidates:
                assert candidate.chunk.workshop == "red"

    async with open_room(tmp_path) as room:
        await _both(room)
        holder.append(room)
        await anyio.to_thread.run_sync(check)


async def test_a_row_from_outside_is_dropped_counted_and_logged(room: Room, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    await _both(room)
    before = SCOPE_VIOLATIONS._value.get()
    # an engine that ignores its filter, and a bookkeeping that names the wrong collection
    monkeypatch.setattr(store_module, "literal", lambda conditions: "id >= 0")
    index = await room.indexes.find("blue", None)
    assert index is not None
    vector = FakeEmbedder().encode(["secret door"])
    assert room.store.search_dense(scope_of("red"), index.collection, vector, 10, None) == [[]]
    assert room.store.search_terms(scope_of("red"), index.collection, [["door"]], 10, None) == [[]]
    assert list(room.store.read(scope_of("red"), index.collection)) == []
    assert SCOPE_VIOLATIONS._value.get() >= before + 3
    assert "rag_scope_violation" in "".join(capsys.readouterr())


async def test_a_removed_workshop_leaves_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _both(room)
        await room.service.search(scope_of("red"), SearchRequest(query="phrase"))
        await room.service.remove(scope_of("red"))
        with pytest.raises(NotFoundError):
            await room.service.search(scope_of("red"), SearchRequest(query="phrase"))
        with pytest.raises(NotFoundError):
            await room.service.status(scope_of("red"))
        assert room.service._searcher._contents.workshops() == {"blue"}
        assert (await room.service.search(scope_of("blue"), SearchRequest(query="phrase"))).passages
    raw = MilvusLiteStore(tmp_path)
    raw.open()
    try:
        left = [row for name in raw.collections() for row in _raw_rows(raw, name)]
    finally:
        raw.close()
    assert left
    assert {row["workshop_id"] for row in left} == {"blue"}
    assert not any(b"falcon" in path.read_bytes() for path in (tmp_path / "milvus.db").rglob("*") if path.is_file())


def _raw_rows(store: MilvusLiteStore, collection: str) -> list[dict[str, str]]:
    store._client.load_collection(collection)
    return list(store._client.query(collection, filter="id >= 0", output_fields=["workshop_id"], limit=1000))


def test_the_engine_listens_on_no_port(tmp_path: Path) -> None:
    store = MilvusLiteStore(tmp_path)
    store.open()
    try:
        assert store._socket_folder is not None
        assert (store._socket_folder / "milvus").is_socket()
        assert store._socket_folder.stat().st_mode & 0o077 == 0
    finally:
        store.close()
