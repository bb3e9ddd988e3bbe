"""Runs an exported embedding model with OpenVINO: without torch, in a fraction of its time and memory.

The only module that imports openvino and tokenizers, when first needed. OpenVINO reports each import and conversion to its
makers over the network; that part of it is kept from being loaded, since this agent sends nothing anywhere.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray
from structlog import get_logger

from agents.rag.embedder import Vector, batches, in_order
from agents.rag.errors import ModelUnavailableError
from agents.rag.exported_model import NETWORK, TOKENIZER, Manifest, Precision
from agents.rag.settings import quiet_model_libraries
from agents.rag.workers import ModelWorkers

log = get_logger()

# Fewer shapes, so that the engine prepares fewer kernels; padding is masked and changes no vector.
_WIDTH_STEP = 8
_HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}


def openvino() -> Any:
    """The package openvino, without its telemetry.

    Raises:
        ModelUnavailableError: It is not installed or cannot be loaded here.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes its import fail
    try:
        import openvino as package
    except Exception as error:
        raise ModelUnavailableError(
            f"OpenVINO cannot be loaded: {type(error).__name__}: {error}. Install the extra `rag`."
        ) from error
    return package


def computes_bf16() -> bool:
    """Whether this processor has instructions for bf16, as OpenVINO sees it."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoEmbedder:
    """An embedder on an exported model.

    A call with many texts sorts them by length and lets other callers in between its batches, so that a search waits for
    the rest of one batch at most.

    Args:
        folder: The export.
        manifest: Of the export, checked by the caller.
        model_id: Of the weights that were exported.
        precision: To compute in.
        batch: Texts that the model reads at once.
        threads: Threads that one batch is computed with; 0 for as many as the engine finds right.
        workers: Batches that are computed at the same time.

    Raises:
        ModelUnavailableError: The export cannot be loaded.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        model_id: str,
        *,
        precision: Precision,
        batch: int = 16,
        threads: int = 0,
        workers: int = 1,
    ) -> None:
        self.model_id = model_id
        self.dimension = manifest.dimension
        self.precision = precision
        self._batch = batch
        self._inputs = manifest.inputs
        self._pad_id = manifest.pad_id
        package = openvino()
        try:
            with quiet_model_libraries():
                self._tokenizer = _tokenizer(folder / TOKENIZER, manifest.max_length)
            compiled = package.Core().compile_model(str(folder / NETWORK), "CPU", _config(precision, threads, workers))
            self._requests: SimpleQueue[Any] = SimpleQueue()
            for _ in range(workers):
                self._requests.put(compiled.create_infer_request())
        except Exception as error:
            raise ModelUnavailableError(
                f"The exported embedding model in {folder} cannot be loaded: {type(error).__name__}: {error}."
            ) from error
        self._worker_count = workers
        self._workers = ModelWorkers(workers)

    @property
    def ready(self) -> bool:
        """Always true: the model is loaded when this is made."""
        return True

    def warm(self) -> None:
        """Run the model once, so that the first search does not pay for its kernels."""
        self.encode(["warm up"] * self._batch * (self._worker_count - 1) + ["warm up"])

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))] if texts else []
        cut = batches([len(ids) for ids in tokens], self._workers.batch(self._batch))
        jobs = [self._workers.submit(partial(self._infer, [tokens[place] for place in batch])) for batch in cut]
        return in_order(cut, [job.result() for job in jobs])

    def close(self) -> None:
        """End the model's threads; what is waiting is dropped, and what is under way not waited for."""
        self._workers.close()

    def _infer(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        ids, mask = padded(tokens, self._pad_id)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        # As many requests as workers, so that one is always free.
        request = self._requests.get()
        try:
            # Copied: the engine writes the next batch into the same memory.
            vectors = np.array(request.infer([given[name] for name in self._inputs])[0], dtype=np.float32)
        finally:
            self._requests.put(request)
        # In bf16 a vector's length is off by up to a hundredth.
        norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.divide(vectors, norms, dtype=np.float32)


def _config(precision: Precision, threads: int, workers: int) -> dict[str, Any]:
    config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    if workers > 1:
        config["NUM_STREAMS"] = workers
    if threads:
        # The engine shares them out among its streams.
        config["INFERENCE_NUM_THREADS"] = threads * workers
    return config


def padded(tokens: Sequence[Sequence[int]], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, each (texts, width), as wide as the longest text or a few columns more."""
    width = -(-max(len(ids) for ids in tokens) // _WIDTH_STEP) * _WIDTH_STEP
    ids = np.full((len(tokens), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(tokens), width), dtype=np.int64)
    for row, each in enumerate(tokens):
        ids[row, : len(each)] = each
        mask[row, : len(each)] = 1
    return ids, mask


def _tokenizer(path: Path, max_length: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    return tokenizer
