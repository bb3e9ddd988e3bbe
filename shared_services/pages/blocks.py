"""The markdown-it parser and renderer, bent to our pages: code blocks with a bar, tables that scroll, links that are checked.

The parser's own check of links is off, because every address is judged in `addresses`; so a dangerous link keeps its text.
"""

import re
import time
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from shared_services.contracts.workshop import parse_fence_info
from shared_services.pages.addresses import LinkResolver, classify, host_of
from shared_services.pages.highlight import MAX_SECONDS, VARIABLE, highlight, language_label, variable_html
from shared_services.pages.raw_html import RawHtml
from shared_services.pages.sessions import session_commands

MAX_INLINE_CHARACTERS = 12_000
"""A longer run of inline text is shown as it is: no author writes such a paragraph, and parsing it can take minutes."""

MAX_COMMANDS = 20_000
"""Longer sessions are copied as they stand."""

SHORT_CODE_CHARACTERS = 24
CITATION = re.compile(r"\[(\d{1,3})\]")
_TASK = re.compile(r"^\[([ xX])\]\s+")
_AWAY = 'rel="noopener noreferrer" target="_blank"'
_LINED = {
    "paragraph_open",
    "heading_open",
    "bullet_list_open",
    "ordered_list_open",
    "blockquote_open",
    "fence",
    "code_block",
    "hr",
}
_LINED |= {"table_open", "html_block"}


@dataclass
class Rendering:
    """What one run of the renderer knows and gathers.

    Attributes:
        link: Resolver of relative addresses.
        variables: Names shown as placeholders; None for every name.
        prefix: Stands before each anchor, for a text that shares its page with another.
        lower: By how many levels headings are lowered.
        answer: Whether it is an answer: citations are linked, headings have no anchors.
        seconds: Processor time left for colouring code.
        headings: (level, title, anchor), in order.
    """

    link: LinkResolver
    variables: Collection[str] | None = None
    prefix: str = ""
    lower: int = 0
    answer: bool = False
    seconds: float = 1.0
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    slugs: dict[str, int] = field(default_factory=dict)
    open_links: int = 0

    def anchor(self, title: str) -> str:
        """GitHub's anchor for a heading, numbered where it comes again."""
        slug = self.prefix + heading_slug(title)
        seen = self.slugs.get(slug, 0)
        self.slugs[slug] = seen + 1
        return f"{slug}-{seen}" if seen else slug

    def open_link(self, raw: str, title: str = "") -> str:
        """An opening `<a>`, or nothing where the address leads nowhere."""
        address = classify(raw)
        if address is None:
            return ""
        href = address.href if address.kind != "relative" else self.link(address.href)
        if href is None or (self.answer and address.kind == "fragment"):
            return ""
        rel = f" {_AWAY}" if address.kind == "external" else ""
        hint = f' title="{escape(title)}"' if title else ""
        return f'<a href="{escape(href)}"{hint}{rel}>'

    def image(self, raw: str, alt: str, sizes: str = "") -> str:
        """An image of the workshop's own; a link where it lies elsewhere; its description where it is missing."""
        address = classify(raw)
        words = escape(alt)
        if address is not None and address.kind == "external":
            if self.open_links:
                return words
            host = escape(host_of(address.href))
            return (
                f'<a class="remote" href="{escape(address.href)}" {_AWAY}>{words or "Image"}</a> '
                f'<span class="remote-note">(image on {host}, not loaded)</span>'
            )
        href = self.link(address.href) if address is not None and address.kind == "relative" else None
        if href is None:
            return f'<span class="missing" title="This image is not in the workshop">{words or "Image missing"}</span>'
        return f'<img src="{escape(href)}" alt="{words}" loading="lazy" decoding="async"{sizes}>'


def heading_slug(title: str) -> str:
    """A heading's anchor as GitHub makes it: lower case, punctuation dropped, spaces to hyphens."""
    kept = "".join(c for c in title.strip().lower() if c in " -_" or unicodedata.category(c)[0] in "LNM")
    return kept.replace(" ", "-")


