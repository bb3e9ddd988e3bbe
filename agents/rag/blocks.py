"""Reads a Markdown text into blocks that know their lines: the smallest pieces that chunking may put together, and seldom cuts.

Every block is a run of whole lines. Headings make sections; a list item with all it holds is a block, so is a fenced code
block, a table and a paragraph. Nothing is rendered and no text is changed.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from shared_services.contracts.workshop import parse_fence_info

BlockKind = Literal["prose", "command", "code", "output", "heading"]

COMMAND_LANGUAGES = frozenset(
    ["sh", "bash", "shell", "zsh", "console", "shell-session", "terminal", "powershell", "pwsh", "ps1", "bat", "cmd", "fish"]
)

_PIECES = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(\[*_`]*[A-Z0-9])|(?<=[。！？])")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A run of whole lines.

    Attributes:
        first: First line, from 1.
        last: Last line, inclusive.
        kind: What it holds; `heading` for a heading line itself.
        title: The heading's text.
        level: The heading's level, from 1.
        parts: The blocks inside a container (a list item, a quotation) that is too long to stay whole.
    """

    first: int
    last: int
    kind: BlockKind
    title: str = ""
    level: int = 0
    parts: tuple["Block", ...] = field(default=(), repr=False)


def pieces(text: str) -> int:
    """About how many word pieces a BERT-like model reads in `text`: an estimate that needs no model, good to a quarter."""
    total = 0
    for match in _PIECES.finditer(text):
        run = match[0]
        if not run.isascii() and run.isalpha():
            total += len(run)
        elif len(run) > 3 and run.isdigit():
            total += math.ceil(len(run) / 2)
        else:
            total += math.ceil(len(run) / 8)
    return total


def sentences(text: str) -> list[str]:
    """The sentences of a text; joined, they are the text."""
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(cuts) if end > start]


def split_lines(text: str) -> list[str]:
    r"""The lines of a text as an editor counts them (`\n`, `\r\n`, `\r`), ends kept; joined, they are the text."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a CommonMark text (with tables), in order; comments, blank lines and tables of contents belong to none."""
    root = SyntaxTreeNode(_PARSER.parse(text))
    lines = split_lines(text)
    return [trimmed for block in _blocks(root.children) if (trimmed := _trimmed(block, lines))]


def _trimmed(block: Block, lines: list[str]) -> Block | None:
    first, last = block.first, min(block.last, len(lines))
    while last >= first and not lines[last - 1].strip():
        last -= 1
    while first <= last and not lines[first - 1].strip():
        first += 1
    if first > last or _COMMENT.fullmatch("".join(lines[first - 1 : last])):
        return None
    parts = tuple(part for part in (_trimmed(part, lines) for part in block.parts) if part)
    return Block(first, last, block.kind, block.title, block.level, parts)


def _blocks(nodes: list[SyntaxTreeNode]) -> Iterator[Block]:
    for node in nodes:
        if node.map is None:
            continue
        first, last = node.map[0] + 1, node.map[1]
        if node.type in ("bullet_list", "ordered_list"):
            if not _is_table_of_contents(node):
                yield from _blocks(node.children)
        elif node.type == "heading":
            yield Block(first, last, "heading", _plain(node), int(node.tag[1:]))
        elif node.type in ("fence", "code_block"):
            yield Block(first, last, _code_kind(node.info if node.type == "fence" else ""))
        elif node.type in ("list_item", "blockquote"):
            parts = tuple(_blocks(node.children))
            yield Block(first, last, dominant([part.kind for part in parts]), parts=parts)
        else:
            yield Block(first, last, "prose")


def _is_table_of_contents(node: SyntaxTreeNode) -> bool:
    """Whether a list holds nothing but links to other places of the workshop: it names what stands elsewhere and says nothing."""
    texts = [child for child in node.walk() if child.type == "inline"]
    leaves = [leaf for text in texts for leaf in text.children if leaf.type != "text" or leaf.content.strip()]
    return len(texts) > 1 and all(
        leaf.type == "softbreak" or (leaf.type == "link" and "://" not in str(leaf.attrs.get("href", ""))) for leaf in leaves
    )


def _code_kind(info: str) -> BlockKind:
    fence = parse_fence_info(info)
    if fence.output:
        return "output"
    return "command" if fence.executable or fence.language in COMMAND_LANGUAGES else "code"


def _plain(node: SyntaxTreeNode) -> str:
    return "".join(
        child.content if child.type in ("text", "code_inline") else " "
        for child in node.walk()
        if child.type in ("text", "code_inline", "softbreak", "hardbreak")
    ).strip()


def dominant(kinds: list[BlockKind]) -> BlockKind:
    """The kind of blocks taken together: a command makes it a command, then code, then output; otherwise prose."""
    for kind in ("command", "code", "output"):
        if kind in kinds:
            return kind
    return "prose"
