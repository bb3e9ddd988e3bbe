"""Milvus Lite: an engine in this process, on a folder of this machine. Each index is a collection of its own, which is small,
quick to search and quick to drop; rows carry their workshop all the same.

Milvus Lite is a gRPC server inside this process. It listens on a socket in a folder that only this user can open, not on
a port: everything on the machine could talk to a port.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from structlog import get_logger

from agents.rag.chunking import Chunk
from agents.rag.embedder import Vector
from agents.rag.errors import IndexGoneError, StoreUnavailableError
from agents.rag.residents import Residents
from agents.rag.scope import Condition, ReadScope, checked_index, literal, read_conditions
from agents.rag.store import BM25_B, BM25_K1, Hit, Owner, lite_engine
from agents.rag.store.engine import READ_PAGE, WRITE_SECONDS, MilvusEngine, add_row_fields, admitted, quieten
from agents.rag.store.rows import row_of
from agents.rag.store.without_pandas import without_pandas
from shared_services.contracts.rag import ChunkKind
from shared_services.kit.errors import StorageFullError

log = get_logger()

LOADED_COLLECTIONS = 20
READ_SECONDS = 10.0

_WITHOUT_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": 0}
"""The server sits in this process, and would refuse pymilvus's pings with a complaint on the terminal."""


def _libraries() -> tuple[Any, Any, Any]:
    from milvus_lite.adapter.grpc.server import start_server_in_thread
    from milvus_lite.exceptions import DataDirLockedError
    from pymilvus import MilvusClient

    return MilvusClient, DataDirLockedError, start_server_in_thread


