"""Finds passages: dense and keyword search inside one scope, for each form of the question, fused by their scores.

A question that follows others is searched twice, as it stands and joined with the user's turn before it, and all
scores are fused: joining alone would lose what the last turn says by itself.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from agents.rag.blocks import pieces
from agents.rag.confidence import Evidence, confidence
from agents.rag.embedder import Embedder, Vector
from agents.rag.ranking import (
    FUSION,
    Candidate,
    FusionWeights,
    favour_literal,
    favour_step,
    form_shares,
    lead,
    ordered,
    passages,
    score_fusion,
    steps_beside,
)
from agents.rag.scope import Scope
from agents.rag.store import BM25_K1, Hit, StoredChunk
from agents.rag.terms import heaviest, holds, identifiers, names, terms, weight
from shared_services.contracts.rag import ChunkKind, SearchRequest, Turn

CANDIDATES = 100
MOST_TERMS = 64
WINDOW_PIECES = 220
CACHED_INDEXES = 64

_POINTS_BACK = re.compile(
    r"\b(it|its|that|this|these|those|they|them|their|there|then|he|she|one|ones|same|other|others|another|else|again|instead|more"
    r"|above|former|latter|previous|next|first|second|third|last)\b",
    re.IGNORECASE,
)
_MEANING = re.compile(r"(\bwhat (?:do|does|did)\b.+?)\bmean\b", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(and|or|but|so|why|what about|how about|what if)\b", re.IGNORECASE)


class Searchable(Protocol):
    """What a search needs of a store; see `agents.rag.store.VectorStore`."""

    def search_dense(
        self, scope: Scope, collection: str, vectors: Sequence[Vector], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The chunks in scope nearest to each vector, best first; scores are cosines."""
        ...

    def search_terms(
        self, scope: Scope, collection: str, queries: Sequence[Sequence[str]], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The chunks in scope that hold terms of each query, best first; scores are BM25."""
        ...

    def read(self, scope: Scope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Every chunk in scope, with its terms."""
        ...


@dataclass(frozen=True)
class Contents:
    """An index in memory: its chunks by ordinal, and how many of them hold each term."""

    chunks: dict[int, StoredChunk]
    holding: Counter[str]


@dataclass(frozen=True)
class Found:
    """The outcome of a search."""

    candidates: list[Candidate]
    confidence: float
    evidence: Evidence


NOTHING = Found([], 0.0, Evidence(0.0, 0.0, 0.0, 0.0, 0))


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


class Searcher:
    """Searches one store with one model. Its methods block; call them from worker threads."""

    def __init__(self, store: Searchable, embedder: Embedder, weights: FusionWeights = FUSION) -> None:
        self._weights = weights
        self._store = store
        self._embedder = embedder
        self._contents: OrderedDict[tuple[str, str], Contents] = OrderedDict()
        self._lock = Lock()

    def search(self, scope: Scope, collection: str, request: SearchRequest) -> Found:
        """Passages of a collection that is in scope, best first, and how far they may be trusted to answer.

        Raises:
            IndexGoneError: The collection was dropped meanwhile.
            StoreUnavailableError: The store does not answer.
            ModelUnavailableError: The model cannot be loaded.
        """
        query = request.query.encode("utf-8", "replace").decode()
        if not query.strip() or (request.kinds is not None and not request.kinds):
            return NOTHING
        contents = self._contents_of(scope, collection)
        total = len(contents.chunks)
        forms = question_forms(query, request.history)
        asked = [question_terms(form) for form in forms]
        read = [windows(form) for form in forms]
        vectors = self._embedder.encode([window for form in read for window in form])
        dense = self._store.search_dense(scope, collection, vectors, CANDIDATES, request.kinds)
        kept = [heaviest(each, contents.holding, total, MOST_TERMS) for each in asked]
        keyword = self._store.search_terms(scope, collection, kept, CANDIDATES, request.kinds)
        literal = identifiers(query)
        shares_of = form_shares(len(forms), dependent=depends_on_history(query), weights=self._weights)
        spread = [share / len(form) for share, form in zip(shares_of, read, strict=True) for _ in form]
        fused = _fused(score_fusion(dense, keyword, spread, shares_of, self._weights), dense, keyword, contents)
        fused = favour_literal(fused, _MEANING.sub(r"\1", query), self._weights)
        found = ordered(favour_step(fused, request.step, steps_beside(contents.chunks.values(), request.step)))
        chosen = passages(found, request.limit)
        if not chosen:
            return NOTHING
        # A new subject must not be trusted for what the turn before it was about.
        trusted = len(forms) if depends_on_history(query) else 1
        shares = [_share(query_terms, ranking, contents) for query_terms, ranking in zip(asked, keyword, strict=True)]
        evidence = Evidence(
            cosine=_best(dense[: sum(len(form) for form in read[:trusted])]),
            share=max(shares[:trusted]),
            named=_named(literal, asked[0], chosen[0].chunk.text, contents),
            unknown=_unknown(query, asked[0], contents),
            chunks=total,
            lead=lead(fused),
        )
        return Found(chosen, confidence(evidence), evidence)

    def forget(self, collection: str) -> None:
        """Drop what is kept in memory of a collection."""
        with self._lock:
            for key in [key for key in self._contents if key[1] == collection]:
                del self._contents[key]

    def prepare(self, scope: Scope, collection: str) -> None:
        """Read a collection now, so that the first search does not pay for it."""
        self._contents_of(scope, collection)

    def _contents_of(self, scope: Scope, collection: str) -> Contents:
        key = (scope.workshop, collection)
        with self._lock:
            held = self._contents.get(key)
            if held is not None:
                self._contents.move_to_end(key)
                return held
        made = Contents({}, Counter())
        for chunk, chunk_terms in self._store.read(scope, collection):
            made.chunks[chunk.ordinal] = chunk
            made.holding.update(set(chunk_terms))
        with self._lock:
            self._contents[key] = made
            while len(self._contents) > CACHED_INDEXES:
                self._contents.popitem(last=False)
        return made


def _best(rankings: Sequence[Sequence[Hit]]) -> float:
    return max((ranking[0].score for ranking in rankings if ranking), default=0.0)


def _share(asked: list[str], ranking: Sequence[Hit], contents: Contents) -> float:
    most = (BM25_K1 + 1) * weight(asked, contents.holding, len(contents.chunks))
    return ranking[0].score / most if ranking and most > 0 else 0.0


def _named(literal: Sequence[str], asked: list[str], text: str, contents: Contents) -> float:
    most = weight(asked, contents.holding, len(contents.chunks))
    held = [term for name in literal if holds(text.lower(), name) for term in terms(name) if term in asked]
    return weight(held, contents.holding, len(contents.chunks)) / most if most > 0 else 0.0


def _unknown(query: str, asked: list[str], contents: Contents) -> float:
    strange = [name for name in names(query) if not contents.holding.get(name)]
    return len(strange) / len(set(asked)) if asked else 0.0


def _fused(
    fused: dict[int, float], dense: Sequence[Sequence[Hit]], keyword: Sequence[Sequence[Hit]], contents: Contents
) -> list[Candidate]:
    cosines, scores = _highest(dense), _highest(keyword)
    return [
        Candidate(contents.chunks[number], score, cosines.get(number), scores.get(number))
        for number, score in fused.items()
        if number in contents.chunks
    ]


def _highest(rankings: Sequence[Sequence[Hit]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for ranking in rankings:
        for hit in ranking:
            best[hit.ordinal] = max(hit.score, best.get(hit.ordinal, hit.score))
    return best
