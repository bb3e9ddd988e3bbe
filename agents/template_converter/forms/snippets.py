"""Text that pages draw in from other files: `--8<--` lines of pymdownx.snippets, and the tags of the plugin include-markdown.

Snippets are whole files, line ranges or named sections; a tag takes what stands between two marks, or the whole file.
"""

import posixpath
import re
from dataclasses import dataclass, field

from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

_SINGLE = re.compile(r"^(?P<indent>[ \t]*)(?P<escape>;*)-{1,}8<-{1,}[ \t]+(?P<quote>[\"'])(?P<target>.+?)(?P=quote)[ \t]*$")
_BLOCK = re.compile(r"^(?P<indent>[ \t]*)(?P<escape>;*)-{1,}8<-{1,}[ \t]*$")
_MARKER = re.compile(r"(?<!-)-++8<-++[ \t]++\[[ \t]*+(?P<kind>start|end)[ \t]*+:[ \t]*+(?P<name>[\w-]++)[ \t]*+\]")
_RANGE = re.compile(r"^(?P<path>.*?)(?::(?P<ranges>\d*(?::\d*)?(?:,\d*(?::\d*)?){0,50})|:(?P<section>[A-Za-z_][\w-]*))?$")
_TAG = re.compile(
    r"^(?P<indent>[ \t]*)\{%-?\s*(?P<kind>include-markdown|include)\s+(?P<quote>[\"'])(?P<target>[^\"'\n]{1,500})(?P=quote)"
    r"(?P<options>[^{}]{0,2000}?)-?%\}[ \t]*$"
)
_OPTION = re.compile(r"(?P<name>[\w-]+)\s*=\s*(?:\"(?P<one>[^\"]*)\"|'(?P<two>[^']*)'|(?P<bare>[\w+-]+))")
_HEADING = re.compile(r"^(#{1,6})(?=[ \t])")
_MAX_TAG = 20
_MAX_DEPTH = 20
_MAX_LINES = 200_000


