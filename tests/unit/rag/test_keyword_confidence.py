"""How far a search by keywords alone is trusted, and that it needs no model."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from agents.rag.confidence import Evidence
from agents.rag.embedder import Vector
from agents.rag.keyword_confidence import keyword_confidence
from agents.rag.scope import ReadScope, Scope
from agents.rag.search import Searcher
from agents.rag.store import Hit, StoredChunk
from agents.rag.terms import terms
from shared_services.contracts.rag import ChunkKind, SearchRequest
from shared_services.kit.tokens import Claims
from tests.unit.rag.fakes import FakeEmbedder

MIDDLING = Evidence(cosine=0.0, share=0.3, named=0.0, unknown=0.0, chunks=30)


def test_more_of_the_terms_is_more_trust_and_unknown_names_are_less() -> None:
    middling = keyword_confidence(MIDDLING)
    assert 0 < middling < 1
    assert keyword_confidence(replace(MIDDLING, share=0.6)) > middling
    assert keyword_confidence(replace(MIDDLING, named=0.5)) > middling
    assert keyword_confidence(replace(MIDDLING, unknown=0.5)) < middling
    assert keyword_confidence(replace(MIDDLING, chunks=3000)) < middling


def test_a_cosine_plays_no_part() -> None:
    assert keyword_confidence(replace(MIDDLING, cosine=0.9)) == keyword_confidence(MIDDLING)


def test_hardly_a_word_in_common_is_not_trusted() -> None:
    assert keyword_confidence(replace(MIDDLING, share=0.05)) < 0.4


class _Unasked(FakeEmbedder):
    def encode(self, texts: Sequence[str]) -> list[Vector]:
        raise AssertionError("the model is not to be asked")


class _Shelf:
    """Three texts, scored by how many of the question's terms they hold."""

    texts = ("Water the tray every morning with the rose of the can.", "Sow the seeds one centimetre deep.", "Harvest in July.")

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        assert not vectors
        found = []
        for query in queries:
            scores = [(sum((Counter(terms(text)) & Counter(query)).values()), at) for at, text in enumerate(self.texts)]
            found.append([Hit(at, float(score)) for score, at in sorted(scores, reverse=True) if score])
        return [], found

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        for at, text in enumerate(self.texts):
            place = StoredChunk(
                at, "shop", f"s{at}", "S", f"steps/s{at}/content.md", 1, 1, ("S",), "prose", text, "", None, "x", 1
            )
            yield place, terms(text)


@pytest.mark.parametrize(
    ("question", "first"),
    [("When do I water the tray?", 0), ("How deep do I sow the seeds?", 1), ("In which month do I harvest?", 2)],
)
def test_keywords_alone_find_and_the_model_is_not_asked(question: str, first: int) -> None:
    scope = Scope.of(Claims("service:test", "rag", 0, workshop="shop"))
    searcher = Searcher(_Shelf(), _Unasked())
    found = searcher.search(scope, "c", SearchRequest(query=question), keywords_only=True)
    assert found.candidates[0].chunk.ordinal == first
    assert found.candidates[0].dense is None
    assert found.confidence > 0.4
    nothing = searcher.search(scope, "c", SearchRequest(query="Wer ist König?"), keywords_only=True)
    assert (nothing.candidates, nothing.confidence) == ([], 0.0)
