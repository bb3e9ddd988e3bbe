"""A safety model: asked whether a text is safe, it says so, or an error says that it did not. There is no third answer.

A server offers one of three ways, and `SAFETY_API` says which; `auto` tries them in this order until one is there:

- `moderations`: OpenAI's `/v1/moderations`. Llama Stack has it too, for a shield's model.
- `shield`: Llama Stack's `/v1/safety/run-shield`, for a shield's name.
- `chat`: a guard model asked through `/v1/chat/completions`, which answers `safe`, or `unsafe` and the codes of what it found
  on the next line, as Llama Guard does. With OGX, which has neither of the other two, it is the only way.

What is not exactly such an answer is no answer: a chatty model that was named by mistake never makes a text safe.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import anyio
import anyio.to_thread
from structlog import get_logger

from shared_services.llm.errors import ModelUnavailableError, ModerationUnavailableError
from shared_services.llm.hazards import Hazard, hazards_of
from shared_services.llm.model_server import ModelServer, load_library

log = get_logger()

Way = Literal["moderations", "shield", "chat"]

WAYS: Final[tuple[Way, ...]] = ("moderations", "shield", "chat")
VERDICT_TOKENS: Final = 64
PAUSE_SECONDS: Final = 0.2
_NOT_HERE: Final = frozenset({400, 404, 405, 422, 501})
_AGAIN: Final = frozenset({"unreachable", "failed", "cut_off", "rate_limited"})
_SAFE = re.compile(r"\s*safe\s*", re.IGNORECASE)
_UNSAFE = re.compile(r"\s*unsafe\b(?P<codes>.*)", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"\bS\d{1,2}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Judgement:
    """What a safety model said of a text; safe where `hazards` is empty."""

    hazards: tuple[Hazard, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing was found."""
        return not self.hazards


SAFE: Final = Judgement()


class Moderator(Protocol):
    """A safety model that can be asked.

    Attributes:
        configured: Whether there is one at all; one that is not is never asked.
    """

    configured: bool

    @property
    def state(self) -> str:
        """In a few words, for operators: whether there is one, and whether it answered when last asked."""
        ...

    async def moderate(self, text: str, *, asked: str | None = None) -> Judgement:
        """Judge a person's message, or with `asked` (the message) a piece of an answer to it.

        Raises:
            ModerationUnavailableError: It was not judged.
        """
        ...


class NullModerator:
    """No safety model is configured."""

    configured = False
    state = "none configured; rules alone"

    async def moderate(self, text: str, *, asked: str | None = None) -> Judgement:
        """Refuse.

        Raises:
            ModerationUnavailableError: Always, with the reason `no_model`.
        """
        raise ModerationUnavailableError("no_model", "No safety model is configured. Set SAFETY_MODEL to the name of one.")


