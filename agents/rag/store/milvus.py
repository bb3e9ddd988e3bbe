"""Milvus, standalone or distributed: one collection for each embedding model, shared by all workshops and by all RAG agents.

Rows carry the index that they belong to, and every read asks for one workshop and one index. Workshops are kept apart by the
partition key; with isolation Milvus builds a graph for each of them. What is different from Milvus Lite, and why, is told
in docs/decisions/milvus-engine.md.

A row of its own names each index, so that an empty one is told from one that is gone.
"""

import importlib
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from structlog import get_logger

from agents.rag.chunking import Chunk
from agents.rag.embedder import Vector
from agents.rag.errors import IndexGoneError, StoreUnavailableError
from agents.rag.scope import INDEXES, SHARED, Condition, ReadScope, checked_index, literal, read_conditions, templated
from agents.rag.store import Hit, Owner, StoredChunk
from agents.rag.store.bm25 import Statistics
from agents.rag.store.engine import READ_PAGE, WRITE_SECONDS, MilvusEngine, admitted, quieten
from agents.rag.store.layout import PREFIX, collection_name, keyed, make_missing, name_row
from agents.rag.store.rows import row_of
from agents.rag.store.scoring import matching, nearest
from agents.rag.store.tuning import search_ef
from agents.rag.store.without_pandas import without_pandas
from shared_services.contracts.rag import ChunkKind

log = get_logger()

CHECK_SECONDS = 3.0
SETTLED_SECONDS = 30.0
"""Rows this old are on every replica: Milvus' bounded reads lag by at most 5 s as it is delivered."""

_CONNECTION = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # else a new connection to an address that failed fails with the old one until that one's pause is over
    "grpc.use_local_subchannel_pool": 1,
}
"""A server that is back is found within a second, not within two minutes."""

MOST_HITS = 16_384
"""Milvus returns no more to one request."""

MAKING_ATTEMPTS = 5
MAKING_PAUSE = 0.2
COUNTED_INDEXES = 256
NOT_LOADED = frozenset({101, 103})
"""Not loaded, and not loaded in full."""


