"""Where the links of an answer may lead: inside the workshop, or to where a passage that it rests on leads. Pure."""

import re
from collections.abc import Callable, Iterable

from shared_services.llm.folding import code_blocks

_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]"
    r"\(\s*(?P<target><[^<>\n]*>|(?:[^\s()<>]|\([^\s()]*\))*)(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_AUTOLINK = re.compile(r"<((?:[a-z][a-z0-9+.-]{1,31}:|mailto:)[^\s<>]*|[\w.+-]+@[\w.-]+)>", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w/(<\"'=`])(?:https?|ftp)://[^\s<>()\[\]`\"']*[^\s<>()\[\]`\"'.,;:!?*_]", re.IGNORECASE)
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*<?(?:[a-z][a-z0-9+.-]*:|www\.|\.{0,2}/).*$", re.MULTILINE | re.IGNORECASE)
_HTML = re.compile(
    r"</?(?:a|img|iframe|script|form|area|base|link|object|embed|video|audio|source|svg|meta)\b[^>]*>?", re.IGNORECASE
)
_MARKS = re.compile("[\ue000-\ue003]")


def with_safe_links(markdown: str, sources: Iterable[str]) -> str:
    """A block whose links lead only where one of the texts that it rests on leads; of others the words stay, or the bare address.

    Args:
        markdown: A block. Its code is left alone.
        sources: The texts of the passages that it, or the answer before it, cites.
    """
    texts = list(sources)

    def held(target: str) -> bool:
        end = r"(?![\w/?#&=%~+-]|[.:,](?=\w))"
        return any(re.search(re.escape(target) + end, text) for text in texts)

    def link(match: re.Match[str]) -> str:
        target = match["target"].strip("<>")
        if not match["image"] and target.startswith(("http://", "https://")) and held(target):
            return match.group()
        return match["text"]

    def address(match: re.Match[str]) -> str:
        target = match[1] if match.lastindex else match.group()
        return match.group() if target.startswith(("http://", "https://")) and held(target) else f"`{target}`"

    def clean(text: str) -> str:
        text = _HTML.sub("", _DEFINITION.sub("", text))
        for _ in range(3):  # a link may hold an image, which may hold brackets
            text, before = _LINK.sub(link, text), text
            if text == before:
                break
        return _outside_links(_AUTOLINK.sub(address, text), lambda part: _BARE.sub(address, part))

    return _outside_code(markdown, clean)


def _outside_links(text: str, change: Callable[[str], str]) -> str:
    return _outside(text, [*_LINK.finditer(text), *_SPAN.finditer(text)], change, "\ue002\ue003")


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what stands in no fence and in no code span."""
    markdown = _MARKS.sub("", markdown)
    blocks = code_blocks(markdown)
    spans = [
        span
        for span in _SPAN.finditer(markdown)
        if not any(block.start() < span.end() and span.start() < block.end() for block in blocks)
    ]
    return _outside(markdown, [*blocks, *spans], change, "\ue000\ue001")


def _outside(text: str, kept: Iterable[re.Match[str]], change: Callable[[str], str], marks: str) -> str:
    # Private-use characters stand for each kept piece, so that `change` sees what is around it as one text.
    pieces: list[str] = []
    out, at = [], 0
    for match in sorted(kept, key=lambda found: found.start()):
        if match.start() < at:
            continue
        out += [text[at : match.start()], f"{marks[0]}{len(pieces)}{marks[1]}"]
        pieces.append(match.group())
        at = match.end()
    changed = change("".join([*out, text[at:]]))
    return re.sub(f"{marks[0]}(\\d+){marks[1]}", lambda mark: pieces[int(mark[1])], changed)
