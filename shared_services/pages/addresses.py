"""Decides where an address found in a workshop's text may lead. Everything that is not known to be harmless leads nowhere."""

import posixpath
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

LinkResolver = Callable[[str], str | None]
"""A relative address as written (percent-encoded) -> the address on the page, or None where it leads nowhere."""

_IGNORED_BY_BROWSERS = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\ufeff]+")
_SCHEME = re.compile(r"^[^/?#]*?:")
_STEP_CONTENT = re.compile(r"^steps/([a-z0-9][-a-z0-9]{0,62})(?:/(?:content\.md)?)?$")


@dataclass(frozen=True)
class Address:
    """Where a link leads: `external` (http, https, mailto), `fragment` (this page) or `relative` (for a resolver)."""

    kind: Literal["external", "fragment", "relative"]
    href: str


def classify(raw: str) -> Address | None:
    """Read an address as a browser would; None for any scheme but http, https and mailto, and for what cannot be read."""
    address = _IGNORED_BY_BROWSERS.sub("", raw)
    if not address:
        return None
    if address.startswith("#"):
        return Address("fragment", address)
    slashed = address.replace("\\", "/")
    if slashed.startswith("//"):
        address = "https:" + slashed
    if not _SCHEME.match(address):
        return Address("relative", address)
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme in {"http", "https"} and parts.netloc and "\\" not in parts.netloc:
        return Address("external", address)
    return Address("external", address) if parts.scheme == "mailto" else None


def host_of(address: str) -> str:
    """The host that an external address names, for people to read."""
    return urlsplit(address).hostname or address


@dataclass(frozen=True)
class WorkshopLinks:
    """Resolves the addresses in one step's Markdown: other steps and the workshop's own files.

    Attributes:
        folder: The folder that the text stands in, e.g. `steps/deploy`.
        steps: Ids of the steps there are.
        files: Paths of the files there are.
        step_address: Step id -> its page.
        file_address: Path inside the workshop -> its address.
    """

    folder: str
    steps: Collection[str]
    files: Collection[str]
    step_address: Callable[[str], str]
    file_address: Callable[[str], str]

    def __call__(self, raw: str) -> str | None:
        """The page's address for a relative one, or None where the workshop has nothing there."""
        path, _, fragment = raw.partition("#")
        path = unquote(path.partition("?")[0])
        if "\\" in path or "\x00" in path:
            return None
        target = posixpath.normpath(posixpath.join(self.folder, path)) if not path.startswith("/") else path.strip("/")
        step = _STEP_CONTENT.match(target)
        if step and step[1] in self.steps:
            return self.step_address(step[1]) + (f"#{quote(unquote(fragment))}" if fragment else "")
        return self.file_address(target) if target in self.files else None
