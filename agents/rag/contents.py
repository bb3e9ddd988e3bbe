"""Indexes in memory: their chunks by key and what BM25 counts over them, read once for each scope and state of an index."""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Protocol

from agents.rag.documents.shelf import Shelf
from agents.rag.ranking import step_order
from agents.rag.scope import ReadScope, Scope
from agents.rag.store import BM25_B, BM25_K1, Hit, StoredChunk
from agents.rag.terms import inverse_frequency

MOST_CHUNKS = 50_000
"""Of each kind, workshops' and shared documents', at most so many chunks are kept; one index always is."""


class Readable(Protocol):
    """What reading an index needs of a store; see `agents.rag.store.VectorStore`."""

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Every chunk in scope, with its terms."""
        ...


@dataclass(frozen=True)
class Contents:
    """What one scope may read of an index.

    Attributes:
        chunks: By key.
        holding: How many of the chunks hold each term.
        terms: The chunks' terms by key, a space between two; only kept of shared documents.
        length: Terms of all chunks together.
    """

    chunks: dict[int, StoredChunk]
    holding: Counter[str]
    terms: dict[int, str]
    length: int

    @cached_property
    def steps(self) -> list[str]:
        """The steps, in the order of the text."""
        return step_order(self.chunks.values())

    def scored(self, query: Sequence[str], ranking: Sequence[Hit]) -> list[Hit]:
        """A ranking with its BM25 scores counted anew over these chunks alone, best first. Needs `terms`.

        An engine counts over everything that a collection holds, or over each of its segments: over what others may read
        as well, and by numbers that no second ranking can be held against.
        """
        weights = {term: inverse_frequency(len(self.chunks), self.holding[term]) for term in set(query)}
        mean = self.length / max(1, len(self.chunks)) or 1.0
        hits = [
            Hit(hit.ordinal, _bm25(weights, self.terms[hit.ordinal].split(), mean))
            for hit in ranking
            if hit.ordinal in self.terms
        ]
        return sorted((hit for hit in hits if hit.score > 0), key=lambda hit: (-hit.score, hit.ordinal))


def _bm25(weights: dict[str, float], held: list[str], mean: float) -> float:
    often = Counter(term for term in held if term in weights)
    dampening = BM25_K1 * (1 - BM25_B + BM25_B * len(held) / mean)
    return sum(weights[term] * count * (BM25_K1 + 1) / (count + dampening) for term, count in often.items())


@dataclass
class _Kept[K: Hashable]:
    """Contents by key; the ones read longest ago go first."""

    most: int
    by_key: OrderedDict[K, Contents] = field(default_factory=OrderedDict)

    def find(self, key: K) -> Contents | None:
        found = self.by_key.get(key)
        if found is not None:
            self.by_key.move_to_end(key)
        return found

    def keep(self, key: K, made: Contents) -> None:
        self.by_key[key] = made
        self.by_key.move_to_end(key)
        chunks = sum(len(each.chunks) for each in self.by_key.values())
        while len(self.by_key) > 1 and (len(self.by_key) > self.most or chunks > MOST_CHUNKS):
            chunks -= len(self.by_key.popitem(last=False)[1].chunks)


@dataclass(frozen=True)
class ShelfKey:
    """Whose contents of the shared documents: every workshop that may read just these, of this state of the index."""

    collection: str
    generation: int
    documents: frozenset[int]
    tags: frozenset[str]
    content_focus: str | None


class ContentsCache:
    """Reads indexes and keeps what it read, at most `most` of workshops and `most` of shared documents.

    Nothing is shared between two workshops that may read different things.
    """

    def __init__(self, store: Readable, most: int) -> None:
        self._store = store
        self._own: _Kept[tuple[str, str]] = _Kept(most)
        self._shelves: _Kept[ShelfKey] = _Kept(most)
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"ContentsCache({self._own}, {self._shelves})"

    def workshops(self) -> set[str]:
        """The workshops of which something is kept."""
        with self._lock:
            return {workshop for workshop, _ in self._own.by_key}

    def shelves(self) -> list[ShelfKey]:
        """Which contents of shared documents are kept, the ones read longest ago first."""
        with self._lock:
            return list(self._shelves.by_key)

    def of_workshop(self, scope: Scope, collection: str) -> Contents:
        """A workshop's index."""
        key = (scope.workshop, collection)
        with self._lock:
            held = self._own.find(key)
        if held is None:
            held = _read(self._store, scope, collection, with_terms=False)
            with self._lock:
                self._own.keep(key, held)
        return held

    def of_shelf(self, scope: Scope, shelf: Shelf) -> Contents:
        """The shared documents that a workshop may read. Older states of their index are forgotten."""
        visible = scope.shared(shelf.documents)
        key = ShelfKey(shelf.collection, shelf.generation, visible.documents, scope.tags, scope.content_focus)
        with self._lock:
            held = self._shelves.find(key)
        if held is None:
            held = _read(self._store, visible, shelf.collection, with_terms=True)
            with self._lock:
                self._keep_shelf(key, held)
        return held

    def forget(self, collection: str) -> None:
        """Drop what is kept of a collection."""
        with self._lock:
            for own in [own for own in self._own.by_key if own[1] == collection]:
                del self._own.by_key[own]
            for shelf in [shelf for shelf in self._shelves.by_key if shelf.collection == collection]:
                del self._shelves.by_key[shelf]

    def _keep_shelf(self, key: ShelfKey, made: Contents) -> None:
        same = [other for other in self._shelves.by_key if other.collection == key.collection]
        if any(other.generation > key.generation for other in same):
            return
        for other in same:
            if other.generation < key.generation:
                del self._shelves.by_key[other]
        self._shelves.keep(key, made)


def _read(store: Readable, scope: ReadScope, collection: str, *, with_terms: bool) -> Contents:
    chunks: dict[int, StoredChunk] = {}
    holding: Counter[str] = Counter()
    texts: dict[int, str] = {}
    length = 0
    for chunk, terms in store.read(scope, collection):
        chunks[chunk.ordinal] = chunk
        holding.update(set(terms))
        length += len(terms)
        if with_terms:
            texts[chunk.ordinal] = " ".join(terms)
    return Contents(chunks, holding, texts, length)
