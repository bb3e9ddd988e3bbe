"""The pieces of a passage that an answer can be made of: sentences, list items, code blocks, tables. Pure.

Each piece is the passage's own text. Only what would be dead or disturbing outside of its page is taken away: images, the
targets of links that lead to other pages, HTML tags, and the flags of a fence's info string.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared_services.contracts.workshop import parse_fence_info
from shared_services.llm.sentences import split_sentences

UnitKind = Literal["sentence", "item", "code", "table"]

_CODE_SPAN: Final = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_IMAGE: Final = re.compile(r"!\[(?:[^\[\]]|\[[^\]]*\])*\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])?")
_LINK: Final = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\](?:\(((?:[^()]|\([^()]*\))*)\)|\[[^\]]*\])")
_HELD_PLACES: Final = re.compile("[\ue000\ue001]")
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_ABSOLUTE: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """A piece of a passage.

    Attributes:
        markdown: CommonMark, as it is shown.
        plain: Its words, for matching.
        place: Position in the passage, from 0.
        group: Sentences of one paragraph, and items of one list, share it.
        lead: The unit's `place` that introduces this one: what stands right before a list, code block or table.
        ordered: An item of a numbered list.
        output: A code block that shows what a command prints.
    """

    kind: UnitKind
    markdown: str
    plain: str
    place: int
    group: int
    lead: int | None = None
    ordered: bool = False
    output: bool = False

    @property
    def prose_size(self) -> int:
        """Characters that count as prose: all but fenced code."""
        return len(_FENCE_BLOCK.sub("", self.markdown)) if self.kind != "code" else 0

    @property
    def code_blocks(self) -> int:
        """Fenced code blocks in it."""
        return len(_FENCE_BLOCK.findall(self.markdown))


_FENCE_BLOCK: Final = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n.*?^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


@lru_cache(maxsize=512)
def units_of(text: str) -> tuple[Unit, ...]:
    """The pieces of a passage's text, in order. Headings, rules and HTML are no pieces."""
    text = _outdented(text)
    found: list[Unit] = []
    _collect(_parser().parse(text), text.split("\n"), found, count())
    return tuple(found)


def _outdented(text: str) -> str:
    """The text less the indentation that it begins with: a passage may begin inside a list item, which is no indented code."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    width = len(first) - len(first.lstrip(" "))
    for index, line in enumerate(lines):
        if line.strip() and len(line) - len(line.lstrip(" ")) < width:
            break
        lines[index] = line[width:]
    return "\n".join(lines)


def _collect(tokens: Sequence[Token], lines: list[str], found: list[Unit], groups: "count[int]") -> None:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = _closing(tokens, at)
        match token.type:
            case "paragraph_open":
                _add_sentences(tokens[at + 1].content, found, next(groups))
            case "fence" | "code_block":
                _add_code(token, found, next(groups))
            case "bullet_list_open" | "ordered_list_open":
                _add_items(tokens[at + 1 : end], lines, found, next(groups), ordered=token.type.startswith("ordered"))
            case "table_open" if token.map:
                text = clean(_dedented(lines, *token.map))
                if text:
                    found.append(Unit("table", text, plain_words(text), len(found), next(groups), _lead(found)))
            case "blockquote_open":
                _collect(tokens[at + 1 : end], lines, found, groups)
            case _:
                pass
        at = end + 1


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Index of the token that closes the one at `at`; `at` itself for one that stands alone."""
    if tokens[at].nesting != 1:
        return at
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _add_sentences(content: str, found: list[Unit], group: int) -> None:
    for sentence in split_sentences(clean(content)):
        if re.search(r"\w", sentence):
            text = " ".join(sentence.split())
            found.append(Unit("sentence", text, plain_words(text), len(found), group))


def _add_code(token: Token, found: list[Unit], group: int) -> None:
    if not token.content.strip():
        return
    info = parse_fence_info(token.info)
    markdown = fence(token.content, info.language)
    found.append(Unit("code", markdown, token.content, len(found), group, _lead(found, items=True), output=info.output))