@dataclass
class Snippets:
    """Expands snippets; what cannot be drawn in stands in `losses` and `broken`.

    Attributes:
        bases: Folders that targets are looked for in, by order.
        docs: The folder of the site's pages, which tags name their files from unless they begin with a dot.
        drawn: Files that were drawn in.
    """

    tree: Tree
    bases: list[str]
    docs: str = ""
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)
    _drawn: int = 0

    def expand(self, lines: list[Line], above: tuple[str, ...] = ()) -> list[Line]:
        """`lines` with every snippet in place, each line with the file it truly comes from."""
        out: list[Line] = []
        row = 0
        while row < len(lines):
            line = lines[row]
            if "{%" in line.text and (tag := self._tag(lines, row)):
                drawn = self._by_tag(line, tag[0], above)
                out += [line] if drawn is None else drawn
                row = row + 1 if drawn is None else tag[1]
                continue
            single, block = _SINGLE.match(line.text), _BLOCK.match(line.text)
            if (single or block) and (single or block)["escape"]:  # type: ignore[index]
                out.append(line.with_text(line.text.replace(";", "", 1)))
            elif single:
                out += self._draw(line, single["target"], single["indent"], above)
            elif block and (end := self._block_end(lines, row)):
                for inner in lines[row + 1 : end]:
                    if not inner.blank and not inner.text.strip().startswith(";"):
                        out += self._draw(inner, inner.text.strip(), block["indent"], above)
                row = end
            elif not _MARKER.search(line.text):
                out.append(line)
            row += 1
        return out

    @staticmethod
    def _block_end(lines: list[Line], row: int) -> int | None:
        return next((end for end in range(row + 1, min(row + 200, len(lines))) if _BLOCK.match(lines[end].text)), None)

    @staticmethod
    def _tag(lines: list[Line], row: int) -> tuple[re.Match[str], int] | None:
        """The tag that begins on a row, which may take several, and the row after it."""
        text = ""
        for end in range(row, min(row + _MAX_TAG, len(lines))):
            text += ("\n" if text else "") + lines[end].text
            if "%}" in lines[end].text:
                match = _TAG.match(text)
                return (match, end + 1) if match else None
        return None

    def _by_tag(self, line: Line, tag: re.Match[str], above: tuple[str, ...]) -> list[Line] | None:
        """What a tag draws in; None where it is another plugin's, as an `include` of what is not there is."""
        target, indent = tag["target"], tag["indent"]
        home = posixpath.dirname(line.file) if target.startswith(".") else self.docs
        path = posixpath.normpath(posixpath.join(home, target))
        path = path if path in self.tree else self._find(target) or path
        if path not in self.tree:
            if tag["kind"] == "include":
                return None
            return self._missing(line, target, "There is no such file to draw in.")
        if path in above or len(above) >= _MAX_DEPTH:
            return self._missing(line, target, "The files draw each other in without end; this one is left out.")
        rows = lines_of(self.tree.read_text(path), path)
        if tag["kind"] == "include-markdown":
            rows = split_front_matter(rows)[1]
        given = {row["name"]: row["one"] or row["two"] or row["bare"] or "" for row in _OPTION.finditer(tag["options"])}
        rows = _between(rows, given.get("start", ""), given.get("end", ""))
        offset = given.get("heading-offset", "0")
        if re.fullmatch(r"[+-]?\d", offset) and int(offset):
            rows = _shifted(rows, int(offset))
        self.drawn.add(path)
        self._drawn += len(rows)
        if self._drawn > _MAX_LINES:
            return self._missing(line, target, f"More than {_MAX_LINES} lines are drawn in; this file is left out.")
        return [row.with_text(indent + row.text if row.text else "") for row in self.expand(rows, (*above, path))]

    def _draw(self, line: Line, target: str, indent: str, above: tuple[str, ...]) -> list[Line]:
        if re.match(r"^https?://", target):
            self.losses.append(
                Loss(
                    kind="include",
                    source=line.file,
                    line=line.number,
                    detail=f"The text at {target} is not fetched; its address stands in its place.",
                )
            )
            return [line.with_text(f"{indent}<{target}>")]
        match = _RANGE.match(target)
        assert match is not None
        path = self._find(match["path"])
        if path is None:
            return self._missing(line, target, "There is no such file to draw in.")
        if path in above or len(above) >= _MAX_DEPTH:
            return self._missing(line, target, "The files draw each other in without end; this one is left out.")
        drawn = _part(lines_of(self.tree.read_text(path), path), match["ranges"], match["section"])
        if drawn is None:
            return self._missing(line, target, f"{path} has no section named `{match['section']}`.")
        self.drawn.add(path)
        self._drawn += len(drawn)
        if self._drawn > _MAX_LINES:
            return self._missing(line, target, f"More than {_MAX_LINES} lines are drawn in; this file is left out.")
        return [row.with_text(indent + row.text if row.text else "") for row in self.expand(drawn, (*above, path))]

    def _find(self, target: str) -> str | None:
        for base in self.bases:
            path = posixpath.normpath(posixpath.join(base, target))
            if path in self.tree:
                return path
        return None

    def _missing(self, line: Line, target: str, why: str) -> list[Line]:
        self.broken.append(Broken(kind="include", source=line.file, line=line.number, target=target, detail=why))
        return []


def _between(lines: list[Line], start: str, end: str) -> list[Line]:
    """The rows after the first that holds `start` and before the next that holds `end`; a mark that is not there cuts nothing."""
    marks = (start.replace("\\n", "").strip(), end.replace("\\n", "").strip())
    first = next((row + 1 for row, line in enumerate(lines) if marks[0] and marks[0] in line.text), 0)
    last = next((row for row in range(first, len(lines)) if marks[1] and marks[1] in lines[row].text), len(lines))
    return lines[first:last]


def _shifted(lines: list[Line], offset: int) -> list[Line]:
    """The rows with headings of other levels."""
    return [
        line if inside else line.with_text(_HEADING.sub(lambda match: "#" * min(max(len(match[1]) + offset, 1), 6), line.text))
        for _, line, inside in outside_fences(lines)
    ]


def _part(lines: list[Line], ranges: str | None, section: str | None) -> list[Line] | None:
    if section:
        inside: list[Line] = []
        taking = found = False
        for line in lines:
            match = _MARKER.search(line.text)
            if match and match["name"] == section:
                taking = match["kind"] == "start"
                found = True
            elif taking:
                inside.append(line)
        return inside if found else None
    if ranges:
        out: list[Line] = []
        for part in ranges.split(","):
            first, _, last = part.partition(":")
            out += lines[max(0, int(first or 1) - 1) : int(last) if last else len(lines)]
        return out
    return lines
