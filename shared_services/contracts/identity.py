"""Who is calling."""

from enum import StrEnum

from shared_services.contracts.base import Slug, WireModel


class Role(StrEnum):
    """What a person is to the platform; what each may do is one table in `shared_services.kit.identity`."""

    PARTICIPANT = "participant"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    OPS = "ops"
    ADMIN = "admin"


class Identity(WireModel):
    """A person, however they signed in: the author's link, a join code or OIDC.

    Attributes:
        id: Stable and opaque; prefixed by the way in (`author:`, `participant:`, `oidc:`).
        email: Only where an identity provider vouched for it.
        name: What other people see; may be empty.
        roles: At least one.
        workshop: The one workshop a participant's join code admits to; None for everybody else.
    """

    id: str
    email: str | None = None
    name: str = ""
    roles: frozenset[Role]
    workshop: Slug | None = None
