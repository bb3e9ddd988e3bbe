"""The request header `Prefer` (RFC 7240). A preference may always be ignored; one that cannot be read is."""

import re
from collections.abc import Iterable

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def prefers_async(headers: Iterable[str]) -> bool:
    """Whether `Prefer` headers ask for `respond-async`: an answer at once, and the work afterwards.

    Args:
        headers: The values of every `Prefer` header of a request; each may list several preferences.
    """
    listed = [preference for header in headers for preference in _QUOTED.sub("", header).split(",")]
    names = [preference.partition(";")[0].strip().removesuffix("=").rstrip().lower() for preference in listed]
    return "respond-async" in names
