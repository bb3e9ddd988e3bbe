"""The reference: turns text into vectors with sentence-transformers, and is the only module that imports it, or torch.

It loads whatever model is named, which takes seconds and a gigabyte, so it is imported when first needed and not at all
where an exported model stands in for it. All work on the model runs in threads of its own, each with its own copy of the
model, because a tokenizer serves one thread at a time: a search waits for the batch before it and for no more.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from structlog import get_logger

from agents.rag.embedder import Vector, batches, in_order
from agents.rag.errors import ModelUnavailableError
from agents.rag.model_files import ModelFiles
from agents.rag.settings import quiet_model_libraries
from agents.rag.workers import ModelWorkers

log = get_logger()

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class NotTraceableError(Exception):
    """A model is not of the kind that can be handed to another engine: text to tokens to one vector."""


@dataclass(frozen=True)
class Traceable:
    """A model in the form that a converter reads.

    Attributes:
        module: A torch module from the tensors named in `inputs` to normalised sentence vectors, (texts, dimension).
        example: Inputs to trace it with, by name.
        inputs: The names, in the order of the module's parameters.
        tokenizer: The tokenizer as the `tokenizers` library writes it.
        max_length: Tokens that are read of a text.
        pad_id: The token that fills a batch up.
        dimension: Length of a vector.
    """

    module: Any
    example: dict[str, Any]
    inputs: list[str]
    tokenizer: str
    max_length: int
    pad_id: int
    dimension: int


class SentenceTransformerEmbedder:
    """An embedder on whatever sentence-transformers can load from this machine.

    Args:
        model: A folder, or a name in the local Hugging Face cache; empty for the model that ships as a pip package.
        sha256: What the weights must hash to; checked for the packaged model.
        batch: Texts that the model reads at once.
        threads: Threads that one batch is computed with; 0 leaves it to torch.
        workers: Batches that are computed at the same time; each needs a copy of the model in memory.
    """

    def __init__(self, model: str = "", *, sha256: str = "", batch: int = 16, threads: int = 0, workers: int = 1) -> None:
        self._files = ModelFiles(model, sha256=sha256)
        self._batch = batch
        self._threads = threads
        self._workers = ModelWorkers(workers)
        self._copies = threading.local()
        self._loading = threading.Lock()
        self._ready = False

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._ready

    @property
    def model_id(self) -> str:
        """`NAME@HASH`, found by reading the weights once; the model is not loaded for it.

        Raises:
            ModelUnavailableError: The weights are not there or are not the expected ones.
        """
        return self._files.model_id

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model."""
        return self._workers.submit(lambda: int(self._loaded().get_embedding_dimension())).result()

    def warm(self) -> None:
        """Load the model and run it once, so that the first search does not pay for either."""
        self.encode(["warm up"])

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One float32 vector of length 1 for each text, in order."""
        cut = batches([len(text) for text in texts], self._workers.batch(self._batch))
        jobs = [self._workers.submit(partial(self._encode, [texts[place] for place in batch])) for batch in cut]
        return in_order(cut, [job.result() for job in jobs])

    def traceable(self) -> Traceable:
        """The model in the form that a converter reads; loads it.

        Raises:
            NotTraceableError: The model is not a tokenizer, a transformer and a pooling.
            ModelUnavailableError: The model cannot be loaded.
        """
        return self._workers.submit(lambda: _traceable(self._loaded())).result()

    def close(self) -> None:
        """End the model's threads; what is waiting is dropped, and what is under way (it cannot be stopped) not waited for."""
        self._workers.close()
        self._ready = False

    def _encode(self, texts: list[str]) -> list[Vector]:
        vectors = self._loaded().encode(
            texts, batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return list(np.asarray(vectors, dtype=np.float32))

    def _loaded(self) -> Any:
        """This thread's copy of the model."""
        if not hasattr(self._copies, "model"):
            # The libraries' first import is not for two threads at once.
            with self._loading:
                self._copies.model = self._load()
            self._ready = True
        return self._copies.model

    def _load(self) -> Any:
        identity = self.model_id
        folder = self._files.folder
        log.info("embedding_model_loading", model=identity, engine="sentence-transformers")
        with quiet_model_libraries():
            try:
                import torch
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging as transformers_logging

                if self._threads:
                    torch.set_num_threads(self._threads)
                transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
                model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            except Exception as error:
                raise ModelUnavailableError(
                    f"The embedding model in {folder} cannot be loaded: {type(error).__name__}: {error}. "
                    "Install the extra `model`, or set RAG_EXPORTS to a folder with a ready export of it."
                ) from error
        log.info("embedding_model_loaded", model=identity, engine="sentence-transformers")
        return model


def _traceable(model: Any) -> Traceable:
    import torch

    tokenizer = getattr(model, "tokenizer", None)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if tokenizer is None or backend is None:
        raise NotTraceableError(f"its tokenizer ({type(tokenizer).__name__}) is not a fast one of transformers")
    if tokenizer.padding_side != "right" or tokenizer.truncation_side != "right":
        raise NotTraceableError("its tokenizer pads or cuts on the left")
    features = model.preprocess(["a text", "a text of some more words, so that the first one is padded"])
    tensors = {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}
    inputs = [name for name in _INPUTS if name in tensors]
    if set(tensors) != set(inputs) or not {"input_ids", "attention_mask"} <= set(inputs):
        raise NotTraceableError(f"it reads {sorted(tensors)} and not token ids with an attention mask")
    if not model.max_seq_length or model.max_seq_length > 1_000_000:
        raise NotTraceableError("it does not say how many tokens it reads")

    class Sentence(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            given = dict(zip(_INPUTS, (input_ids, attention_mask, token_type_ids), strict=True))
            found = self.model({name: given[name] for name in inputs})["sentence_embedding"]
            return torch.nn.functional.normalize(found, p=2, dim=1)

    return Traceable(
        module=Sentence().eval(),
        example={name: tensors[name] for name in inputs},
        inputs=inputs,
        tokenizer=backend.to_str(),
        max_length=int(model.max_seq_length),
        pad_id=int(tokenizer.pad_token_id or 0),
        dimension=int(model.get_embedding_dimension()),
    )