def plain_text(tokens: Sequence[Token]) -> str:
    """The words of inline tokens, without markup."""
    parts: list[str] = []
    for token in tokens:
        if token.type in {"text", "code_inline", "variable"}:
            parts.append(token.content)
        elif token.type == "image":
            parts.append(plain_text(token.children or []))
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
    return "".join(parts).strip()


class BlockRenderer(RendererHTML):
    """Renders tokens; the run's `Rendering` stands in `env["rendering"]`."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A code block."""
        return _code_block(tokens[idx], env["rendering"])

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An indented code block."""
        return _code_block(tokens[idx], env["rendering"])

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Code within text; a short piece is not broken at a line's end, or `--all` would become `-` and `-all`."""
        code = tokens[idx].content
        short = ' class="short"' if len(code) <= SHORT_CODE_CHARACTERS else ""
        return f"<code{short}>{escape(code)}</code>"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link's beginning."""
        run: Rendering = env["rendering"]
        opening = run.open_link(str(tokens[idx].attrGet("href") or ""), str(tokens[idx].attrGet("title") or ""))
        tokens[idx].meta["open"] = bool(opening)
        env.setdefault("links", []).append(bool(opening))
        run.open_links += 1
        return opening

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link's end, where it had a beginning."""
        env["rendering"].open_links -= 1
        return "</a>" if env["links"].pop() else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An image."""
        run: Rendering = env["rendering"]
        return run.image(str(tokens[idx].attrGet("src") or ""), plain_text(tokens[idx].children or []))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A block of raw HTML."""
        run: Rendering = env["rendering"]
        return RawHtml(run.open_link, run.image, str(tokens[idx].attrGet("data-line") or "")).rewrite(tokens[idx].content)

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A raw tag within text."""
        run: Rendering = env["rendering"]
        return RawHtml(run.open_link, run.image).rewrite(tokens[idx].content)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A table's beginning, in a box that scrolls."""
        line = tokens[idx].attrGet("data-line")
        lines = f' data-line="{line}"' if line else ""
        return f'<div class="table-scroll" role="region" aria-label="Table"{lines}><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A table's end."""
        return "</table></div>\n"

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A heading's beginning; an answer has no headings of its own in the page's outline."""
        run: Rendering = env["rendering"]
        if run.answer:
            return '<p class="heading">'
        token = tokens[idx]
        title = plain_text(tokens[idx + 1].children or [])
        anchor = run.anchor(title)
        token.meta["anchor"] = anchor
        token.tag = tokens[idx + 2].tag = f"h{min(6, int(token.tag[1]) + run.lower)}"
        run.headings.append((int(token.tag[1]), title, anchor))
        line = token.attrGet("data-line")
        lines = f' data-line="{line}"' if line else ""
        return f'<{token.tag} id="{escape(anchor)}"{lines}>'

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A heading's end, with the link to itself."""
        run: Rendering = env["rendering"]
        if run.answer:
            return "</p>\n"
        level, title, anchor = run.headings[-1]
        link = ""
        if anchor and level > 1:
            link = f' <a class="anchor" href="#{escape(anchor)}" aria-label="Link to “{escape(title)}”">#</a>'
        return f"{link}</{tokens[idx].tag}>\n"

    def variable(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A placeholder."""
        return variable_html(tokens[idx].content)

    def citation(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A reference to a passage."""
        n = tokens[idx].content
        return f'<a class="citation" href="#citation-{n}" data-n="{n}">[{n}]</a>'

    def task(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A task list's box."""
        done = tokens[idx].content == "done"
        return f'<span class="task {"done" if done else "open"}" role="img" aria-label="{"Done" if done else "To do"}"></span>'


def _code_block(token: Token, run: Rendering) -> str:
    info = parse_fence_info(token.info) if token.type == "fence" else parse_fence_info("")
    kind = "exec" if info.executable else "output" if info.output else "plain"
    label = "Output" if info.output else language_label(info.language)
    flag = ""
    if info.executable:
        where = f" on {escape(info.target[:40])}" if info.target else ""
        flag = f'<span class="code-flag">Run in your terminal{where}</span>'
    data = f' data-exec="{escape(info.target or "default")}"' if info.executable else ""
    data += f' data-language="{escape(info.language[:30])}"' if info.language else ""
    commands = None if info.output or "{{" in token.content else session_commands(token.content, info.language)
    data += f' data-commands="{escape(commands)}"' if commands and len(commands) <= MAX_COMMANDS else ""
    line = token.attrGet("data-line")
    data += f' data-line="{line}"' if line else ""
    began = time.thread_time()
    language = "" if info.output else info.language
    code = highlight(token.content.rstrip("\n"), language, run.variables, min(MAX_SECONDS, run.seconds))
    run.seconds -= time.thread_time() - began
    return (
        f'<figure class="code {kind}"{data}><div class="code-bar"><span class="code-label">{escape(label)}</span>{flag}'
        f'<button type="button" class="copy" hidden>Copy</button></div><pre><code>{code}\n</code></pre></figure>\n'
    )


def _inline(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(token.content) > MAX_INLINE_CHARACTERS:
            token.children = [Token("text", "", 0, content=token.content)]
        else:
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _lines(state: StateCore) -> None:
    for token in state.tokens:
        # Code carries its lines however deep it lies: what is asked about a block names them.
        wanted = (token.level == 0 and token.type in _LINED) or token.type in {"list_item_open", "fence", "code_block"}
        if wanted and token.map and not state.env["rendering"].answer:
            token.attrSet("data-line", f"{token.map[0] + 1}-{max(token.map[1], token.map[0] + 1)}")
        if token.type in {"th_open", "td_open"} and token.attrs.get("style"):
            side = str(token.attrs.pop("style")).rpartition(":")[2]
            token.attrSet("class", f"align-{side}")


def _tasks(state: StateCore) -> None:
    for at, token in enumerate(state.tokens):
        if token.type != "inline" or at < 2 or state.tokens[at - 2].type != "list_item_open" or not token.children:
            continue
        first = token.children[0]
        match = _TASK.match(first.content) if first.type == "text" else None
        if match:
            first.content = first.content[match.end() :]
            token.children.insert(0, Token("task", "", 0, content="open" if match[1] == " " else "done"))


def _marks(state: StateCore) -> None:
    run: Rendering = state.env["rendering"]
    for at, token in enumerate(state.tokens):
        if token.type == "inline" and token.children:
            token.children = _marked(token.children, run)
            only = all(child.type == "citation" or not child.content.strip() for child in token.children)
            if run.answer and only and state.tokens[at - 1].type == "paragraph_open":
                state.tokens[at - 1].attrSet("class", "cites")


def _marked(children: list[Token], run: Rendering) -> list[Token]:
    """Split text at variables and, in answers, at citations outside links."""
    result: list[Token] = []
    links = 0
    for child in children:
        links += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type != "text":
            result.append(child)
        elif run.answer:
            result.extend(_split(child.content, CITATION, "citation", None) if not links else [child])
        else:
            result.extend(_split(child.content, VARIABLE, "variable", run.variables))
    return result


def _split(text: str, pattern: re.Pattern[str], kind: str, names: Collection[str] | None) -> list[Token]:
    parts: list[Token] = []
    end = 0
    for match in pattern.finditer(text):
        if names is not None and match[1] not in names:
            continue
        parts += [Token("text", "", 0, content=text[end : match.start()]), Token(kind, "", 0, content=match[1])]
        end = match.end()
    return [*parts, Token("text", "", 0, content=text[end:])]


def make_parser(*, references: bool) -> MarkdownIt:
    """A parser of CommonMark with tables, strikethrough and task lists.

    Args:
        references: Whether `[1]: address` defines a link; off for answers, whose `[1]` is a citation.
    """
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=BlockRenderer).enable(["table", "strikethrough"])
    if not references:
        parser.disable("reference")
    parser.core.ruler.at("inline", _inline)
    for name, rule in (("lines", _lines), ("tasks", _tasks), ("marks", _marks)):
        parser.core.ruler.push(name, rule)
    accept: Any = lambda _address: True  # noqa: E731
    parser.validateLink = accept  # type: ignore[method-assign]
    return parser
