"""Single HTML tags in Markdown: which become Markdown, which stay, which are lost."""

import html
import re
from dataclasses import dataclass, field

TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(?P<close>/?)(?P<name>[A-Za-z][\w-]*+)(?P<attributes>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"([A-Za-z_:][\w:.-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")

_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "tt": "`", "del": "~~", "s": "~~", "strike": "~~"}
_WRAPPERS = frozenset(
    {
        "p", "div", "center", "span", "font", "section", "article", "main", "header", "footer", "nav", "aside",
        "figure", "picture", "source", "big", "small", "u", "summary", "details", "ul", "ol", "html", "body", "head",
        "link", "meta", "label", "wbr",
    }
)  # fmt: skip
_KEPT = frozenset(
    {
        "kbd", "sub", "sup", "ins", "mark", "abbr", "br", "table", "thead", "tbody", "tfoot", "tr", "td", "th",
        "caption", "colgroup", "col", "pre", "dl", "dt", "dd", "ruby", "rt", "rp", "q", "cite", "var", "samp", "dfn",
    }
)  # fmt: skip
LOST = frozenset(
    {
        "script", "style", "iframe", "video", "audio", "embed", "object", "form", "input", "button", "select",
        "textarea", "canvas", "applet", "svg", "math", "noscript",
    }
)  # fmt: skip
KEPT_WHOLE = re.compile(r"<(?:table|pre)\b", re.IGNORECASE)
_NEAR = 500
"""Characters on either side of a rule that are looked at for words on its line."""
_SWALLOWED = re.compile(r"<(script|style|svg|math|noscript|select)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)


@dataclass
class TagWriter:
    """Rewrites text with tags as Markdown; line ends inside tags stay, so that lines keep their number.

    Attributes:
        block: Whether the text is a block of its own (headings and list items can be written) or stands inside a paragraph.
        lost: `(offset, tag, sentence)` of what cannot be carried over.
        anchors: `(offset, name)` of places that other pages may link to.
    """

    block: bool
    lost: list[tuple[int, str, str]] = field(default_factory=list)
    anchors: list[tuple[int, str]] = field(default_factory=list)
    _links: list[str] = field(default_factory=list)

    def block_text(self, text: str) -> str:
        """A whole block of HTML as Markdown."""

        def swallow(match: re.Match[str]) -> str:
            self.lost.append((match.start(), match[1].lower(), f"`<{match[1].lower()}>` and what it holds is left out."))
            return "\n" * match[0].count("\n")

        out: list[str] = []
        last = passed = 0
        swallowed = [(m.start(), m.end(), swallow(m)) for m in _SWALLOWED.finditer(text)]
        for match in TAG.finditer(text):
            while passed < len(swallowed) and swallowed[passed][1] <= match.start():
                passed += 1
            hole = swallowed[passed] if passed < len(swallowed) else None
            if hole and hole[0] <= match.start():
                if match.start() == hole[0]:
                    out += [text[last : hole[0]], hole[2]]
                    last = hole[1]
                continue
            if match.start() < last:
                continue
            written = self.tag(match[0], match.start()) if not _is_beside_words(match, text) else ""
            out += [text[last : match.start()], written, "\n" * match[0].count("\n")]
            last = match.end()
        return "".join([*out, text[last:]])

    def tag(self, text: str, offset: int) -> str:  # noqa: C901 - one branch for each kind of tag
        """One tag (or comment) as Markdown."""
        match = TAG.fullmatch(text)
        if match is None or match["name"] is None:
            return ""
        name, closing = match["name"].lower(), bool(match["close"])
        attributes = attributes_of(match["attributes"])
        if not closing and (anchor := attributes.get("id") or (attributes.get("name") if name == "a" else "")):
            self.anchors.append((offset, anchor))
        if name == "img":
            return "" if closing else _image(attributes)
        if name == "a":
            return self._link(attributes, closing)
        if name in _MARKS:
            return _MARKS[name]
        if name in LOST:
            return self._lost(name, attributes, closing, offset)
        if re.fullmatch(r"h[1-6]", name):
            return "" if closing or not self.block else "#" * int(name[1]) + " "
        if name == "li":
            return "" if closing or not self.block else "- "
        if name == "hr":
            return "***" if self.block else ""
        if name == "br" and self.block:
            return ""
        if name == "blockquote":
            return "" if closing or not self.block else "> "
        if name == "figcaption":
            return "*"
        if name in _WRAPPERS:
            return ""
        if name in _KEPT:
            return " ".join(text.split())
        self.lost.append((offset, "unknown", f"<{match['close']}{match['name']}>"))
        return "\\" + " ".join(text.split())

    def _link(self, attributes: dict[str, str], closing: bool) -> str:
        if closing:
            return self._links.pop() if self._links else ""
        href = attributes.get("href", "")
        self._links.append(f"]({destination(href)})" if href else "")
        return "[" if href else ""

    def _lost(self, name: str, attributes: dict[str, str], closing: bool, offset: int) -> str:
        if closing:
            return ""
        address = attributes.get("src") or attributes.get("data") or ""
        stands = f"a link to {address} stands in its place" if address else "it is left out"
        self.lost.append((offset, name, f"`<{name}>` cannot be shown in a step; {stands}."))
        return f"[{attributes.get('title') or name}]({destination(address)})" if address else ""


def _is_beside_words(match: re.Match[str], text: str) -> bool:
    """Whether a rule stands on one line with words, such as the heading that it underlines, where it would be one of them."""
    if match["name"] is None or match["name"].lower() != "hr":
        return False
    before = text[max(0, match.start() - _NEAR) : match.start()].rpartition("\n")[2]
    after = text[match.end() : match.end() + _NEAR].partition("\n")[0]
    return any(TAG.sub("", part).strip() for part in (before, after))


def _image(attributes: dict[str, str]) -> str:
    alt = re.sub(r"[\[\]|\\\n]+", " ", attributes.get("alt", "")).strip()
    source = attributes.get("src") or attributes.get("data-src", "")
    return f"![{alt}]({destination(source)})"


def attributes_of(text: str) -> dict[str, str]:
    """Attributes of a tag by lower-case name, entities resolved."""
    return {name.lower(): html.unescape(a or b or c or "").strip() for name, a, b, c in _ATTRIBUTE.findall(text)}


def destination(target: str) -> str:
    """A link target as it can stand between round brackets."""
    target = re.sub(r"[\x00-\x1f\x7f]+", "", target)
    if re.search(r"[\s<>()]", target):
        return "<" + target.replace("<", "%3C").replace(">", "%3E") + ">"
    return target
