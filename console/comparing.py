"""The author's own text beside what was made of it: which lines of which files a step shows, and which of them each block is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import SourceMap
from shared_services.kit.errors import NotFoundError
from shared_services.library.service import LibraryService

AROUND = 4
"""Lines that are shown before the first and after the last one that the step was made from."""

NEAR = 40
"""An end of the file that is nearer than this is shown too."""

MOST_LINES = 3_000
LONGEST_LINE = 2_000

_BLOCK_LINES = re.compile(r'data-line="(\d{1,7})-(\d{1,7})"')


@dataclass(frozen=True)
class Excerpt:
    """A part of a page of the source.

    Attributes:
        file: Path in the author's repository.
        first: Number (from 1) of the first line that is shown.
        lines: Those shown, cut where they are too long.
        total: Lines of the whole file.
    """

    file: str
    first: int
    lines: list[str]
    total: int

    @property
    def last(self) -> int:
        """Number of the last line that is shown."""
        return self.first + len(self.lines) - 1

    def holds(self, line: int) -> bool:
        """Whether a line is shown."""
        return self.first <= line <= self.last


@dataclass(frozen=True)
class BlockPlace:
    """Where a block of a step came from: the file, and its first and last line."""

    file: str
    first: int
    last: int


def block_places(html: str, source_map: SourceMap) -> dict[int, BlockPlace]:
    """Where the blocks of rendered content came from, by their first content line."""
    found: dict[int, BlockPlace] = {}
    for first, last in sorted({(int(first), int(last)) for first, last in _BLOCK_LINES.findall(html)}):
        begins, ends = source_map.locate(first), source_map.locate(last)
        whole = ends.file == begins.file and ends.line >= begins.line
        found.setdefault(first, BlockPlace(begins.file, begins.line, ends.line if whole else begins.line))
    return found


def files_of(source_map: SourceMap) -> list[str]:
    """The files that a step was made from, the step's own page first."""
    return [file for file in dict.fromkeys([source_map.file, *(row[1] for row in source_map.runs)]) if file]


def ranges_of(source_map: SourceMap, content_lines: int) -> dict[str, tuple[int, int]]:
    """The first and the last line of each file that a step was made from.

    Args:
        source_map: The step's.
        content_lines: Lines of its content, where the last run ends.
    """
    found: dict[str, tuple[int, int]] = {}
    ends = [*(run[0] for run in source_map.runs), content_lines + 1][1:]
    for (start, file, line), end in zip(source_map.runs, ends, strict=True):
        if not line or end <= start:
            continue
        first, last = found.get(file, (line, line))
        found[file] = (min(first, line), max(last, line + end - start - 1))
    return found


def excerpt(file: str, text: str, used: tuple[int, int] | None) -> Excerpt:
    """The lines of a file that a step is compared with: those that it was made from and a few around; else from the top."""
    rows = text.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    first, last = used or (1, len(rows))
    first = 1 if first <= NEAR else first - AROUND
    last = len(rows) if len(rows) - last <= NEAR else last + AROUND
    last = min(last, len(rows), first + MOST_LINES - 1)
    shown = [row if len(row) <= LONGEST_LINE else f"{row[:LONGEST_LINE]} …" for row in rows[first - 1 : last]]
    return Excerpt(file, first, shown, len(rows))


async def excerpts(library: LibraryService, version: WorkshopVersion, source_map: SourceMap, content_lines: int) -> list[Excerpt]:
    """What is shown beside a step; nothing of files that were not kept."""
    used = ranges_of(source_map, content_lines)
    found = []
    for file in files_of(source_map):
        try:
            text = await library.source(version.workshop, version.version, file)
        except NotFoundError:
            continue
        found.append(excerpt(file, text, used.get(file)))
    return [each for each in found if each.lines]


def anchors(places: Mapping[int, BlockPlace], shown: list[Excerpt]) -> dict[int, str]:
    """The id of the source line beside each block, by the block's first content line."""
    numbers = {each.file: (number, each) for number, each in enumerate(shown)}
    found = {}
    for line, place in places.items():
        number, held = numbers.get(place.file, (0, None))
        if held is not None and held.holds(place.first):
            found[line] = f"source-{number}-{place.first}"
    return found
