"""The rewriting engine that every Markdown form shares: a prepared page in, the neutral form's CommonMark out, row for row.

Links and images are found by the parser and edited in the raw lines, so everything that is not edited stays byte for byte.
"""

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field

from markdown_it.token import Token

from agents.template_converter.forms.fences import FenceReader, read_info
from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.links import Resolver, Target
from agents.template_converter.forms.parsing import Edits, Parsed, Places, Span, parse, places_of
from agents.template_converter.forms.tags import attributes_of, destination
from shared_services.contracts.conversion import Broken, Loss

_ATTRIBUTE_LIST = re.compile(r"\{[^{}\n]*\}")
_HTML_TARGET = re.compile(r"<(?P<tag>img|a)\b(?P<attributes>[^<>]*)>", re.IGNORECASE)
_KRAMDOWN_VALUE = r"(?:[.#][\w-]+|[\w-]+=(?:\"[^\"{}\n]*\"|'[^'{}\n]*'|[^\s{}\"']+))"
_KRAMDOWN = re.compile(rf"\{{:[ \t]*{_KRAMDOWN_VALUE}(?:[ \t]+{_KRAMDOWN_VALUE})*[ \t]*\}}")
"""Jekyll's attribute lists; they differ from other braces enough to be known on any page."""
_KRAMDOWN_BLOCK = re.compile(rf"^[\s>]*{_KRAMDOWN.pattern}[ \t]*$")
_BLOCK_ATTRIBUTES = re.compile(r"^[\s>]*+\{:[^{}\n]*+\}[ \t]*+$")
_MACRO = re.compile(
    r"\{\{[<%].{0,300}?[>%]\}\}|\{%.{0,300}?%\}|\{\{[^{}\n]{0,300}\}\}|:(?:material|octicons|fontawesome|simple)-[\w-]+:"
    r"|\[TOC\]|\[\^[^\[\]\s]+\]|\+\+[a-z0-9\"+-]+\+\+|:::\s*[\w.-]+"
)


