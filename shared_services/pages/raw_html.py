"""Reads the HTML that stands inside a workshop's Markdown and writes the harmless part of it anew.

Nothing is passed through: every tag is written again from its name and its known attributes, so that classes, ids and
handlers of a repository never meet ours. Addresses go the same way as those of Markdown.
"""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from shared_services.pages.sanitize import DROPPED_WITH_CONTENT, RAW_TAGS

MAX_DEPTH = 60
_VOID = frozenset({"br", "hr", "img"})
_MEDIA = frozenset({"iframe", "video", "audio", "embed", "source"})
_KEPT = {
    "abbr": {"title"},
    "details": {"open"},
    "img": {"width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}

# Taken out before parsing: the standard library's parser takes quadratic time over many that never end.
_DECLARATIONS = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<[!?].*?(?:>|\Z)", re.DOTALL)

LinkOpener = Callable[[str], str]
ImageWriter = Callable[[str, str, str], str]


class RawHtml(HTMLParser):
    """Rewrites one piece of raw HTML.

    Args:
        open_link: Address -> an opening `<a>` tag, or nothing where it leads nowhere.
        image: Address, alternative text and size attributes -> HTML.
        line: The value of `data-line` for the first tag; empty for none.
    """

    def __init__(self, open_link: LinkOpener, image: ImageWriter, line: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self._open_link = open_link
        self._image = image
        self._line = line
        self._written: list[str] = []
        self._skipped: str | None = None
        self._depth = 0

    def rewrite(self, html: str) -> str:
        """The harmless part of `html`."""
        self.feed(_DECLARATIONS.sub("", html))
        self.close()
        return "".join(self._written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write an opening tag anew."""
        if self._skipped or tag in DROPPED_WITH_CONTENT:
            self._skipped = self._skipped or tag
            return
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag in _MEDIA:
            self._written.append(self._media(given.get("src", ""), tag))
        elif tag == "a":
            self._written.append(self._open_link(given.get("href", "")))
        elif tag == "img":
            self._written.append(self._image(given.get("src", ""), given.get("alt", ""), _attributes(given, _KEPT["img"])))
        elif tag in RAW_TAGS and (tag in _VOID or self._depth < MAX_DEPTH):
            self._depth += tag not in _VOID
            line = f' data-line="{escape(self._line)}"' if self._line else ""
            self._line = ""
            self._written.append(f"<{tag}{line}{_attributes(given, _KEPT.get(tag, set()))}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<tag/>`: the same as `<tag>`, except that dropped tags have no content to drop."""
        if tag not in DROPPED_WITH_CONTENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Write a closing tag anew."""
        if self._skipped:
            self._skipped = None if tag == self._skipped else self._skipped
        elif tag in RAW_TAGS and tag not in _VOID:
            self._depth = max(0, self._depth - (tag != "a"))
            self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Write text, escaped."""
        if not self._skipped:
            self._written.append(escape(data, quote=False))

    def _media(self, address: str, tag: str) -> str:
        opening = self._open_link(address) if address else ""
        kind = "audio" if tag == "audio" else "video or page"
        return f"{opening}Open the {kind} in its own tab</a> " if opening else ""


def _attributes(given: dict[str, str], names: set[str]) -> str:
    return "".join(f' {name}="{escape(given[name])}"' for name in sorted(names) if name in given)
