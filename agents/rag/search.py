"""Finds passages: dense and keyword search inside one scope, for each form of the question, fused by their scores.

A question that follows others is searched twice, as it stands and joined with the user's turn before it, and all
scores are fused: joining alone would lose what the last turn says by itself.

The shared documents that a workshop may read are a second index with statistics of its own. It is searched with the same
vectors, and both are put in one order: cosines as they are, BM25 scores as shares of the most that the question's terms
could reach in their index. Each index is judged by itself for whether it answers, so that documents beside a workshop
never make its own answers less sure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from structlog import get_logger

from agents.rag.blocks import pieces
from agents.rag.confidence import Evidence, confidence
from agents.rag.contents import Contents, ContentsCache, Readable
from agents.rag.documents.shelf import Shelf
from agents.rag.embedder import Embedder, Vector
from agents.rag.errors import IndexGoneError, ShelfGoneError
from agents.rag.keyword_confidence import keyword_confidence
from agents.rag.ranking import (
    FUSION,
    Candidate,
    FusionWeights,
    favour_literal,
    favour_own,
    favour_step,
    form_shares,
    lead,
    ordered,
    passages,
    score_fusion,
    steps_beside,
)
from agents.rag.scope import ReadScope, Scope
from agents.rag.store import BM25_K1, Hit
from agents.rag.terms import heaviest, holds, identifiers, names, terms, weight
from shared_services.contracts.rag import ChunkKind, SearchRequest, Turn

CANDIDATES = 100
MOST_TERMS = 64
WINDOW_PIECES = 220
KEPT_INDEXES = 200

log = get_logger()

_POINTS_BACK = re.compile(
    r"\b(it|its|that|this|these|those|they|them|their|there|then|he|she|one|ones|same|other|others|another|else|again|instead|more"
    r"|above|former|latter|previous|next|first|second|third|last)\b",
    re.IGNORECASE,
)
_MEANING = re.compile(r"(\bwhat (?:do|does|did)\b.+?)\bmean\b", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(and|or|but|so|why|what about|how about|what if)\b", re.IGNORECASE)


class Searchable(Readable, Protocol):
    """What a search needs of a store; see `agents.rag.store.VectorStore`."""

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """For each vector the nearest chunks in scope, with cosines; for each query those that hold its terms, with BM25."""
        ...


@dataclass(frozen=True)
class Found:
    """The outcome of a search."""

    candidates: list[Candidate]
    confidence: float
    evidence: Evidence


NOTHING = Found([], 0.0, Evidence(0.0, 0.0, 0.0, 0.0, 0, 0.0))


def question_forms(query: str, history: Sequence[Turn]) -> list[str]:
    """The texts to search for: the question, and joined with the user's turn before it where there is one."""
    question = query.strip()
    before = next((turn.text.strip() for turn in reversed(history) if turn.speaker == "user" and turn.text.strip()), None)
    return [question] if before is None else [question, f"{before}\n{question}"]


def depends_on_history(query: str) -> bool:
    """Whether a question cannot be understood alone: it points back (`it`, `the second one`), or names nothing of its own."""
    content = terms(query)
    return not content or bool(_POINTS_BACK.search(query)) or (len(content) == 1 and bool(_GOES_ON.match(query)))


def question_terms(query: str) -> list[str]:
    """The terms that a question asks for; the `mean` of "what does X mean" is not one."""
    return terms(_MEANING.sub(r"\1", query))


def windows(text: str) -> list[str]:
    """What the model reads of a text: all of it, or of one too long for it the beginning and the end."""
    if pieces(text) <= WINDOW_PIECES:
        return [text]
    parts = text.split()
    if len(parts) < 2:
        return [text[: WINDOW_PIECES * 4]]
    return [_clipped(parts), " ".join(reversed(_clipped(list(reversed(parts))).split(" ")))]


def _clipped(parts: list[str]) -> str:
    kept: list[str] = []
    size = 0
    for part in parts:
        size += pieces(part)
        if kept and size > WINDOW_PIECES:
            break
        kept.append(part[: WINDOW_PIECES * 4])
    return " ".join(kept)


@dataclass(frozen=True)
class _Asked:
    """A question, made ready once for every index that it is put to.

    Attributes:
        literal: The text whose identifiers and phrases are looked for word for word.
        terms: Of each form of the question.
        vectors: Of the windows of all forms, in their order.
        trusted: How many of the forms tell whether the question is answered.
        trusted_vectors: How many of the vectors are these forms'.
        spread: What each vector counts, 1 together.
        shares: What each form counts, 1 together.
    """

    query: str
    literal: str
    terms: list[list[str]]
    vectors: list[Vector]
    trusted: int
    trusted_vectors: int
    spread: list[float]
    shares: list[float]
    identifiers: list[str]
    kinds: list[ChunkKind] | None


