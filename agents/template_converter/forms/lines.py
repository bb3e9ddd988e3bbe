"""Text that remembers where it came from: every rewriting of a page works on lines that carry their own origin.

That makes the source map exact by construction: whatever is moved, quoted or dedented, a line keeps its file and number.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(?P<mark>`{3,}|~{3,})(?P<info>.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text without its line end.

    Attributes:
        number: Its line in `file`, from 1; 0 for a line that the importer made.
    """

    text: str
    file: str
    number: int

    def with_text(self, text: str) -> "Line":
        """The same place with other text."""
        return replace(self, text=text)

    def made(self, text: str) -> "Line":
        """A line that the importer adds beside this one."""
        return Line(text, self.file, 0)

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it but white space."""
        return not self.text.strip()


def lines_of(text: str, file: str) -> list[Line]:
    """The lines of a file."""
    rows = text.split("\n")
    if rows and rows[-1] == "":
        rows.pop()
    return [Line(row, file, number) for number, row in enumerate(rows, 1)]


def text_of(lines: Iterable[Line]) -> str:
    """Lines as text, each with its line end."""
    return "".join(f"{line.text}\n" for line in lines)


def trimmed(lines: list[Line]) -> list[Line]:
    """`lines` without blank ones at both ends."""
    first, last = 0, len(lines)
    while first < last and lines[first].blank:
        first += 1
    while last > first and lines[last - 1].blank:
        last -= 1
    return lines[first:last]


def without_enclosed(text: str, opening: str, closing: str) -> str:
    """`text` without what stands between the marks, and without those; a mark that nothing closes stays.

    As a pattern would, but in one walk however many marks there are that nothing closes.
    """
    parts: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        parts.append(text[at:start])
        at = end + len(closing)
    return "".join([*parts, text[at:]])


def runs_of(lines: list[Line]) -> list[tuple[int, str, int]]:
    """The source map of `lines`, as `SourceMap.runs`."""
    runs: list[tuple[int, str, int]] = []
    before: Line | None = None
    for row, line in enumerate(lines, 1):
        step = 1 if line.number else 0
        goes_on = before is not None and bool(before.number) == bool(line.number) and line.number == before.number + step
        if not (goes_on and before is not None and before.file == line.file):
            runs.append((row, line.file, line.number))
        before = line
    return runs


def outside_fences(lines: list[Line]) -> Iterator[tuple[int, Line, bool]]:
    """`(index, line, inside)`: whether each line belongs to a fenced block, by its marks alone and at any indentation."""
    mark = ""
    for index, line in enumerate(lines):
        match = _FENCE.match(line.text)
        if mark:
            yield index, line, True
            closing = line.text.strip(" \t>")
            if match and match["mark"][0] == mark[0] and len(match["mark"]) >= len(mark) and not closing.strip(mark[0]):
                mark = ""
        elif match and not (match["mark"][0] == "`" and "`" in match["info"]):
            mark = match["mark"]
            yield index, line, True
        else:
            yield index, line, False


def indentation(text: str) -> int:
    """Columns of white space before the first character, tabs to every fourth column."""
    column = 0
    for char in text:
        if char == " ":
            column += 1
        elif char == "\t":
            column += 4 - column % 4
        else:
            break
    return column


def dedented(text: str, columns: int) -> str:
    """`text` without its first `columns` columns of white space; a tab that reaches further leaves spaces."""
    column = 0
    for index, char in enumerate(text):
        if column >= columns or char not in " \t":
            return " " * (column - columns) + text[index:]
        column += 1 if char == " " else 4 - column % 4
    return " " * max(0, column - columns)
