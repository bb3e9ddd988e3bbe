"""What the engines share: fields of a row, checks before and after a request, and errors in words that a caller understands."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
from structlog import get_logger

from agents.rag.embedder import Vector
from agents.rag.errors import IndexGoneError, ModelMismatchError, StoreUnavailableError
from agents.rag.metrics import SCOPE_VIOLATIONS
from agents.rag.scope import ReadScope
from agents.rag.store import Hit, StoredChunk
from agents.rag.store.rows import STORED, stored_chunk
from shared_services.contracts.rag import ChunkKind
from shared_services.kit.errors import StorageFullError

log = get_logger()

READ_PAGE = 1_000
WRITE_SECONDS = 120.0

_COLLECTION_NOT_FOUND = 100


class MilvusEngine(ABC):
    """Reads of a store, by the two ways of reading that an engine has."""

    @abstractmethod
    def collections(self) -> list[str]:
        """Names of all indexes, whole or not."""

    @abstractmethod
    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """Both halves of a question; a query without terms finds nothing."""

    @abstractmethod
    def _rows(self, scope: ReadScope, collection: str, fields: list[str]) -> Iterator[Any]:
        """Every row in scope, with `fields`."""

    @abstractmethod
    def _vector_size(self, collection: str) -> int:
        """The dimension of an index's vectors; may block."""

    @abstractmethod
    def _gone(self, collection: str) -> None:
        """Forget what is kept in memory of an index that is no longer there."""

    def search_dense(
        self, scope: ReadScope, collection: str, vectors: Sequence[Vector], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """Dense search inside the scope."""
        return self.search(scope, collection, vectors, [], limit, kinds)[0]

    def search_terms(
        self, scope: ReadScope, collection: str, queries: Sequence[Sequence[str]], limit: int, kinds: Iterable[ChunkKind] | None
    ) -> list[list[Hit]]:
        """Keyword search inside the scope; a query without terms finds nothing."""
        return self.search(scope, collection, [], queries, limit, kinds)[1]

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Page through every row in scope."""
        for row in self._rows(scope, collection, [*STORED, "document", "terms"]):
            yield stored_chunk(row), row["terms"].split()

    def vectors(self, scope: ReadScope, collection: str, digests: Set[str]) -> dict[str, Vector]:
        """Page through the digests and vectors in scope."""
        rows = self._rows(scope, collection, ["digest", "dense"])
        return {row["digest"]: np.asarray(row["dense"], dtype=np.float32) for row in rows if row["digest"] in digests}

    def _check_size(self, collection: str, vectors: Iterable[Vector]) -> None:
        for vector in vectors:
            held = self._vector_size(collection)
            if len(vector) != held:
                raise ModelMismatchError(
                    f"The model makes vectors of {len(vector)} numbers, but the index {collection} holds vectors of {held}. "
                    "Index the content again with this model, or use the model that the index was made with."
                )

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn the library's errors into those that a caller may see; `what` is an index, or names what was asked for."""
        import grpc
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except MilvusException as error:
            text = str(error).lower()
            if "no space left" in text or "disk quota" in text:
                raise StorageFullError(
                    "The disk is full. Free some space and try again; the index that served before still serves."
                ) from error
            if error.code == _COLLECTION_NOT_FOUND or "not found" in text or "not exist" in text:
                self._gone(what)
                raise IndexGoneError(f"The collection {what} is no longer there. Ask again.") from error
            raise StoreUnavailableError(f"The vector store failed on {what}: {error.message}. Try again in a moment.") from error
        except (grpc.RpcError, grpc.FutureTimeoutError) as error:
            state = error.code().name if isinstance(error, grpc.Call) else type(error).__name__
            raise StoreUnavailableError(
                f"The vector store did not answer on {what} in time ({state}). Try again in a moment."
            ) from error


def add_row_fields(schema: Any, dimension: int) -> None:
    """Add to a pymilvus schema what `rows.row_of` fills in, but for the keys, and the function that makes BM25's vectors."""
    from pymilvus import DataType, Function, FunctionType

    for name in ("step", "kind", "content_focus"):
        schema.add_field(name, DataType.VARCHAR, max_length=63)
    schema.add_field("commit", DataType.VARCHAR, max_length=128)
    for name in ("step_title", "file", "source_file", "heading", "text", "after"):
        schema.add_field(name, DataType.VARCHAR, max_length=65_535)
    for name in ("first_line", "last_line", "source_line", "document"):
        schema.add_field(name, DataType.INT64)
    schema.add_field("tags", DataType.VARCHAR, max_length=8_192)
    # our own analysis went before: see agents.rag.terms
    schema.add_field(
        "terms", DataType.VARCHAR, max_length=65_535, enable_analyzer=True, analyzer_params={"tokenizer": "standard"}
    )
    schema.add_field("digest", DataType.VARCHAR, max_length=64)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["terms"], output_field_names=["sparse"])
    )


def quieten() -> None:
    """Keep the libraries from printing tracebacks of what reaches the caller as an error anyway."""
    import logging

    for name in ("pymilvus", "grpc._server", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def admitted(scope: ReadScope, row: Any, index: str | None = None) -> bool:
    """Whether a row may leave the store: it is in scope and, where rows carry their index, of the index that was asked for."""
    if scope.admits(row) and (index is None or row.get("index_id") == index):
        return True
    SCOPE_VIOLATIONS.inc()
    log.error("rag_scope_violation", scope=str(scope)[:200], found={name: str(row.get(name))[:80] for name in scope.fields})
    return False
