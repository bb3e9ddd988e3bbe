"""Which of the models that a server lists can write an answer. Pure.

Llama Stack and OGX state each model's type. Plain servers (vLLM, Ollama, llama.cpp) state none; there the name has to tell,
and only for what is known to be something else than a language model.
"""

import re
from collections.abc import Sequence
from typing import Any

from shared_services.llm.errors import ModelUnavailableError

_NOT_LANGUAGE = re.compile(
    r"embed|rerank|(?:^|[-_/:.])(?:bge|gte|e5|minilm|mpnet|sentence-t5|whisper|tts|dall-e|stable-diffusion|colbert|splade)"
    r"(?=$|[-_/:.\d])",
    re.IGNORECASE,
)
# Such a model is an `llm` to Llama Stack and OGX as well, but all that it writes is `safe` or `unsafe`.
_GUARD = re.compile(
    r"(?:^|[-_/:.])(?:llama-?guard|prompt-?guard|qwen3-?guard|granite\d*(?:\.\d+)?-guardian|moderation|shieldgemma)(?=$|[-_/:.\d])",
    re.IGNORECASE,
)


def model_type(model: Any) -> str | None:
    """`llm`, `embedding`, `rerank`..., where the server states it; None where it does not."""
    stated = getattr(model, "model_type", None) or (getattr(model, "model_extra", None) or {}).get("model_type")
    return stated if isinstance(stated, str) else None


def is_language_model(model: Any) -> bool:
    """Whether this row of `/v1/models` can be asked for an answer."""
    name, stated = _name(model), model_type(model)
    if not name or _GUARD.search(name):
        return False
    return stated == "llm" if stated else not _NOT_LANGUAGE.search(name)


def choose_model(models: Sequence[Any]) -> str:
    """The first language model's name.

    Raises:
        ModelUnavailableError: There is none; the reason is `no_model`.
    """
    for model in models:
        if is_language_model(model):
            return _name(model)
    listed = ", ".join(filter(None, map(_name, models))) or "none at all"
    raise ModelUnavailableError(
        "no_model", f"The model server lists no language model (it lists {listed}); name one in LLM_MODEL."
    )


def lists_model(models: Sequence[Any], name: str) -> bool:
    """Whether `name` is listed, as it stands or with Ollama's `:latest`."""
    return bool({name, f"{name}:latest"} & {_name(model) for model in models})


def _name(model: Any) -> str:
    name = getattr(model, "id", None) or (getattr(model, "model_extra", None) or {}).get("identifier")
    return name if isinstance(name, str) else ""
