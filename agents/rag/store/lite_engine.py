"""Searches Milvus Lite's engine, which runs in this process, without the way over its socket, and has it read less.

Left alone the engine turns every column of each row that it returns into Python objects, the vector's 384 numbers among
them, looks each of them up in the schema several times, and then throws away what was not asked for: for a hundred hits of
which the store wants one field, most of a search. A collection opened after `read_named_columns_only` shows its own search
and query only the columns that the request names or filters by. What they compute on those is theirs.

It leans on the insides of Milvus Lite 3.2, which pyproject.toml holds it to; a test compares with Milvus Lite left alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

_COLLECTION_NOT_FOUND = 100
_ALWAYS = ("_seq",)
_SHOWN = threading.local()


def read_named_columns_only() -> None:
    """Have every collection that Milvus Lite opens from now on in this process read the named columns alone."""
    from milvus_lite import db
    from milvus_lite.engine import collection as engine

    if db.Collection is not engine.Collection:
        return
    project = engine.project_record
    searching, querying = signature(engine.Collection.search), signature(engine.Collection.query)

    def project_named(record: dict[str, Any], schema: Any, plan: Any) -> Any:
        """The fields of a record that a request names; a search has its key elsewhere."""
        if schema.enable_dynamic_field:
            return project(record, schema, plan)
        key = next(field.name for field in schema.fields if field.is_primary)
        found = {name: record[name] for name in plan.response_schema_fields if name != key and name in record}
        if plan.api_kind != "search" and key in record:
            found[key] = record[key]
        return found

    class FrugalCollection(engine.Collection):  # type: ignore[misc, unused-ignore]
        """Milvus Lite's collection; a search or query sees its segments without the columns that nobody asked for."""

        def search(self, *given: Any, **named: Any) -> Any:
            with _showing(self, searching.bind(self, *given, **named).arguments, ()):
                return super().search(*given, **named)

        def query(self, *given: Any, **named: Any) -> Any:
            with _showing(self, querying.bind(self, *given, **named).arguments, (self.pk_field,)):
                return super().query(*given, **named)

        def _read_snapshot(self) -> Any:
            segments, deleted = super()._read_snapshot()
            shown: frozenset[str] | None = getattr(_SHOWN, "fields", None)
            if shown is None:
                return segments, deleted
            return tuple(_NarrowSegment(each, shown, _SHOWN.searched) for each in segments), deleted

    engine.project_record = project_named
    db.Collection = FrugalCollection


def names(engine: Any) -> list[str]:
    """Names of all collections. A request over the socket would open each of them, which reads its rows into memory.

    Raises:
        MilvusException: The folder cannot be read.
    """
    from pymilvus.exceptions import MilvusException

    try:
        return list(engine.list_collections())
    except Exception as error:
        raise MilvusException(message=str(error)) from error


def search(engine: Any, collection: str, queries: list[Any], **asked: Any) -> list[list[dict[str, Any]]]:
    """The hits of each query, best first, as `id`, `distance` and `entity`; see the engine's `Collection.search`.

    Raises:
        MilvusException: What a request over the socket would raise.
    """
    from milvus_lite.exceptions import CollectionNotFoundError
    from pymilvus.exceptions import MilvusException

    try:
        found: list[list[dict[str, Any]]] = engine.get_collection(collection).search(queries, **asked)
    except CollectionNotFoundError as error:
        raise MilvusException(_COLLECTION_NOT_FOUND, str(error)) from error
    except Exception as error:
        raise MilvusException(message=str(error)) from error
    return found


@contextmanager
def _showing(collection: Any, named: dict[str, Any], besides: tuple[str, ...]) -> Iterator[None]:
    """Within, this thread's snapshots show the columns that the request needs; all of them where it does not say which."""
    needed = _needed(collection, named)
    _SHOWN.fields = None if needed is None else needed.union(besides, _ALWAYS)
    _SHOWN.searched = named.get("anns_field")
    try:
        yield
    finally:
        _SHOWN.fields = None


def _needed(collection: Any, named: dict[str, Any]) -> frozenset[str] | None:
    fields = named.get("output_fields")
    if fields is None or "*" in fields or named.get("ranker") or named.get("group_by_field"):
        return None
    expression = named.get("expr")
    filtered = collection._compile_filter(expression, timezone=named.get("timezone")).fields if expression else ()  # noqa: SLF001
    # a search takes the key that it returns from elsewhere
    return frozenset({*fields} - {collection.pk_field}).union(filtered)


class _NarrowSegment:
    """A segment of which `table` and rows have some columns; everything else is the segment's own."""

    def __init__(self, segment: Any, shown: frozenset[str], searched: str | None) -> None:
        self._segment = segment
        # the engine makes its keyword index of this column when it first searches it
        if searched is not None and searched != segment._vector_field and searched not in segment.sparse_indexes:  # noqa: SLF001
            shown |= {searched}
        self._columns = [name for name in segment.table.column_names if name in shown]
        self._table: Any = None
        self._cells: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segment, name)

    @property
    def table(self) -> Any:
        """The narrow table; it shares the segment's memory."""
        if self._table is None:
            self._table = self._segment.table.select(self._columns)
        return self._table

    def row_to_dict(self, row: int) -> dict[str, Any]:
        """One row."""
        if not self._cells:
            self._cells = [(name, self.table.column(name)) for name in self._columns if name not in _ALWAYS]
        return {name: column[row].as_py() for name, column in self._cells}