class LlamaStackModerator:
    """A safety model behind a Llama Stack, OGX or OpenAI-compatible server.

    Args:
        address: Where `/v1` stands; see `settings.server_address`.
        model: The model's or shield's name there.
        way: How it is asked; None tries the ways until one is there, and stays with it.
        api_key: Sent as a bearer token; None sends none.
        seconds: Longest time for a judgement, everything included.
    """

    configured = True

    def __init__(
        self, address: str, *, model: str, way: Way | None = None, api_key: str | None = None, seconds: float = 5.0
    ) -> None:
        self._model = model
        self._ways: tuple[Way, ...] = WAYS if way is None else (way,)
        self._found: Way | None = None
        self._seconds = seconds
        self._server = ModelServer(address, api_key=api_key, connect_seconds=seconds)
        self._last = "not asked yet"

    @property
    def state(self) -> str:
        """See `Moderator.state`."""
        return f"{self._model} at {self._server.host}: {self._last}"

    async def moderate(self, text: str, *, asked: str | None = None) -> Judgement:
        """Judge; see `Moderator.moderate`.

        Raises:
            ModerationUnavailableError: It was not judged in time, or what came is no judgement.
        """
        # Outside of the budget: an import is not the server's silence, and neither is reading certificates.
        await anyio.to_thread.run_sync(_load_library)
        await self._server.client()
        end = anyio.current_time() + self._seconds
        try:
            try:
                judged = await self._judged(text, asked, end)
            except ModelUnavailableError as error:
                pause = max(PAUSE_SECONDS, error.retry_after or 0.0)
                if error.reason not in _AGAIN or anyio.current_time() + pause >= end:
                    raise
                await anyio.sleep(pause)
                judged = await self._judged(text, asked, end)
        except ModelUnavailableError as error:
            self._last = f"did not answer when last asked ({error.reason})"
            log.warning("moderation_failed", reason=error.reason, model=self._model, server=self._server.host)
            raise ModerationUnavailableError(error.reason, error.detail) from error
        self._last = f"answered when last asked, by {self._found}"
        return judged

    async def _judged(self, text: str, asked: str | None, end: float) -> Judgement:
        ask: dict[Way, Callable[[Any], Awaitable[Judgement]]] = {
            "moderations": lambda client: self._by_moderations(client, text, end),
            "shield": lambda client: self._by_shield(client, _turns(text, asked), end),
            "chat": lambda client: self._by_chat(client, _turns(text, asked), end),
        }
        for way in self._ways if self._found is None else (self._found,):
            client = await self._server.client()
            try:
                judged = await ask[way](client)
            except ModelUnavailableError as error:
                if error.answered not in _NOT_HERE:
                    raise
                self._found = None
                log.info("moderation_way_refused", way=way, status=error.answered, server=self._server.host)
            else:
                self._found = way
                return judged
        tried = ", ".join(self._ways)
        raise ModelUnavailableError(
            "rejected",
            f"The server at {self._server.host} judges nothing under the name {self._model!r} (asked by: {tried}). "
            "Correct SAFETY_MODEL, SAFETY_ENDPOINT or SAFETY_API.",
        )

    async def _by_moderations(self, client: Any, text: str, end: float) -> Judgement:
        said = await self._server.within(client.moderations.create(input=text, model=self._model), end)
        results = getattr(said, "results", None)
        if not isinstance(results, list) or len(results) != 1 or not isinstance(getattr(results[0], "flagged", None), bool):
            raise self._garbage()
        categories = getattr(results[0], "categories", None)
        named = [name for name, meant in categories.items() if meant is True] if isinstance(categories, dict) else []
        return Judgement(hazards_of(named)) if results[0].flagged or named else SAFE

    async def _by_shield(self, client: Any, turns: Sequence[dict[str, str]], end: float) -> Judgement:
        said = await self._server.within(client.safety.run_shield(shield_id=self._model, messages=turns), end)
        # A reply without the field is no reply of a shield; one without a violation says `null`.
        if "violation" not in getattr(said, "model_fields_set", ()):
            raise self._garbage()
        if said.violation is None:
            return SAFE
        level = getattr(said.violation, "violation_level", None)
        if level not in {"info", "warn", "error"}:
            raise self._garbage()
        return SAFE if level == "info" else Judgement(hazards_of(_shield_names(getattr(said.violation, "metadata", None))))

    async def _by_chat(self, client: Any, turns: Sequence[dict[str, str]], end: float) -> Judgement:
        call = client.chat.completions.create(
            model=self._model, messages=turns, stream=False, temperature=0.0, max_tokens=VERDICT_TOKENS
        )
        said = await self._server.within(call, end)
        choices = getattr(said, "choices", None)
        text = getattr(getattr(choices[0], "message", None), "content", None) if isinstance(choices, list) and choices else None
        judged = read_verdict(text) if isinstance(text, str) else None
        if judged is None:
            raise self._garbage()
        return judged

    def _garbage(self) -> ModelUnavailableError:
        return ModelUnavailableError("garbage", f"What the server at {self._server.host} answered is no judgement of a text.")


def read_verdict(text: str) -> Judgement | None:
    """A guard model's answer; None where it is no such answer."""
    if _SAFE.fullmatch(text):
        return SAFE
    unsafe = _UNSAFE.fullmatch(text)
    return Judgement(hazards_of(_CODE.findall(unsafe["codes"]))) if unsafe else None


def _turns(text: str, asked: str | None) -> list[dict[str, str]]:
    if asked is None:
        return [{"role": "user", "content": text}]
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": text}]


def _shield_names(metadata: Any) -> list[str]:
    found = metadata.get("violation_type") if isinstance(metadata, dict) else None
    if isinstance(found, str):
        return [name for name in re.split(r"[,\n]", found) if name.strip()]
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _load_library() -> None:
    load_library()
    import llama_stack_client.resources.moderations
    import llama_stack_client.resources.safety  # noqa: F401  imported before a call's time begins
