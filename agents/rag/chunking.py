"""Cuts a workshop into chunks: the pieces of text that are indexed, found and cited.

A chunk follows the document. It stays inside one heading section, keeps list items, tables and code blocks whole, and
gives a code block the sentence before it. What a chunk shows is whole lines of its file, byte for byte; what the model
and the keyword index read is those lines (or, of an overlong paragraph, some sentences of them) under the titles they stand in.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from agents.rag.blocks import Block, BlockKind, dominant, pieces, read_blocks, sentences, split_lines
from shared_services.contracts.rag import ChunkKind
from shared_services.library.form import WorkshopFiles, source_place

CHUNKING_VERSION = 1
"""Part of an index's form: raised when the same text would be cut or prefixed differently."""

LEAST_PIECES = 60
TARGET_PIECES = 160
MOST_PIECES = 220
PREFIX_PIECES = 36
MAX_GAP = 200
MAX_LINE_BYTES = 16_000
"""A longer line is not text (an embedded image, minified code) and is left out."""

_HELP_TEXTS: tuple[tuple[str, ChunkKind], ...] = (("hints.md", "hint"), ("explain.md", "explain"), ("solve.md", "solve"))
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,}).*$", re.MULTILINE)


@dataclass(frozen=True)
class Span:
    """A piece of one text.

    Attributes:
        first: First line, from 1.
        last: Last line, inclusive.
        kind: What it holds.
        focus: What is indexed of these lines.
        heading: Titles of the sections it stands in, outermost first.
    """

    first: int
    last: int
    kind: BlockKind
    focus: str
    heading: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Its length in word pieces, estimated."""
        return pieces(self.focus)


@dataclass(frozen=True)
class Chunk:
    """A piece of a workshop.

    Attributes:
        file: Path inside the workshop.
        first_line: From 1.
        last_line: Inclusive.
        heading: Titles from the step's title down to the nearest heading.
        text: These lines of the file, byte for byte.
        after: The blank lines between this chunk and the next one of the file, so that two neighbours can be shown as one.
        indexed: What the model and the keyword index read: titles, then the text without its markup.
        source_file: The file in the author's repository that `first_line` came from.
        source_line: The line there.
    """

    step: str
    step_title: str
    file: str
    first_line: int
    last_line: int
    heading: tuple[str, ...]
    kind: ChunkKind
    text: str
    after: str
    indexed: str
    source_file: str
    source_line: int


def chunk_workshop(workshop: WorkshopFiles) -> list[Chunk]:
    """All chunks of a workshop, in its steps' order: content, then hints, explanation, solution and check of each step."""
    found: list[Chunk] = []
    for step, manifest in workshop.steps.items():
        folder = f"steps/{step}"
        texts: list[tuple[str, ChunkKind | None]] = [("content.md", None), *_HELP_TEXTS]
        for name, kind in texts:
            text = workshop.text(f"{folder}/{name}")
            if text:
                found += _chunks(workshop, step, manifest.title, f"{folder}/{name}", kind, text, chunk_markdown(text))
        script = f"{folder}/{manifest.check.script if manifest.check else 'check.sh'}"
        raw = workshop.files.get(script, b"")
        if raw and _is_text(raw):
            text = raw.decode("utf-8")
            found += _chunks(workshop, step, manifest.title, script, "check", text, chunk_lines(text))
    return found


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in raw


def _chunks(
    workshop: WorkshopFiles, step: str, title: str, file: str, kind: ChunkKind | None, text: str, spans: list[Span]
) -> Iterator[Chunk]:
    lines = split_lines(text)
    following = [*(span.first for span in spans[1:]), len(lines) + 1]
    for span, until in zip(spans, following, strict=False):
        gap = "".join(lines[span.last : until - 1])
        heading = span.heading if span.heading[:1] == (title,) else (title, *span.heading)
        place = source_place(workshop.files, file, span.first)
        own: ChunkKind = kind or ("prose" if span.kind == "heading" else span.kind)
        yield Chunk(
            step=step,
            step_title=title,
            file=file,
            first_line=span.first,
            last_line=span.last,
            heading=heading,
            kind=own,
            text="".join(lines[span.first - 1 : span.last]),
            after="" if gap.strip() or len(gap) > MAX_GAP else gap,
            indexed=with_titles((workshop.manifest.title, *heading), span.focus),
            source_file=place.file,
            source_line=place.line,
        )


def with_titles(titles: tuple[str, ...], focus: str) -> str:
    """What is indexed: the titles in one line (the inner ones, when all are too long), then the text without its markup."""
    kept = [title for title in titles if title.strip()]
    while len(kept) > 1 and pieces(" > ".join(kept)) > PREFIX_PIECES:
        kept.pop(0)
    return " > ".join(kept) + "\n" + without_markup(focus)


