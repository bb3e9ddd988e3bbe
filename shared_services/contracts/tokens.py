"""Wire models of the exchange of a service's credential for tokens."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared_services.contracts.base import WireModel

Audience = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
"""The name of a service that takes tokens: `library`, `rag`, ..."""


class TokenRequest(WireModel):
    """Body of `POST /api/v1/tokens`; the credential travels in the `Authorization` header.

    Attributes:
        audience: The service that the token is to be shown to.
    """

    audience: Audience


class IssuedToken(WireModel):
    """A token and how long it holds.

    Attributes:
        token: Sent along as `Authorization: Bearer ...`.
        expires_in: Seconds from now.
    """

    token: str
    expires_in: int = Field(gt=0)
