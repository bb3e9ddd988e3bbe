"""Credentials of services: long random secrets that the core knows by their SHA-256 and exchanges for short-lived tokens.

A credential is bound to what it opens when it is registered, so that whoever holds one cannot ask for more: a chat agent's
names its workshop. Nothing here gives a secret back; who loses one registers another.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import JSON, DateTime, String, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared_services.contracts.base import Slug
from shared_services.contracts.identity import Role
from shared_services.kit.database import MigrationSet, session_factory, storage_errors
from shared_services.kit.errors import BadInputError, ConflictError
from shared_services.kit.tokens import TokenIssuer

MIGRATIONS = MigrationSet("console", Path(__file__).parent / "migrations")
RAG = "service:rag"
CONVERTER = "service:template-converter"
_CHAT = "service:chat:"
_AUDIENCES: Final = {RAG: frozenset({"library"}), CONVERTER: frozenset({"library"})}
_CHAT_AUDIENCES: Final = frozenset({"library", "rag"})
MIN_SECRET_CHARACTERS = 32

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


def sha256_of(secret: str) -> str:
    """The hash that a secret is known by; secrets are random and long, so that a plain hash gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()


def audiences_of(subject: str) -> frozenset[str]:
    """The services that a subject may ask tokens for: a closed list; none for a subject that is not known."""
    return _CHAT_AUDIENCES if subject.startswith(_CHAT) else _AUDIENCES.get(subject, frozenset())


@dataclass(frozen=True)
class Credential:
    """What a secret stands for. The functions below make them, so that a subject's claims are decided in one place.

    Attributes:
        subject: `service:rag`, `service:template-converter` or `service:chat:NAME`.
        sha256: Of the secret, in hexadecimal.
        roles: What its tokens may do.
        workshop: The only workshop that its tokens open; None where they are not bound to one.
        tags: Of the shared documents that its tokens open.
        content_focus: Narrows the shared documents.
        join_code: The workshop's, for authors to see; None where none is needed.
    """

    subject: str
    sha256: str
    roles: frozenset[Role]
    workshop: str | None = None
    tags: tuple[str, ...] = ()
    content_focus: str | None = None
    join_code: str | None = None

    def token(self, issuer: TokenIssuer, audience: str, seconds: float) -> str:
        """A token for `audience` with this credential's claims, and no others."""
        return issuer.issue(
            self.subject,
            audience,
            seconds=seconds,
            workshop=self.workshop,
            tags=self.tags,
            content_focus=self.content_focus,
            roles=self.roles,
        )


def _hash_of_new(secret: str) -> str:
    if len(secret) < MIN_SECRET_CHARACTERS or not secret.isascii() or any(sign.isspace() for sign in secret):
        raise BadInputError(
            f"A credential is {MIN_SECRET_CHARACTERS} or more characters of ASCII without spaces, at random; "
            "`openssl rand -base64 32 | tr '+/' '-_'` makes one."
        )
    return sha256_of(secret)


def rag_credential(secret: str) -> Credential:
    """The RAG agent's: it reads every workshop's versions, drafts too.

    Raises:
        BadInputError: The secret is too short.
    """
    return Credential(RAG, _hash_of_new(secret), frozenset({Role.ADMIN}))


def converter_credential(secret: str) -> Credential:
    """The template converter's: it stores drafts.

    Raises:
        BadInputError: The secret is too short.
    """
    return Credential(CONVERTER, _hash_of_new(secret), frozenset({Role.AUTHOR}))


def chat_credential(
    workshop: str,
    secret: str,
    *,
    tags: Iterable[str] = (),
    content_focus: str | None = None,
    join_code: str | None = None,
) -> Credential:
    """A chat agent's: it opens its own workshop, and the shared documents under its tags and focus.

    Raises:
        BadInputError: The secret is too short.
        ValueError: A name that is no slug.
    """
    return Credential(
        f"{_CHAT}{_SLUG.validate_python(workshop)}",
        _hash_of_new(secret),
        frozenset({Role.PARTICIPANT}),
        workshop,
        tuple(_SLUG.validate_python(tag) for tag in tags),
        None if content_focus is None else _SLUG.validate_python(content_focus),
        join_code,
    )


class Base(DeclarativeBase):
    """Metadata of this room alone."""


class CredentialRow(Base):
    """A credential."""

    __tablename__ = "credentials"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(128), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    workshop: Mapped[str | None] = mapped_column(String(63), index=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(JSON)
    content_focus: Mapped[str | None] = mapped_column(String(63))
    join_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CredentialRepository:
    """Stores credentials. The caller migrates the tables (`MIGRATIONS`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = session_factory(engine)

    async def register(self, credential: Credential) -> None:
        """Store a credential in place of what the same subject had; the same again changes nothing.

        Raises:
            ConflictError: Another subject has this secret.
            UnavailableError: The database does not answer.
        """
        with storage_errors():
            for attempt in range(2):
                try:
                    await self._register(credential)
                except IntegrityError as error:
                    # Either two registered the subject at once, and the second try finds its row, or the secret is another's.
                    if attempt:
                        raise ConflictError(
                            f"The credential of {credential.subject} is another service's as well. Make a new one."
                        ) from error
                else:
                    return

    async def _register(self, credential: Credential) -> None:
        async with self._sessions.begin() as session:
            row = await session.scalar(select(CredentialRow).where(CredentialRow.subject == credential.subject).with_for_update())
            if row is None:
                row = CredentialRow(subject=credential.subject, created_at=datetime.now(UTC))
                session.add(row)
            elif row.sha256 != credential.sha256:
                row.created_at = datetime.now(UTC)
            row.sha256 = credential.sha256
            row.workshop = credential.workshop
            row.roles = sorted(credential.roles)
            row.tags = list(credential.tags)
            row.content_focus = credential.content_focus
            row.join_code = credential.join_code

    async def revoke(self, workshop: str) -> bool:
        """Forget every credential of a workshop; its tokens hold no longer than they were made for. Whether there was one.

        Raises:
            UnavailableError: The database does not answer.
        """
        gone = delete(CredentialRow).where(CredentialRow.workshop == workshop).returning(CredentialRow.id)
        with storage_errors():
            async with self._sessions.begin() as session:
                return bool((await session.scalars(gone)).all())

    async def find(self, secret: str) -> Credential | None:
        """What a secret stands for; None for one that is not known. As much work for the one as for the other.

        Raises:
            UnavailableError: The database does not answer.
        """
        wanted = select(CredentialRow).where(CredentialRow.sha256 == sha256_of(secret))
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(wanted)
        return None if row is None else _credential_of(row)

    async def join_code(self, workshop: str) -> str | None:
        """A workshop's join code; None where it needs none, or is not registered.

        Raises:
            UnavailableError: The database does not answer.
        """
        wanted = select(CredentialRow.join_code).where(CredentialRow.workshop == workshop, CredentialRow.join_code.is_not(None))
        with storage_errors():
            async with self._sessions() as session:
                return await session.scalar(wanted.limit(1))


def _credential_of(row: CredentialRow) -> Credential:
    return Credential(
        row.subject,
        row.sha256,
        frozenset(Role(role) for role in row.roles),
        row.workshop,
        tuple(row.tags),
        row.content_focus,
        row.join_code,
    )