@dataclass
class Rewritten:
    """A page in the neutral form; `lines` are as many as the page has, `dropped` are rows to leave out."""

    lines: list[Line]
    dropped: set[int] = field(default_factory=set)
    inserted: dict[int, list[Line]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    macros: Counter[str] = field(default_factory=Counter)
    macro_places: dict[str, Line] = field(default_factory=dict)

    def section(self, first: int, end: int) -> list[Line]:
        """Rows `[first, end)` as they stand in the result."""
        out: list[Line] = []
        for row in range(first, end):
            out += self.inserted.get(row, [])
            if row not in self.dropped:
                out.append(self.lines[row])
        return out


def rewrite(
    lines: list[Line], page: str, resolver: Resolver, *, attribute_lists: bool = False, fences: FenceReader = read_info
) -> Rewritten:
    """Rewrite code blocks' info strings, links and images of a page.

    Relative targets are resolved from `page`; `attribute_lists` says whether `{...}` after links and images is taken out,
    `fences` what info strings mean.
    """
    parsed = parse(lines)
    rewriter = _Rewriter(parsed, page, resolver, attribute_lists, fences, Rewritten(lines))
    return rewriter.run()


@dataclass
class _Rewriter:
    parsed: Parsed
    page: str
    resolver: Resolver
    attribute_lists: bool
    fences: FenceReader
    out: Rewritten
    edits: Edits = field(default_factory=Edits)
    cursors: dict[int, int] = field(default_factory=dict)

    def run(self) -> Rewritten:
        code = self.parsed.code_rows()
        for token in self.parsed.tokens:
            if token.map is None:
                continue
            if token.type == "fence":
                self._fence(token)
            elif token.type == "html_block":
                for row in range(*token.map):
                    self._html_row(row)
            elif token.type == "inline":
                self._inline(token)
        for row, line in enumerate(self.parsed.lines):
            of_block = _BLOCK_ATTRIBUTES if self.attribute_lists else _KRAMDOWN_BLOCK
            if row not in code and of_block.match(line.text):
                self.out.dropped.add(row)
        for row in self.parsed.footnotes - code:
            # Without the mark, the footnote would be a link's definition, which nobody sees.
            self.edits.set(row, (column := self.parsed.lines[row].text.index("[^")), column, "\\")
        self.out.lines = self.edits.apply(self.parsed.lines)
        self.out.dropped |= self.parsed.definitions - code
        return self.out

    def _fence(self, token: Token) -> None:
        assert token.map is not None
        row = token.map[0]
        line = self.parsed.lines[row]
        column = line.text.find(token.markup)
        info, title = self.fences(token.info, token.content)
        if column < 0:
            return
        after = column + len(token.markup)
        if line.text[after:] != str(info):
            self.edits.set(row, after, len(line.text), str(info))
        if title:
            self._block_title(row, line, line.text[:column], title)

    def _block_title(self, row: int, line: Line, prefix: str, title: str) -> None:
        if prefix.strip(" \t>"):
            self._lose(
                row, "attribute", f"The code block's title `{title}` is not shown: the block begins on a list item's own line."
            )
            return
        label = line.made(f"{prefix}**{title.replace('*', '')}**")
        self.out.inserted[row] = [line.made(prefix.rstrip()), label, line.made(prefix.rstrip())]

    def _inline(self, token: Token) -> None:
        places = places_of(token, self.parsed.lines, self.cursors)
        links = 0
        for child in token.children or []:
            span = child.meta.get("span")
            if child.type == "link_open":
                links += 1
                if isinstance(span, Span):
                    self._link(child, span, token, places)
            elif child.type == "link_close":
                links -= 1
            elif child.type == "image" and isinstance(span, Span):
                self._image(child, span, token, places, linked=links > 0)
            elif child.type == "html_inline" and isinstance(span, Span):
                self._html_tag(child, span, places)
            elif child.type == "text":
                self._macros(child.content, token)

    def _link(self, child: Token, span: Span, token: Token, places: Places) -> None:
        target = str(child.attrGet("href") or "")
        row = self._row(places, span.start, token)
        found = self.resolver.link(self._base(row, target), target)
        self._report(row, "link", target, found)
        if found.address is None:
            label = token.content[span.start + 1 : span.label_end]
            named = posixpath.basename(target.rstrip("/")) in label
            self._edit(places, span.start, span.start + 1, "", row, target)
            self._edit(
                places, span.label_end, span.end, "" if named or not target else f" (`{target.replace('`', '')}`)", row, target
            )
        else:
            title = str(child.attrGet("title") or "").replace('"', "&quot;").replace("\n", " ")
            tail = f"]({destination(found.address)}" + (f' "{title}")' if title else ")")
            if token.content[span.label_end : span.end] != tail and not (
                found.remote and token.content[span.label_end : span.label_end + 2] == "]("
            ):
                self._edit(places, span.label_end, span.end, tail, row, target)
        self._attribute_list(span, token, places)

    def _image(self, child: Token, span: Span, token: Token, places: Places, *, linked: bool) -> None:
        target = str(child.attrGet("src") or "")
        row = self._row(places, span.start, token)
        found = self.resolver.image(self._base(row, target), target)
        label = " ".join(token.content[span.start + 2 : span.label_end].split())
        name = label or posixpath.basename(target.partition("?")[0]) or "image"
        if found.remote:
            stands = "its description stands in the link around it" if linked else "a link to it stands in its place"
            found = Target(
                found.address, lost=f"The image {target} lies elsewhere, and pages load nothing from elsewhere; {stands}."
            )
            new = name if linked else f"[{name}]({destination(target)})"
        elif found.address is None:
            new = name if linked or "*" in name else f"*{name}*"
        else:
            title = str(child.attrGet("title") or "").replace('"', "&quot;").replace("\n", " ")
            new = f"![{label}]({found.address}" + (f' "{title}")' if title else ")")
        self._report(row, "image", target, found)
        if token.content[span.start : span.end] != new:
            self._edit(places, span.start, span.end, new, row, target)
        self._attribute_list(span, token, places)

    def _attribute_list(self, span: Span, token: Token, places: Places) -> None:
        match = (_ATTRIBUTE_LIST if self.attribute_lists else _KRAMDOWN).match(token.content, span.end)
        if match:
            self.edits.replace(places, match.start(), match.end(), "")

    def _edit(self, places: Places, start: int, end: int, text: str, row: int, target: str) -> None:
        if not self.edits.replace(places, start, end, text):
            self._lose(
                row, "link", f"`{target}` stands where it could not be rewritten; it is left as it was and may lead nowhere."
            )

    def _base(self, row: int, target: str) -> str:
        return self.resolver.base(self.page, self.parsed.lines[row].file, target)

    def _row(self, places: Places, offset: int, token: Token) -> int:
        segments = places.segments(offset, offset)
        assert token.map is not None
        return segments[0][0] if segments else token.map[0]

    def _html_tag(self, child: Token, span: Span, places: Places) -> None:
        new = _HTML_TARGET.sub(lambda match: self._html_target(match, places.rows[0][0]), child.content)
        if new != child.content:
            self.edits.replace(places, span.start, span.end, new)

    def _html_row(self, row: int) -> None:
        text = self.parsed.lines[row].text
        new = _HTML_TARGET.sub(lambda match: self._html_target(match, row), text)
        if new != text:
            self.edits.set(row, 0, len(text), new)

    def _html_target(self, match: re.Match[str], row: int) -> str:
        """An `<img>` or `<a>` inside HTML that is kept, with its target in the neutral form."""
        attributes = attributes_of(match["attributes"])
        image = match["tag"].lower() == "img"
        key = "src" if image else "href"
        if key not in attributes:
            return match[0]
        target = attributes[key]
        base = self._base(row, target)
        found = self.resolver.image(base, target) if image else self.resolver.link(base, target)
        if image and found.remote:
            self._lose(
                row,
                "image",
                f"The image {target} lies elsewhere, and pages load nothing from elsewhere; a link to it stands in its place.",
            )
            return f'<a href="{_escaped(target)}">{_escaped(attributes.get("alt") or "image")}</a>'
        self._report(row, "image" if image else "link", target, found)
        if found.address is None:
            return _escaped(attributes.get("alt", "")) if image else "<a>"
        alt = f' alt="{_escaped(attributes.get("alt", ""))}"' if image else ""
        return f'<{match["tag"].lower()} {key}="{_escaped(found.address)}"{alt}>'

    def _macros(self, text: str, token: Token) -> None:
        assert token.map is not None
        for match in _MACRO.finditer(text):
            if match[0].strip("{} ") in self.resolver.variables:
                continue
            kind = _macro_kind(match[0])
            self.out.macros[kind] += 1
            self.out.macro_places.setdefault(kind, self.parsed.lines[token.map[0]])

    def _report(self, row: int, kind: str, target: str, found: Target) -> None:
        line = self.parsed.lines[row]
        if found.broken:
            self.out.broken.append(Broken(kind=kind, source=line.file, line=line.number, target=target, detail=found.broken))
        if found.lost:
            self._lose(row, kind, found.lost)

    def _lose(self, row: int, kind: str, detail: str) -> None:
        line = self.parsed.lines[row]
        self.out.losses.append(Loss(kind=kind, source=line.file, line=line.number, detail=detail))


def _macro_kind(text: str) -> str:
    """What a shortcode is listed under: its mark and its first word."""
    if text.startswith("[^"):
        return "footnote `[^…]`"
    if text.startswith("++"):
        return "keys `++…++`"
    if text.startswith(":") and text.endswith(":"):
        return f"icon `:{text.strip(':').partition('-')[0]}-…:`"
    word = re.search(r"[\w.$-]+", text)
    mark = re.match(r"\{\{[<%]?|\{%|:::|\[", text)
    return f"`{mark[0] if mark else ''} {word[0] if word else ''} …`"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def macro_losses(pages: list[Rewritten], tags: list[tuple[Line, str]]) -> list[Loss]:
    """One row per kind of shortcode or unknown tag, with how often it stands in the pages."""
    counts: Counter[str] = Counter()
    places: dict[str, Line] = {}
    for page in pages:
        counts.update(page.macros)
        for kind, line in page.macro_places.items():
            places.setdefault(kind, line)
    for line, tag in tags:
        kind = f"tag `{tag.lower()}`"
        counts[kind] += 1
        places.setdefault(kind, line)
    return _counted(counts, places)


def counted_losses(found: list[tuple[Line, str]]) -> list[Loss]:
    """One row per kind of what an importer does not know and leaves as text: `(where, kind)` of each."""
    places: dict[str, Line] = {}
    for line, kind in found:
        places.setdefault(kind, line)
    return _counted(Counter(kind for _, kind in found), places)


def _counted(counts: Counter[str], places: dict[str, Line]) -> list[Loss]:
    return [
        Loss(
            kind="macro",
            source=places[kind].file,
            line=places[kind].number,
            detail=f"{kind} is not known and is shown as text ({count} times).",
        )
        for kind, count in counts.items()
    ]
