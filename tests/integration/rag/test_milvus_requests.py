"""What MilvusStore asks of Milvus, word for word: no real Milvus runs in the tests, so its requests are held to what it documents."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pymilvus.grpc_gen import common_pb2, schema_pb2

from agents.rag.form import ROWS_VERSION
from agents.rag.metrics import SCOPE_VIOLATIONS
from agents.rag.scope import Scope
from agents.rag.store import Owner
from agents.rag.store import milvus as module
from agents.rag.store.layout import collection_name
from agents.rag.store.milvus import MilvusStore
from shared_services.kit.tokens import Claims
from tests.integration.rag.milvus_stub import RecordingMilvus, filter_of, pairs, recording
from tests.integration.rag.test_store_contract import DOORS, MODEL, RED, chunk, keeper

HOME = collection_name(MODEL.model_id, 64)


@pytest.fixture
def recorded() -> Iterator[tuple[RecordingMilvus, MilvusStore]]:
    with recording() as (stub, uri):
        store = MilvusStore(uri, replicas=2)
        store.open()
        yield stub, store
        store.close()


def _filled(store: MilvusStore, owner: Owner | None = None) -> str:
    index = f"index_{uuid.uuid4().hex}"
    store.create(index, MODEL.model_id, 64)
    vectors = MODEL.encode(DOORS)
    rows = [(number, chunk(text), vector) for number, (text, vector) in enumerate(zip(DOORS, vectors, strict=True))]
    store.insert(owner or Owner.of(RED), index, rows, "c0ffee")
    store.seal(index)
    return index


def _column(request: Any, name: str) -> list[Any]:
    [column] = [column for column in request.fields_data if column.field_name == name]
    return list(getattr(column.scalars, column.scalars.WhichOneof("data")).data)


def test_a_collection_has_the_workshop_as_its_partition_key_and_keeps_partitions_apart(
    recorded: tuple[RecordingMilvus, MilvusStore],
) -> None:
    stub, store = recorded
    _filled(store)
    _filled(store)
    [request] = stub.all("CreateCollection")
    assert request.collection_name == HOME
    assert request.num_partitions == 64
    assert request.consistency_level == common_pb2.ConsistencyLevel.Bounded
    assert pairs(request.properties)["partitionkey.isolation"] is True
    schema = schema_pb2.CollectionSchema()
    schema.ParseFromString(request.schema)
    fields = {field.name: field for field in schema.fields}
    assert [name for name, field in fields.items() if field.is_partition_key] == ["workshop_id"]
    assert [name for name, field in fields.items() if field.is_primary_key] == ["pk"]
    assert not schema.autoID
    assert not schema.enable_dynamic_field
    assert pairs(fields["dense"].type_params) == {"dim": 64}
    assert pairs(fields["terms"].type_params)["enable_analyzer"] is True
    [function] = schema.functions
    assert (function.type, function.input_field_names, function.output_field_names) == (
        schema_pb2.FunctionType.BM25,
        ["terms"],
        ["sparse"],
    )


def test_indexes_and_replicas(recorded: tuple[RecordingMilvus, MilvusStore]) -> None:
    stub, store = recorded
    _filled(store)
    asked = {request.field_name: pairs(request.extra_params) for request in stub.all("CreateIndex")}
    assert asked == {
        "dense": {"index_type": "HNSW", "metric_type": "COSINE", "M": 24, "efConstruction": 200},
        "sparse": {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", "bm25_k1": 1.5, "bm25_b": 0.75},
    }
    assert [(request.collection_name, request.replica_number) for request in stub.all("LoadCollection")] == [(HOME, 2)]


def test_a_server_without_isolation_is_used_without(recorded: tuple[RecordingMilvus, MilvusStore]) -> None:
    stub, store = recorded
    stub.isolation = False
    index = _filled(store)
    first, second = stub.all("CreateCollection")
    assert "partitionkey.isolation" in pairs(first.properties)
    assert "partitionkey.isolation" not in pairs(second.properties)
    assert first.schema == second.schema
    assert len(list(store.read(RED, index))) == 4


def test_rows_carry_workshop_and_index_and_a_key_of_their_own(recorded: tuple[RecordingMilvus, MilvusStore]) -> None:
    stub, store = recorded
    index = _filled(store)
    named, rows = stub.all("Insert")
    hexadecimal = index.removeprefix("index_")
    assert (_column(named, "workshop_id"), _column(named, "index_id")) == (["_indexes"], [index])
    assert _column(rows, "workshop_id") == ["red"] * 4
    assert _column(rows, "index_id") == [index] * 4
    assert _column(rows, "pk") == [f"{hexadecimal}/{number:016d}" for number in range(4)]
    assert "sparse" not in [column.field_name for column in rows.fields_data]


def test_one_hybrid_search_asks_for_every_part_of_a_question(recorded: tuple[RecordingMilvus, MilvusStore]) -> None:
    stub, store = recorded
    index = _filled(store)
    vectors = MODEL.encode(["red door", "cat"])
    store.search(RED, index, vectors, [["red", "door"], [], ["cat"]], 7, ["prose", "code"])
    [request] = stub.all("HybridSearch")
    assert request.collection_name == HOME
    assert pairs(request.rank_params)["strategy"] == "rrf"
    # four parts of seven: no candidate is lost to the ranker
    assert pairs(request.rank_params)["limit"] == 28
    assert sorted(request.output_fields) == ["dense", "id", "index_id", "terms", "workshop_id"]
    for part in request.requests:
        assert filter_of(part, "dsl") == (
            "workshop_id == {workshop_id_value} and kind in {kind_values} and index_id == {index_id_value}",
            {"workshop_id_value": "red", "kind_values": ["code", "prose"], "index_id_value": index},
        )
        assert part.nq == 1
    asked = [pairs(part.search_params) for part in request.requests]
    assert [each["anns_field"] for each in asked] == ["dense", "dense", "sparse", "sparse"]
    assert [each["metric_type"] for each in asked] == ["COSINE", "COSINE", "BM25", "BM25"]
    assert [each["topk"] for each in asked] == [7] * 4
    assert [each["params"].get("ef") for each in asked] == [64, 64, None, None]
    sent = [_placeholder(part) for part in request.requests]
    assert np.frombuffer(sent[0], dtype=np.float32) == pytest.approx(vectors[0])
    assert sent[2:] == [b"red door", b"cat"]


def _placeholder(part: Any) -> bytes:
    group = common_pb2.PlaceholderGroup()
    group.ParseFromString(part.placeholder_group)
    [placeholder] = group.placeholders
    [value] = placeholder.values
    return bytes(value)


def test_reads_are_of_all_that_was_written_and_searches_once_it_has_settled_are_not_made_to_wait(
    recorded: tuple[RecordingMilvus, MilvusStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub, store = recorded
    index = _filled(store)
    list(store.read(RED, index))
    store.search(RED, index, MODEL.encode(["door"]), [["door"]], 5, None)
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 2 * module.SETTLED_SECONDS)
    store.search(RED, index, MODEL.encode(["door"]), [["door"]], 5, None)
    levels = common_pb2.ConsistencyLevel
    assert {request.consistency_level for request in stub.all("Query")} == {levels.Strong}
    assert [request.consistency_level for request in stub.all("HybridSearch")] == [levels.Strong, levels.Bounded]


def test_deleting_documents_names_the_shared_scope_the_index_and_the_documents(
    recorded: tuple[RecordingMilvus, MilvusStore],
) -> None:
    stub, store = recorded
    index = _filled(store, Owner.of_document(keeper(3), 3, ["java"], None))
    store.delete_documents(index, [3])
    store.delete_documents(index, [5, 4])
    store.drop(index)
    template = "workshop_id == {workshop_id_value} and index_id == {index_id_value} and document"
    assert [filter_of(request) for request in stub.all("Delete")] == [
        (f"{template} == {{document_value}}", {"workshop_id_value": "_shared", "index_id_value": index, "document_value": 3}),
        (
            f"{template} in {{document_values}}",
            {"workshop_id_value": "_shared", "index_id_value": index, "document_values": [4, 5]},
        ),
        ("index_id == {index_id_value}", {"index_id_value": index}),
    ]


def test_no_read_is_without_a_workshop_and_no_value_stands_in_an_expression(
    recorded: tuple[RecordingMilvus, MilvusStore],
) -> None:
    stub, store = recorded
    scope = Scope.of(Claims("service:test", "rag", 0, workshop="or-1-equals-1", tags=("tag-in-a-token",)))
    hostile = 'x" or 1 == 1 or workshop_id != "'
    index = _filled(store, Owner.of(scope))
    list(store.read(scope, index))
    store.vectors(scope, index, {hostile})
    store.search(scope, index, MODEL.encode([hostile]), [[hostile, "{index_id_value}", "%"]], 5, ["hint"])
    shared = _filled(store, Owner.of_document(keeper(3), 3, ["tag-in-a-token"], None))
    store.search(scope.shared([3]), shared, MODEL.encode([hostile]), [[hostile]], 5, None)
    reads = [filter_of(request) for request in stub.all("Query")]
    reads += [filter_of(part, "dsl") for request in stub.all("HybridSearch") for part in request.requests]
    assert len(reads) > 8
    known = {"workshop_id", "index_id", "kind", "document", "pk", "and", "in", "==", ">"}
    for expression, values in reads:
        assert values["workshop_id_value"] in ("or-1-equals-1", "_shared", "_indexes")
        assert expression.startswith("workshop_id == {workshop_id_value} and ")
        assert all(word in known or word.strip("{}") in values for word in expression.split())
        assert hostile not in json.dumps(values)


def test_what_milvus_returns_from_outside_the_scope_does_not_leave_the_store(
    recorded: tuple[RecordingMilvus, MilvusStore],
) -> None:
    stub, store = recorded
    blue = Scope.of(Claims("service:test", "rag", 0, workshop="blue"))
    red, old = _filled(store), _filled(store)
    other = _filled(store, Owner.of(blue))
    assert len({red, old, other}) == 3
    list(store.read(RED, red))
    stub.leaks = True
    before = SCOPE_VIOLATIONS._value.get()
    dense, keyword = store.search(RED, red, MODEL.encode(["door"]), [["door"]], 50, None)
    assert (len(dense[0]), len(keyword[0])) == (4, 3)
    assert len(list(store.read(RED, red))) == 4
    # twice the other workshop's four rows and the other index's four
    assert SCOPE_VIOLATIONS._value.get() - before == 16


def test_a_collection_is_named_by_model_dimension_and_rows() -> None:
    assert HOME.startswith("workshop_rag_fake_000000000000_")
    names = {collection_name("a", 64), collection_name("a", 32), collection_name("b", 64), collection_name("a/64", 64)}
    assert len(names) == 4
    assert all(name.isidentifier() and len(name) < 100 for name in names)
    assert ROWS_VERSION >= 3
