"""What every store promises, held against each engine: Milvus Lite in this process, its server on the network, a stub that reads
filter templates as Milvus does, and a real Milvus where one is named."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from agents.rag.chunking import Chunk
from agents.rag.errors import IndexGoneError, ModelMismatchError
from agents.rag.scope import ReadScope, Scope, SharedScope
from agents.rag.store import Owner, VectorStore
from agents.rag.store.engine import READ_PAGE
from agents.rag.store.lite import MilvusLiteStore
from agents.rag.store.milvus import MilvusStore
from agents.rag.terms import terms
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import ChunkKind
from shared_services.kit.tokens import Claims
from tests.integration.rag.conftest import scope_of
from tests.integration.rag.milvus_server import MilvusServer
from tests.integration.rag.milvus_stub import recording
from tests.unit.rag.fakes import FakeEmbedder

DOORS = ["the red door opens slowly", "the green door closes", "a cat sleeps on the mat", "doors and windows and doors"]
MODEL = FakeEmbedder()
RED, BLUE = scope_of("red"), scope_of("blue")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    started = MilvusServer(tmp_path_factory.mktemp("milvus"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
def stub() -> Iterator[str]:
    with recording() as (_, uri):
        yield uri


@pytest.fixture(params=["lite", "server", "stub", "milvus"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    opened: VectorStore
    if request.param == "lite":
        opened = MilvusLiteStore(tmp_path)
    elif request.param == "server":
        opened = MilvusStore(request.getfixturevalue("server").uri)
    elif request.param == "stub":
        opened = MilvusStore(request.getfixturevalue("stub"))
    else:
        uri = os.environ.get("MILVUS_TEST_URI")
        if not uri:
            pytest.skip("needs a Milvus: set MILVUS_TEST_URI (and MILVUS_TEST_TOKEN)")
        opened = MilvusStore(uri, token=os.environ.get("MILVUS_TEST_TOKEN", ""), timeout=30)
    opened.open()
    before = set(opened.collections())
    yield opened
    for left in set(opened.collections()) - before:
        opened.drop(left)
    opened.close()


def chunk(text: str, kind: ChunkKind = "prose", line: int = 1) -> Chunk:
    return Chunk("start", "Start", "steps/start/content.md", line, line, ("Start", "Do"), kind, text, "\n", text, "lab.md", line)


Build = Callable[..., str]


@pytest.fixture
def build(store: VectorStore) -> Build:
    def built(
        owner: Owner, texts: Sequence[str] = DOORS, kinds: Sequence[ChunkKind] = (), model: FakeEmbedder = MODEL, index: str = ""
    ) -> str:
        name = index or f"index_{uuid.uuid4().hex}"
        if not index:
            store.create(name, model.model_id, model.dimension)
        rows = [
            (number, chunk(text, kinds[number] if kinds else "prose", number + 1), vector)
            for number, (text, vector) in enumerate(zip(texts, model.encode(texts), strict=True))
        ]
        for first in range(0, len(rows), 500):
            store.insert(owner, name, rows[first : first + 500], "c0ffee")
        store.seal(name)
        return name

    return built


def found(store: VectorStore, scope: ReadScope, index: str, text: str, limit: int = 10) -> tuple[list[int], list[int]]:
    (dense,), (keyword,) = store.search(scope, index, MODEL.encode([text]), [terms(text)], limit, None)
    return [hit.ordinal for hit in dense], [hit.ordinal for hit in keyword]


def test_what_was_inserted_is_read_back_whole(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED), kinds=["prose", "command", "code", "hint"])
    read = sorted(store.read(RED, index), key=lambda pair: pair[0].ordinal)
    assert [chunk.text for chunk, _ in read] == DOORS
    assert [chunk.kind for chunk, _ in read] == ["prose", "command", "code", "hint"]
    assert [found_terms for _, found_terms in read] == [terms(text) for text in DOORS]
    second = read[1][0]
    assert (second.ordinal, second.workshop, second.step, second.step_title) == (1, "red", "start", "Start")
    assert (second.file, second.first_line, second.last_line) == ("steps/start/content.md", 2, 2)
    assert (second.heading, second.after, second.commit) == (("Start", "Do"), "\n", "c0ffee")
    assert (second.source_file, second.source_line, second.document) == ("lab.md", 2, 0)


def test_the_nearest_and_the_best_matching_come_first_with_their_scores(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED))
    vectors = MODEL.encode(["red door", "cat"])
    dense, keyword = store.search(RED, index, vectors, [["red", "door"], [], ["cat"]], 3, None)
    assert [len(ranking) for ranking in dense] == [3, 3]
    assert (dense[0][0].ordinal, dense[1][0].ordinal) == (0, 2)
    held = np.array(MODEL.encode(DOORS))
    for vector, ranking in zip(vectors, dense, strict=True):
        assert [hit.score for hit in ranking] == sorted((hit.score for hit in ranking), reverse=True)
        assert [hit.score for hit in ranking] == pytest.approx([float(held[hit.ordinal] @ vector) for hit in ranking], abs=1e-4)
    assert [hit.ordinal for hit in keyword[0]] == [0, 3, 1]
    assert keyword[1] == []
    assert [hit.ordinal for hit in keyword[2]] == [2]
    assert all(hit.score > 0 for ranking in keyword for hit in ranking)
    assert store.search_dense(RED, index, vectors, 3, None) == dense
    assert store.search_terms(RED, index, [["red", "door"], [], ["cat"]], 3, None) == keyword


def test_keyword_scores_are_those_that_ranking_was_fitted_to(store: VectorStore, build: Build) -> None:
    (keyword,) = store.search_terms(RED, build(Owner.of(RED)), [["red", "door"]], 10, None)
    # ln(1 + 3.5/1.5) and ln(1 + 1.5/3.5), each times 2.5 / (1 + 1.5 * (.25 + .75 * 4 / 3.25)); the mean length is 13/4
    assert keyword[0].score == pytest.approx(1.41383, abs=1e-4)


def test_keyword_scores_do_not_depend_on_other_workshops(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED))
    before = store.search_terms(RED, index, [["red", "door"]], 10, None)
    build(Owner.of(BLUE), ["red red red"] * 50)
    assert store.search_terms(RED, index, [["red", "door"]], 10, None) == before


def test_two_workshops_with_the_same_texts_stay_apart(store: VectorStore, build: Build) -> None:
    red, blue = build(Owner.of(RED)), build(Owner.of(BLUE), [*DOORS, "blue alone has a door here"])
    assert {chunk.workshop for chunk, _ in store.read(RED, red)} == {"red"}
    assert len(list(store.read(BLUE, blue))) == 5
    assert sorted(found(store, RED, red, "red door")[0]) == [0, 1, 2, 3]
    # a workshop that names another's index
    assert list(store.read(RED, blue)) == []
    assert found(store, RED, blue, "red door") == ([], [])
    assert store.vectors(RED, blue, {"x"}) == {}


def test_two_indexes_of_one_workshop_stay_apart(store: VectorStore, build: Build) -> None:
    old, new = build(Owner.of(RED)), build(Owner.of(RED), ["only this door"])
    assert [chunk.text for chunk, _ in store.read(RED, new)] == ["only this door"]
    assert found(store, RED, new, "door") == ([0], [0])
    store.drop(new)
    assert sorted(found(store, RED, old, "door")[1]) == [0, 1, 3]


def test_kinds_narrow(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED), kinds=["prose", "command", "prose", "hint"])
    dense, keyword = store.search(RED, index, MODEL.encode(["door"]), [["door"]], 10, ["command", "hint"])
    assert sorted(hit.ordinal for hit in dense[0]) == [1, 3]
    assert sorted(hit.ordinal for hit in keyword[0]) == [1, 3]


def keeper(*documents: int) -> SharedScope:
    return SharedScope.whole(Claims("service:test", "rag", 0, roles=frozenset({Role.ADMIN})), documents)


def test_shared_documents_are_seen_by_number_tags_and_focus(store: VectorStore, build: Build) -> None:
    owners = [
        Owner.of_document(keeper(7, 8, 9), 7, ["java"], None),
        Owner.of_document(keeper(7, 8, 9), 8, ["javascript"], None),
        Owner.of_document(keeper(7, 8, 9), 9, ["java"], "cooking"),
    ]
    index = build(owners[0])
    for owner in owners[1:]:
        build(owner, index=index)
    numbers = [number * 1_000_000 for number in (7, 8, 9)]
    reader = Scope.of(Claims("service:test", "rag", 0, workshop="red", tags=("java",), content_focus="gardening"))
    seen = reader.shared([7])
    dense, keyword = found(store, seen, index, "red door", 50)
    assert {number // 1_000_000 for number in (*dense, *keyword)} == {7}
    assert keyword[0] == numbers[0]
    # numbers that the tags or the focus do not allow are not seen, whoever lists them
    assert {chunk.document for chunk, _ in store.read(reader.shared([7, 8, 9]), index)} == {7}
    assert {chunk.document for chunk, _ in store.read(keeper(7, 8, 9), index)} == {7, 8, 9}
    assert list(store.read(reader.shared([]), index)) == []
    assert found(store, reader.shared([]), index, "red door") == ([], [])
    assert list(store.read(RED, index)) == []


def test_a_deleted_document_is_gone_and_the_others_stay(store: VectorStore, build: Build) -> None:
    index = build(Owner.of_document(keeper(1, 2), 1, ["java"], None))
    build(Owner.of_document(keeper(1, 2), 2, ["java"], None), index=index)
    store.delete_documents(index, [1, 5])
    store.delete_documents(index, [])
    assert {chunk.document for chunk, _ in store.read(keeper(1, 2), index)} == {2}
    dense, keyword = found(store, keeper(1, 2), index, "door", 50)
    assert {number // 1_000_000 for number in (*dense, *keyword)} == {2}


def test_more_rows_than_a_page_are_all_read_once(store: VectorStore, build: Build) -> None:
    texts = [f"passage number {number}" for number in range(2 * READ_PAGE + 7)]
    index = build(Owner.of(RED), texts)
    assert sorted(chunk.ordinal for chunk, _ in store.read(RED, index)) == list(range(len(texts)))


def test_vectors_come_by_digest(store: VectorStore, build: Build) -> None:
    from agents.rag.reuse import digest

    index = build(Owner.of(RED))
    wanted = {digest(DOORS[0]), digest(DOORS[2]), digest("never indexed")}
    held = store.vectors(RED, index, wanted)
    assert held.keys() == {digest(DOORS[0]), digest(DOORS[2])}
    assert held[digest(DOORS[2])] == pytest.approx(MODEL.encode([DOORS[2]])[0], abs=1e-6)


def test_an_index_is_listed_until_it_is_dropped(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED))
    empty = f"index_{uuid.uuid4().hex}"
    store.create(empty, MODEL.model_id, MODEL.dimension)
    assert {index, empty} <= set(store.collections())
    assert list(store.read(RED, empty)) == []
    assert found(store, RED, empty, "door") == ([], [])
    store.drop(index)
    store.drop(index)
    store.drop(empty)
    assert not {index, empty} & set(store.collections())


@pytest.mark.parametrize("dropped", [True, False])
def test_an_index_that_is_not_there_is_said_to_be_gone(store: VectorStore, build: Build, dropped: bool) -> None:
    index = build(Owner.of(RED)) if dropped else f"index_{uuid.uuid4().hex}"
    if dropped:
        found(store, RED, index, "door")
        store.drop(index)
    with pytest.raises(IndexGoneError):
        found(store, RED, index, "door")
    with pytest.raises(IndexGoneError):
        list(store.read(RED, index))
    with pytest.raises(IndexGoneError):
        store.insert(Owner.of(RED), index, [(0, chunk("late"), MODEL.encode(["late"])[0])], None)


def test_a_vector_of_another_dimension_is_refused_in_words(store: VectorStore, build: Build) -> None:
    index = build(Owner.of(RED))
    other = FakeEmbedder(32)
    with pytest.raises(ModelMismatchError, match=r"vectors of 32 numbers, but .* vectors of 64"):
        store.insert(Owner.of(RED), index, [(9, chunk("x"), other.encode(["x"])[0])], None)
    with pytest.raises(ModelMismatchError):
        store.search(RED, index, other.encode(["door"]), [["door"]], 10, None)


def test_two_models_are_kept_side_by_side(store: VectorStore, build: Build) -> None:
    wide = FakeEmbedder(96, "wide@222222222222")
    one, other = build(Owner.of(RED)), build(Owner.of(RED), model=wide)
    assert found(store, RED, one, "red door")[0][0] == 0
    assert store.search_dense(RED, other, wide.encode(["red door"]), 1, None)[0][0].ordinal == 0


def test_an_open_store_answers_and_a_closed_one_says_so(store: VectorStore) -> None:
    assert store.check() is None
    store.close()
    assert store.check() is not None
    store.open()
    assert store.check() is None
