"""The link by which the person at this machine signs in as author."""

from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer

SIGN_IN_AUDIENCE = "sign-in"
SIGN_IN_SECONDS = 24 * 3600.0
LOCAL_AUTHOR = "author:local"


def sign_in_link(issuer: TokenIssuer, url: str) -> str:
    """An address that signs its holder in as author for as long as the link is fresh (24 hours)."""
    token = issuer.issue(
        LOCAL_AUTHOR,
        SIGN_IN_AUDIENCE,
        seconds=SIGN_IN_SECONDS,
        roles=frozenset({Role.AUTHOR, Role.ADMIN}),
        extra={"name": "Author"},
    )
    return f"{url}/sign-in?token={token}"
