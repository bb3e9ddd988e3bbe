"""Settings of the command, of the process that holds every service, and of the console where that runs by itself."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from console.settings import WORKSHOP
from shared_services.kit.settings import PlatformSettings

LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]


def _workshop_pattern(pattern: str) -> str:
    address = pattern.strip().rstrip("/")
    parts = urlsplit(address.replace(WORKSHOP, "name"))
    if WORKSHOP not in address or parts.scheme not in {"http", "https"} or not parts.hostname or set("{}") & set(parts.geturl()):
        raise ValueError(
            f"must be an http address with {WORKSHOP} where a workshop's name goes, e.g. https://{WORKSHOP}.example.org"
        )
    return address


class CliSettings(PlatformSettings):
    """Where data lies, where to listen, who may come in."""

    data: Path = Field(
        default=Path("data"), validation_alias="WORKSHOP_DATA", description="The data folder; `--data` overrules it."
    )
    host: str = Field(default="127.0.0.1", validation_alias="WORKSHOP_HOST", description="Address that `workshop up` listens on.")
    port: int = Field(
        default=8080, validation_alias="WORKSHOP_PORT", description="Port that `workshop up` listens on.", ge=0, le=65535
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="WORKSHOP_PUBLIC_URL",
        description="Address under which people reach the server, where it is not the one it listens on; "
        "used in sign-in and join links.",
    )
    access: Literal["open", "code"] | None = Field(
        default=None,
        validation_alias="WORKSHOP_ACCESS",
        description="Who may take part in a workshop: `open`, everybody who reaches the page; `code`, who knows its join code. "
        "Without it: `open` on a loopback address, `code` on any other.",
    )
    choices: Path = Field(
        default=Path("~/.local/state/workshop-assistant/choices.json"),
        validation_alias="WORKSHOP_CHOICES",
        description="File in which `workshop convert` remembers how a repository was read (`--as`, `--path`).",
    )
    log_level: LogLevel = Field(
        default="info",
        validation_alias="LOG_LEVEL",
        description="Lowest level written to the log: `debug`, `info`, `warning` or `error`.",
    )
    examples: Path = Field(
        default=Path(__file__).resolve().parents[1] / "examples",
        validation_alias="WORKSHOP_EXAMPLES",
        description="Folder of the example workshops that are installed on first start; an empty folder installs none.",
    )


class ConsoleProcessSettings(PlatformSettings):
    """The console as a process of its own (`workshop-service console`)."""

    host: str = Field(default="127.0.0.1", validation_alias="CONSOLE_HOST", description="Address that the console listens on.")
    port: int = Field(
        default=8080, ge=0, le=65535, validation_alias="CONSOLE_PORT", description="Port that the console listens on."
    )
    database_url: str = Field(
        default="sqlite:///./console.db",
        validation_alias="CONSOLE_DATABASE_URL",
        description="Relational store of library, jobs and credentials: `sqlite:///PATH` or `postgresql://...`.",
    )
    jobs_url: str = Field(
        default="sqlite:///./console-jobs.db",
        validation_alias="CONSOLE_JOBS_URL",
        description="Database of the console's durable jobs' engine: `sqlite:///PATH` or `postgresql://...`.",
    )
    private_key_file: Path | None = Field(
        default=None,
        validation_alias="CORE_PRIVATE_KEY_FILE",
        description="PEM file with the core's Ed25519 private key, which signs tokens and sessions; the console alone has it.",
    )
    rag_endpoint: str = Field(
        default="http://127.0.0.1:8080/agents/rag",
        validation_alias="RAG_ENDPOINT",
        description="Address of the RAG agent, under which `/api/v1/search` stands.",
    )
    converter_endpoint: str = Field(
        default="http://127.0.0.1:8083",
        validation_alias="CONVERTER_ENDPOINT",
        description="Address of the template converter, under which `/api/v1/conversions` stands.",
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="WORKSHOP_PUBLIC_URL",
        description="Address under which people reach the server, where it is not the one it listens on; "
        "used in sign-in and join links.",
    )
    workshop_url: Annotated[str, AfterValidator(_workshop_pattern)] | None = Field(
        default=None,
        validation_alias="CONSOLE_WORKSHOP_URL",
        description="Pattern of the addresses that workshops' pages have of their own, with `{workshop}` for the name, e.g. "
        "`https://{workshop}.example.org`; empty where they stand below the console at `/w/NAME`.",
    )
    log_level: LogLevel = Field(default="info", validation_alias="LOG_LEVEL", description="Lowest level written to the log.")
    log_json: bool = Field(
        default=True, validation_alias="LOG_JSON", description="Log one JSON object a line instead of readable lines."
    )
