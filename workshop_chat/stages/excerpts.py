"""A step's own texts, cut where a reader would cut them: hints one by one, commands with what introduces them, prose."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared_services.contracts.chat import BlockRef
from shared_services.contracts.rag import ChunkKind, Passage, PassageScores
from shared_services.contracts.workshop import SourceMap, SourcePlace, parse_fence_info
from shared_services.llm.markdown_units import clean_block, units_of
from workshop_chat.stages.reveal import Commands, code_of, reveals


@dataclass(frozen=True)
class Excerpt:
    """Lines of a text, from 1, inclusive.

    Attributes:
        heading: Titles down to the nearest heading, the text's own first one included.
        lead: What of `markdown` introduces the rest; empty where nothing does.
        markdown: CommonMark as it is shown, without the mark of a list's item.
    """

    first_line: int
    last_line: int
    heading: tuple[str, ...]
    markdown: str
    lead: str = ""


@dataclass(frozen=True)
class StepFile:
    """Where excerpts come from.

    Attributes:
        places: Where each line comes from in the author's repository; None where it is not known.
    """

    workshop: str
    step: str
    title: str
    path: str
    text: str
    places: SourceMap | None = None

    def passage(self, excerpt: Excerpt, kind: ChunkKind) -> Passage:
        """An excerpt as a passage, byte for byte."""
        text = "".join(lines_of(self.text)[excerpt.first_line - 1 : excerpt.last_line])
        heading = excerpt.heading if excerpt.heading[:1] == (self.title,) else (self.title, *excerpt.heading)
        place = SourcePlace(file=self.path, line=excerpt.first_line)
        return Passage(
            workshop=self.workshop,
            step=self.step,
            step_title=self.title,
            file=self.path,
            first_line=excerpt.first_line,
            last_line=excerpt.last_line,
            heading=list(heading),
            kind=kind,
            text=text,
            source=self.places.locate(excerpt.first_line) if self.places else place,
            scores=PassageScores(fused=1.0),
        )


@dataclass(frozen=True)
class Told:
    """Something of the author's that can be given as it stands: the passage, and how it is shown."""

    passage: Passage
    excerpt: Excerpt


@dataclass(frozen=True)
class _Piece:
    """A block at the top of a text: lines from 1, inclusive, and the headings above it."""

    first: int
    last: int
    token: Token
    inside: Sequence[Token]
    heading: tuple[str, ...]

    @property
    def commands(self) -> bool:
        """Whether code stands in it that is no output."""
        return any(
            token.type in ("fence", "code_block") and not parse_fence_info(token.info).output
            for token in [self.token, *self.inside]
        )

    @property
    def is_code(self) -> bool:
        return self.token.type in ("fence", "code_block")


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, as CommonMark counts them: a form feed ends none."""
    *whole, rest = text.split("\n")
    return [line + "\n" for line in whole] + ([rest] if rest else [])


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _pieces(text: str) -> Iterator[_Piece]:
    """The blocks at the top of a text, headings left out but named."""
    path: list[tuple[int, str]] = []
    tokens = _reader().parse(text)
    lines = lines_of(text)
    at = 0
    while at < len(tokens):
        token, end, depth = tokens[at], at, 0
        while True:
            depth += tokens[end].nesting
            if depth == 0:
                break
            end += 1
        inside = tokens[at + 1 : end]
        if token.type == "heading_open":
            level = int(token.tag[1:])
            path = [row for row in path if row[0] < level] + [(level, inside[0].content)]
        elif token.map:
            first, last = token.map[0] + 1, token.map[1]
            while last > first and not lines[last - 1].strip():
                last -= 1
            yield _Piece(first, last, token, inside, tuple(title for _, title in path))
        at = end + 1


def _cut(text: str, first: int, last: int) -> str:
    return clean_block("".join(lines_of(text)[first - 1 : last]))


def hints_of(text: str) -> list[Excerpt]:
    """An author's hints, in order: the sections of the text, else the items of its list, else the whole of it."""
    pieces = list(_pieces(text))
    sections: dict[tuple[str, ...], list[_Piece]] = {}
    for piece in pieces:
        sections.setdefault(piece.heading, []).append(piece)
    named = {heading: inside for heading, inside in sections.items() if heading}
    if len(named) > 1:
        return [_whole(text, inside) for inside in named.values()]
    for piece in pieces:
        items = _items(piece)
        if len(items) > 1 or (items and len(pieces) == 1):
            return [Excerpt(first, last, piece.heading, _item(text, first, last)) for first, last in items]
    return [_whole(text, pieces)] if pieces else []


def _whole(text: str, pieces: Sequence[_Piece]) -> Excerpt:
    first, last = pieces[0].first, pieces[-1].last
    return Excerpt(first, last, pieces[0].heading, _cut(text, first, last))


def _items(piece: _Piece) -> list[tuple[int, int]]:
    if piece.token.type not in ("ordered_list_open", "bullet_list_open"):
        return []
    level = piece.token.level + 1
    starts = [token.map[0] + 1 for token in piece.inside if token.type == "list_item_open" and token.level == level and token.map]
    return [(start, after - 1) for start, after in zip(starts, [*starts[1:], piece.last + 1], strict=False)]


