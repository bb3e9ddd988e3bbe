"""The RAG agent as it runs, on a folder that is kept between runs, and what measurements of it share."""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog import configure, make_filtering_bound_logger

from agents.rag.app import create_app
from agents.rag.embedder import Embedder, Vector
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.form import CURRENT_FORM
from agents.rag.openvino_embedder import computes_bf16
from agents.rag.reuse import digest
from agents.rag.scope import Scope
from agents.rag.service import RagService
from agents.rag.settings import RagSettings
from benchmarks.made_workshops import Maker, slug_of
from shared_services.kit.database import create_engine
from shared_services.kit.errors import NotFoundError
from shared_services.kit.tokens import Claims, TokenIssuer
from shared_services.library.form import WorkshopFiles

CACHE = Path.home() / ".cache" / "workshop-assistant" / "benchmarks"
VERSION = "made"


class _NoLibrary:
    async def fetch(self, name: str, version: str) -> WorkshopFiles:
        raise NotFoundError(f"There is no version {version} of {name}: a benchmark has no library.")


class HalfRealEmbedder:
    """Gives chunks random vectors that their text decides, and questions the model's.

    What an index costs and how long it takes to search does not depend on what its vectors say; embedding 50,000 chunks
    would take minutes. Which of the two a text gets is set by `real`.
    """

    def __init__(self, model: Embedder) -> None:
        self._model = model
        self.real = False

    @property
    def model_id(self) -> str:
        """The model's."""
        return self._model.model_id

    @property
    def dimension(self) -> int:
        """The model's."""
        return self._model.dimension

    @property
    def ready(self) -> bool:
        """The model's."""
        return self._model.ready

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, in order."""
        return self._model.encode(texts) if self.real else [random_vector(text, self.dimension) for text in texts]

    def warm(self) -> None:
        """Load the model."""
        self._model.warm()

    def close(self) -> None:
        """End the model's thread."""
        self._model.close()


def random_vector(text: str, dimension: int) -> Vector:
    """A unit vector that the text decides."""
    drawn = np.random.default_rng(int(digest(text)[:16], 16)).standard_normal(dimension, dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)


def exported_model(cache: Path) -> Path:
    """The folder of exported models under `cache`; makes the default model's export where it is not there (half a minute)."""
    exports = cache / "models"
    # in a process of its own: what it leaves in memory would be measured
    subprocess.run([sys.executable, "-m", "agents.rag.model_export", "", str(exports)], check=True, capture_output=True)
    return exports


def product_embedder(cache: Path) -> ExportingEmbedder:
    """The default model as the agent runs it from its second start on."""
    return ExportingEmbedder(exports=exported_model(cache), batch=RagSettings.model_fields["batch"].default)


@asynccontextmanager
async def open_agent(folder: Path, embedder: Embedder, **settings: Any) -> AsyncIterator[RagService]:
    """The agent's service on `folder`, started and stopped as its process does it; `settings` in place of the defaults."""
    await anyio.to_thread.run_sync(lambda: folder.mkdir(parents=True, exist_ok=True))
    engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    wanted = RagSettings.model_validate(
        {"RAG_DATA": folder / "rag"} | {f"RAG_{name.upper()}": value for name, value in settings.items()}
    )
    app = create_app(wanted, engine, issuer.verifier(), _NoLibrary(), embedder)
    try:
        async with app.router.lifespan_context(app):
            await anyio.to_thread.run_sync(embedder.warm)
            yield app.state.service
    finally:
        await engine.dispose()


def scope_of(number: int) -> Scope:
    """The scope of a made workshop."""
    return Scope.of(Claims("service:benchmark", "rag", 0, workshop=slug_of(number)))


async def publish(service: RagService, workshop: WorkshopFiles, version: str = VERSION) -> int:
    """Index a workshop and make it the one that serves; returns its chunks."""
    scope = Scope.of(Claims("service:benchmark", "rag", 0, workshop=workshop.manifest.slug))
    status = await service.index(scope, version, workshop)
    await service.activate(scope, version)
    return status.chunks


def made_folder(cache: Path, workshops: int, chunks: int) -> Path:
    """Where such an index is kept; an index of another form is another one."""
    return cache / f"made-{workshops}x{chunks}-form-{'-'.join(map(str, astuple(CURRENT_FORM)))}"


async def made_index(cache: Path, workshops: int, chunks: int) -> Path:
    """A folder with so many made workshops of so many chunks, indexed by the agent; made when it is not there whole.

    It is filled by the agent's own ingest, with random vectors.
    """
    folder = made_folder(cache, workshops, chunks)
    done = folder / "whole.json"
    if done.is_file():
        return folder
    embedder = HalfRealEmbedder(product_embedder(cache))
    async with open_agent(folder, embedder) as service:
        for number in range(workshops):
            await publish(service, Maker().workshop(number, chunks))
            if (number + 1) % 10 == 0:
                say(f"{number + 1} of {workshops} workshops indexed in {folder}")
    done.write_text(json.dumps({"workshops": workshops, "chunks": chunks}))
    return folder


def resident_mb(process: str = "self") -> float:
    """Resident memory of a process, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def conditions() -> dict[str, Any]:
    """What a figure is measured on; also keeps the agent's log to warnings, so that stdout holds the figures alone."""
    configure(wrapper_class=make_filtering_bound_logger(logging.WARNING))
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0],
        "cores": len(names),
        "bf16": computes_bf16(),
        "load_before": float(Path("/proc/loadavg").read_text().split()[0]),
    }


def say(text: str) -> None:
    """Tell how far a measurement has come, on stderr."""
    print(text, file=sys.stderr, flush=True)