@dataclass(frozen=True)
class _Answered:
    """What one index holds for a question: a dense ranking for each vector, a BM25 ranking for each form, best first.

    The dense ones are empty where its vectors are another model's (`keywords_only`).
    """

    contents: Contents
    dense: list[list[Hit]]
    keyword: list[list[Hit]]
    keywords_only: bool


class Searcher:
    """Searches one store with one model. Its methods block; call them from worker threads.

    Args:
        store: Where the indexes are.
        embedder: What they were made with.
        weights: What makes a passage's score.
        kept: How many workshops' indexes stay in memory, and how many selections of shared documents.
    """

    def __init__(
        self, store: Searchable, embedder: Embedder, weights: FusionWeights = FUSION, *, kept: int = KEPT_INDEXES
    ) -> None:
        self._weights = weights
        self._store = store
        self._embedder = embedder
        self._contents = ContentsCache(store, kept)

    def search(
        self,
        scope: Scope,
        collection: str,
        request: SearchRequest,
        shelf: Shelf | None = None,
        *,
        keywords_only: bool = False,
    ) -> Found:
        """Passages of a collection that is in scope, best first, and how far they may be trusted to answer.

        Args:
            scope: Whose passages.
            collection: The workshop's index.
            request: What is asked.
            shelf: The shared documents that the scope may read as well. When they cannot be read, the log says so, and the
                workshop's own passages are the answer.
            keywords_only: Leave the model out, for indexes whose vectors are another model's.

        Raises:
            ShelfGoneError: The shared documents' collection was dropped meanwhile.
            IndexGoneError: The collection was dropped meanwhile.
            StoreUnavailableError: The store does not answer.
            ModelUnavailableError: The model cannot be loaded.
        """
        query = request.query.encode("utf-8", "replace").decode()
        if not query.strip() or (request.kinds is not None and not request.kinds):
            return NOTHING
        contents = self._contents.of_workshop(scope, collection)
        asked = self._asked(query, request, keywords_only=keywords_only)
        answered = [self._put(asked, scope, collection, contents, keywords_only=keywords_only)]
        if shelf is not None and (shared := self._put_to_shelf(asked, scope, shelf)) is not None:
            answered.append(shared)
        candidates = self._scored(asked, answered)
        favoured = favour_step(candidates, request.step, steps_beside(contents.steps, request.step))
        chosen = passages(ordered(favour_own(favoured)), request.limit)
        if not chosen:
            return NOTHING
        # Each half is judged alone: a large shelf must not make a workshop's own answer less sure.
        alone = [candidates] if len(answered) == 1 else [self._scored(asked, [each]) for each in answered]
        judged = [
            (_chance(each, evidence), evidence)
            for each, found in zip(answered, alone, strict=True)
            if (evidence := _evidence(asked, each, found, chosen)) is not None
        ]
        chance, evidence = max(judged, key=lambda each: each[0])
        return Found(chosen, chance, evidence)

    def forget(self, collection: str) -> None:
        """Drop what is kept in memory of a collection."""
        self._contents.forget(collection)

    def prepare(self, scope: Scope, collection: str) -> None:
        """Read a collection now, so that the first search does not pay for it."""
        self._contents.of_workshop(scope, collection)

    def _asked(self, query: str, request: SearchRequest, *, keywords_only: bool) -> _Asked:
        forms = question_forms(query, request.history)
        dependent = depends_on_history(query)
        read = [] if keywords_only else [windows(form) for form in forms]
        shares = form_shares(len(forms), dependent=dependent, weights=self._weights)
        # A new subject must not be trusted for what the turn before it was about.
        trusted = len(forms) if dependent else 1
        return _Asked(
            query=query,
            literal=_MEANING.sub(r"\1", query),
            terms=[question_terms(form) for form in forms],
            vectors=self._embedder.encode([window for form in read for window in form]) if read else [],
            trusted=trusted,
            trusted_vectors=sum(len(form) for form in read[:trusted]),
            spread=[share / len(form) for share, form in zip(shares, read, strict=False) for _ in form],
            shares=shares,
            identifiers=identifiers(query),
            kinds=request.kinds,
        )

    def _scored(self, asked: _Asked, answered: Sequence[_Answered]) -> list[Candidate]:
        return favour_literal(_fused(asked, answered, self._weights), asked.literal, self._weights)

    def _put(self, asked: _Asked, scope: ReadScope, collection: str, contents: Contents, *, keywords_only: bool) -> _Answered:
        total = len(contents.chunks)
        kept = [heaviest(each, contents.holding, total, MOST_TERMS) for each in asked.terms]
        vectors = [] if keywords_only else asked.vectors
        dense, keyword = self._store.search(scope, collection, vectors, kept, CANDIDATES, asked.kinds)
        if contents.terms:
            keyword = [contents.scored(query, ranking) for query, ranking in zip(kept, keyword, strict=True)]
        return _Answered(contents, dense or [[] for _ in asked.vectors], keyword, keywords_only)

    def _put_to_shelf(self, asked: _Asked, scope: Scope, shelf: Shelf) -> _Answered | None:
        keywords_only = not asked.vectors or shelf.model != self._embedder.model_id
        try:
            contents = self._contents.of_shelf(scope, shelf)
            return self._put(asked, scope.shared(shelf.documents), shelf.collection, contents, keywords_only=keywords_only)
        except IndexGoneError as error:
            raise ShelfGoneError(error.detail) from error
        except Exception as error:
            log.exception("rag_shared_search_failed", collection=shelf.collection, error=str(error))
            return None


