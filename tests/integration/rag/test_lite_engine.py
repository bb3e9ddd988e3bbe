"""Milvus Lite asked directly and for named columns alone answers as it does when it is left alone."""

from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from milvus_lite import db
from milvus_lite.engine import collection as engine
from pymilvus.exceptions import MilvusException

from agents.rag.chunking import chunk_workshop
from agents.rag.scope import literal, read_conditions
from agents.rag.store import Owner
from agents.rag.store.lite import MilvusLiteStore
from agents.rag.store.lite_engine import read_named_columns_only, search
from agents.rag.terms import terms
from shared_services.contracts.rag import SearchRequest
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

COLLECTION = "index_" + "5" * 32
SCOPE = scope_of("shop")
QUESTIONS = ["how do I scale the deployment", "pods crash", "route", "oc adm policy"]


def _fill(store: MilvusLiteStore, model: FakeEmbedder) -> None:
    chunks = chunk_workshop(workshop("shop", CLUSTER_STEPS))
    rows = list(zip(range(len(chunks)), chunks, model.encode([chunk.indexed for chunk in chunks]), strict=True))
    store.create(COLLECTION, model.model_id, model.dimension)
    store.insert(Owner.of(SCOPE), COLLECTION, rows, "c0ffee")
    store.seal(COLLECTION)


def _asked(store: MilvusLiteStore, model: FakeEmbedder, kinds: list[Any] | None) -> tuple[Any, Any]:
    dense = store.search_dense(SCOPE, COLLECTION, model.encode(QUESTIONS), 20, kinds)
    return dense, store.search_terms(SCOPE, COLLECTION, [terms(text) for text in QUESTIONS], 20, kinds)


def _over_the_socket(store: MilvusLiteStore, model: FakeEmbedder, kinds: list[Any] | None) -> tuple[Any, Any]:
    given = {"limit": 20, "filter": literal(read_conditions(SCOPE, kinds)), "output_fields": ["id", "workshop_id"]}
    client = store._connected()
    dense = client.search(
        COLLECTION,
        [vector.tolist() for vector in model.encode(QUESTIONS)],
        anns_field="dense",
        search_params={"metric_type": "COSINE"},
        **given,
    )
    texts = [" ".join(terms(text)) for text in QUESTIONS]
    keyword = client.search(COLLECTION, texts, anns_field="sparse", search_params={"metric_type": "BM25"}, **given)
    return (
        [[(hit["id"], pytest.approx(hit["distance"], abs=1e-6)) for hit in hits] for hits in dense],
        [[(hit["id"], pytest.approx(-hit["distance"], abs=1e-5)) for hit in hits] for hits in keyword],
    )


@pytest.mark.parametrize("kinds", [None, ["command"], ["prose", "code"]])
async def test_finds_what_the_engine_left_alone_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: list[Any] | None
) -> None:
    model = FakeEmbedder()
    theirs = next(each for each in db.Collection.__mro__ if each.__module__ == "milvus_lite.engine.collection")
    store = MilvusLiteStore(tmp_path)
    await anyio.to_thread.run_sync(store.open)
    _fill(store, model)
    found = _asked(store, model, kinds)
    read = sorted(store.read(SCOPE, COLLECTION), key=lambda row: row[0].ordinal)
    await anyio.to_thread.run_sync(store.close)

    monkeypatch.setattr(db, "Collection", theirs)
    monkeypatch.setattr("agents.rag.store.lite_engine.read_named_columns_only", lambda: None)
    await anyio.to_thread.run_sync(store.open)
    assert sorted(store.read(SCOPE, COLLECTION), key=lambda row: row[0].ordinal) == read
    wanted = _over_the_socket(store, model, kinds)
    await anyio.to_thread.run_sync(store.close)

    assert [[(hit.ordinal, hit.score) for hit in hits] for hits in found[0]] == wanted[0]
    assert [[(hit.ordinal, hit.score) for hit in hits] for hits in found[1]] == wanted[1]
    assert any(found[0])
    assert any(found[1])


def test_is_put_in_place_once() -> None:
    read_named_columns_only()
    frugal = db.Collection
    read_named_columns_only()
    assert db.Collection is frugal
    assert issubclass(frugal, engine.Collection)


async def test_a_search_reads_no_column_that_it_does_not_need(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    await room.service.index(SCOPE, "v1", workshop("shop", CLUSTER_STEPS))
    await room.service.activate(SCOPE, "v1")
    await room.service.search(SCOPE, SearchRequest(query="pods"))
    seen: set[str] = set()
    read = engine.project_record

    def watched(record: dict[str, Any], *given: Any) -> Any:
        seen.update(record)
        return read(record, *given)

    monkeypatch.setattr(engine, "project_record", watched)
    assert (await room.service.search(SCOPE, SearchRequest(query="pods crash", kinds=["prose"]))).passages
    assert seen == {"workshop_id", "kind"}


async def test_naming_the_collections_opens_none(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.service.index(SCOPE, "v1", workshop("shop", CLUSTER_STEPS))
    async with open_room(tmp_path) as room:
        await room.service.recover()
        assert room.store.check() is None
        assert len(room.store.collections()) == 1
        assert not room.store._engine._collections


async def test_a_collection_that_is_not_there_is_an_error_of_milvus(room: Room) -> None:
    with pytest.raises(MilvusException, match="does not exist") as raised:
        search(room.store._engine, COLLECTION, [[0.0]], anns_field="dense", top_k=1)
    assert raised.value.code == 100
