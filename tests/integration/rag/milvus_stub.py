"""A stand-in for Milvus that writes down every request. It reads filters as Milvus does, template and parameters, and refuses
any expression that is not made of the store's own fields and placeholders alone."""

# ruff: noqa: N802  methods are named as Milvus names them

import json
import re
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

_PART = re.compile(r"(workshop_id|index_id|kind|document|pk) (==|in|>) \{([a-z_]+)\}")
_OK = common_pb2.Status()
_LOADED = common_pb2.LoadState.LoadStateLoaded

Row = dict[str, schema_pb2.FieldData]
"""A row as columns of one value each."""


def value_of(template: schema_pb2.TemplateValue) -> Any:
    """What a parameter says."""
    which = template.WhichOneof("val")
    if which != "array_val":
        return getattr(template, which)
    array = template.array_val
    return list(getattr(array, array.WhichOneof("data")).data)


def filter_of(request: Any, expression: str = "expr") -> tuple[str, dict[str, Any]]:
    """The expression and the parameters of a request."""
    return getattr(request, expression), {name: value_of(value) for name, value in request.expr_template_values.items()}


def pairs(listed: Any) -> dict[str, Any]:
    """Key-value pairs; what is JSON is read."""
    found: dict[str, Any] = {}
    for pair in listed:
        try:
            found[pair.key] = json.loads(pair.value)
        except ValueError:
            found[pair.key] = pair.value
    return found


def _met(row: Row, expression: str, values: dict[str, Any]) -> bool:
    for part in expression.split(" and "):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"not a template: {part!r}")
        field, operator, name = match.groups()
        held, wanted = _scalar(row[field]), values[name]
        if not (held == wanted if operator == "==" else held in wanted if operator == "in" else held > wanted):
            return False
    return True


def _scalar(column: schema_pb2.FieldData) -> Any:
    return getattr(column.scalars, column.scalars.WhichOneof("data")).data[0]


def _single(column: schema_pb2.FieldData, number: int, rows: int) -> schema_pb2.FieldData:
    one = schema_pb2.FieldData(type=column.type, field_name=column.field_name)
    if column.HasField("vectors"):
        data = column.vectors.float_vector.data
        size = len(data) // rows
        one.vectors.dim = size
        one.vectors.float_vector.data.extend(data[number * size : (number + 1) * size])
    else:
        kind = column.scalars.WhichOneof("data")
        getattr(one.scalars, kind).data.append(getattr(column.scalars, kind).data[number])
    return one


def _columns(rows: list[Row], fields: list[str], schema: schema_pb2.CollectionSchema) -> list[schema_pb2.FieldData]:
    types = {field.name: field.data_type for field in schema.fields}
    sizes = {field.name: pairs(field.type_params).get("dim") for field in schema.fields}
    found = []
    for field in fields:
        # Milvus names the fields of no rows, too
        whole = schema_pb2.FieldData(type=types[field], field_name=field)
        if types[field] == schema_pb2.DataType.FloatVector:
            whole.vectors.dim = sizes[field]
            whole.vectors.float_vector.SetInParent()
        elif types[field] == schema_pb2.DataType.Int64:
            whole.scalars.long_data.SetInParent()
        else:
            whole.scalars.string_data.SetInParent()
        for row in rows:
            one = row[field]
            if one.HasField("vectors"):
                whole.vectors.float_vector.data.extend(one.vectors.float_vector.data)
            else:
                kind = one.scalars.WhichOneof("data")
                getattr(whole.scalars, kind).data.extend(getattr(one.scalars, kind).data)
        found.append(whole)
    return found


