"""How indexes lie in Milvus: a collection for each model, keys that never meet, and a row that names each index."""

import hashlib
import re
from typing import Any

import numpy as np
from structlog import get_logger

from agents.rag.chunking import Chunk
from agents.rag.form import ROWS_VERSION
from agents.rag.scope import INDEXES
from agents.rag.store import BM25_B, Owner
from agents.rag.store.bm25 import ENGINE_K1
from agents.rag.store.engine import WRITE_SECONDS, add_row_fields
from agents.rag.store.rows import row_of
from agents.rag.store.tuning import HNSW_EF_CONSTRUCTION, HNSW_M, PARTITIONS

log = get_logger()

PREFIX = "workshop_rag_"
LAYOUT = 1
"""Raised when this module lays out a collection differently."""

_NOTHING = Chunk(
    step="",
    step_title="",
    file="",
    first_line=0,
    last_line=0,
    heading=(),
    kind="prose",
    text="",
    indexed="index",
    after="",
    source_file="",
    source_line=0,
)


def collection_name(model: str, dimension: int) -> str:
    """The Milvus collection of a model: readable, and another one for each model, dimension and form of rows."""
    known = hashlib.sha256(f"{model}\0{dimension}\0{ROWS_VERSION}\0{LAYOUT}".encode()).hexdigest()[:16]
    return f"{PREFIX}{re.sub(r'[^A-Za-z0-9]+', '_', model)[:40]}_{known}"


def keyed(index: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of an index: its key sorts by its place in the index."""
    return {**row, "pk": f"{index.removeprefix('index_')}/{row['id']:016d}", "index_id": index}


def name_row(index: str, dimension: int) -> dict[str, Any]:
    """The row that names an index. It carries a vector because Milvus asks for one; no search reads it."""
    vector = np.zeros(dimension, dtype=np.float32)
    vector[0] = 1
    return {**row_of(Owner(INDEXES), 0, _NOTHING, vector, None), "pk": f"{index.removeprefix('index_')}/name", "index_id": index}


def make_missing(client: Any, home: str, dimension: int, timeout: float) -> None:
    """Make a collection with its indexes, or what of it is missing after a crash. Raises what pymilvus raises."""
    from pymilvus import DataType, MilvusClient

    if not client.has_collection(home, timeout=timeout):
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("pk", DataType.VARCHAR, max_length=64, is_primary=True)
        schema.add_field("workshop_id", DataType.VARCHAR, max_length=63, is_partition_key=True)
        schema.add_field("index_id", DataType.VARCHAR, max_length=63)
        schema.add_field("id", DataType.INT64)
        add_row_fields(schema, dimension)
        _create(client, home, schema)
    present = set(client.list_indexes(home, timeout=timeout))
    wanted = MilvusClient.prepare_index_params()
    if "dense" not in present:
        graph = {"M": HNSW_M, "efConstruction": HNSW_EF_CONSTRUCTION}
        wanted.add_index("dense", index_type="HNSW", index_name="dense", metric_type="COSINE", params=graph)
    if "sparse" not in present:
        weights = {"bm25_k1": ENGINE_K1, "bm25_b": BM25_B}
        inverted = "SPARSE_INVERTED_INDEX"
        wanted.add_index("sparse", index_type=inverted, index_name="sparse", metric_type="BM25", params=weights)
    if len(wanted):
        client.create_index(home, wanted, timeout=WRITE_SECONDS)


def _create(client: Any, home: str, schema: Any) -> None:
    from pymilvus.exceptions import MilvusException

    made = {"schema": schema, "num_partitions": PARTITIONS, "consistency_level": "Bounded", "timeout": WRITE_SECONDS}
    try:
        client.create_collection(home, properties={"partitionkey.isolation": "true"}, **made)
    except MilvusException as error:
        if "isolation" not in str(error).lower():
            raise
        log.warning("rag_without_partition_key_isolation", collection=home, error=str(error))
        client.create_collection(home, **made)
