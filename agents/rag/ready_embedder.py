"""An embedder on an export that was made elsewhere, as in an image: without the weights, without torch, writing nothing.

What another machine compared stands for fp32, which differs little between processors. Whether bf16 is used is found out when
the model is loaded, because it depends on this processor: that takes some seconds where there is bf16, and none where not.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from structlog import get_logger

from agents.rag.embedder import Vector
from agents.rag.errors import ModelUnavailableError
from agents.rag.exported_model import Manifest, choose_precision, ready_export
from agents.rag.openvino_embedder import OpenVinoEmbedder, computes_bf16
from agents.rag.precision import with_bf16_of_this_processor

log = get_logger()


class ReadyEmbedder:
    """An embedder that runs a ready export and nothing else.

    Args:
        model: As `RAG_MODEL` names it.
        exports: Folder of ready exports; only read.
        precision: `auto` for bf16 where this processor gains by it and finds the same passages, `fp32` for fp32 alone.
        batch: Texts that the model reads at once.
        threads: Threads that one batch is computed with; 0 for as many as the engine finds right.
        workers: Batches that are computed at the same time.
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
    ) -> None:
        self._model = model
        self._exports = exports
        self._precision = precision
        self._batch = batch
        self._threads = threads
        self._workers = workers
        self._engine: OpenVinoEmbedder | None = None
        self._closed = False
        self._loading = threading.Lock()

    @cached_property
    def _export(self) -> tuple[Path, Manifest]:
        return ready_export(self._exports, self._model)

    @property
    def model_id(self) -> str:
        """`NAME@HASH` of the weights that were exported.

        Raises:
            ModelUnavailableError: There is no usable export of the model.
        """
        return self._export[1].model_id

    @property
    def dimension(self) -> int:
        """Length of a vector; the model is not loaded for it."""
        return self._export[1].dimension

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._engine is not None

    def warm(self) -> None:
        """Choose the precision, load the model and run it once.

        Raises:
            ModelUnavailableError: There is no usable export of the model.
        """
        self._loaded()

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order."""
        return self._loaded().encode(texts) if texts else []

    def close(self) -> None:
        """End the model's threads; one that is being loaded ends when it is."""
        self._closed = True
        if self._engine is not None:
            self._engine.close()

    def _loaded(self) -> OpenVinoEmbedder:
        with self._loading:
            if self._engine is None:
                self._engine = self._load()
            return self._engine

    def _load(self) -> OpenVinoEmbedder:
        folder, manifest = self._export
        bf16 = self._precision == "auto" and computes_bf16()
        measured = with_bf16_of_this_processor(folder, manifest) if bf16 else manifest
        precision = choose_precision(measured, wanted=self._precision, bf16=bf16)
        if precision is None:
            raise ModelUnavailableError(f"The export {folder} passed no comparison with the reference. Make it again.")
        engine = OpenVinoEmbedder(
            folder,
            manifest,
            manifest.model_id,
            precision=precision,
            batch=self._batch,
            threads=self._threads,
            workers=self._workers,
        )
        engine.warm()
        if self._closed:
            engine.close()
        check = measured.checks[precision]
        log.info(
            "embedding_model_loaded", model=manifest.model_id, engine="openvino", precision=precision, kept=round(check.kept, 4)
        )
        return engine
