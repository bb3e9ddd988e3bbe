"""The blocks of a page: data alone, each with the lines it was read from."""

from dataclasses import dataclass, field

from shared_services.asciidoc.attrlist import Meta
from shared_services.asciidoc.lines import Line


@dataclass
class Heading:
    """A section title; `level` 1 is the page's own."""

    level: int
    line: Line
    meta: Meta


@dataclass
class Paragraph:
    """Prose; `lines` are never empty."""

    lines: list[Line]
    meta: Meta


@dataclass
class Code:
    """Listing or literal text.

    Attributes:
        lines: The text, without delimiters.
        kind: `listing` or `literal`.
        opening: The line that stands for the opening fence.
        language: From a Markdown fence; else the metadata says.
    """

    lines: list[Line]
    kind: str
    meta: Meta
    opening: Line
    closing: Line | None = None
    language: str = ""


@dataclass
class Passthrough:
    """Raw HTML that AsciiDoc hands on as it is."""

    lines: list[Line]
    meta: Meta
    opening: Line


@dataclass
class Container:
    """A block of blocks: `example`, `sidebar`, `quote`, `verse`, `open`, or an admonition by its label."""

    kind: str
    blocks: list["Node"]
    meta: Meta
    opening: Line


@dataclass
class Item:
    """A list item: its marker's line, its principal text, the term of a description, and what is attached to it."""

    marker: Line
    text: list[Line]
    terms: list[Line] = field(default_factory=list)
    blocks: list["Node"] = field(default_factory=list)
    checked: bool | None = None
    number: int | None = None


@dataclass
class Listing:
    """A list: `ul`, `ol`, `dl` or `co` (the list that explains callouts)."""

    kind: str
    items: list[Item]
    meta: Meta


@dataclass
class Cell:
    """A table cell: its style letter, how far it spans, and its lines."""

    style: str
    columns: int
    rows: int
    lines: list[Line]
    marker: Line


@dataclass
class Table:
    """A table as rows of cells; a cell that spans has empty ones after it."""

    rows: list[list[Cell | None]]
    header: bool
    meta: Meta
    opening: Line


@dataclass
class Macro:
    """A block macro: `image::target[attributes]` and its kin."""

    name: str
    target: str
    attributes: str
    meta: Meta
    line: Line


@dataclass
class Rule:
    """A thematic break."""

    line: Line


Node = Heading | Paragraph | Code | Passthrough | Container | Listing | Table | Macro | Rule