class MilvusStore(MilvusEngine):
    """A store on a Milvus server.

    Args:
        uri: `http://HOST:PORT`, or `https://...`.
        token: `USER:PASSWORD`, or a key; empty where the server asks for none.
        database: A database that is there already; empty for the default one.
        timeout: Seconds that a read may take, retries included.
        replicas: Copies of the collections in the memory of query nodes.
    """

    def __init__(self, uri: str, *, token: str = "", database: str = "", timeout: float = 10.0, replicas: int = 1) -> None:
        self._uri = uri
        self._token = token
        self._database = database
        self._timeout = timeout
        self._replicas = replicas
        self._client: Any = None
        self._templates = True
        self._open = False
        self._connecting = threading.Lock()
        self._making = threading.Lock()
        self._homes: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._loaded: set[str] = set()
        self._counted: dict[tuple[str, tuple[Condition, ...]], tuple[Statistics, float]] = {}

    @property
    def exclusive(self) -> bool:
        """Other agents may use the server."""
        return False

    def open(self) -> None:
        """Allow requests. The server is connected to when it is first needed, so it may come later than this process."""
        # the image holds no pandas; whoever imports pymilvus later finds it loaded
        without_pandas(lambda: importlib.import_module("pymilvus"))
        quieten()
        self._open = True

    def close(self) -> None:
        """Hang up."""
        with self._connecting:
            self._open = False
            if self._client is not None:
                self._client.close()
            self._client = None

    def check(self) -> str | None:
        """Ask the server for its collections."""
        try:
            client = self._connected(min(CHECK_SECONDS, self._timeout))
            with self._errors(self._uri):
                client.list_collections(timeout=min(CHECK_SECONDS, self._timeout))
        except StoreUnavailableError as error:
            return error.detail
        return None

    def collections(self) -> list[str]:
        """Names of all indexes, whole or not."""
        found: list[str] = []
        for home in self._all_homes():
            rows = self._pages(home, [Condition("workshop_id", (INDEXES,))], ["index_id"])
            found += (row["index_id"] for row in rows)
        return sorted(found)

    def create(self, collection: str, model: str, dimension: int) -> None:
        """Name an index in the model's collection, which is made when it is the model's first."""
        home = collection_name(model, dimension)
        # two searches for the same missing collection would otherwise both make it
        with self._making:
            self._make(home, dimension)
        with self._errors(collection):
            self._ready(home).insert(home, [name_row(checked_index(collection), dimension)], timeout=WRITE_SECONDS)
        self._homes[collection] = home

    def insert(self, owner: Owner, collection: str, rows: Sequence[tuple[int, Chunk, Vector]], commit: str | None) -> None:
        """Add chunks of one owner. A repeated call adds none twice: Milvus returns one row of a key."""
        home = self._home(collection)
        self._check_size(collection, (vector for _, _, vector in rows))
        made = [row_of(owner, number, chunk, vector, commit) for number, chunk, vector in rows]
        with self._errors(collection):
            self._ready(home).insert(home, [keyed(collection, row) for row in made], timeout=WRITE_SECONDS)
        self._forget_counts(collection)

    def delete_documents(self, collection: str, documents: Iterable[int]) -> None:
        """Remove the rows of shared documents."""
        wanted = Condition("document", tuple(sorted(documents)))
        if wanted.values:
            home = self._home(collection)
            conditions = [Condition("workshop_id", (SHARED,)), Condition("index_id", (collection,)), wanted]
            self._delete(home, collection, conditions)
            self._forget_counts(collection)

    def seal(self, collection: str) -> None:
        """Nothing is left to do: an insert is answered when it is in Milvus' log, and reads of a new index wait for all of it."""
        self._home(collection)

    def drop(self, collection: str) -> None:
        """Remove an index's rows, wherever they are."""
        for home in self._all_homes():
            self._delete(home, collection, [Condition("index_id", (collection,))])
        self._gone(collection)

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """One request for the whole question. Milvus unites the candidates of all parts; each is scored for each part here."""
        from pymilvus import AnnSearchRequest, RRFRanker

        home = self._home(collection)
        self._check_size(collection, vectors)
        statistics, since = self._statistics(scope, collection)
        conditions = [*read_conditions(scope, kinds), Condition("index_id", (collection,))]
        parts = len(vectors) + sum(1 for query in queries if query)
        if not parts or not statistics.chunks or not all(condition.values for condition in conditions):
            return [[] for _ in vectors], [[] for _ in queries]
        expression, values = self._filter(conditions)
        narrowed = {"limit": min(limit, MOST_HITS // parts), "expr": expression, "expr_params": values}
        near = {"metric_type": "COSINE", "params": {"ef": search_ef(limit, statistics.chunks)}}
        asked = [AnnSearchRequest([vector.tolist()], "dense", near, **narrowed) for vector in vectors]
        asked += [
            AnnSearchRequest([" ".join(query)], "sparse", {"metric_type": "BM25"}, **narrowed) for query in queries if query
        ]

        def ask(client: Any) -> Any:
            return client.hybrid_search(
                home,
                asked,
                RRFRanker(),
                # as many as there can be: no candidate is lost to the ranker
                limit=min(limit, MOST_HITS // parts) * parts,
                output_fields=sorted({"id", "index_id", "terms", "dense", *scope.fields}),
                timeout=self._timeout,
                consistency_level=consistency(since, time.monotonic()),
            )

        (found,) = self._asked(home, collection, ask)
        rows = [hit["entity"] for hit in found]
        rows = [row for row in rows if admitted(scope, row, collection)]
        if not rows and not self._named(home, collection):
            self._gone(collection)
            raise IndexGoneError(f"The index {collection} is no longer there. Ask again.")
        return nearest(rows, vectors, limit), matching(rows, queries, statistics, limit)

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Page through every row in scope, and count its terms on the way."""
        counted = Statistics()
        for chunk, terms in super().read(scope, collection):
            counted.count(terms)
            yield chunk, terms
        self._keep(scope, collection, counted)

    def _rows(self, scope: ReadScope, collection: str, fields: list[str]) -> Iterator[Any]:
        home = self._home(collection)
        conditions = [*read_conditions(scope), Condition("index_id", (collection,))]
        if all(condition.values for condition in conditions):
            for row in self._pages(home, conditions, sorted({*fields, "index_id", *scope.fields})):
                if admitted(scope, row, collection):
                    yield row
        # whoever dropped it meanwhile left a part that looks like the whole
        if not self._named(home, collection):
            self._gone(collection)
            raise IndexGoneError(f"The index {collection} is no longer there. Ask again.")

    def _statistics(self, scope: ReadScope, collection: str) -> tuple[Statistics, float]:
        held = self._counted.get((collection, tuple(scope.conditions())))
        if held is None:
            counted = Statistics()
            for row in self._rows(scope, collection, ["terms"]):
                counted.count(row["terms"].split())
            held = self._keep(scope, collection, counted)
        return held

    def _keep(self, scope: ReadScope, collection: str, counted: Statistics) -> tuple[Statistics, float]:
        while len(self._counted) >= COUNTED_INDEXES:
            self._counted.pop(next(iter(self._counted)), None)
        kept = self._counted[(collection, tuple(scope.conditions()))] = (counted, time.monotonic())
        return kept

    def _pages(self, home: str, conditions: list[Condition], fields: list[str]) -> Iterator[Any]:
        """Rows in the order of their keys, each page after the last: an offset may not pass 16,384."""
        after = ""
        while True:
            rows = self._query(home, conditions, [*fields, "pk"], READ_PAGE, after)
            yield from rows
            if len(rows) < READ_PAGE:
                return
            after = max(row["pk"] for row in rows)

    def _query(self, home: str, conditions: list[Condition], fields: list[str], limit: int, after: str = "") -> list[Any]:
        expression, values = self._filter(conditions, after)

        def ask(client: Any) -> Any:
            return client.query(
                home,
                filter=expression,
                filter_params=values,
                output_fields=fields,
                limit=limit,
                timeout=self._timeout,
                consistency_level="Strong",
                # pymilvus' own iterator asks so: the smallest keys first, of all segments
                iterator="True",
                reduce_stop_for_best="True",
            )

        return list(self._asked(home, home, ask))

    def _filter(self, conditions: list[Condition], after: str = "") -> tuple[str, dict[str, Any]]:
        if not self._templates:
            return literal(conditions) + (f" and pk > {json.dumps(after)}" if after else ""), {}
        expression, values = templated(conditions)
        if after:
            return f"{expression} and pk > {{after}}", {**values, "after": after}
        return expression, values

    def _delete(self, home: str, collection: str, conditions: list[Condition]) -> None:
        client = self._ready(home)
        expression, values = self._filter(conditions)
        with self._errors(collection):
            client.delete(home, filter=expression, filter_params=values, timeout=WRITE_SECONDS)

    def _asked(self, home: str, what: str, ask: Any) -> Any:
        """The answer of a read; a collection that someone released is loaded once more."""
        from pymilvus.exceptions import MilvusException

        with self._errors(what):
            try:
                return ask(self._ready(home))
            except MilvusException as error:
                if error.code not in NOT_LOADED and "not loaded" not in str(error).lower():
                    raise
                self._loaded.discard(home)
                return ask(self._ready(home))

    def _home(self, collection: str) -> str:
        """The Milvus collection that holds an index."""
        held = self._homes.get(checked_index(collection))
        if held is None:
            held = next((home for home in self._all_homes() if self._named(home, collection)), None)
            if held is None:
                raise IndexGoneError(f"The index {collection} is no longer there. Ask again.")
            self._homes[collection] = held
        return held

    def _named(self, home: str, collection: str) -> bool:
        conditions = [Condition("workshop_id", (INDEXES,)), Condition("index_id", (collection,))]
        return bool(self._query(home, conditions, ["index_id"], 1))

    def _all_homes(self) -> list[str]:
        client = self._connected()
        with self._errors(self._uri):
            names = client.list_collections(timeout=self._timeout)
        return sorted(name for name in names if name.startswith(PREFIX))

    def _vector_size(self, collection: str) -> int:
        home = self._home(collection)
        held = self._sizes.get(home)
        if held is None:
            client = self._connected()
            with self._errors(collection):
                described = client.describe_collection(home, timeout=self._timeout)
            held = next(int(field["params"]["dim"]) for field in described["fields"] if field["name"] == "dense")
            self._sizes[home] = held
        return held

    def _gone(self, collection: str) -> None:
        self._homes.pop(collection, None)
        self._forget_counts(collection)

    def _forget_counts(self, collection: str) -> None:
        for key in [key for key in list(self._counted) if key[0] == collection]:
            self._counted.pop(key, None)

    def _make(self, home: str, dimension: int) -> None:
        """Make a collection with its indexes, or what of it is missing after a crash."""
        from pymilvus.exceptions import MilvusException

        client = self._connected()
        with self._errors(home):
            for attempt in range(1, MAKING_ATTEMPTS + 1):
                try:
                    make_missing(client, home, dimension, self._timeout)
                except MilvusException as error:
                    # another agent makes it in the same moment
                    if attempt == MAKING_ATTEMPTS or not re.search(r"already|exists", str(error), re.IGNORECASE):
                        raise
                    time.sleep(MAKING_PAUSE)
                else:
                    return

    def _ready(self, home: str) -> Any:
        """The client, once a collection is loaded."""
        client = self._connected()
        if home not in self._loaded:
            client.load_collection(home, replica_number=self._replicas, timeout=WRITE_SECONDS)
            self._loaded.add(home)
        return client

    def _connected(self, timeout: float | None = None) -> Any:
        from pymilvus import MilvusClient

        if not self._open:
            raise StoreUnavailableError("The vector store is not open yet. Try again in a moment.")
        if self._client is not None:
            return self._client
        seconds = timeout or self._timeout
        with self._errors(self._uri):
            # its own connection: one shared by address would be hung up by whoever closes it first
            client = MilvusClient(
                self._uri, token=self._token, db_name=self._database, timeout=seconds, dedicated=True, grpc_options=_CONNECTION
            )
            # the server that comes with Milvus Lite knows no parameters in filters
            templates = not client.get_server_version(timeout=seconds).startswith("milvus_lite")
        # connecting takes its time, so nobody waits here for another's attempt; the first to succeed is kept
        with self._connecting:
            if self._client is None and self._open:
                self._templates, self._client = templates, client
            else:
                client.close()
        return self._connected(timeout)


def consistency(since: float, now: float) -> str:
    """How fresh a search must be, given when (seconds) this process first read the whole of what it searches.

    A new index may not yet be on every replica, so until it has settled there a search waits for all that was written before it.
    """
    return "Bounded" if now - since > SETTLED_SECONDS else "Strong"
