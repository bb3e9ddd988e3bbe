"""Signed tokens between services and for sessions: Ed25519, short-lived, each naming its audience and at most one workshop.

The private key stays in the core; every other service holds the public one. No other algorithm is accepted, so a
public key cannot be used as a shared secret.
"""

import os
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import TypeAdapter, ValidationError

from shared_services.contracts.base import Slug
from shared_services.contracts.identity import Role
from shared_services.kit.errors import UnauthenticatedError

ISSUER = "workshop-assistant"
ALGORITHM = "EdDSA"
SERVICE_TOKEN_SECONDS = 600
CLOCK_LEEWAY_SECONDS = 10

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


@dataclass(frozen=True)
class Claims:
    """What a verified token says.

    Attributes:
        subject: Who holds it: an identity's id, or `service:<name>`.
        audience: The one service (or use) it is for.
        workshop: The only workshop it opens; None where it is not bound to one.
        tags: Tags of shared documents that the workshop's context allows.
        roles: Roles of the person, or of the service.
        expires_at: Seconds since the epoch.
        extra: Further claims (`name`, `email`, `service`).
    """

    subject: str
    audience: str
    expires_at: float
    workshop: str | None = None
    tags: tuple[str, ...] = ()
    content_focus: str | None = None
    roles: frozenset[Role] = frozenset()
    extra: dict[str, Any] = field(default_factory=dict)


class TokenSource(Protocol):
    """Gives a token to send along: minted where the private key is, read from a mounted credential elsewhere."""

    def __call__(self, audience: str) -> str:
        """A token for `audience` that is valid for at least a minute more."""
        ...


class TokenVerifier:
    """Checks tokens with the public key."""

    def __init__(self, public_key: Ed25519PublicKey) -> None:
        self._key = public_key

    @classmethod
    def from_pem(cls, pem: bytes) -> "TokenVerifier":
        """A verifier from a PEM public key.

        Raises:
            ValueError: Not a PEM key.
            TypeError: Not an Ed25519 public key.
        """
        key = load_pem_public_key(pem)
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("the key is not an Ed25519 public key")
        return cls(key)

    def verify(self, token: str, audience: str) -> Claims:
        """The claims of a token for `audience`.

        Raises:
            UnauthenticatedError: Forged, expired, for another audience, or malformed.
        """
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=ISSUER,
                leeway=CLOCK_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
            if payload["aud"] != audience:
                raise UnauthenticatedError("The token is for another service.")
            workshop = payload.get("workshop")
            return Claims(
                subject=str(payload["sub"]),
                audience=audience,
                expires_at=float(payload["exp"]),
                workshop=None if workshop is None else _SLUG.validate_python(workshop),
                tags=tuple(_SLUG.validate_python(tag) for tag in payload.get("tags", [])),
                content_focus=payload.get("content_focus"),
                roles=frozenset(Role(role) for role in payload.get("roles", [])),
                extra=payload.get("extra", {}),
            )
        except jwt.ExpiredSignatureError as error:
            raise UnauthenticatedError("The token has expired. Sign in again.") from error
        except (jwt.InvalidTokenError, ValidationError, ValueError, TypeError) as error:
            raise UnauthenticatedError("The token is not valid for this service.") from error


class TokenIssuer:
    """Signs tokens; lives in the core alone."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key

    def verifier(self) -> TokenVerifier:
        """The verifier that goes with this key."""
        return TokenVerifier(self._key.public_key())

    def public_pem(self) -> bytes:
        """The public key, for other services."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def issue(
        self,
        subject: str,
        audience: str,
        *,
        seconds: float = SERVICE_TOKEN_SECONDS,
        workshop: str | None = None,
        tags: tuple[str, ...] = (),
        content_focus: str | None = None,
        roles: frozenset[Role] = frozenset(),
        extra: dict[str, Any] | None = None,
    ) -> str:
        """A token that is valid from now for `seconds`."""
        now = time.time()
        payload: dict[str, Any] = {
            "iss": ISSUER,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + seconds,
            "jti": uuid.uuid4().hex,
            "roles": sorted(roles),
        }
        if workshop is not None:
            payload["workshop"] = workshop
        if tags:
            payload["tags"] = list(tags)
        if content_focus is not None:
            payload["content_focus"] = content_focus
        if extra:
            payload["extra"] = extra
        return jwt.encode(payload, self._key, algorithm=ALGORITHM)

    def source(self, subject: str, **claims: Any) -> TokenSource:
        """A source of fresh tokens with fixed claims; `claims` as for `issue`."""
        held: dict[str, tuple[str, float]] = {}

        def token(audience: str) -> str:
            cached = held.get(audience)
            if cached is None or cached[1] < time.time() + SERVICE_TOKEN_SECONDS / 2:
                cached = (self.issue(subject, audience, **claims), time.time() + SERVICE_TOKEN_SECONDS)
                held[audience] = cached
            return cached[0]

        return token


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The private key at `path`, made (mode 0600, whole or not at all) when it is not there.

    Raises:
        ValueError: The file is not a PEM key.
        TypeError: It is not an Ed25519 private key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        draft = path.with_suffix(f".{uuid.uuid4().hex}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return load_key(path)


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key at `path`.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a PEM key.
        TypeError: It is not an Ed25519 private key.
    """
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} is not an Ed25519 private key")
    return key
