"""What a read page holds that docutils has no node for, and what reading a page needs to know."""

from dataclasses import dataclass, field
from typing import Any

from docutils import nodes

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.sphinx.findings import Findings
from agents.template_converter.forms.sphinx.site import Site


class Code(nodes.General, nodes.Element):
    """A code block: `lines` (a list of `Line`), `language`, `caption`, `output`, `runs`."""


class Headed(nodes.General, nodes.Element):
    """Blocks under a heading of their own: a tab."""


class Labelled(nodes.General, nodes.Element):
    """Blocks under a bold label; `quoted` says whether as a quote, `kind` what it is."""


class Raw(nodes.General, nodes.Element):
    """Markdown or HTML lines that stay as they are: `lines`."""


class Language(nodes.General, nodes.Element):
    """From here on, blocks without a language are in `language`."""


class Listing(nodes.General, nodes.Element):
    """The entries of a toctree that the page shows: `entries` of `(page, title)`, `line`."""


@dataclass
class Reading:
    """What directives and roles of one page know of the page and its site.

    Attributes:
        language: What blocks without a language are in, at first.
        roles: Roles that the page defines: the role each stands for, and its language.
        drawn: Lines that were drawn in from other files.
    """

    site: Site
    page: str
    language: str = ""
    roles: dict[str, tuple[str, str]] = field(default_factory=dict)
    default_role: str = ""
    drawn: int = 0
    depth: int = 0
    raw_lines: dict[str, list[str]] = field(default_factory=dict)

    @property
    def findings(self) -> Findings:
        """Where what is lost and broken is written down."""
        return self.site.findings

    def raw(self, file: str, row: int) -> str | None:
        """A line of a file of the tree as it stands there."""
        if file not in self.raw_lines:
            self.raw_lines[file] = self.site.tree.read_text(file).split("\n") if file in self.site.tree else []
        rows = self.raw_lines[file]
        return rows[row] if 0 <= row < len(rows) else None


def exact(reading: Reading, text: str, file: str, row: int) -> Line:
    """A line of code as its file has it: docutils expands tabs and strips what ends a line."""
    line = Line(text, file, row + 1)
    raw = reading.raw(file, row)
    if raw is None or raw == text:
        return line
    expanded = raw.expandtabs(8).rstrip()
    if not text:
        return line.with_text("") if raw.strip() else line
    if not expanded.endswith(text):
        return line
    columns = len(expanded) - len(text)
    at = column = 0
    while at < len(raw) and column < columns and raw[at] in " \t":
        column += 1 if raw[at] == " " else 8 - column % 8
        at += 1
    return line.with_text(" " * (column - columns) + raw[at:]) if column >= columns else line


def text_lines(element: Any) -> list[Line]:
    """The lines of a `Code` or `Raw`."""
    return list(element["lines"])
