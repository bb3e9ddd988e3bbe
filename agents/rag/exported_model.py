"""An exported model on disk: what is written beside it, and whether it may be used. Loads no engine.

An export is one folder named by the weights' hash, made elsewhere and renamed into place, so that it is there whole or not
at all. Its manifest names the SHA-256 of each file, the engine's version and what the comparison with the reference gave. The
reference's own vectors of the sample lie beside it, so that another processor can be compared where the reference is not.
"""

import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from structlog import get_logger

from agents.rag.errors import ModelUnavailableError
from agents.rag.model_files import DEFAULT_SHA256, ModelFiles, file_sha256, model_id, model_name

log = get_logger()

Precision = Literal["fp32", "bf16"]

FORMAT = 2
MANIFEST = "manifest.json"
NETWORK = "model.xml"
TOKENIZER = "tokenizer.json"
REFERENCE = "reference.npz"
MIN_COSINE = 0.9999
MIN_KEPT = 0.99


class Check(BaseModel):
    """How far an exported model agrees with the reference on the sample.

    Attributes:
        cosine: Mean cosine of both engines' vectors of the same text.
        kept: Share of the reference's ten nearest passages that are found, whether the passages' vectors are the
            reference's or the exported model's own; the lower of the two.
    """

    model_config = ConfigDict(frozen=True)

    cosine: float
    kept: float

    def passes(self, precision: Precision) -> bool:
        """Whether vectors of this precision may stand in for the reference's."""
        return self.kept >= MIN_KEPT and (precision == "bf16" or self.cosine >= MIN_COSINE)


class Manifest(BaseModel):
    """What is known of an export.

    Attributes:
        format: Of this manifest and of the folder.
        model: The model's name, as in its id.
        weights: SHA-256 of the weights that were exported.
        fingerprint: Of the small files beside them.
        engine: Version of the engine that the export was made and checked with.
        refused: Why the reference has to be used; empty for an export that may be used.
        files: SHA-256 of each file, by name.
        inputs: Names of the network's inputs, in order.
        max_length: Tokens that are read of a text.
        pad_id: The token that fills a batch up.
        dimension: Length of a vector.
        checks: What the comparison gave, by precision; a precision that is not there was not compared.
        bf16_gain: How many times as fast as fp32 bf16 was on the processor that made the export; 0 where not measured.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    model: str = ""
    weights: str
    fingerprint: str
    engine: str
    refused: str = ""
    files: dict[str, str] = {}
    inputs: list[str] = []
    max_length: int = 0
    pad_id: int = 0
    dimension: int = 0
    checks: dict[Precision, Check] = {}
    bf16_gain: float = 0

    @property
    def model_id(self) -> str:
        """`NAME@HASH` of the model that was exported."""
        return model_id(self.model, self.weights)


def engine_version() -> str:
    """Version of OpenVINO on this machine; empty where it is not installed. It is not imported."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""


def export_folder(exports: Path, files: ModelFiles) -> Path:
    """Where the export of a model lies."""
    return exports / files.sha256[:16]


def read_manifest(exports: Path, files: ModelFiles) -> Manifest | None:
    """The manifest of a model's export, when it is whole and made from these very files for this engine; else None.

    An export that is damaged or out of date is named in the log and is to be made again.
    """
    folder = export_folder(exports, files)
    if not folder.is_dir():
        return None
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        damaged = _damaged(folder, manifest)
    except (OSError, ValidationError) as error:
        log.warning("embedding_export_damaged", folder=str(folder), error=str(error)[:200], next="it is made again")
        return None
    if damaged:
        log.warning("embedding_export_damaged", folder=str(folder), files=damaged, next="it is made again")
        return None
    expected = (FORMAT, files.sha256, files.fingerprint(), engine_version())
    if (manifest.format, manifest.weights, manifest.fingerprint, manifest.engine) != expected:
        log.info("embedding_export_out_of_date", folder=str(folder), next="it is made again")
        return None
    return manifest


def ready_export(exports: Path, model: str) -> tuple[Path, Manifest]:
    """The folder and the manifest of an export that was made elsewhere; neither the weights nor the reference are needed.

    Args:
        exports: Folder of such exports.
        model: As `RAG_MODEL` names it.

    Raises:
        ModelUnavailableError: There is none of this model, or it is damaged, of another engine's version, or refused.
    """
    name = model_name(model)
    found = {path.parent: _ready_manifest(path) for path in sorted(exports.glob(f"*/{MANIFEST}"))}
    fitting = [
        (folder, each) for folder, each in found.items() if each.model == name and (model or each.weights == DEFAULT_SHA256)
    ]
    again = f"Make it with `python -m agents.rag.model_export --ready {model or "''"} FOLDER` where torch is installed"
    if not fitting:
        there = ", ".join(sorted({each.model_id for each in found.values()})) or "none"
        raise ModelUnavailableError(
            f"RAG_EXPORTS is {exports}, which holds no export of the model {name}; it holds {there}. {again}, or set RAG_MODEL."
        )
    folder, manifest = fitting[0]
    if manifest.engine != engine_version():
        raise ModelUnavailableError(
            f"The export {folder} was made for OpenVINO {manifest.engine}, and here is {engine_version() or 'none'}. {again}."
        )
    if manifest.refused:
        raise ModelUnavailableError(f"The export {folder} may not be used: {manifest.refused}.")
    try:
        damaged = _damaged(folder, manifest)
    except OSError as error:
        raise ModelUnavailableError(f"The export {folder} cannot be read: {error}. {again}.") from error
    if damaged:
        raise ModelUnavailableError(f"The export {folder} is damaged: {', '.join(damaged)} changed since. {again}.")
    return folder, manifest


def _ready_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelUnavailableError(f"The export's manifest {path} cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise ModelUnavailableError(
            f"The export {path.parent} has format {manifest.format}, and this agent reads {FORMAT}. Make it again."
        )
    return manifest


def _damaged(folder: Path, manifest: Manifest) -> list[str]:
    return [name for name, sha256 in manifest.files.items() if file_sha256(folder / name) != sha256]


def put_in_place(made: Path, target: Path) -> None:
    """Rename a finished export to where it is looked for, in place of what lies there."""
    if target.exists():
        old = made.with_name(f"{made.name}-old")
        target.rename(old)
        made.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        made.rename(target)


def choose_precision(manifest: Manifest, *, wanted: Literal["auto", "fp32"], bf16: bool) -> Precision | None:
    """The precision to run an export in, or None where it may not be run.

    Args:
        manifest: Of the export.
        wanted: `auto` for bf16 where it was compared, passed and was faster, `fp32` for fp32 alone.
        bf16: Whether the processor computes in bf16.
    """
    if manifest.refused:
        return None
    order: list[Precision] = ["bf16", "fp32"] if wanted == "auto" and bf16 and manifest.bf16_gain > 1 else ["fp32"]
    return next((each for each in order if each in manifest.checks and manifest.checks[each].passes(each)), None)
