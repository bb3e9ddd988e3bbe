"""What a language model is to the rest of the house: messages in, pieces of text out, and why it stopped.

Callers hold a `ModelGateway` and never know which library or server is behind it. `NullGateway` is the honest
answer to "no model is configured": it says so, and never makes up a reply.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared_services.llm.errors import ModelUnavailableError


@dataclass(frozen=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Finish:
    """The last thing a stream gives.

    Attributes:
        reason: The model ended by itself (`stop`), ran into `max_tokens` (`length`), or was stopped by a filter (`filtered`).
    """

    reason: Literal["stop", "length", "filtered"]


class ModelGateway(Protocol):
    """A language model that can be asked.

    Attributes:
        configured: Whether asking can make sense at all.
    """

    configured: bool

    @property
    def name(self) -> str:
        """The model's name; empty while none is known."""
        ...

    def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> AsyncGenerator[str | Finish, None]:
        """Ask, and receive the answer as it is written: text pieces (never empty), then exactly one `Finish`.

        Close the generator (`contextlib.aclosing`) to stop the call; the server is hung up on at once.

        Raises:
            ModelUnavailableError: No answer, or not the whole of one. Raised while iterating; pieces given before it stand.
        """
        ...

    async def ready(self) -> str | None:
        """None when the model can be asked now, else a sentence that says why not."""
        ...


class NullGateway:
    """No model is configured."""

    configured = False
    name = ""

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> AsyncGenerator[str | Finish, None]:
        """Refuse.

        Raises:
            ModelUnavailableError: Always, with the reason `no_model`.
        """
        raise ModelUnavailableError(
            "no_model", "No language model is configured. Set LLAMA_STACK_ENDPOINT to the address of one."
        )
        yield ""

    async def ready(self) -> str | None:
        """None: working without a model is a mode, not a fault."""
        return None