def without_markup(text: str) -> str:
    """Markdown for reading: link and image targets, tags and fence lines are left out; words, commands and code stay."""
    text = _FENCE.sub("", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    return _TAG.sub(" ", text).strip()


def chunk_markdown(text: str) -> list[Span]:
    """The pieces of a Markdown text, in order."""
    lines = split_lines(text)
    found: list[Span] = []
    for heading, opening, blocks in _sections(read_blocks(text)):
        spans = _carry_sentences([span for block in blocks for span in _fitting(block, lines)])
        packed = _pack(spans) if spans else []
        if opening is not None:
            above = _whole(opening, lines)
            packed = [_joined(above, packed[0]), *packed[1:]] if packed else [above]
        found += [replace(span, heading=heading) for span in packed]
    return [
        span
        for span in _lead_in(found)
        if all(len(line.encode()) <= MAX_LINE_BYTES for line in lines[span.first - 1 : span.last])
    ]


def chunk_lines(text: str) -> list[Span]:
    """The pieces of a script, cut at line ends."""
    lines = split_lines(text)
    whole = Block(1, len(lines), "code")
    spans = _by_lines(whole, lines)
    return [span for span in spans if span.focus.strip() and len(span.focus.encode()) <= MAX_LINE_BYTES]


def _sections(blocks: list[Block]) -> Iterator[tuple[tuple[str, ...], Block | None, list[Block]]]:
    """Heading path, heading block and blocks of each section."""
    path: list[tuple[int, str]] = []
    opening: Block | None = None
    inside: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            inside.append(block)
            continue
        if opening or inside:
            yield tuple(title for _, title in path), opening, inside
        path = [row for row in path if row[0] < block.level] + [(block.level, block.title)]
        opening, inside = block, []
    if opening or inside:
        yield tuple(title for _, title in path), opening, inside


def _whole(block: Block, lines: list[str]) -> Span:
    kind: BlockKind = "prose" if block.kind == "heading" else block.kind
    return Span(block.first, block.last, kind, "".join(lines[block.first - 1 : block.last]))


def _fitting(block: Block, lines: list[str]) -> list[Span]:
    """The block as one span, or as several when it is overlong."""
    span = _whole(block, lines)
    if span.size <= MOST_PIECES:
        return [span]
    if block.parts:
        return [inner for part in block.parts for inner in _fitting(part, lines)]
    if block.kind != "prose" or span.focus.lstrip().startswith("|"):
        return _by_lines(block, lines)
    return _by_sentences(block, lines)


def _by_lines(block: Block, lines: list[str]) -> list[Span]:
    found: list[Span] = []
    start, size = block.first, 0
    for number in range(block.first, block.last + 1):
        own = pieces(lines[number - 1])
        if size and size + own > MOST_PIECES:
            found.append(_whole(Block(start, number - 1, block.kind), lines))
            start, size = number, 0
        size += own
    found.append(_whole(Block(start, block.last, block.kind), lines))
    return [part for span in found for part in (_by_words(span) if span.size > MOST_PIECES else [span])]


def _by_words(span: Span) -> list[Span]:
    """Spans of the same lines, each with some of their words: for a single line or sentence that is overlong itself."""
    words = re.findall(r"\S+\s*", span.focus)
    groups = _grouped(words, TARGET_PIECES)
    return [replace(span, focus=group) for group in groups]


def _grouped(parts: list[str], most: int) -> list[str]:
    groups: list[str] = []
    size = most + 1
    for part in parts:
        own = pieces(part)
        if size + own > most:
            groups.append("")
            size = 0
        groups[-1] += part
        size += own
    return groups


def _by_sentences(block: Block, lines: list[str]) -> list[Span]:
    text = "".join(lines[block.first - 1 : block.last])
    ends = list(accumulate(len(line) for line in lines[block.first - 1 : block.last]))
    found: list[Span] = []
    position = 0
    for group in _grouped(sentences(text), TARGET_PIECES):
        last = position + max(len(group.rstrip()) - 1, 0)
        span = Span(block.first + bisect_right(ends, position), block.first + bisect_right(ends, last), block.kind, group)
        found += _by_words(span) if span.size > MOST_PIECES else [span]
        position += len(group)
    return found


def _carry_sentences(spans: list[Span]) -> list[Span]:
    """Give each code block the sentence before it, and each output the command that printed it, where they fit together."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        if before is None or span.kind == "prose":
            found.append(span)
        elif before.kind == "prose" or (span.kind == "output" and before.kind == "command"):
            if before.size + span.size <= MOST_PIECES:
                found[-1] = _joined(before, span)
            else:
                found.append(_with_last_sentence(before, span) if before.kind == "prose" else span)
        else:
            found.append(span)
    return found


def _with_last_sentence(before: Span, code: Span) -> Span:
    said = sentences(before.focus.rstrip())
    last = said[-1] if said else ""
    first = before.last - last.count("\n")
    if not last or pieces(last) + code.size > MOST_PIECES + LEAST_PIECES:
        return code
    return Span(first, code.last, code.kind, f"{last.rstrip()}\n{code.focus}")


def _joined(before: Span, after: Span) -> Span:
    kind = dominant([before.kind, after.kind])
    gap = "" if before.focus.endswith("\n") else "\n"
    return Span(
        min(before.first, after.first), max(before.last, after.last), kind, before.focus + gap + after.focus, before.heading
    )


def _pack(spans: list[Span]) -> list[Span]:
    """Put neighbours together, up to the target; a small rest joins what stands before it."""
    packed = [spans[0]]
    for span in spans[1:]:
        held = packed[-1]
        together = held.size + span.size
        if together <= TARGET_PIECES or (held.size < LEAST_PIECES and together <= MOST_PIECES):
            packed[-1] = _joined(held, span)
        else:
            packed.append(span)
    if len(packed) > 1 and packed[-1].size < LEAST_PIECES and packed[-2].size + packed[-1].size <= MOST_PIECES:
        rest = packed.pop()
        packed[-1] = _joined(packed[-1], rest)
    return packed


def _lead_in(spans: list[Span]) -> list[Span]:
    """Let a small opening of a section join the first piece of its first subsection."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        below = (
            before is not None
            and len(span.heading) > len(before.heading)
            and span.heading[: len(before.heading)] == before.heading
        )
        if before and below and before.size < LEAST_PIECES // 2 and before.size + span.size <= MOST_PIECES:
            found[-1] = replace(_joined(before, span), heading=span.heading)
        else:
            found.append(span)
    return found
