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
