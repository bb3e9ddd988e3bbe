"""What a hint must not give away: the commands of a step and of its solution, however a model dresses them up."""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt

from shared_services.contracts.workshop import parse_fence_info

SHORT = 8
"""Commands with fewer characters occur in ordinary words by chance; they count only where they stand alone as code."""

_PROMPT = re.compile(r"^\s*(?:[$#>%]|PS [^>]*>|>>>|\.\.\.)\s+")
_DRESSING = re.compile(r"[\s*_`~\\'\"\u200b-\u200f\u2060\ufeff\u00ad]+")
_COMMENT = re.compile(r"^\s*(?:#|//|--|<!--|REM\b)")
_REMARK = re.compile(r"\s+#\s.*$")
_READER = MarkdownIt("commonmark")


def folded(text: str) -> str:
    """The text without white space, quotes, markup and invisible characters, in lower case."""
    return _DRESSING.sub("", text).casefold()


def code_of(markdown: str) -> tuple[list[str], list[str]]:
    """The contents of fences and of inline code spans."""
    fences, spans = [], []
    for token in _READER.parse(markdown):
        if token.type in ("fence", "code_block") and not parse_fence_info(token.info).output:
            fences.append(token.content)
        spans += [child.content for child in token.children or () if child.type == "code_inline"]
    return fences, spans


def commands_of(*texts: str) -> frozenset[str]:
    """The folded commands in fences of Markdown texts: each line, with lines that go on by a backslash joined."""
    found = set()
    for text in texts:
        for fence in code_of(text)[0]:
            for line in re.sub(r"\\\n\s*", " ", fence).splitlines():
                if not _COMMENT.match(line) and (command := folded(_PROMPT.sub("", _REMARK.sub("", line)))):
                    found.add(command)
    return frozenset(found)


def reveals(commands: Iterable[str], block: str, before: str = "") -> bool:
    """Whether a block gives one of the folded `commands` away, alone or together with the end of the text `before` it."""
    text = folded(before)[-2_000:] + folded(block)
    alone: set[str] | None = None
    for command in commands:
        if len(command) >= SHORT:
            if command in text:
                return True
            continue
        if alone is None:
            fences, spans = code_of(block)
            lines = [line for fence in fences for line in fence.splitlines()]
            alone = {folded(_PROMPT.sub("", piece)) for piece in [*lines, *spans]}
        if command in alone:
            return True
    return False