class MilvusLiteStore(MilvusEngine):
    """A store in a folder of this machine, held by one process at a time.

    Args:
        folder: Made when it is not there.
        loaded: How many collections may be in memory at once; the one that was read longest ago goes first.
    """

    def __init__(self, folder: Path, *, loaded: int = LOADED_COLLECTIONS) -> None:
        self._folder = folder
        self._client: Any = None
        self._server: Any = None
        self._engine: Any = None
        self._socket_folder: Path | None = None
        self._write = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._residents = Residents(loaded, self._load, self._release, READ_SECONDS)

    @property
    def exclusive(self) -> bool:
        """The folder has one holder."""
        return True

    def open(self) -> None:
        """Start the engine on the folder."""
        MilvusClient, DataDirLockedError, start_server_in_thread = without_pandas(_libraries)  # noqa: N806  a class
        quieten()
        lite_engine.read_named_columns_only()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._socket_folder = Path(tempfile.mkdtemp(prefix="rag-"))
        socket = self._socket_folder / "milvus"
        try:
            # host and port are joined by a colon, which is how gRPC names a Unix socket
            self._server, self._engine, _ = start_server_in_thread(str(self._folder / "milvus.db"), host="unix", port=str(socket))
            self._client = MilvusClient(uri=f"unix:{socket}", timeout=READ_SECONDS, grpc_options=_WITHOUT_PINGS)
        except DataDirLockedError as error:
            self.close()
            raise StoreUnavailableError(
                f"The index in {self._folder} is held by another process. Stop that one, or use another data folder."
            ) from error
        except Exception as error:
            self.close()
            raise StoreUnavailableError(f"The index in {self._folder} cannot be opened: {error}") from error

    def close(self) -> None:
        """Stop the engine and release the folder's lock."""
        if self._client is not None:
            self._client.close()
        if self._server is not None:
            self._server.stop(grace=2).wait()
        if self._engine is not None:
            self._engine.close()
        self._client = self._server = self._engine = None
        self._residents.clear()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    def check(self) -> str | None:
        """Ask the engine for its collections."""
        if self._client is None:
            return "The vector store is not open."
        try:
            self.collections()
        except StoreUnavailableError as error:
            return error.detail
        return None

    def collections(self) -> list[str]:
        """Names of all collections, whole or not."""
        with self._errors("all collections"):
            self._connected()
            return lite_engine.names(self._engine)

    def create(self, collection: str, model: str, dimension: int) -> None:
        """Make an empty collection."""
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("workshop_id", DataType.VARCHAR, max_length=63)
        add_row_fields(schema, dimension)
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("dense", index_type="FLAT", metric_type="COSINE")
        indexes.add_index(
            "sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": BM25_K1, "bm25_b": BM25_B}
        )
        with self._write, self._errors(collection):
            client = self._connected()
            client.create_collection(checked_index(collection), schema=schema, timeout=WRITE_SECONDS)
            # else the client sleeps half a second for each, though an index of no rows is there at once
            client.create_index(collection, indexes, timeout=WRITE_SECONDS, sync=False)

    def insert(self, owner: Owner, collection: str, rows: Sequence[tuple[int, Chunk, Vector]], commit: str | None) -> None:
        """Add chunks of one owner."""
        self._check_size(collection, (vector for _, _, vector in rows))
        made = [row_of(owner, number, chunk, vector, commit) for number, chunk, vector in rows]
        with self._write, self._errors(collection):
            self._connected().insert(checked_index(collection), made, timeout=WRITE_SECONDS)

    def delete_documents(self, collection: str, documents: Iterable[int]) -> None:
        """Remove the rows of shared documents."""
        condition = Condition("document", tuple(sorted(documents)))
        if condition.values:
            with self._write, self._errors(collection):
                self._connected().delete(checked_index(collection), filter=literal([condition]), timeout=WRITE_SECONDS)

    def seal(self, collection: str) -> None:
        """Flush and load."""
        with self._write, self._errors(collection):
            self._connected().flush(checked_index(collection), timeout=WRITE_SECONDS)
        with self._residents.using(collection):
            pass

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        with self._write:
            self._gone(collection)
            with self._errors(collection):
                if not self._connected().has_collection(checked_index(collection), timeout=READ_SECONDS):
                    return
            try:
                self._drop(collection)
            except StorageFullError:
                # before it removes the folder the engine writes out what is in memory, for which a full disk has no room
                for forsaken in self._engine_parts(collection):
                    forsaken._bg_executor.shutdown(wait=False)  # noqa: SLF001
                self._drop(collection)

    def _drop(self, collection: str) -> None:
        with self._errors(collection):
            self._connected().drop_collection(collection, timeout=WRITE_SECONDS)

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """One search after the other: there is no network between, and each index has its own keyword statistics."""
        self._check_size(collection, vectors)
        kinds = None if kinds is None else list(kinds)
        dense = self._search(scope, collection, "dense", [vector.tolist() for vector in vectors], "COSINE", limit, kinds)
        asked = [" ".join(query) for query in queries]
        answers = iter(self._search(scope, collection, "sparse", [text for text in asked if text], "BM25", limit, kinds))
        return dense, [next(answers) if text else [] for text in asked]

    def _rows(self, scope: ReadScope, collection: str, fields: list[str]) -> Iterator[Any]:
        offset = 0
        while True:
            with self._residents.using(collection), self._errors(collection):
                rows = self._connected().query(
                    checked_index(collection),
                    filter=literal(read_conditions(scope)),
                    output_fields=sorted({*fields, *scope.fields}),
                    limit=READ_PAGE,
                    offset=offset,
                    timeout=READ_SECONDS,
                )
            yield from (row for row in rows if admitted(scope, row))
            if len(rows) < READ_PAGE:
                return
            offset += len(rows)

    def _search(
        self,
        scope: ReadScope,
        collection: str,
        field: str,
        data: list[Any],
        metric: str,
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> list[list[Hit]]:
        if not data:
            return []
        with self._residents.using(collection), self._errors(collection):
            self._connected()
            answers = lite_engine.search(
                self._engine,
                checked_index(collection),
                data,
                anns_field=field,
                top_k=limit,
                expr=literal(read_conditions(scope, kinds)),
                output_fields=list(scope.fields),
                metric_type=metric,
            )
        # Milvus Lite gives BM25 as a negative distance, Milvus as a positive score
        sign = abs if metric == "BM25" else float
        return [[Hit(hit["id"], sign(hit["distance"])) for hit in answer if admitted(scope, hit["entity"])] for answer in answers]

    def _load(self, collection: str) -> None:
        try:
            self._load_as_it_is(collection)
        except StoreUnavailableError as error:
            # A process that was killed while the engine wrote one leaves half of it, which the engine takes for the whole.
            if not self._forget_search_files(collection):
                raise
            log.warning("rag_search_files_made_anew", collection=collection, error=error.detail)
            self._load_as_it_is(collection)

    def _load_as_it_is(self, collection: str) -> None:
        with self._write, self._errors(collection):
            self._connected().load_collection(checked_index(collection), timeout=WRITE_SECONDS)

    def _forget_search_files(self, collection: str) -> bool:
        """Remove what the engine derives from a collection's rows, and makes where it is not; whether there was any."""
        with self._write:
            for open_one in self._engine_parts(collection):
                open_one.close()
            folder = self._folder / "milvus.db" / "collections" / checked_index(collection)
            files = [path for path in folder.rglob("*") if path.suffix in (".idx", ".sidx")]
            for path in files:
                path.unlink(missing_ok=True)
        return bool(files)

    def _release(self, collection: str) -> None:
        try:
            with self._write, self._errors(collection):
                self._connected().release_collection(checked_index(collection), timeout=WRITE_SECONDS)
                # a released collection's rows stay in the engine's memory until it is closed, which no request asks for
                for open_one in self._engine_parts(collection):
                    open_one.close()
        except IndexGoneError:
            log.debug("rag_release_of_a_dropped_collection", collection=collection)

    def _engine_parts(self, collection: str) -> list[Any]:
        """What the engine holds open of a collection; it opens it again when it is next asked for it."""
        held = self._engine._collections  # noqa: SLF001
        return [held.pop(key) for key in list(held) if key[1] == collection]

    def _connected(self) -> Any:
        if self._client is None:
            raise StoreUnavailableError("The vector store is not open yet. Try again in a moment.")
        return self._client

    def _vector_size(self, collection: str) -> int:
        held = self._sizes.get(collection)
        if held is None:
            with self._errors(collection):
                described = self._connected().describe_collection(checked_index(collection), timeout=READ_SECONDS)
            held = next(int(field["params"]["dim"]) for field in described["fields"] if field["name"] == "dense")
            self._sizes[collection] = held
        return held

    def _gone(self, collection: str) -> None:
        self._residents.forget(collection)
        self._sizes.pop(collection, None)
