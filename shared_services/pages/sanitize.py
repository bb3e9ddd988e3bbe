"""The last gate before a page: what leaves here can run no script and load nothing from elsewhere.

An allow-list over the whole result, our own markup included; nothing is kept because of where it came from.
"""

import re

import nh3

from shared_services.pages.highlight import CLASSES

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCKS = {
    "blockquote",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "summary",
    "ul",
}
_TABLE = {"table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_WORDS = {"a", "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "img", "ins", "kbd", "mark", "q", "s", "samp", "small"}
_WORDS |= {"span", "strong", "sub", "sup", "u", "var"}
RAW_TAGS = frozenset(_HEADINGS | _BLOCKS | _TABLE | _WORDS)
"""Tags that a workshop's own HTML may use."""

_CODE = {"script", "style", "template", "noscript", "object", "applet", "canvas", "map", "svg", "math"}
_PLAIN = {"head", "title", "textarea", "select", "xmp", "noembed", "noframes", "plaintext", "frameset"}
DROPPED_WITH_CONTENT = frozenset(_CODE | _PLAIN)
"""Tags that go with everything inside them."""

_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"data-line", "title"},
    "a": {"href", "rel", "target", "data-n", "aria-label"},
    "button": {"type", "hidden"},
    "details": {"open"},
    "div": {"role", "aria-label"},
    "figure": {"data-commands", "data-exec", "data-language"},
    "img": {"src", "alt", "loading", "decoding", "width", "height"},
    "ol": {"start"},
    "span": {"role", "aria-label", "aria-hidden"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    **{heading: {"id"} for heading in _HEADINGS},
}
_ALIGN = {"align-left", "align-center", "align-right"}
_CLASSES: dict[str, set[str]] = {
    "a": {"citation", "anchor", "remote"},
    "button": {"copy"},
    "code": {"short"},
    "div": {"table-scroll", "code-bar"},
    "figure": {"code", "exec", "plain", "output"},
    "p": {"note", "heading", "cut", "cites"},
    "span": {"variable", "task", "done", "open", "missing", "remote-note", "code-label", "code-flag", *CLASSES},
    "td": _ALIGN,
    "th": _ALIGN,
}

_OWN_ADDRESS = re.compile(r"/(?![/\\])")


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """Images come from this server alone; no id of a text can be one of the page's own, which have a colon."""
    if name == "src":
        return value if _OWN_ADDRESS.match(value) else None
    if name == "type":
        return value if value == "button" else None
    return value if name != "id" or ":" not in value else None


_CLEANER = nh3.Cleaner(
    tags=set(RAW_TAGS) | {"button"},
    clean_content_tags=set(DROPPED_WITH_CONTENT),
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    allowed_classes=_CLASSES,
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)


def sanitize(html: str) -> str:
    """HTML with only the tags, attributes, classes and schemes of the allow-list; well formed."""
    return _CLEANER.clean(html)
