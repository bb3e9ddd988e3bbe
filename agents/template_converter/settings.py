"""The converter's limits and the environment that git runs in. The only module of this room that reads the environment."""

import os
from pathlib import Path

from pydantic import Field

from shared_services.kit.settings import PlatformSettings

MIB = 1024 * 1024

_PASSED_ON = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy",
)  # fmt: skip


class ConverterSettings(PlatformSettings):
    """What one conversion may read, and for how long."""

    max_files: int = Field(
        200_000,
        ge=1,
        validation_alias="CONVERTER_MAX_FILES",
        description="Files read from one source at most (vendored folders are not read).",
    )
    max_file_bytes: int = Field(
        50 * MIB,
        ge=1,
        validation_alias="CONVERTER_MAX_FILE_BYTES",
        description="Larger files of a source are left out and named, in bytes.",
    )
    max_page_bytes: int = Field(
        MIB,
        ge=1,
        validation_alias="CONVERTER_MAX_PAGE_BYTES",
        description="Larger pages (Markdown, AsciiDoc, reST) of a source are left out and named, in bytes.",
    )
    max_line_bytes: int = Field(
        100_000,
        ge=1,
        validation_alias="CONVERTER_MAX_LINE_BYTES",
        description=(
            "Pages with a longer line are left out and named, in bytes; pictures that stand in a line as base64 do not count."
        ),
    )
    max_source_bytes: int = Field(
        1024 * MIB, ge=1, validation_alias="CONVERTER_MAX_SOURCE_BYTES", description="A source of more bytes in total is refused."
    )
    max_seconds: float = Field(
        600, gt=0, validation_alias="CONVERTER_MAX_SECONDS", description="Seconds that fetching and reading a source may take."
    )
    allow_local_sources: bool = Field(
        True,
        validation_alias="CONVERTER_ALLOW_LOCAL_SOURCES",
        description="Whether folders, archives and file:// addresses of the service's own machine are taken as sources.",
    )


class ConverterServerSettings(PlatformSettings):
    """The template converter as a process of its own."""

    host: str = Field("127.0.0.1", validation_alias="CONVERTER_HOST", description="Address that the converter listens on.")
    port: int = Field(8083, ge=0, le=65535, validation_alias="CONVERTER_PORT", description="Port that the converter listens on.")
    database_url: str = Field(
        "",
        validation_alias="CONVERTER_DATABASE_URL",
        description=(
            "Relational store of the jobs, the console's own, where conversions run here: `sqlite:///PATH` or "
            "`postgresql://...`. Empty: no conversions, classification alone."
        ),
    )
    jobs_url: str = Field(
        "",
        validation_alias="CONVERTER_JOBS_URL",
        description=(
            "Database of the durable jobs' engine: `sqlite:///PATH` or `postgresql://...`; needed where CONVERTER_DATABASE_URL "
            "is set."
        ),
    )
    public_url: str = Field(
        "",
        validation_alias="CONVERTER_PUBLIC_URL",
        description=(
            "Address under which other agents reach this one, for its agent card. Empty: the address that the card was asked for "
            "under."
        ),
    )
    core_endpoint: str = Field(
        "",
        validation_alias="CORE_ENDPOINT",
        description="Address of the console, which gives tokens for a service's credential.",
    )
    credential_file: Path | None = Field(
        None,
        validation_alias="WORKSHOP_CREDENTIAL_FILE",
        description="File with the credential that is exchanged for tokens at CORE_ENDPOINT; read again when it changes.",
    )
    core_public_key_file: Path | None = Field(
        None,
        validation_alias="CORE_PUBLIC_KEY_FILE",
        description="PEM file with the public key that tokens are checked against.",
    )
    log_level: str = Field("info", validation_alias="LOG_LEVEL", description="Lowest level that is logged.")
    log_json: bool = Field(True, validation_alias="LOG_JSON", description="Log one JSON object a line instead of readable lines.")


def git_environment(*, protocols: str) -> dict[str, str]:
    """Environment of every git process: no configuration but ours, no prompts, only `protocols` (colon-separated)."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ForwardAgent=no -o PermitLocalCommand=no",
    }