def _item(text: str, first: int, last: int) -> str:
    """A list's item without its mark and indentation."""
    lines = [line.rstrip("\n") for line in lines_of(text)[first - 1 : last]]
    mark = re.match(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+", lines[0])
    width = len(mark.group()) if mark else 0
    rest = [line[min(width, len(line) - len(line.lstrip())) :] for line in lines[1:]]
    return clean_block("\n".join([lines[0][width:], *rest]))


def command_parts(text: str, *, all_prose: bool = False) -> list[Excerpt]:
    """The blocks of commands of a text, in order, each with the paragraph that introduces it.

    Args:
        text: CommonMark.
        all_prose: Keep every paragraph, not only those right before commands: of a solution nothing is beside the point.
    """
    found: list[Excerpt] = []
    lead: list[_Piece] = []
    for piece in _pieces(text):
        if piece.commands:
            first = lead[0].first if lead and lead[0].heading == piece.heading else piece.first
            said = _cut(text, first, piece.first - 1) if first < piece.first else ""
            found.append(Excerpt(first, piece.last, piece.heading, _cut(text, piece.first, piece.last), said))
            lead = []
        elif piece.is_code:
            lead = lead if all_prose else []
        else:
            lead = [*lead, piece] if all_prose and (not lead or lead[0].heading == piece.heading) else [piece]
    if all_prose and lead:
        found.append(_whole(text, lead))
    return found


def around(text: str, block: BlockRef) -> Excerpt | None:
    """The block that lies at these lines, with what introduces it; None where there is none."""
    before: _Piece | None = None
    for piece in _pieces(text):
        if piece.first <= block.last_line and block.first_line <= piece.last:
            lead = before if before is not None and before.heading == piece.heading and not before.is_code else None
            first = lead.first if lead else piece.first
            said = _cut(text, lead.first, lead.last) if lead else ""
            return Excerpt(first, piece.last, piece.heading, _cut(text, piece.first, piece.last), said)
        before = piece
    return None


def headings_of(text: str) -> list[str]:
    """The titles of a text's sections that hold something, in order, without its own title where there are others."""
    paths = list(dict.fromkeys(piece.heading for piece in _pieces(text) if piece.heading))
    inner = [path[-1] for path in paths if len(path) > 1]
    return inner or [path[-1] for path in paths]


def sections_of(text: str) -> dict[str, Excerpt]:
    """What stands below each heading of a text, the sections inside it included; of two with one title the first."""
    found: dict[tuple[str, ...], list[_Piece]] = {}
    ended: set[tuple[str, ...]] = set()
    for piece in _pieces(text):
        above = [piece.heading[:depth] for depth in range(1, len(piece.heading) + 1)]
        ended |= found.keys() - set(above)
        for path in above:
            if path not in ended:
                found.setdefault(path, []).append(piece)
    sections: dict[str, Excerpt] = {}
    for path, inside in found.items():
        sections.setdefault(path[-1], replace(_whole(text, inside), heading=path))
    return sections


def without_commands(passage: Passage, commands: Commands) -> list[Passage]:
    """What is left of a passage without its code and without what gives a command away: runs of its lines, byte for byte.

    A paragraph or an item of a list goes as a whole. Where nothing is left that says something, the list is empty.
    """
    lines = lines_of(passage.text)
    kept: list[tuple[str, ...] | None] = [None] * len(lines)
    for piece in _pieces(passage.text):
        shown = piece.is_code and not piece.commands
        for first, last in _items(piece) or [(piece.first, piece.last)]:
            part = "".join(lines[first - 1 : last])
            if (shown or not code_of(part)[0]) and not reveals(commands, part):
                kept[first - 1 : last] = [piece.heading] * (last - first + 1)
    return [part for part in _runs(passage, lines, kept) if _says_something(part.text)]


def _runs(passage: Passage, lines: Sequence[str], kept: Sequence[tuple[str, ...] | None]) -> Iterator[Passage]:
    """The kept lines, as far as nothing but one empty line stands between them; `kept` has the headings above each."""
    start: int | None = None
    for number, heading in enumerate([*kept, None]):
        if start is not None and heading is None:
            goes_on = number + 1 < len(lines) and not lines[number].strip() and kept[number + 1] == kept[start]
            if not goes_on:
                yield _narrowed(passage, lines, start, number, kept[start] or ())
                start = None
        elif start is None and heading is not None:
            start = number


def _says_something(text: str) -> bool:
    return any(unit.kind != "code" and not unit.markdown.endswith(":") for unit in units_of(text))


def _narrowed(passage: Passage, lines: Sequence[str], start: int, end: int, inner: Sequence[str]) -> Passage:
    return passage.model_copy(
        update={
            "first_line": passage.first_line + start,
            "last_line": passage.first_line + end - 1,
            "heading": [*passage.heading, *(title for title in inner if title not in passage.heading)],
            "text": "".join(lines[start:end]),
            "kind": "prose" if passage.kind in ("command", "code") else passage.kind,
            "source": SourcePlace(file=passage.source.file, line=passage.source.line + start),
        }
    )


def cited(excerpt: Excerpt, number: int) -> str:
    """An excerpt with its citation: at the end of its lead, or of its prose, or below its code."""
    if excerpt.lead:
        return f"{excerpt.lead} [{number}]\n\n{excerpt.markdown}"
    last = excerpt.markdown.rstrip().splitlines()[-1:] or [""]
    ends_in_prose = not re.search(r"(?:`{3,}|~{3,}|\|)\s*$", last[0])
    return f"{excerpt.markdown} [{number}]" if ends_in_prose else f"{excerpt.markdown}\n\n[{number}]"