def _add_items(tokens: Sequence[Token], lines: list[str], found: list[Unit], group: int, *, ordered: bool) -> None:
    lead = _lead(found)
    at = 0
    while at < len(tokens):
        end = _closing(tokens, at)
        place = tokens[at].map
        if tokens[at].type == "list_item_open" and place:
            text = clean_block(_dedented(lines, *place))
            if re.search(r"\w", text.lstrip("-*+ ")):
                found.append(Unit("item", text, plain_words(text), len(found), group, lead, ordered=ordered))
        at = end + 1


def _lead(found: Sequence[Unit], *, items: bool = False) -> int | None:
    """The sentence directly before, which introduces what follows; with `items` a list item may too."""
    if not found or found[-1].kind not in ({"sentence", "item"} if items else {"sentence"}):
        return None
    return found[-1].place


def _dedented(lines: list[str], start: int, end: int) -> str:
    """Lines `start` to `end` (exclusive) less the first one's indentation and quote marks."""
    first = lines[start]
    quote = re.match(r"^(?:\s{0,3}>\s?)*", first)
    marks = quote.group() if quote else ""
    width = len(first) - len(first[len(marks) :].lstrip(" ")) - len(marks)
    out = []
    for line in lines[start:end]:
        rest = re.sub(r"^(?:\s{0,3}>\s?)+", "", line) if marks.strip() else line
        indent = len(rest) - len(rest.lstrip(" "))
        out.append(rest[min(indent, width) :])
    return "\n".join(out).strip("\n")


def fence(code: str, language: str, indent: str = "") -> str:
    """A fenced code block around `code`, its fence longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    mark = "`" * max(3, longest + 1)
    body = "\n".join(indent + line if line else line for line in code.rstrip("\n").split("\n"))
    return f"{indent}{mark}{language}\n{body}\n{indent}{mark}"


def clean_block(text: str) -> str:
    """`clean` for text that may hold fenced code, whose info strings keep their language alone."""
    out, at = [], 0
    for block in re.finditer(_FENCE_BLOCK.pattern, text, _FENCE_BLOCK.flags):
        out.append(clean(text[at : block.start()], strip=False))
        head, _, rest = block.group().partition("\n")
        mark = re.match(r"^([ \t]*(?:`{3,}|~{3,}))(.*)$", head)
        out.append(f"{mark.group(1)}{parse_fence_info(mark.group(2)).language}\n{rest}" if mark else block.group())
        at = block.end()
    out.append(clean(text[at:], strip=False))
    return "".join(out).strip()


def clean(text: str, *, strip: bool = True) -> str:
    """Text less images, tags and the targets of links inside the workshop; code spans stay as they are."""
    spans: list[str] = []

    def hide(match: re.Match[str]) -> str:
        spans.append(match.group())
        return f"\ue000{len(spans) - 1}\ue001"

    hidden = _CODE_SPAN.sub(hide, _HELD_PLACES.sub("", text))
    hidden = _IMAGE.sub("", hidden)
    hidden = _LINK.sub(lambda link: link.group() if _ABSOLUTE.match(link.group(2) or "") else link.group(1), hidden)
    hidden = _TAG.sub("", hidden)
    # A number in brackets of the author's own must not pass for a citation.
    hidden = re.sub(r"\[(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\](?!\()", r"\\[\1\\]", hidden)
    hidden = re.sub(r"(?<=\S) {2,}(?=\S)", " ", hidden)
    shown = re.sub("\ue000(\\d+)\ue001", lambda match: spans[int(match.group(1))], hidden)
    return shown.strip() if strip else shown


def plain_words(markdown: str) -> str:
    """Markdown less its marks and link targets, for matching words."""
    text = _LINK.sub(r"\1", markdown)
    return re.sub(r"[`*_#|>\[\]]+", " ", text)
