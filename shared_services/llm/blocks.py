"""Finished blocks out of a text that is still being written. Pure.

A reader should see whole sentences, list items, tables and code blocks, and nothing can be checked before it is whole. The
assembler holds text back until a block is certain to be finished, and its decisions depend on the text alone, never on how it
was cut into deltas.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal

from shared_services.llm.sentences import sentence_end

BlockKind = Literal["sentence", "heading", "rule", "item", "quote", "code", "table"]

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING: Final = re.compile(r"^ {0,3}#{1,6}(?=[ \t]|$)")
_RULE: Final = re.compile(r"^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_BULLET: Final = re.compile(r"^( *)([-*+])([ \t]+)(?=\S)")
_ORDERED: Final = re.compile(r"^( *)(\d{1,9})([.)])([ \t]+|$)")
_MAYBE_RULE: Final = re.compile(r"^([-*_])(?:[ \t]|\1)*$")
_MAYBE_ORDERED: Final = re.compile(r"^\d{1,9}[.)]?$")


@dataclass(frozen=True)
class Block:
    """A finished piece.

    Attributes:
        kind: `sentence` is a sentence of a paragraph, or all that is left of it.
        markdown: CommonMark, without white space around it.
        before: The white space between the block before and this one: empty at the start, a space or line end inside a
            paragraph or list, an empty line between blocks. `before + markdown` of all blocks is the text.
    """

    kind: BlockKind
    markdown: str
    before: str


class _Line(Enum):
    """What a line begins."""

    BLANK = auto()
    FENCE = auto()
    HEADING = auto()
    RULE = auto()
    QUOTE = auto()
    BULLET = auto()
    ORDERED = auto()
    TABLE = auto()
    INDENTED = auto()
    TEXT = auto()


_INTERRUPTS: Final = frozenset({_Line.BLANK, _Line.FENCE, _Line.HEADING, _Line.RULE, _Line.QUOTE, _Line.BULLET, _Line.TABLE})
_KINDS: Final[dict[_Line, BlockKind]] = {
    _Line.FENCE: "code",
    _Line.INDENTED: "code",
    _Line.HEADING: "heading",
    _Line.RULE: "rule",
    _Line.QUOTE: "quote",
    _Line.BULLET: "item",
    _Line.ORDERED: "item",
    _Line.TABLE: "table",
    _Line.TEXT: "sentence",
}


class BlockAssembler:
    """Feed it deltas; it gives out blocks as they are finished. `close` gives the rest.

    It is spent after `close`.
    """

    def __init__(self) -> None:
        self._text = ""
        self._before = ""
        self._in_paragraph = False
        self._closed = False
        self._fence_scanned = 0

    def feed(self, delta: str) -> list[Block]:
        """Take a further piece of the text and give the blocks that it finished, often none."""
        self._text += delta.replace("\r", "")
        return self._finished()

    def close(self) -> list[Block]:
        """The text has ended: the remaining blocks. An open fence is closed."""
        self._closed = True
        return self._finished()

    def _finished(self) -> list[Block]:
        blocks = []
        while (block := self._next()) is not None:
            blocks.append(block)
        return blocks

    def _next(self) -> Block | None:
        if not self._in_paragraph:
            self._skip_blank()
        if not self._text:
            return None
        if self._in_paragraph:
            return self._sentence()
        line, complete = self._line(0)
        kind = _classify(line, complete)
        if kind is None:
            return None
        if kind is _Line.TEXT:
            return self._sentence()
        if kind is _Line.FENCE:
            return self._fence(line)
        if kind in {_Line.HEADING, _Line.RULE}:
            return self._take(kind, len(line)) if complete else None
        end = self._extent(kind, line)
        return None if end is None else self._take(kind, end)

    def _line(self, start: int) -> tuple[str, bool]:
        """The line at `start` without its end, and whether it is whole."""
        end = self._text.find("\n", start)
        return (self._text[start:], self._closed) if end < 0 else (self._text[start:end], True)

    def _skip_blank(self) -> None:
        """Drop empty lines; what stood there is kept as the next block's `before`."""
        while self._text:
            end = self._text.find("\n")
            line = self._text if end < 0 else self._text[:end]
            if line.strip() or (end < 0 and not self._closed):
                return
            self._text = "" if end < 0 else self._text[end + 1 :]
            if self._before:
                self._before = "\n" if self._before == " " else "\n\n"

    def _take(self, kind: _Line, end: int, closing: str = "") -> Block:
        """Cut a block that ends, with its line, at `end`."""
        markdown = self._text[:end].rstrip() if kind is not _Line.FENCE else self._text[:end]
        self._text = self._text[end + 1 :] if self._text[end : end + 1] == "\n" else self._text[end:]
        block = Block(_KINDS[kind], markdown + closing, self._before)
        self._before = "\n"
        self._fence_scanned = 0
        return block

    def _fence(self, opening: str) -> Block | None:
        mark = _FENCE.match(opening)
        if mark is None or "\n" not in self._text:
            return self._take(_Line.FENCE, len(self._text), f"\n{_fence_mark(opening)}") if self._closed else None
        sign = mark.group(1)
        closing = re.compile(rf"^ {{0,3}}{re.escape(sign[0])}{{{len(sign)},}}[ \t]*$")
        at = max(self._fence_scanned, len(opening) + 1)
        while at < len(self._text):
            line, complete = self._line(at)
            if not complete:
                break
            if closing.match(line):
                return self._take(_Line.FENCE, at + len(line))
            at = min(at + len(line) + 1, len(self._text))
            self._fence_scanned = at
        if not self._closed:
            return None
        body = self._text.rstrip("\n")
        self._text = body
        return self._take(_Line.FENCE, len(body), f"\n{_fence_mark(opening)}")

    def _extent(self, kind: _Line, first: str) -> int | None:
        """Where an item, quote, table or indented block ends; None while it may go on."""
        content = _content_indent(first) if kind in {_Line.BULLET, _Line.ORDERED} else 0
        at, end, blank = len(first) + 1, len(first), False
        while at <= len(self._text):
            line, complete = self._line(at)
            begins = _classify(line, complete)
            if begins is None and not self._closed:
                return None
            if begins is not _Line.BLANK:
                if not _goes_on(kind, begins, line, content, blank):
                    return end
                end = at + len(line)
            elif kind in {_Line.QUOTE, _Line.TABLE}:
                return end
            blank = begins is _Line.BLANK
            at += len(line) + 1
        return min(end, len(self._text)) if self._closed else None

    def _sentence(self) -> Block | None:
        end, final = self._paragraph()
        text = self._text[:end]
        cut = sentence_end(text, final=final)
        if cut is None and not final:
            return None
        if cut is None:
            self._in_paragraph = False
            return self._take(_Line.TEXT, end)
        block = Block("sentence", text[:cut].rstrip(), self._before)
        rest = self._text[cut:]
        self._text = rest.lstrip()
        self._before = rest[: len(rest) - len(self._text)] or ""
        self._in_paragraph = True
        return block

    def _paragraph(self) -> tuple[int, bool]:
        """How far the paragraph at the start reaches in what there is, and whether that is all of it."""
        at = 0
        end = 0
        while at <= len(self._text):
            line, complete = self._line(at)
            if at:
                begins = _classify(line, complete)
                if begins is None:
                    return end, False
                if begins in _INTERRUPTS or (begins is _Line.ORDERED and _number(line) == 1):
                    return end, True
            end = at + len(line)
            if not complete:
                return end, False
            at = end + 1
        return min(end, len(self._text)), self._closed


