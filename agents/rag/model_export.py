"""Exports an embedding model to OpenVINO once, in a process of its own: `python -m agents.rag.model_export MODEL FOLDER`.

A process of its own, because the converter needs torch, a second copy of the weights and some twenty seconds, may die of
any of them, and takes its memory with it when it ends. One at a time works in a folder; whoever comes second finds the
export made. A model that cannot be exported, or whose export finds other passages than the reference, is recorded as
refused, so that it is not tried again until the model or the engine changes.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from structlog import get_logger

from agents.rag.exported_model import (
    MANIFEST,
    NETWORK,
    TOKENIZER,
    Check,
    Manifest,
    Precision,
    engine_version,
    export_folder,
    put_in_place,
    read_manifest,
)
from agents.rag.model_check import Measured, Sample, compare, measure, sample
from agents.rag.model_files import ModelFiles, file_sha256
from agents.rag.openvino_embedder import OpenVinoEmbedder, computes_bf16, openvino
from agents.rag.reference_embedder import NotTraceableError, SentenceTransformerEmbedder, Traceable

log = get_logger()

_UNFINISHED = ".unfinished-"
_RACE_TEXTS = 16
_RACE_ROUNDS = 6


def export(model: str, exports: Path) -> Manifest:
    """Export a model and compare it with the reference, unless that was done before.

    Args:
        model: As `RAG_MODEL` names it.
        exports: Folder of all exports.

    Returns:
        The manifest, which says whether the export may be used.

    Raises:
        ModelUnavailableError: The model cannot be loaded by the reference.
        OSError: The export cannot be written.
    """
    files = ModelFiles(model)
    exports.mkdir(parents=True, exist_ok=True)
    with _alone(exports):
        made = read_manifest(exports, files)
        if made is not None:
            return made
        for left in exports.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=exports))
        with closing(SentenceTransformerEmbedder(model)) as reference:
            manifest = _make(files, reference, folder)
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2))
        for path in [*folder.iterdir(), folder]:
            _flush(path)
        put_in_place(folder, export_folder(exports, files))
        _flush(exports)
        return manifest


def _make(files: ModelFiles, reference: SentenceTransformerEmbedder, folder: Path) -> Manifest:
    known = Manifest(weights=files.sha256, fingerprint=files.fingerprint(), engine=engine_version())
    reference.warm()
    try:
        traced = reference.traceable()
        _convert(traced, folder)
    except Exception as error:
        # Whatever a converter raises on a model that it does not know, the reference still runs it.
        reason = str(error) if isinstance(error, NotTraceableError) else f"{type(error).__name__}: {error}"
        for path in folder.iterdir():
            path.unlink()
        return known.model_copy(update={"refused": reason[:500]})
    written = known.model_copy(
        update={
            "files": {path.name: file_sha256(path) for path in folder.iterdir()},
            "inputs": traced.inputs,
            "max_length": traced.max_length,
            "pad_id": traced.pad_id,
            "dimension": traced.dimension,
        }
    )
    texts = sample()
    expected = measure(reference.encode, texts)
    precisions: list[Precision] = ["fp32", "bf16"] if computes_bf16() else ["fp32"]
    checks = {each: _check(folder, written, each, texts, expected) for each in precisions}
    gain = _bf16_gain(folder, written, texts) if "bf16" in checks else 0.0
    refused = "" if checks["fp32"].passes("fp32") else f"it finds other passages than the reference: {checks['fp32']}"
    return written.model_copy(update={"checks": checks, "bf16_gain": gain, "refused": refused})


def _convert(traced: Traceable, folder: Path) -> None:
    package = openvino()
    with warnings.catch_warnings():
        # Tracing warns of each branch that it fixes; the comparison shows whether one mattered.
        warnings.simplefilter("ignore")
        network = package.convert_model(traced.module, example_input=traced.example)
    package.save_model(network, str(folder / NETWORK), compress_to_fp16=False)
    (folder / TOKENIZER).write_text(traced.tokenizer)


def _check(folder: Path, manifest: Manifest, precision: Precision, texts: Sample, expected: Measured) -> Check:
    with closing(OpenVinoEmbedder(folder, manifest, "", precision=precision)) as candidate:
        return compare(expected, measure(candidate.encode, texts))


def _bf16_gain(folder: Path, manifest: Manifest, texts: Sample) -> float:
    # A processor may know bf16 and still be faster in fp32. One after the other in each round: a busy machine slows both.
    few = texts.passages[:_RACE_TEXTS]
    gains = []
    with (
        closing(OpenVinoEmbedder(folder, manifest, "", precision="fp32")) as fp32,
        closing(OpenVinoEmbedder(folder, manifest, "", precision="bf16")) as bf16,
    ):
        for _ in range(_RACE_ROUNDS):
            taken = []
            for engine in (fp32, bf16):
                started = time.perf_counter()
                engine.encode(few)
                taken.append(time.perf_counter() - started)
            gains.append(taken[0] / taken[1])
    # The first round prepares the kernels.
    return median(gains[1:])


@contextmanager
def _alone(exports: Path) -> Iterator[None]:
    with (exports / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    os.nice(10)  # searches go first
    export(sys.argv[1], Path(sys.argv[2]))
