"""Names that follow from a workshop's: they are the same in SQL, in manifests and in the script that deploys."""

import re

from shared_services.contracts.base import SLUG_PATTERN
from shared_services.kit.errors import BadInputError

MAX_NAME_CHARACTERS = 54
"""`NAME-workshop` is a namespace, and Kubernetes takes no more than 63 characters."""

ROLE_PREFIX = "w_"


def workshop_name(text: str) -> str:
    """A workshop's name, as it is.

    Raises:
        BadInputError: No workshop on a cluster can have this name.
    """
    if re.fullmatch(SLUG_PATTERN, text) is None or len(text) > MAX_NAME_CHARACTERS:
        raise BadInputError(
            f"No workshop is called {text[:80]!r}: a name is 1 to {MAX_NAME_CHARACTERS} lower-case letters, digits and hyphens, "
            "with a letter or digit at both ends."
        )
    return text


def role_of(workshop: str) -> str:
    """The role of a workshop's chat agent, and the schema of the same name; hyphens stay, so SQL has to quote it."""
    return f"{ROLE_PREFIX}{workshop}"


def namespace_of(workshop: str) -> str:
    """The namespace of a workshop."""
    return f"{workshop}-workshop"


def chat_address(workshop: str) -> str:
    """Where a workshop's chat agent answers inside the cluster."""
    return f"http://chat-agent.{namespace_of(workshop)}.svc:8080"
