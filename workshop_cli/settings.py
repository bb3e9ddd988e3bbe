"""Settings of the command and of the process that holds every service."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared_services.kit.settings import PlatformSettings


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
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = Field(
        default="info",
        validation_alias="LOG_LEVEL",
        description="Lowest level written to the log: `debug`, `info`, `warning` or `error`.",
    )
    examples: Path = Field(
        default=Path(__file__).resolve().parents[1] / "examples",
        validation_alias="WORKSHOP_EXAMPLES",
        description="Folder of the example workshops that are installed on first start; an empty folder installs none.",
    )
