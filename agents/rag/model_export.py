"""Exports an embedding model to OpenVINO once, in a process of its own: `python -m agents.rag.model_export MODEL FOLDER`.

With `--ready` before them the export is for another machine, as an image is: one that may not be used is then a failure.

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
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from structlog import get_logger

from agents.rag.exported_model import (
    MANIFEST,
    NETWORK,
    REFERENCE,
    TOKENIZER,
    Manifest,
    Precision,
    engine_version,
    export_folder,
    put_in_place,
    read_manifest,
)
from agents.rag.model_check import keep, measure, sample
from agents.rag.model_files import ModelFiles, file_sha256, model_name
from agents.rag.openvino_embedder import computes_bf16, openvino
from agents.rag.precision import bf16_gain, checked
from agents.rag.reference_embedder import NotTraceableError, SentenceTransformerEmbedder, Traceable

log = get_logger()

_UNFINISHED = ".unfinished-"


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
    known = Manifest(
        model=model_name(files.setting), weights=files.sha256, fingerprint=files.fingerprint(), engine=engine_version()
    )
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
    texts = sample()
    expected = measure(reference.encode, texts)
    keep(folder / REFERENCE, texts, expected)
    written = known.model_copy(
        update={
            "files": {path.name: file_sha256(path) for path in folder.iterdir()},
            "inputs": traced.inputs,
            "max_length": traced.max_length,
            "pad_id": traced.pad_id,
            "dimension": traced.dimension,
        }
    )
    precisions: list[Precision] = ["fp32", "bf16"] if computes_bf16() else ["fp32"]
    checks = {each: checked(folder, written, each, texts, expected) for each in precisions}
    gain = bf16_gain(folder, written, texts) if "bf16" in checks else 0.0
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


def main(arguments: list[str]) -> int:
    """Export; 1 for an export that is to be ready for another machine and may not be used."""
    *options, model, folder = arguments
    ready = options == ["--ready"]
    if not ready:
        os.nice(10)  # searches go first
    manifest = export(model, Path(folder))
    if ready:
        sys.stderr.write(f"{manifest.model_id}: {manifest.refused or manifest.checks['fp32']}\n")
        return 1 if manifest.refused else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