def _chance(answered: _Answered, evidence: Evidence) -> float:
    return keyword_confidence(evidence) if answered.keywords_only else confidence(evidence)


def _evidence(asked: _Asked, answered: _Answered, found: Sequence[Candidate], chosen: Sequence[Candidate]) -> Evidence | None:
    """What one index's rankings say, and its candidates `found` by themselves; None where none of its passages was chosen."""
    contents = answered.contents
    first = next((each.chunk for each in chosen if each.chunk.ordinal in contents.chunks), None)
    if first is None:
        return None
    shares = [_share(hits, query, contents) for query, hits in zip(asked.terms, answered.keyword, strict=True)]
    return Evidence(
        cosine=_best(answered.dense[: asked.trusted_vectors]),
        share=max(shares[: asked.trusted]),
        named=_named(asked.identifiers, asked.terms[0], first.text, contents),
        unknown=_unknown(asked.query, asked.terms[0], contents),
        chunks=len(contents.chunks),
        lead=lead(found),
    )


def _best(rankings: Sequence[Sequence[Hit]]) -> float:
    return max((ranking[0].score for ranking in rankings if ranking), default=0.0)


def _share(ranking: Sequence[Hit], asked: list[str], contents: Contents) -> float:
    return next((hit.score for hit in _shares(ranking, asked, contents)), 0.0)


def _shares(ranking: Sequence[Hit], asked: list[str], contents: Contents) -> list[Hit]:
    """A BM25 ranking with scores as shares of the most that the terms could reach, 0 to 1; empty without terms."""
    most = (BM25_K1 + 1) * weight(asked, contents.holding, len(contents.chunks))
    return [Hit(hit.ordinal, hit.score / most) for hit in ranking] if most > 0 else []


def _named(literal: Sequence[str], asked: list[str], text: str, contents: Contents) -> float:
    most = weight(asked, contents.holding, len(contents.chunks))
    held = [term for name in literal if holds(text.lower(), name) for term in terms(name) if term in asked]
    return weight(held, contents.holding, len(contents.chunks)) / most if most > 0 else 0.0


def _unknown(query: str, asked: list[str], contents: Contents) -> float:
    strange = [name for name in names(query) if not contents.holding.get(name)]
    return len(strange) / len(set(asked)) if asked else 0.0


def _fused(asked: _Asked, answered: Sequence[_Answered], weights: FusionWeights) -> list[Candidate]:
    if len(answered) == 1:
        dense, keyword = answered[0].dense, answered[0].keyword
    else:
        dense = [_merged(rankings) for rankings in zip(*(each.dense for each in answered), strict=True)]
        shares = [
            [_shares(hits, query, each.contents) for query, hits in zip(asked.terms, each.keyword, strict=True)]
            for each in answered
        ]
        keyword = [_merged(rankings) for rankings in zip(*shares, strict=True)]
    fused = score_fusion(dense, keyword, asked.spread, asked.shares, weights)
    return [
        Candidate(each.contents.chunks[number], fused[number], cosines.get(number), scores.get(number))
        for each in answered
        for cosines, scores in [(_highest(each.dense), _highest(each.keyword))]
        for number in {**cosines, **scores}
        if number in each.contents.chunks
    ]


def _merged(rankings: Iterable[Sequence[Hit]]) -> list[Hit]:
    """Rankings of different indexes, whose keys are different ones, as one, best first."""
    return sorted((hit for ranking in rankings for hit in ranking), key=lambda hit: (-hit.score, hit.ordinal))


def _highest(rankings: Sequence[Sequence[Hit]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for ranking in rankings:
        for hit in ranking:
            best[hit.ordinal] = max(hit.score, best.get(hit.ordinal, hit.score))
    return best
