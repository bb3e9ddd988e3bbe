"""Vectors and keyword index: the only place that knows Milvus. This module says what a store is; the others are its engines.

Nothing is read without a scope, and no row leaves without being held against it once more: what an engine returns from
outside the scope is dropped, counted and logged as an error, whatever the reason.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from agents.rag.chunking import Chunk
from agents.rag.embedder import Vector
from agents.rag.scope import SHARED, ReadScope, Scope, SharedScope
from shared_services.contracts.rag import ChunkKind

BM25_K1 = 1.2
BM25_B = 0.75
MAX_TEXT_BYTES = 60_000
MAX_DOCUMENT_CHUNKS = 1_000_000
"""A row's key is its document's number times this, and its place in the document."""


@dataclass(frozen=True)
class StoredChunk:
    """A chunk as the store returns it.

    Attributes:
        ordinal: Its key in its index: its place in its workshop's text, from 0; of a shared document's chunk its
            document's number times `MAX_DOCUMENT_CHUNKS` more.
        workshop: The workshop; `scope.SHARED` for a shared document's.
        document: The shared document's number; 0 for a workshop's chunk.
    """

    ordinal: int
    workshop: str
    step: str
    step_title: str
    file: str
    first_line: int
    last_line: int
    heading: tuple[str, ...]
    kind: ChunkKind
    text: str
    after: str
    commit: str | None
    source_file: str
    source_line: int
    document: int = 0


@dataclass(frozen=True)
class Owner:
    """Whom rows belong to: a workshop, or one shared document (then `document` is its number). Made by `of` and `of_document`."""

    workshop_id: str
    document: int = 0
    tags: tuple[str, ...] = ()
    content_focus: str | None = None

    @classmethod
    def of(cls, scope: Scope) -> "Owner":
        """The scope's workshop."""
        return cls(scope.workshop)

    @classmethod
    def of_document(cls, scope: SharedScope, document: int, tags: Iterable[str], content_focus: str | None) -> "Owner":
        """A shared document that the scope looks after.

        Raises:
            ValueError: It looks after others, or only reads.
        """
        if scope.tags is not None or document not in scope.documents or document < 1:
            raise ValueError(f"document {document} is not in this scope's care")
        return cls(SHARED, document, tuple(sorted(tags)), content_focus)


@dataclass(frozen=True)
class Hit:
    """The ordinal of a found chunk, and its score: cosine similarity, or BM25."""

    ordinal: int
    score: float


class VectorStore(Protocol):
    """Indexes, each a named set of rows. All methods block; call them from worker threads.

    Attributes:
        exclusive: This process alone writes to the store, so an index that its bookkeeping does not know is left over.
    """

    @property
    def exclusive(self) -> bool:
        """Whether no other process can use the store."""
        ...

    def open(self) -> None:
        """Take hold of the store. One on the network need not answer yet.

        Raises:
            StoreUnavailableError: Another process holds it.
        """
        ...

    def close(self) -> None:
        """Let go of the store; another process may open it then."""
        ...

    def check(self) -> str | None:
        """None when the store answers, else a sentence that says why not."""
        ...

    def collections(self) -> list[str]:
        """Names of all indexes, whole or not."""
        ...

    def create(self, collection: str, model: str, dimension: int) -> None:
        """Make an empty index for vectors of `dimension` that the model `model` makes."""
        ...

    def insert(self, owner: Owner, collection: str, rows: Sequence[tuple[int, Chunk, Vector]], commit: str | None) -> None:
        """Add chunks, each with its number in its workshop or document and its vector.

        Raises:
            ModelMismatchError: A vector's dimension is not the index's.
            IndexGoneError: There is no such index.
            StorageFullError: The disk is full.
        """
        ...

    def delete_documents(self, collection: str, documents: Iterable[int]) -> None:
        """Remove the rows of shared documents; does nothing for one that has none."""
        ...

    def seal(self, collection: str) -> None:
        """Make everything inserted durable, and the index ready to be searched."""
        ...

    def drop(self, collection: str) -> None:
        """Remove an index; does nothing when there is none."""
        ...

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """Both halves of a question at once: `search_dense` of the vectors, `search_terms` of the queries.

        Raises:
            ModelMismatchError: A vector's dimension is not the index's.
            IndexGoneError: There is no such index.
            StoreUnavailableError: The store does not answer.
        """
        ...

    def search_dense(
        self, scope: ReadScope, collection: str, vectors: Sequence[Vector], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The chunks in scope nearest to each vector, best first; scores are cosines."""
        ...

    def search_terms(
        self, scope: ReadScope, collection: str, queries: Sequence[Sequence[str]], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """The chunks in scope that hold terms of each query, best first; scores are BM25."""
        ...

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Every chunk in scope, with its terms."""
        ...

    def vectors(self, scope: ReadScope, collection: str, digests: Set[str]) -> dict[str, Vector]:
        """The vectors in scope whose embedded text has one of `digests`, by digest."""
        ...
