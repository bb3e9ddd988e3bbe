"""Names on the command line, checked before they become a part of an address."""

import argparse
import re

from shared_services.contracts.base import SLUG_PATTERN


def workshop_name(text: str) -> str:
    """A workshop's slug, as it is.

    Raises:
        argparse.ArgumentTypeError: No workshop can have this name.
    """
    if re.fullmatch(SLUG_PATTERN, text) is None:
        raise argparse.ArgumentTypeError(
            f"no workshop is called {text[:80]!r}: a name is 1 to 63 lower-case letters, digits and hyphens"
        )
    return text


def document_id(text: str) -> str:
    """A shared document's id, as it is.

    Raises:
        argparse.ArgumentTypeError: No document can have this id.
    """
    if re.fullmatch(SLUG_PATTERN, text) is None:
        raise argparse.ArgumentTypeError(f"no document has the id {text[:80]!r}; `workshop documents list` names them")
    return text
