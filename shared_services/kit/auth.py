"""FastAPI dependencies that turn a request's token or session into claims or an identity."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Request

from shared_services.contracts.identity import Identity
from shared_services.kit.errors import UnauthenticatedError
from shared_services.kit.identity import SESSION_COOKIE, identity_of, read_session
from shared_services.kit.tokens import Claims, TokenVerifier


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer` header; None where there is no such header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def bearer_claims(verifier: TokenVerifier, audience: str) -> Callable[..., Claims]:
    """A dependency: the claims of the caller's token for `audience`, 401 without one."""

    def claims(authorization: Annotated[str | None, Header()] = None) -> Claims:
        token = bearer_token(authorization)
        if token is None:
            raise UnauthenticatedError("Send a token: `Authorization: Bearer ...`.")
        return verifier.verify(token, audience)

    return claims


def caller_identity(verifier: TokenVerifier, audience: str) -> Callable[..., Identity | None]:
    """A dependency: who calls, by bearer token for `audience` or by session cookie; None for nobody.

    A bearer token that does not hold is an error, a session that does not hold is nobody.
    """

    def identity(request: Request) -> Identity | None:
        token = bearer_token(request.headers.get("authorization"))
        if token is not None:
            return identity_of(verifier.verify(token, audience))
        return read_session(verifier, request.cookies.get(SESSION_COOKIE))

    return identity
