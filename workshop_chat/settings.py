"""The chat agent's settings, from the environment."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from shared_services.contracts.base import Slug
from shared_services.kit.settings import PlatformSettings
from workshop_chat.contexts import (
    NOTHING,
    SHIPPED,
    ContextLayer,
    Contexts,
    ParticipantLimit,
    SafetyLevel,
    SessionTimeout,
    read_contexts,
    read_template,
)

AGENT: Final = "{agent}"


def _separated(value: object) -> object:
    """Tags from text with commas between them; a lone comma is no tag at all."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _agents_pattern(pattern: str) -> str:
    address = pattern.strip().rstrip("/")
    parts = urlsplit(address.replace(AGENT, "rag"))
    if AGENT not in address or parts.scheme not in {"http", "https"} or not parts.hostname or set("{}") & set(parts.geturl()):
        raise ValueError(
            f"must be an http address with {AGENT} where an agent's name goes, e.g. "
            f"http://{AGENT}-agent.workshop-core-system.svc.cluster.local:8080"
        )
    return address


class ChatSettings(PlatformSettings):
    """What one chat agent is told. On the laptop the process that holds every service builds this itself."""

    workshop: Annotated[
        Slug,
        Field(validation_alias="WORKSHOP_NAME", description="Slug of the one workshop that this chat agent serves."),
    ]
    library_endpoint: str = Field(
        default="http://127.0.0.1:8080",
        validation_alias="LIBRARY_ENDPOINT",
        description="Address of the library, under which `/api/v1/library` stands; goes before SHARED_AGENTS_ENDPOINT.",
    )
    rag_endpoint: str = Field(
        default="http://127.0.0.1:8080/agents/rag",
        validation_alias="RAG_ENDPOINT",
        description="Address of the RAG agent, under which `/api/v1/search` stands; goes before SHARED_AGENTS_ENDPOINT.",
    )
    shared_agents_endpoint: Annotated[str, AfterValidator(_agents_pattern)] | None = Field(
        default=None,
        validation_alias="SHARED_AGENTS_ENDPOINT",
        description="Pattern of the shared services' addresses, with `{agent}` for the name: `rag` for the RAG agent, `library` "
        "for the library; e.g. `http://{agent}-agent.workshop-core-system.svc.cluster.local:8080`.",
    )
    namespace: Slug | None = Field(
        default=None,
        validation_alias="WORKSHOP_NAMESPACE",
        description="Kubernetes namespace that this chat agent runs in; stands in every line of its log and in `/readyz`.",
    )
    core_endpoint: str | None = Field(
        default=None,
        validation_alias="CORE_ENDPOINT",
        description="Address of the console, which gives tokens for a service's credential; empty for the library's address.",
    )
    credential_file: Path | None = Field(
        default=None,
        validation_alias="WORKSHOP_CREDENTIAL_FILE",
        description="File with the credential that is exchanged for tokens at CORE_ENDPOINT; read again when it changes.",
    )
    core_public_key_file: Path | None = Field(
        default=None,
        validation_alias="CORE_PUBLIC_KEY_FILE",
        description="PEM file with the core's Ed25519 public key, which tokens and sessions are checked with.",
    )
    database_url: str = Field(
        default="sqlite:///./chat.db",
        validation_alias="DATABASE_URL",
        description="Where conversations are kept: `sqlite:///PATH` or `postgresql://...`.",
    )
    database_pool: int = Field(
        default=5,
        ge=2,
        le=100,
        validation_alias="DATABASE_POOL_SIZE",
        description="How many connections one process has to PostgreSQL at once, besides the one that it listens on.",
    )
    database_idle_seconds: int = Field(
        default=30,
        ge=0,
        le=86_400,
        validation_alias="DATABASE_IDLE_SECONDS",
        description="Seconds after which PostgreSQL closes a connection that was not used; 0 keeps it.",
    )
    participant_key_file: Path | None = Field(
        default=None,
        validation_alias="PARTICIPANT_KEY_FILE",
        description="File with the secret (32 bytes or more) that signs participants' cookies; made when it is not there.",
    )
    join_code_file: Path | None = Field(
        default=None,
        validation_alias="JOIN_CODE_FILE",
        description="File with the join code that admits participants when WORKSHOP_ACCESS is `code`.",
    )
    access: Literal["open", "code"] = Field(
        default="open",
        validation_alias="WORKSHOP_ACCESS",
        description="Who may take part: `open` (whoever has the address) or `code` (who has the join code).",
    )
    context: Slug | None = Field(
        default=None,
        validation_alias="WORKSHOP_CONTEXT",
        description="Context of the contexts file; empty for the one that workshop.yaml names. An unknown one is an error.",
    )
    contexts_file: Path | None = Field(
        default=None,
        validation_alias="WORKSHOP_CONTEXTS_FILE",
        description="YAML file of named contexts; empty for the three that ship with the platform.",
    )
    template_file: Path | None = Field(
        default=None,
        validation_alias="WORKSHOP_TEMPLATE_FILE",
        description="YAML file with what the template of the instance says of its context; goes before the contexts file.",
    )
    rag_context_filter: Annotated[tuple[Slug, ...], NoDecode, BeforeValidator(_separated)] | None = Field(
        default=None,
        validation_alias="RAG_CONTEXT_FILTER",
        description="Tags, with commas between them, of the shared documents that the assistant reads, as far as its token opens "
        "them; `,` for none; empty for the context's own.",
    )
    content_focus: Slug | None = Field(
        default=None,
        validation_alias="CONTENT_FOCUS",
        description="Focus that narrows the shared documents; empty for the context's own.",
    )
    participant_limit: ParticipantLimit | None = Field(
        default=None,
        validation_alias="PARTICIPANT_LIMIT",
        description="How many live sessions the workshop has room for; empty for the context's own, else 100.",
    )
    session_timeout: SessionTimeout | None = Field(
        default=None,
        validation_alias="SESSION_TIMEOUT",
        description="Seconds after which an idle session ends; empty for the context's own, else 3600.",
    )
    safety_level: SafetyLevel | None = Field(
        default=None,
        validation_alias="SAFETY_LEVEL",
        description=(
            "`healthcare_compliant`, `educational_standard` or `security_focused`: which safety checks are made; empty for the "
            "context's own, else `educational_standard`."
        ),
    )
    confidence_threshold: float = Field(
        default=0.4,
        ge=0,
        le=1,
        validation_alias="CHAT_CONFIDENCE_THRESHOLD",
        description="Below this confidence of retrieval (0 to 1) a question is not answered; the nearest sections are named.",
    )
    passages: int = Field(
        default=8, ge=1, le=20, validation_alias="CHAT_PASSAGES", description="How many passages an answer may rest on."
    )
    history_turns: int = Field(
        default=3,
        ge=0,
        le=20,
        validation_alias="CHAT_HISTORY_TURNS",
        description="How many earlier turns are read to understand a follow-up.",
    )
    message_characters: int = Field(
        default=8000,
        ge=1,
        le=20_000,
        validation_alias="CHAT_MESSAGE_CHARACTERS",
        description="Longest message, in characters; a longer one is refused with advice on what to paste instead.",
    )
    messages_per_minute: int = Field(
        default=20,
        ge=0,
        le=10_000,
        validation_alias="CHAT_MESSAGES_PER_MINUTE",
        description="How many messages one participant may send in 60 seconds; 0 for no limit.",
    )
    answers_at_once: int = Field(
        default=2,
        ge=0,
        le=1000,
        validation_alias="CHAT_ANSWERS_AT_ONCE",
        description="How many answers may be written for one participant at the same time; 0 for no limit.",
    )
    model_streams: int = Field(
        default=64,
        ge=0,
        le=100_000,
        validation_alias="CHAT_MODEL_STREAMS",
        description=(
            "How many answers one process has the model write at once; others wait in line. 0 for no limit. 64 is more than a "
            "class asks for at a moment, and less than the 256 sequences that vLLM runs at once, which other workshops share."
        ),
    )
    model_wait_seconds: float = Field(
        default=60.0,
        ge=0,
        le=600,
        validation_alias="CHAT_MODEL_WAIT_SECONDS",
        description="How long an answer waits in line for the model before it is made of its sources' own sentences.",
    )
    history_retention_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        validation_alias="HISTORY_RETENTION_DAYS",
        description="After how many days turns, sessions and progress of participants are deleted; 0 keeps them.",
    )
    drain_seconds: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        validation_alias="CHAT_DRAIN_SECONDS",
        description="Seconds that answers get to finish when the process is told to end; the others are kept as interrupted.",
    )
    rewording_seconds: float = Field(
        default=4.0,
        ge=0,
        le=30,
        validation_alias="CHAT_REWORDING_SECONDS",
        description=(
            "How long the language model may take to make a follow-up stand alone before it is searched for; 0 never asks it."
        ),
    )
    secure_cookies: bool = Field(
        default=False,
        validation_alias="SECURE_COOKIES",
        description="Send cookies over https alone; set it wherever the page is served by https.",
    )
    host: str = Field(default="127.0.0.1", validation_alias="CHAT_HOST", description="Address that the chat agent listens on.")
    port: int = Field(
        default=8082, ge=0, le=65535, validation_alias="CHAT_PORT", description="Port that the chat agent listens on."
    )
    public_url: str = Field(
        default="",
        validation_alias="CHAT_PUBLIC_URL",
        description=(
            "Address under which other agents reach this one, for its agent card. Empty: the address that the card was asked for "
            "under."
        ),
    )
    log_level: str = Field(default="info", validation_alias="LOG_LEVEL", description="Lowest level that is logged.")
    log_json: bool = Field(
        default=True, validation_alias="LOG_JSON", description="Log one JSON object a line instead of readable lines."
    )

    @property
    def library_address(self) -> str:
        """Where the library is."""
        return self._address("library_endpoint", "library")

    @property
    def rag_address(self) -> str:
        """Where the RAG agent is."""
        return self._address("rag_endpoint", "rag")

    @property
    def core_address(self) -> str:
        """Where tokens are given."""
        return self.core_endpoint or self.library_address

    def _address(self, field: str, agent: str) -> str:
        explicit: str = getattr(self, field)
        if field in self.model_fields_set or self.shared_agents_endpoint is None:
            return explicit
        return self.shared_agents_endpoint.replace(AGENT, agent)


def contexts_of(settings: ChatSettings) -> Contexts:
    """The contexts that the settings name.

    Raises:
        ContextError: The contexts or the template file cannot be used, or there is no context of the name that the settings give.
    """
    environment = ContextLayer(
        rag_context_filter=None if settings.rag_context_filter is None else list(settings.rag_context_filter),
        content_focus=settings.content_focus,
        safety_level=settings.safety_level,
        participant_limit=settings.participant_limit,
        session_timeout=settings.session_timeout,
    )
    template = read_template(settings.template_file) if settings.template_file else NOTHING
    known = read_contexts(settings.contexts_file or SHIPPED)
    return Contexts(settings.context, known, environment=environment, template=template)
