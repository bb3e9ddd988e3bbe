"""Finds passages: dense and keyword search inside one scope, for each form of the question, fused by reciprocal ranks.

A question that follows others is searched twice, as it stands and joined with the user's turn before it, and all
rankings are fused: joining alone would lose what the last turn says by itself.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from agents.rag.blocks import pieces
from agents.rag.confidence import confidence
from agents.rag.embedder import Embedder
from agents.rag.ranking import Candidate, favour_identifiers, favour_step, ordered, passages, reciprocal_rank_fusion
from agents.rag.scope import Scope
from agents.rag.store import Hit, StoredChunk, VectorStore
from agents.rag.terms import attainable, heaviest, identifiers, terms
from shared_services.contracts.rag import SearchRequest, Turn

CANDIDATES = 100
MOST_TERMS = 64
WINDOW_PIECES = 220
CACHED_STATISTICS = 64


@dataclass(frozen=True)
class Statistics:
    """What keyword scores are measured against: the number of chunks of an index, and how many hold each term."""

    chunks: int
    holding: Counter[str]


@dataclass(frozen=True)
class Evidence:
    """What the best of both rankings say; see `confidence`."""

    cosine: float
    share: float


@dataclass(frozen=True)
class Found:
    """The outcome of a search."""

    candidates: list[Candidate]
    confidence: float
    evidence: Evidence


NOTHING = Found([], 0.0, Evidence(0.0, 0.0))


def question_forms(query: str, history: Sequence[Turn]) -> list[str]:
    """The texts to search for: the question, and joined with the user's turn before it where there is one."""
    question = query.strip()
    before = next((turn.text.strip() for turn in reversed(history) if turn.speaker == "user" and turn.text.strip()), None)
    return [question] if before is None else [question, f"{before}\n{question}"]


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

    def __init__(self, store: VectorStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._statistics: OrderedDict[str, Statistics] = OrderedDict()
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
        statistics = self._statistics_of(scope, collection)
        forms = question_forms(query, request.history)
        asked = [terms(form) for form in forms]
        vectors = self._embedder.encode([window for form in forms for window in windows(form)])
        dense = self._store.search_dense(scope, collection, vectors, CANDIDATES, request.kinds)
        kept = [heaviest(each, statistics.holding, statistics.chunks, MOST_TERMS) for each in asked]
        keyword = self._store.search_terms(scope, collection, kept, CANDIDATES, request.kinds)
        evidence = Evidence(
            cosine=_best(dense), share=max(_share(*pair, statistics) for pair in zip(asked, keyword, strict=True))
        )
        found = favour_identifiers(_fused(dense, keyword), identifiers(query))
        chosen = passages(ordered(favour_step(found, request.step)), request.limit)
        return Found(chosen, confidence(evidence.cosine, evidence.share) if chosen else 0.0, evidence)

    def forget(self, collection: str) -> None:
        """Drop what is kept in memory of a collection."""
        with self._lock:
            self._statistics.pop(collection, None)

    def prepare(self, scope: Scope, collection: str) -> None:
        """Read a collection's statistics now, so that the first search does not pay for it."""
        self._statistics_of(scope, collection)

    def _statistics_of(self, scope: Scope, collection: str) -> Statistics:
        with self._lock:
            held = self._statistics.get(collection)
            if held is not None:
                self._statistics.move_to_end(collection)
                return held
        holding: Counter[str] = Counter()
        chunks = 0
        for row in self._store.read_terms(scope, collection):
            holding.update(set(row))
            chunks += 1
        made = Statistics(chunks, holding)
        with self._lock:
            self._statistics[collection] = made
            while len(self._statistics) > CACHED_STATISTICS:
                self._statistics.popitem(last=False)
        return made


def _best(rankings: Sequence[Sequence[Hit]]) -> float:
    return max((ranking[0].score for ranking in rankings if ranking), default=0.0)


def _share(asked: list[str], ranking: Sequence[Hit], statistics: Statistics) -> float:
    most = attainable(asked, statistics.holding, statistics.chunks)
    return ranking[0].score / most if ranking and most > 0 else 0.0


def _fused(dense: Sequence[Sequence[Hit]], keyword: Sequence[Sequence[Hit]]) -> list[Candidate]:
    fused = reciprocal_rank_fusion([[hit.chunk.ordinal for hit in ranking] for ranking in (*dense, *keyword)])
    chunks: dict[int, StoredChunk] = {hit.chunk.ordinal: hit.chunk for ranking in (*dense, *keyword) for hit in ranking}
    cosines, scores = _highest(dense), _highest(keyword)
    return [Candidate(chunks[number], score, cosines.get(number), scores.get(number)) for number, score in fused.items()]


def _highest(rankings: Sequence[Sequence[Hit]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for ranking in rankings:
        for hit in ranking:
            best[hit.chunk.ordinal] = max(hit.score, best.get(hit.chunk.ordinal, hit.score))
    return best