def _classify(line: str, complete: bool) -> _Line | None:  # noqa: C901
    """What a line begins; None while the rest of the line may still change that."""
    text = line.lstrip(" \t")
    if not text:
        return _Line.BLANK if complete else None
    if len(line[: len(line) - len(text)].expandtabs(4)) >= 4:
        return _Line.INDENTED
    first = text[0]
    if first == "`":
        if text.startswith("```"):
            return (_Line.FENCE if _FENCE.match(line) else _Line.TEXT) if complete else None
        return None if not complete and not text.strip("`") else _Line.TEXT
    if first == "~":
        if text.startswith("~~~"):
            return _Line.FENCE
        return None if not complete and not text.strip("~") else _Line.TEXT
    if first == "#":
        if not complete and not text.strip("#"):
            return None
        return _Line.HEADING if _HEADING.match(line) else _Line.TEXT
    if first in ">|":
        return _Line.QUOTE if first == ">" else _Line.TABLE
    if first in "-*_" and _MAYBE_RULE.match(text):
        return (_Line.RULE if _RULE.match(line) else _Line.TEXT) if complete else None
    if first in "-*+":
        if not complete and not text[1:].strip():
            return None
        return _Line.BULLET if _BULLET.match(line) else _Line.TEXT
    if first.isascii() and first.isdigit():
        if not complete and _MAYBE_ORDERED.match(text):
            return None
        return _Line.ORDERED if _ORDERED.match(line) else _Line.TEXT
    return _Line.TEXT


def _goes_on(kind: _Line, begins: _Line | None, line: str, content: int, blank: bool) -> bool:
    """Whether a line that is not empty belongs to the block before it."""
    indent = len(line) - len(line.lstrip(" "))
    if kind is _Line.TABLE:
        return begins is _Line.TABLE
    if kind is _Line.INDENTED:
        return begins is _Line.INDENTED
    if kind is _Line.QUOTE:
        return begins in {_Line.QUOTE, _Line.TEXT, _Line.INDENTED}
    if indent >= content or line.startswith("\t"):
        return True
    return not blank and begins in {_Line.TEXT, _Line.INDENTED, None}


def _content_indent(line: str) -> int:
    """The column at which a list item's content begins."""
    mark = _BULLET.match(line) or _ORDERED.match(line)
    if mark is None:
        return 2
    width = len(mark.group().expandtabs(4))
    bare = len(mark.group().rstrip())
    return width if 0 < width - bare <= 4 else bare + 1


def _number(line: str) -> int | None:
    mark = _ORDERED.match(line)
    return int(mark.group(2)) if mark else None


def _fence_mark(opening: str) -> str:
    """The line that closes the fence which `opening` begins."""
    mark = re.match(r"^( {0,3})(`{3,}|~{3,})", opening)
    return "".join(mark.groups()) if mark else "```"