class RecordingMilvus(milvus_pb2_grpc.MilvusServiceServicer):
    """Keeps what is inserted in memory; a search finds every row that its filter lets through, with a score of no meaning.

    Attributes:
        requests: Each with its method's name, in order.
        leaks: Return rows of other workshops and indexes as well.
        isolation: Whether partition key isolation is allowed.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.leaks = False
        self.isolation = True
        self._lock = threading.Lock()
        self._schemas: dict[str, schema_pb2.CollectionSchema] = {}
        self._indexes: dict[str, list[Any]] = {}
        self._rows: dict[str, dict[str, Row]] = {}

    def all(self, method: str) -> list[Any]:
        """The requests of one method."""
        return [request for name, request in self.requests if name == method]

    def _note(self, method: str, request: Any) -> None:
        with self._lock:
            self.requests.append((method, request))

    def Connect(self, request: Any, context: Any) -> Any:
        return milvus_pb2.ConnectResponse(status=_OK, identifier=1)

    def GetVersion(self, request: Any, context: Any) -> Any:
        return milvus_pb2.GetVersionResponse(status=_OK, version="v2.6.0")

    def ShowCollections(self, request: Any, context: Any) -> Any:
        return milvus_pb2.ShowCollectionsResponse(status=_OK, collection_names=sorted(self._schemas))

    def DescribeCollection(self, request: Any, context: Any) -> Any:
        schema = self._schemas.get(request.collection_name)
        if schema is None:
            status = common_pb2.Status(code=100, error_code=common_pb2.CollectionNotExists, reason="can't find collection")
            return milvus_pb2.DescribeCollectionResponse(status=status)
        return milvus_pb2.DescribeCollectionResponse(status=_OK, schema=schema, collection_name=request.collection_name)

    def CreateCollection(self, request: Any, context: Any) -> Any:
        self._note("CreateCollection", request)
        if not self.isolation and "partitionkey.isolation" in pairs(request.properties):
            reason = "partition key isolation mode is enabled but current Milvus does not support it. Please contact us"
            return common_pb2.Status(code=1100, error_code=common_pb2.UnexpectedError, reason=reason)
        schema = schema_pb2.CollectionSchema()
        schema.ParseFromString(request.schema)
        self._schemas[request.collection_name] = schema
        self._rows.setdefault(request.collection_name, {})
        return _OK

    def CreateIndex(self, request: Any, context: Any) -> Any:
        self._note("CreateIndex", request)
        self._indexes.setdefault(request.collection_name, []).append(request)
        return _OK

    def DescribeIndex(self, request: Any, context: Any) -> Any:
        made = self._indexes.get(request.collection_name)
        if not made:
            status = common_pb2.Status(code=700, error_code=common_pb2.IndexNotExist, reason="index not found")
            return milvus_pb2.DescribeIndexResponse(status=status)
        described = [
            milvus_pb2.IndexDescription(
                index_name=each.index_name,
                field_name=each.field_name,
                params=each.extra_params,
                state=common_pb2.IndexState.Finished,
            )
            for each in made
        ]
        return milvus_pb2.DescribeIndexResponse(status=_OK, index_descriptions=described)

    def LoadCollection(self, request: Any, context: Any) -> Any:
        self._note("LoadCollection", request)
        return _OK

    def GetLoadingProgress(self, request: Any, context: Any) -> Any:
        return milvus_pb2.GetLoadingProgressResponse(status=_OK, progress=100)

    def GetLoadState(self, request: Any, context: Any) -> Any:
        return milvus_pb2.GetLoadStateResponse(status=_OK, state=_LOADED)

    def Insert(self, request: Any, context: Any) -> Any:
        self._note("Insert", request)
        with self._lock:
            for number in range(request.num_rows):
                row = {column.field_name: _single(column, number, request.num_rows) for column in request.fields_data}
                self._rows[request.collection_name][_scalar(row["pk"])] = row
        return milvus_pb2.MutationResult(status=_OK, insert_cnt=request.num_rows, acknowledged=True)

    def Delete(self, request: Any, context: Any) -> Any:
        self._note("Delete", request)
        with self._lock:
            rows = self._rows[request.collection_name]
            going = [key for key, row in rows.items() if _met(row, *filter_of(request))]
            for key in going:
                del rows[key]
        return milvus_pb2.MutationResult(status=_OK, delete_cnt=len(going), acknowledged=True)

    def Query(self, request: Any, context: Any) -> Any:
        self._note("Query", request)
        asked = pairs(request.query_params)
        found = self._found(request.collection_name, *filter_of(request))[: int(asked["limit"])]
        fields = list(request.output_fields)
        return milvus_pb2.QueryResults(
            status=_OK,
            fields_data=_columns(found, fields, self._schemas[request.collection_name]),
            output_fields=fields,
            primary_field_name="pk",
        )

    def HybridSearch(self, request: Any, context: Any) -> Any:
        self._note("HybridSearch", request)
        keys: dict[str, Row] = {}
        for part in request.requests:
            for row in self._found(request.collection_name, *filter_of(part, "dsl")):
                keys[_scalar(row["pk"])] = row
        found = list(keys.values())
        results = schema_pb2.SearchResultData(
            num_queries=1,
            top_k=len(found),
            topks=[len(found)],
            scores=[0.5] * len(found),
            ids=schema_pb2.IDs(str_id=schema_pb2.StringArray(data=list(keys))),
            fields_data=_columns(found, list(request.output_fields), self._schemas[request.collection_name]),
            output_fields=request.output_fields,
            primary_field_name="pk",
        )
        return milvus_pb2.SearchResults(status=_OK, results=results)

    def _found(self, collection: str, expression: str, values: dict[str, Any]) -> list[Row]:
        with self._lock:
            rows = self._rows[collection]
            return [rows[key] for key in sorted(rows) if _met(rows[key], expression, values) or self._leaked(rows[key])]

    def _leaked(self, row: Row) -> bool:
        return self.leaks and _scalar(row["workshop_id"]) != "_indexes"


@contextmanager
def recording() -> Iterator[tuple[RecordingMilvus, str]]:
    """A running stub and its address."""
    stub = RecordingMilvus()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(stub, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield stub, f"http://127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
