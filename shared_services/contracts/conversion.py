"""The template converter's API: a source in, a workshop in the neutral form and an honest report out."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.problems import Problem


class Form(StrEnum):
    """What a repository can be (FORMATS.md)."""

    SHOWROOM = "showroom"
    EDUCATES = "educates"
    KILLERCODA = "killercoda"
    INSTRUQT = "instruqt"
    CODELAB = "codelab"
    JUPYTER = "jupyter"
    MKDOCS = "mkdocs"
    DOCUSAURUS = "docusaurus"
    HUGO = "hugo"
    MARKDOWN = "markdown"
    RST = "rst"
    WORKSHOP_BUILDER = "workshop-builder"
    WORKSHOP = "workshop"
    APPLICATION = "application"
    LIBRARY = "library"
    DOCUMENTATION = "documentation"
    EMPTY = "empty"


NOT_WORKSHOPS = frozenset({Form.APPLICATION, Form.LIBRARY, Form.DOCUMENTATION, Form.EMPTY})


class FormCandidate(WireModel):
    """One reading of a repository: how strongly it speaks for a form, and why.

    Attributes:
        score: 0 (nothing) to 1 (certain).
        path: The subfolder that the reading holds for; empty for the whole repository.
        evidence: Sentences a person can check, e.g. "`content/antora.yml` with a nav of 9 pages".
    """

    form: Form
    score: Annotated[float, Field(ge=0, le=1)]
    path: str = ""
    evidence: list[str] = []


class SourceRequest(WireModel):
    """A source, or a part of one.

    Attributes:
        source: A git address (https, ssh, file), a local folder, a `.zip` or a `.tar.gz`.
        ref: Branch, tag or commit; the default branch when absent.
        path: Subfolder to read as if it were the whole repository.
    """

    source: Annotated[str, Field(min_length=1, max_length=2000)]
    ref: Annotated[str, Field(max_length=300)] | None = None
    path: Annotated[str, Field(max_length=1000)] = ""


class ConvertRequest(SourceRequest):
    """What `workshop convert` asks.

    Attributes:
        as_form: Overrules recognition.
        slug: What the workshop is to be called; made from its title when absent.
        every: Convert each workshop of the source, to a draft of its own; `slug` is passed over then.
    """

    as_form: Form | None = None
    slug: Slug | None = None
    every: bool = False


class InspectRequest(SourceRequest):
    """What `workshop inspect` asks; with `skeleton` a workshop's skeleton is made of the application, as a draft."""

    skeleton: bool = False


class ReportStep(WireModel):
    """A step and the file of the source that it was made from."""

    id: Slug
    title: str
    source: str


class ReportWorkshop(WireModel):
    """What was made."""

    slug: Slug
    title: str
    steps: list[ReportStep]


class Counts(WireModel):
    """What the written workshop holds, counted in the result and not in the source."""

    steps: int = 0
    code_blocks: int = 0
    executable_blocks: int = 0
    images: int = 0
    links: int = 0
    checks: int = 0
    hints: int = 0


class Loss(WireModel):
    """Something that the source has and the workshop does not, or not as it was.

    Attributes:
        kind: `code`, `image`, `link`, `macro`, `check`, `page`, `attribute`, ... (one word).
        source: File in the author's repository.
        line: From 1; 0 where the whole file is meant.
        detail: A sentence: what was lost and what stands in its place.
    """

    kind: str
    source: str
    line: int
    detail: str


class Broken(WireModel):
    """Something that was already broken in the source: a missing image, a reference to a page that is not there."""

    kind: str
    source: str
    line: int
    target: str
    detail: str


class ConversionReport(WireModel):
    """The report of one conversion.

    Every code block, image and reference that the navigation reaches is in the result, in `losses` or in `broken`.

    Attributes:
        remembered: It was read as a person had chosen for this repository before; the first sentence of `evidence` says so.
    """

    form: Form
    evidence: list[str]
    commit: str | None
    workshop: ReportWorkshop
    counts: Counts
    losses: list[Loss]
    broken: list[Broken]
    remembered: bool = False


class ConversionResult(WireModel):
    """What a conversion came to: a draft in the library, and the report."""

    workshop: Slug
    version: str
    report: ConversionReport


class ReadWorkshop(ConversionResult):
    """One workshop of a source that holds several; `path` is where."""

    form: Form
    path: str


class UnreadWorkshop(WireModel):
    """One workshop of a source that could not be read, and why."""

    form: Form
    path: str
    problem: Problem


class ConversionsResult(WireModel):
    """What the conversion of every workshop of a source came to."""

    workshops: list[ReadWorkshop]
    unread: list[UnreadWorkshop] = []


class InspectionResult(WireModel):
    """What an inspection came to: the inventory, and the skeleton's draft where one was asked for."""

    inventory: Inventory
    skeleton: ConversionResult | None = None


class ExportRequest(WireModel):
    """A version of a workshop, the current one where none is named, in another form."""

    workshop: Slug
    form: Form
    version: Annotated[str, Field(max_length=16)] | None = None


class ExportReport(WireModel):
    """A version of a workshop in another form: its files by path, and what the form has no place for.

    The `source` of a loss is a path inside the workshop.
    """

    workshop: Slug
    version: str
    form: Form
    files: list[str]
    losses: list[Loss]


class StepPreview(WireModel):
    """A step as it was converted, beside what it was made from.

    Attributes:
        content: Markdown in the neutral form; `hints` likewise, where there are any.
        source: The page of the source that the step was made from; empty where that is not known.
        runs: The source map: `(content line, file, source line)`, as `SourceMap.runs`.
        pages: Text of each file that the step was made from, by path.
    """

    id: Slug
    title: str
    content: str
    hints: str = ""
    source: str = ""
    runs: list[tuple[int, str, int]] = []
    pages: dict[str, str] = {}
