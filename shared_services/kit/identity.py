"""What each role may do, in one table; and sessions: an identity in a signed, HttpOnly cookie."""

from enum import StrEnum

from shared_services.contracts.identity import Identity, Role
from shared_services.kit.errors import ForbiddenError, UnauthenticatedError
from shared_services.kit.tokens import Claims, TokenIssuer, TokenVerifier

SESSION_COOKIE = "workshop_session"
SESSION_AUDIENCE = "session"
SESSION_SECONDS = 30 * 24 * 3600.0
SIGN_IN_AUDIENCE = "sign-in"
SIGN_IN_SECONDS = 24 * 3600.0
HAND_OVER_AUDIENCE = "workshop-sign-in"
HAND_OVER_SECONDS = 60.0

LOCAL_AUTHOR = Identity(id="author:local", name="Author", roles=frozenset({Role.AUTHOR, Role.ADMIN}))
"""The person at this machine: whoever can read the data folder."""


class Permission(StrEnum):
    """Something that one may do."""

    WORKSHOP_READ = "workshop.read"
    WORKSHOP_ASK = "workshop.ask"
    WORKSHOP_TEACH = "workshop.teach"
    WORKSHOP_CONVERT = "workshop.convert"
    WORKSHOP_PREVIEW = "workshop.preview"
    WORKSHOP_PUBLISH = "workshop.publish"
    WORKSHOP_REMOVE = "workshop.remove"
    DOCUMENTS_MANAGE = "documents.manage"
    INDEX_RENEW = "index.renew"
    JOBS_READ = "jobs.read"
    JOBS_MANAGE = "jobs.manage"
    JOBS_READ_ALL = "jobs.read-all"
    JOBS_MANAGE_ALL = "jobs.manage-all"


_PARTICIPANT = frozenset({Permission.WORKSHOP_READ, Permission.WORKSHOP_ASK})
_REVIEWER = _PARTICIPANT | {Permission.WORKSHOP_PREVIEW, Permission.JOBS_READ}
_AUTHOR = _REVIEWER | {
    Permission.WORKSHOP_TEACH,
    Permission.WORKSHOP_CONVERT,
    Permission.WORKSHOP_PUBLISH,
    Permission.WORKSHOP_REMOVE,
    Permission.JOBS_MANAGE,
}

ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.PARTICIPANT: _PARTICIPANT,
    Role.REVIEWER: _REVIEWER,
    Role.AUTHOR: _AUTHOR,
    Role.OPS: _PARTICIPANT
    | {
        Permission.DOCUMENTS_MANAGE,
        Permission.INDEX_RENEW,
        Permission.JOBS_READ,
        Permission.JOBS_READ_ALL,
        Permission.JOBS_MANAGE,
        Permission.JOBS_MANAGE_ALL,
    },
    Role.ADMIN: frozenset(Permission),
}


def may(identity: Identity, permission: Permission, *, workshop: str | None = None) -> bool:
    """Whether `identity` has `permission`, in `workshop` where one is named.

    An identity that is bound to a workshop has no permission anywhere else, and none that is not about a workshop.
    """
    if identity.workshop is not None and workshop != identity.workshop:
        return False
    return any(permission in ALLOWED[role] for role in identity.roles)


def require(identity: Identity | None, permission: Permission, *, workshop: str | None = None) -> Identity:
    """The identity, when it may.

    Raises:
        UnauthenticatedError: Nobody is signed in.
        ForbiddenError: Signed in, not allowed.
    """
    if identity is None:
        raise UnauthenticatedError("Nobody is signed in. Open the sign-in link that `workshop up` prints, or sign in again.")
    if not may(identity, permission, workshop=workshop):
        where = f" in workshop '{workshop}'" if workshop else ""
        raise ForbiddenError(f"{permission} is not allowed for {', '.join(sorted(identity.roles))}{where}.")
    return identity


def issue_session(issuer: TokenIssuer, identity: Identity, *, seconds: float = SESSION_SECONDS) -> str:
    """A session token for the cookie."""
    extra = {"name": identity.name} | ({"email": identity.email} if identity.email else {})
    return issuer.issue(
        identity.id, SESSION_AUDIENCE, seconds=seconds, workshop=identity.workshop, roles=identity.roles, extra=extra
    )


def identity_of(claims: Claims) -> Identity:
    """The identity that a session's or person's token speaks for."""
    return Identity(
        id=claims.subject,
        email=claims.extra.get("email"),
        name=str(claims.extra.get("name", "")),
        roles=claims.roles,
        workshop=claims.workshop,
    )


def read_session(verifier: TokenVerifier, token: str | None) -> Identity | None:
    """The identity of a session cookie; None where there is none or it no longer holds."""
    if not token:
        return None
    try:
        return identity_of(verifier.verify(token, SESSION_AUDIENCE))
    except UnauthenticatedError:
        return None


def issue_hand_over(issuer: TokenIssuer, identity: Identity, workshop: str) -> str:
    """A token that signs a person in at a workshop's own address, where the console's cookie does not come, and nowhere else."""
    extra = {"name": identity.name}
    return issuer.issue(
        identity.id, HAND_OVER_AUDIENCE, seconds=HAND_OVER_SECONDS, workshop=workshop, roles=identity.roles, extra=extra
    )


def sign_in_link(issuer: TokenIssuer, url: str) -> str:
    """An address below `url` that signs its holder in as author, for as long as the link is fresh."""
    token = issuer.issue(
        LOCAL_AUTHOR.id,
        SIGN_IN_AUDIENCE,
        seconds=SIGN_IN_SECONDS,
        roles=LOCAL_AUTHOR.roles,
        extra={"name": LOCAL_AUTHOR.name},
    )
    return f"{url}/sign-in?token={token}"
