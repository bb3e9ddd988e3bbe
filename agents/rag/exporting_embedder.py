"""The agent's embedder: the exported model where there is one, else the reference while the export is made.

The vectors of both are interchangeable, which the export's comparison sees to, so that the engine may change between two
calls and an index does not know which of them made it. Nobody waits for an export: it begins some seconds after the
reference has answered, in a process of its own at low priority.
"""

import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from structlog import get_logger

from agents.rag.embedder import Embedder, Vector
from agents.rag.errors import ModelUnavailableError
from agents.rag.exported_model import Manifest, choose_precision, engine_version, export_folder, read_manifest
from agents.rag.model_files import ModelFiles
from agents.rag.openvino_embedder import OpenVinoEmbedder, computes_bf16
from agents.rag.reference_embedder import SentenceTransformerEmbedder

log = get_logger()

PATIENCE = 10.0


class ExportingEmbedder:
    """An embedder that runs the exported model, and has it exported when it is not.

    Args:
        model: A folder, or a name in the local Hugging Face cache; empty for the model that ships as a pip package.
        exports: Folder of exported models.
        precision: `auto` for bf16 where the processor has it and the comparison allows it, `fp32` for fp32 alone.
        batch: Texts that the model reads at once.
        threads: Threads that one batch is computed with; 0 for as many as the engine finds right.
        workers: Batches that are computed at the same time.
        patience: Seconds between the reference's first answer and the begin of an export.
    """

    def __init__(
        self,
        model: str = "",
        *,
        exports: Path,
        precision: Literal["auto", "fp32"] = "auto",
        batch: int = 16,
        threads: int = 0,
        workers: int = 1,
        patience: float = PATIENCE,
    ) -> None:
        self._files = ModelFiles(model)
        self._exports = exports
        self._precision = precision
        self._batch = batch
        self._threads = threads
        self._workers = workers
        self._patience = patience
        self._engine: Embedder | None = None
        self._export_wanted = False
        self._users: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._exporter: threading.Thread | None = None

    @property
    def model_id(self) -> str:
        """`NAME@HASH`, found by reading the weights once; the same for both engines.

        Raises:
            ModelUnavailableError: The weights are not there or are not the expected ones.
        """
        return self._files.model_id

    @property
    def dimension(self) -> int:
        """Length of a vector. May load the model."""
        with self._in_use() as engine:
            return engine.dimension

    @property
    def ready(self) -> bool:
        """Whether a model is loaded, in either engine."""
        engine = self._engine
        return engine is not None and engine.ready

    @property
    def exported(self) -> bool:
        """Whether the exported model is what answers."""
        return isinstance(self._engine, OpenVinoEmbedder)

    def warm(self) -> None:
        """Load a model and run it once; where that is the reference, an export begins in the background.

        Raises:
            ModelUnavailableError: The model cannot be loaded.
        """
        with self._in_use() as engine:
            engine.warm()
        with self._changed:
            if self._export_wanted and self._exporter is None and not self._closed.is_set():
                self._exporter = threading.Thread(target=self._export, name="embedder-export", daemon=True)
                self._exporter.start()

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order."""
        if not texts:
            return []
        with self._in_use() as engine:
            return engine.encode(texts)

    def close(self) -> None:
        """End the model's thread and an export that is under way."""
        self._closed.set()
        if self._exporter is not None:
            self._exporter.join()
        if self._engine is not None:
            self._engine.close()

    @contextmanager
    def _in_use(self) -> Iterator[Embedder]:
        with self._changed:
            if self._engine is None:
                if self._closed.is_set():
                    raise ModelUnavailableError("The RAG agent is being stopped. Ask again when it has started.")
                self._engine = self._first_engine()
            engine = self._engine
            self._users[id(engine)] += 1
        try:
            yield engine
        finally:
            with self._changed:
                self._users[id(engine)] -= 1
                self._changed.notify_all()

    def _first_engine(self) -> Embedder:
        manifest: Manifest | None = None
        if not engine_version():
            log.warning("embedding_export_impossible", reason="openvino is not installed", next="the reference is used")
        else:
            manifest = read_manifest(self._exports, self._files)
            self._export_wanted = manifest is None
        exported = self._open(manifest) if manifest is not None else None
        return exported or SentenceTransformerEmbedder(
            self._files.setting, batch=self._batch, threads=self._threads, workers=self._workers
        )

    def _open(self, manifest: Manifest) -> OpenVinoEmbedder | None:
        model = self._files.model_id
        if manifest.refused:
            log.warning("embedding_export_refused", model=model, reason=manifest.refused, next="the reference is used")
            return None
        try:
            precision = choose_precision(manifest, wanted=self._precision, bf16=computes_bf16())
            if precision is None:
                return None
            engine = OpenVinoEmbedder(
                export_folder(self._exports, self._files),
                manifest,
                model,
                precision=precision,
                batch=self._batch,
                threads=self._threads,
                workers=self._workers,
            )
            engine.warm()
        except ModelUnavailableError as error:
            log.warning("embedding_export_unusable", model=model, reason=error.detail, next="the reference is used")
            return None
        check = manifest.checks[precision]
        log.info("embedding_model_loaded", model=model, engine="openvino", precision=precision, kept=round(check.kept, 4))
        return engine

    def _export(self) -> None:
        if self._closed.wait(self._patience) or not self._run_export():
            return
        manifest = read_manifest(self._exports, self._files)
        exported = self._open(manifest) if manifest is not None else None
        if exported is not None:
            self._replace(exported)

    def _run_export(self) -> bool:
        command = [sys.executable, "-m", "agents.rag.model_export", self._files.setting, str(self._exports.absolute())]
        log.info("embedding_export_started", model=self._files.model_id)
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said) as process,  # noqa: S603 - a list
        ):
            while process.poll() is None:
                if self._closed.wait(0.1):
                    process.kill()
                    return False
            if process.returncode:
                said.seek(0)
                end = said.read().decode("utf-8", "replace")[-500:]
                log.warning("embedding_export_failed", code=process.returncode, said=end, next="tried again at the next start")
                return False
        return True

    def _replace(self, engine: OpenVinoEmbedder) -> None:
        with self._changed:
            before, self._engine = self._engine, engine
            # Calls that came before are still with the old engine.
            while before is not None and self._users[id(before)] and not self._closed.is_set():
                self._changed.wait(1)
        if before is not None:
            before.close()
