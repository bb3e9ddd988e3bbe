"""What older GitBooks write in templates: files that are drawn in, variables, raw parts, labels of code, folded sections."""

import posixpath
import re
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken

_TOKEN = re.compile(
    r"\{%-?[ \t]*(?P<raw>raw|endraw)[ \t]*-?%\}"
    r"|\{%-?[ \t]*include[ \t]+[\"'](?P<include>[^\"'\n]+)[\"'][ \t]*-?%\}"
    r"|\{%-?[ \t]*set[ \t]+(?P<set>\w+)[ \t]*=[ \t]*(?:'(?P<one>[^'\n]*)'|\"(?P<two>[^\"\n]*)\")[ \t]*-?%\}"
    r"|\{\{-?[ \t]*(?P<name>[\w.]+)[ \t]*-?\}\}"
    r"|\{#(?P<comment>.{0,2000}?)#\}"
    r"|^[ \t]*!INCLUDE[ \t]+[\"'](?P<drawn>[^\"'\n]+)[\"'](?:[ \t]*,[ \t]*\d)?[ \t]*$"
)
_FILENAME = re.compile(r"\{%-?[ \t]*filename[ \t]*-?%\}(?P<name>.{0,1000}?)\{%-?[ \t]*endfilename[ \t]*-?%\}")
_SECTION = re.compile(r"<!--[ \t]*sec\b(?P<arguments>.{0,1000}?)\bces[ \t]*-->")
_SECTION_END = re.compile(r"<!--[ \t]*endsec[ \t]*-->")
_SECTION_TITLE = re.compile(r"data-title=\"([^\"]*)\"")
_MAX_DEPTH = 10
_MAX_LINES = 200_000
_MAX_VALUE = 2_000


@dataclass
class Templates:
    """Fills in the templates of a book's pages; what cannot be drawn in stands in `broken`.

    Attributes:
        root: The folder that included paths beginning with `/` are relative to.
        variables: `book.NAME` and what pages set.
    """

    tree: Tree
    root: str
    variables: dict[str, str] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    _raw: bool = False
    _drawn: int = 0

    def fill(self, page: str) -> list[Line]:
        """A page's lines with its templates filled in."""
        self._raw = False
        own = dict(self.variables)
        return self._fill(lines_of(self.tree.read_text(page), page), (page,), own)

    def _fill(self, lines: list[Line], above: tuple[str, ...], values: dict[str, str]) -> list[Line]:
        out: list[Line] = []
        for _, line, inside in outside_fences(lines):
            if "{" not in line.text and "<!--" not in line.text and "!INCLUDE" not in line.text:
                out.append(line)
            else:
                out += self._line(line, above, values, shown=inside)
        return out

    def _line(self, line: Line, above: tuple[str, ...], values: dict[str, str], *, shown: bool) -> list[Line]:
        """A line filled in; `shown` where it stands in a block of code, whose own templates are text."""
        text, last = "", 0
        drawn: list[Line] = []
        changed = False
        for match in _TOKEN.finditer(line.text):
            if self._raw and match["raw"] != "endraw":
                continue
            named = match["include"] or match["drawn"]
            if shown and named and self._find(named, above) is None:
                continue
            new = self._token(match, line, above, values, drawn)
            if new is None:
                continue
            text += line.text[last : match.start()] + new
            last, changed = match.end(), True
        text += line.text[last:]
        if not self._raw and not shown:
            text = _SECTION_END.sub("", _SECTION.sub(_section, _FILENAME.sub(_filename, text)))
        if changed and not text.strip():
            return drawn
        return [line if text == line.text else line.with_text(text), *drawn]

    def _token(
        self, match: re.Match[str], line: Line, above: tuple[str, ...], values: dict[str, str], drawn: list[Line]
    ) -> str | None:
        """What stands in a token's place; None where it stays."""
        if match["raw"]:
            self._raw = match["raw"] == "raw"
            return ""
        if named := match["include"] or match["drawn"]:
            drawn += self._included(line, named, above, values)
            return ""
        if match["set"]:
            values[match["set"]] = (match["one"] or match["two"] or "")[:_MAX_VALUE]
            return ""
        if match["name"]:
            return values.get(match["name"])
        return ""

    def _find(self, target: str, above: tuple[str, ...]) -> str | None:
        base = self.root if target.startswith("/") else posixpath.dirname(above[-1])
        path = posixpath.normpath(posixpath.join(base, target.lstrip("/")))
        return path if path in self.tree else None

    def _included(self, line: Line, target: str, above: tuple[str, ...], values: dict[str, str]) -> list[Line]:
        path = self._find(target, above)
        why = ""
        if re.match(r"^(?:git\+)?[A-Za-z][\w.-]*:", target):
            why = "It lies elsewhere, and nothing is fetched."
        elif path is None:
            why = "It points outside of the source." if "../" in target else "There is no such file to draw in."
        elif path in above or len(above) >= _MAX_DEPTH:
            why = "The files draw each other in without end; this one is left out."
        if not why and path is not None:
            lines = lines_of(self.tree.read_text(path), path)
            self._drawn += len(lines)
            if self._drawn <= _MAX_LINES:
                return self._fill(lines, (*above, path), values)
            why = f"More than {_MAX_LINES} lines are drawn in; this file is left out."
        self.broken.append(Broken(kind="include", source=line.file, line=line.number, target=target, detail=why))
        return []


def _filename(match: re.Match[str]) -> str:
    """The label of a block of code."""
    words = " ".join(re.sub(r"<[^<>]*>", " ", match["name"]).replace("*", "").split())
    return f"**{words}**" if words else ""


def _section(match: re.Match[str]) -> str:
    """The title of a section that a page folds."""
    title = _SECTION_TITLE.search(match["arguments"])
    return f"**{title[1].replace('*', '').strip()}**" if title and title[1].strip() else ""
