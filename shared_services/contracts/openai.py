"""The part of OpenAI's chat completions API that a workshop speaks; what it does not know of a request it passes over."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared_services.contracts.chat import MAX_MESSAGE_CHARACTERS

MAX_MESSAGES = 200

FinishReason = Literal["stop", "length", "content_filter"]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TextPart(_Lenient):
    """A part of a message's content; other kinds than text are refused."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=MAX_MESSAGE_CHARACTERS)]


class ChatMessage(_Lenient):
    """A message. `system` and `developer` messages are read by nobody: a workshop's assistant has its own instructions."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str, Field(max_length=MAX_MESSAGE_CHARACTERS)] | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class ChatCompletionRequest(_Lenient):
    """`model` is the workshop's name, or `NAME/STEP` for someone who is on that step."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool = False


class Model(_Lenient):
    """An entry of `/v1/models`."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "workshop-assistant"


class ModelList(_Lenient):
    """`/v1/models`."""

    object: Literal["list"] = "list"
    data: list[Model]


class CompletionMessage(_Lenient):
    """The answer of a completion."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(_Lenient):
    """The one choice of a completion."""

    index: int = 0
    message: CompletionMessage
    finish_reason: FinishReason = "stop"


class ChatCompletion(_Lenient):
    """A whole completion.

    Attributes:
        workshop: What the protocol has no place for: `abstained`, `written_by`, `note`, `citations`, `nearest`.
    """

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    workshop: dict[str, Any]


class Delta(_Lenient):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(_Lenient):
    """The one choice of a chunk."""

    index: int = 0
    delta: Delta
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(_Lenient):
    """A chunk of a streamed completion; the last one has a `finish_reason` and `workshop`."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    workshop: dict[str, Any] | None = None
