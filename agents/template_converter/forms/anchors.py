"""Names of headings, as links write them.

In the neutral form a fragment is what the page makes of the heading (`shared_services.pages`, as GitHub does it); sources also
write Python-Markdown's.
"""

import re
import unicodedata

from shared_services.contracts.base import SLUG_PATTERN

_SLUG = re.compile(SLUG_PATTERN)
_NO_DECOMPOSITION = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "ð": "d", "þ": "th", "œ": "oe"}
)


def pymarkdown_anchor(text: str) -> str:
    """The fragment that Python-Markdown's `toc` makes of a heading."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


class UniqueAnchors:
    """Numbers repeated names, as GitHub (`-1`) and Python-Markdown (`_1`) do."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._seen: dict[str, int] = {}

    def name(self, base: str) -> str:
        """`base`, with a number from its second use on."""
        count = self._seen.get(base, 0)
        self._seen[base] = count + 1
        return base if count == 0 else f"{base}{self._separator}{count}"


def slug(text: str, fallback: str = "") -> str:
    """A slug of the platform (a DNS label) from any text; `fallback` or empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_NO_DECOMPOSITION)).encode("ascii", "ignore").decode("ascii").lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(made) > 60:
        made = made[:60].rpartition("-")[0] or made[:60]
    made = made.strip("-")
    return made if _SLUG.match(made) else fallback


def unique_slug(base: str, taken: set[str]) -> str:
    """`base`, with a number where it is taken already; the result is added to `taken`."""
    made, count = base, 1
    while made in taken:
        count += 1
        made = f"{base[:58].rstrip('-')}-{count}"
    taken.add(made)
    return made
