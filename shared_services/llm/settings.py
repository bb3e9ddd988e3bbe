"""Where the language model is, which one it is, and how long anyone waits for it."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, model_validator

from shared_services.kit.settings import PlatformSettings
from shared_services.llm.gateway import ModelGateway, NullGateway
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from shared_services.llm.moderation import LlamaStackModerator, Moderator, NullModerator


def server_address(url: str) -> str:
    """The address that `/v1/...` is appended to, from what people write: with `/v1`, a trailing slash or the chat path, or
    without.

    Raises:
        ValueError: Not an http or https address.
    """
    address = url.strip().rstrip("/").removesuffix("/chat/completions").removesuffix("/v1").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address that begins with http:// or https://, e.g. http://localhost:8321")
    if parts.query or parts.fragment:
        raise ValueError("must be a plain address, without ? or #")
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password; a key belongs in LLM_API_KEY")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("must have a port between 0 and 65535, or none") from None
    return address


class LlmSettings(PlatformSettings):
    """The language model's settings. Without an address there is no model, and answers are extractive."""

    address: Annotated[str, AfterValidator(server_address)] | None = Field(
        default=None,
        validation_alias=AliasChoices("LLAMA_STACK_ENDPOINT", "LLM_URL"),
        description="Address of a Llama Stack / OGX or other OpenAI-compatible server, with or without `/v1`. Empty: no model.",
    )
    model: str | None = Field(
        default=None,
        validation_alias="LLM_MODEL",
        description="The model's name at that server. Empty: the first language model that the server lists.",
    )
    api_key: SecretStr | None = Field(
        default=None, validation_alias="LLM_API_KEY", description="Key of that server, where it asks for one."
    )
    connect_seconds: float = Field(
        default=5.0,
        gt=0,
        validation_alias="LLM_CONNECT_SECONDS",
        description="Longest wait for a connection to the server, in seconds.",
    )
    first_token_seconds: float = Field(
        default=60.0,
        gt=0,
        validation_alias="LLM_FIRST_TOKEN_SECONDS",
        description="Longest wait for the answer's first words, in seconds, all retries included.",
    )
    gap_seconds: float = Field(
        default=20.0,
        gt=0,
        validation_alias="LLM_GAP_SECONDS",
        description="Longest silence in the middle of an answer, in seconds.",
    )
    total_seconds: float = Field(
        default=180.0, gt=0, validation_alias="LLM_TOTAL_SECONDS", description="Longest time for a whole answer, in seconds."
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=10,
        validation_alias="LLM_RETRIES",
        description="How often a call is tried again before its first words came; never after.",
    )
    max_tokens: int = Field(
        default=800, ge=16, validation_alias="LLM_MAX_TOKENS", description="Longest answer, in the model's tokens."
    )
    context_characters: int = Field(
        default=12_000,
        ge=1_000,
        validation_alias="LLM_CONTEXT_CHARACTERS",
        description="How many characters of passages a prompt may hold.",
    )
    safety_model: str | None = Field(
        default=None,
        validation_alias="SAFETY_MODEL",
        description="Name of the safety model, be it a shield, a moderation model or a guard model, that messages and answers "
        "are checked by. Empty: rules alone.",
    )
    safety_address: Annotated[str, AfterValidator(server_address)] | None = Field(
        default=None,
        validation_alias="SAFETY_ENDPOINT",
        description="Address of the server that has the safety model; empty for that of LLAMA_STACK_ENDPOINT.",
    )
    safety_api: Literal["auto", "moderations", "shield", "chat"] = Field(
        default="auto",
        validation_alias="SAFETY_API",
        description="How the safety model is asked: `moderations` (`/v1/moderations`), `shield` (Llama Stack's run-shield), "
        "`chat` (a guard model that answers `safe` or `unsafe`, as Llama Guard does; the way with OGX), or `auto`: what the "
        "server has.",
    )
    safety_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="SAFETY_API_KEY",
        description="Key of the safety model's server; empty for LLM_API_KEY where SAFETY_ENDPOINT is empty too.",
    )
    safety_seconds: float = Field(
        default=5.0,
        gt=0,
        le=15,
        validation_alias="SAFETY_TIMEOUT_SECONDS",
        description="Longest wait for one judgement of the safety model, in seconds; the language model waits as long "
        "in mid-answer.",
    )

    @model_validator(mode="after")
    def _safety_model_is_somewhere(self) -> Self:
        if self.safety_model and self.safety_address is None and self.address is None:
            raise ValueError("SAFETY_MODEL names a safety model, but no server: set SAFETY_ENDPOINT or LLAMA_STACK_ENDPOINT")
        return self


def build_gateway(settings: LlmSettings) -> ModelGateway:
    """The gateway that the settings ask for; `NullGateway` where they name no address."""
    if settings.address is None:
        return NullGateway()
    return LlamaStackGateway(
        settings.address,
        model=settings.model,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        patience=Patience(
            connect=settings.connect_seconds,
            first_token=settings.first_token_seconds,
            gap=settings.gap_seconds,
            total=settings.total_seconds,
            retries=settings.retries,
        ),
    )


def build_moderator(settings: LlmSettings) -> Moderator:
    """The safety model that the settings ask for; `NullModerator` where they name none."""
    address = settings.safety_address or settings.address
    if not settings.safety_model or address is None:
        return NullModerator()
    # A key is for the server it was given for, and is shown to no other.
    key = settings.safety_api_key or (settings.api_key if settings.safety_address is None else None)
    return LlamaStackModerator(
        address,
        model=settings.safety_model,
        way=None if settings.safety_api == "auto" else settings.safety_api,
        api_key=key.get_secret_value() if key else None,
        seconds=settings.safety_seconds,
    )
