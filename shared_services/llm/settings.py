"""Where the language model is, which one it is, and how long anyone waits for it."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr

from shared_services.kit.settings import PlatformSettings
from shared_services.llm.gateway import ModelGateway, NullGateway
from shared_services.llm.llama_stack import LlamaStackGateway, Patience


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
