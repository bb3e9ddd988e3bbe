"""Settings of `migrate` and `operate`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from shared_services.kit.settings import PlatformSettings

Address = Annotated[SecretStr, Field(min_length=1)]
"""An address with a password in it."""


class ServerSettings(PlatformSettings):
    """How PostgreSQL is reached by those who make roles in it."""

    admin_url: Address = Field(
        validation_alias="POSTGRES_ADMIN_URL",
        description="PostgreSQL as `postgresql://USER:PASSWORD@HOST:PORT/postgres`, of a user who may make roles and databases. "
        "Only the Jobs that prepare and remove have it.",
    )
    wait_seconds: float = Field(
        120,
        gt=0,
        le=3600,
        validation_alias="POSTGRES_WAIT_SECONDS",
        description="Seconds that `migrate` waits for PostgreSQL, and for another `migrate` to end.",
    )
    core_database_url: Address = Field(
        validation_alias="CORE_DATABASE_URL",
        description="The core's role, password and database, as the console's CONSOLE_DATABASE_URL.",
    )


class CoreMigrationSettings(ServerSettings):
    """`migrate core`."""

    core_jobs_url: Address = Field(
        validation_alias="CORE_JOBS_URL", description="The database of the console's jobs' engine, as its CONSOLE_JOBS_URL."
    )
    converter_jobs_url: Address = Field(
        validation_alias="CONVERTER_JOBS_URL",
        description="The database of the template converter's jobs' engine: `sqlite:///PATH` or `postgresql://...`.",
    )
    rag_database_url: Address = Field(
        validation_alias="RAG_DATABASE_URL",
        description="Relational store of the index's bookkeeping, when the RAG agent runs by itself.",
    )
    rag_jobs_url: Address = Field(
        validation_alias="RAG_JOBS_URL",
        description="Database of the durable jobs' engine, when the RAG agent runs by itself: `sqlite:///PATH` or "
        "`postgresql://...`. Empty for a file jobs.sqlite3 in RAG_DATA.",
    )
    rag_credential_file: Path = Field(
        validation_alias="RAG_CREDENTIAL_FILE",
        description="File with the RAG agent's credential, which `migrate core` registers.",
    )
    converter_credential_file: Path = Field(
        validation_alias="CONVERTER_CREDENTIAL_FILE",
        description="File with the template converter's credential, which `migrate core` registers.",
    )


class WorkshopMigrationSettings(ServerSettings):
    """`migrate workshop`; what the chat agent reads is read from its own settings."""

    database_url: Address = Field(
        validation_alias="DATABASE_URL",
        description="Where conversations are kept: `sqlite:///PATH` or `postgresql://...`.",
    )
    credential_file: Path = Field(
        validation_alias="WORKSHOP_CREDENTIAL_FILE",
        description="File with the credential that the service shows to the core in exchange for tokens.",
    )
    join_code_file: Path | None = Field(
        None,
        validation_alias="JOIN_CODE_FILE",
        description="File with the join code that admits participants when WORKSHOP_ACCESS is `code`.",
    )


class RemovalSettings(ServerSettings):
    """`migrate remove`."""

    rag_database_url: Address = Field(
        validation_alias="RAG_DATABASE_URL",
        description="Relational store of the index's bookkeeping, when the RAG agent runs by itself.",
    )
    workshop: str = Field(validation_alias="WORKSHOP_NAME", description="Slug of the one workshop that this chat agent serves.")
