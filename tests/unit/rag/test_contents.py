"""What is kept of indexes in memory: for whom, until when, and how BM25 counts over it."""

import math
from collections.abc import Iterator

import pytest

import agents.rag.contents as contents_module
from agents.rag.contents import ContentsCache
from agents.rag.documents.shelf import Shelf
from agents.rag.scope import ReadScope, Scope, SharedScope
from agents.rag.store import BM25_B, BM25_K1, Hit, StoredChunk
from shared_services.contracts.rag import DocumentRef
from shared_services.kit.tokens import Claims


def scope_of(workshop: str, *tags: str, focus: str | None = None) -> Scope:
    return Scope.of(Claims("service:test", "rag", 0, workshop=workshop, tags=tags, content_focus=focus))


def shelf_of(*documents: int, generation: int = 1, collection: str = "shelf") -> Shelf:
    return Shelf(
        collection, generation, {number: DocumentRef(id=f"d{number}", title=f"D{number}") for number in documents}, "model@1"
    )


class Rows:
    """A store of one-word chunks; `read_by` says which scopes were read."""

    def __init__(self, texts: dict[int, list[str]] | None = None) -> None:
        self.texts = texts or {1: ["a"], 2: ["b"], 3: ["c"]}
        self.read_by: list[ReadScope] = []

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        self.read_by.append(scope)
        seen = scope.documents if isinstance(scope, SharedScope) else self.texts.keys()
        for number in sorted(seen):
            chunk = StoredChunk(number, "w", "", "", "f", 1, 1, (), "prose", "", "", None, "f", 1, number)
            yield chunk, self.texts[number]


def test_the_shared_contents_of_one_reader_are_not_anothers() -> None:
    rows = Rows()
    cache = ContentsCache(rows, 10)
    red = cache.of_shelf(scope_of("red", "java"), shelf_of(1, 2))
    assert cache.of_shelf(scope_of("blue", "java"), shelf_of(1, 2)) is red, "the same context, the same documents"
    for scope, shelf in (
        (scope_of("red", "java"), shelf_of(1)),
        (scope_of("red", "net"), shelf_of(1, 2)),
        (scope_of("red", "java", focus="x"), shelf_of(1, 2)),
    ):
        other = cache.of_shelf(scope, shelf)
        assert other is not red
        assert set(other.chunks) == set(shelf.documents)
    assert len(rows.read_by) == 4


def test_a_newer_state_takes_the_place_of_an_older_one_and_never_the_other_way() -> None:
    cache = ContentsCache(Rows(), 10)
    scope = scope_of("red", "java")
    cache.of_shelf(scope, shelf_of(1))
    cache.of_shelf(scope_of("blue", "java", "net"), shelf_of(1, 2))
    cache.of_shelf(scope, shelf_of(2, generation=2))
    assert [(key.generation, key.documents) for key in cache.shelves()] == [(2, frozenset({2}))]
    late = cache.of_shelf(scope, shelf_of(1, generation=1))
    assert set(late.chunks) == {1}, "who still reads the older state is answered"
    assert [key.generation for key in cache.shelves()] == [2]
    cache.of_shelf(scope, shelf_of(1, collection="other"))
    cache.forget("shelf")
    assert [key.collection for key in cache.shelves()] == ["other"]


def test_what_was_read_longest_ago_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows()
    cache = ContentsCache(rows, 2)
    for workshop in ("red", "blue", "red", "green"):
        cache.of_workshop(scope_of(workshop), f"of-{workshop}")
    assert cache.workshops() == {"red", "green"}
    assert len(rows.read_by) == 3
    monkeypatch.setattr(contents_module, "MOST_CHUNKS", 4)
    cache.of_workshop(scope_of("blue"), "of-blue")
    assert cache.workshops() == {"blue"}, "one is kept, however large"
    cache.forget("of-blue")
    assert cache.workshops() == set()


def test_bm25_is_counted_over_what_the_reader_may_read() -> None:
    texts = {1: ["heron", "heron", "reed"], 2: ["reed"], 3: ["lamp", "dusk"]}
    found = ContentsCache(Rows(texts), 2).of_shelf(scope_of("red", "t"), shelf_of(1, 2, 3))
    # scores as an engine might give them, which count for nothing; 9 is not there, and 3 holds none of the terms
    ranking = found.scored(["heron", "reed"], [Hit(2, 99.0), Hit(1, 1.0), Hit(3, 50.0), Hit(9, 70.0)])
    heron, reed = math.log(2.5 / 1.5 + 1), math.log(1.5 / 2.5 + 1)

    def part(count: int, length: int) -> float:
        return count * (BM25_K1 + 1) / (count + BM25_K1 * (1 - BM25_B + BM25_B * length / 2))

    assert [hit.ordinal for hit in ranking] == [1, 2]
    assert [hit.score for hit in ranking] == pytest.approx([heron * part(2, 3) + reed * part(1, 3), reed * part(1, 1)])
    assert found.scored([], [Hit(1, 1.0)]) == []
