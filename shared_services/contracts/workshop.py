"""The neutral form of a workshop: its manifest, its steps, the info strings of its code blocks and its source map."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from shared_services.contracts.base import RelativePath, Slug, WireModel
from shared_services.contracts.conversion import Form

API_VERSION: Final = "workshop-assistant/v1"
MAX_STEPS: Final = 1000
CODE_FENCE_FLAGS = ("exec", "copy", "output")

_DURATION = re.compile(r"^(?:(\d++)\s*+h)?\s*+(?:(\d++)\s*+m(?:in)?)?\s*+(?:(\d++)\s*+s)?$")


def duration_minutes(value: object) -> object:
    """Minutes from `45`, `"45m"`, `"1h 30m"` or `"0:45:00"`; anything else is passed on for pydantic to refuse."""
    if not isinstance(value, str) or not value.strip():
        return value or None
    text = value.strip().lower()
    if re.fullmatch(r"\d+:\d{2}(:\d{2})?", text):
        hours, minutes, *_ = (int(part) for part in text.split(":"))
        return hours * 60 + minutes
    match = _DURATION.match(text)
    if match and any(match.groups()):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 60 + minutes + (1 if seconds else 0)
    return value


Minutes = Annotated[Annotated[int, Field(ge=0, le=100_000)] | None, BeforeValidator(duration_minutes)]


class WorkshopSource(WireModel):
    """Where a workshop was converted from, and as what: enough to convert the same, or a newer commit, the same way again.

    Attributes:
        path: The subfolder, empty for the repository's root.
        form: None in workshops that were converted before this was recorded.
    """

    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    path: str = ""
    form: Form | None = None


class ContextSettings(WireModel):
    """What shared documents the workshop's assistant may read besides the workshop itself.

    `name` is one of the contexts file's, which says more: how safe the assistant plays, how many it serves, for how long.
    """

    name: Slug | None = None
    tags: list[Slug] = []
    content_focus: Slug | None = None


class SolvePolicy(WireModel):
    """When a participant may see a step's exact commands as an answer: at once, after a while, or never.

    Attributes:
        allowed: False for never.
        after_minutes: Not before this many minutes on the step.
        after_failed_checks: Not before this many failed checks of it; where both are given, whichever comes first opens it.
    """

    allowed: bool = True
    after_minutes: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    after_failed_checks: Annotated[int, Field(ge=1, le=100)] | None = None


class HelpSettings(WireModel):
    """How far the assistant may go.

    Attributes:
        solve: For the workshop, or for one step.
        general_knowledge: Where the content holds no answer, the model may give one of its own, marked as such.
    """

    solve: SolvePolicy = SolvePolicy()
    general_knowledge: bool = False


class Chapter(WireModel):
    """A group of consecutive steps, as the source groups them."""

    title: str
    steps: list[Slug]


class Variable(WireModel):
    """A `{{name}}` in the content that is filled in at run time."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
    default: str | None = None
    description: str = ""


class WorkshopManifest(WireModel):
    """`workshop.yaml`. `steps` is the order in which a participant goes."""

    api_version: Literal["workshop-assistant/v1"] = Field(default=API_VERSION, alias="apiVersion")
    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=300)]
    summary: str = ""
    difficulty: Literal["beginner", "intermediate", "advanced"] | None = None
    duration: Minutes = None
    tags: list[Slug] = []
    authors: list[str] = []
    source: WorkshopSource | None = None
    context: ContextSettings = ContextSettings()
    help: HelpSettings = HelpSettings()
    steps: Annotated[list[Slug], Field(min_length=1, max_length=MAX_STEPS)]
    chapters: list[Chapter] = []
    variables: list[Variable] = []

    @model_validator(mode="after")
    def _consistent(self) -> "WorkshopManifest":
        if len(set(self.steps)) != len(self.steps):
            twice = sorted({step for step in self.steps if self.steps.count(step) > 1})
            raise ValueError(f"steps are listed twice: {', '.join(twice)}")
        unknown = [step for chapter in self.chapters for step in chapter.steps if step not in self.steps]
        if unknown:
            raise ValueError(f"chapters name steps that the workshop does not have: {', '.join(unknown)}")
        return self


class StepCheck(WireModel):
    """How a step is checked: a script in the step's folder, and its limit in seconds."""

    script: RelativePath = "check.sh"
    timeout: Annotated[int, Field(ge=1, le=3600)] = 60


class StepManifest(WireModel):
    """`steps/<id>/step.yaml`."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    duration: Minutes = None
    actions: list[dict[str, Any]] = []
    check: StepCheck | None = None
    solve: SolvePolicy | None = None
    assets: list[RelativePath] = []


class SourcePlace(WireModel):
    """A line (from 1) of a file in the author's own repository."""

    file: str
    line: int


class SourceMap(WireModel):
    """`steps/<id>/source-map.json`: where each line of `content.md` comes from.

    Attributes:
        file: The page of the source that the step was made from.
        runs: `(content line, file, source line)`, ascending; a run goes on, line by line, until the next one begins.
            A source line of 0 marks lines that the importer made (a heading it added) and that have no place of their own.
    """

    file: str
    runs: list[tuple[int, str, int]] = []

    def locate(self, line: int) -> SourcePlace:
        """The place that content line `line` (from 1) came from; for a made line the nearest real one before it, else line 1."""
        place, real = SourcePlace(file=self.file, line=1), None
        for start, file, source_line in self.runs:
            if start > line:
                break
            if source_line:
                real = (start, file, source_line)
                place = SourcePlace(file=file, line=source_line + line - start)
            elif real:
                place = SourcePlace(file=real[1], line=real[2] + start - 1 - real[0])
                real = None
        return place


class FenceInfo(WireModel):
    """The info string of a fenced code block: `LANG [exec[=TARGET]] [copy] [output]`.

    Attributes:
        language: Lower-case, empty when there is none.
        executable: A participant may run it in a terminal.
        target: The terminal or host it runs in; None for the default one.
        copyable: Meant to be copied, not run.
        output: What a command prints; not something to type.
    """

    language: str = ""
    executable: bool = False
    target: str | None = None
    copyable: bool = False
    output: bool = False

    def __str__(self) -> str:
        flags = [
            ("exec" if self.target is None else f"exec={self.target}") if self.executable else "",
            "copy" if self.copyable else "",
            "output" if self.output else "",
        ]
        return " ".join(part for part in [self.language or ("text" if any(flags) else ""), *flags] if part)


def parse_fence_info(info: str) -> FenceInfo:
    """Read an info string; words that the neutral form does not know are passed over."""
    words = info.strip().split()
    language = ""
    if words and not any(words[0] == flag or words[0].startswith(f"{flag}=") for flag in CODE_FENCE_FLAGS):
        language = words.pop(0).lower()
    target = next((word.removeprefix("exec=") for word in words if word.startswith("exec=")), None)
    return FenceInfo(
        language=language,
        executable="exec" in words or target is not None,
        target=target,
        copyable="copy" in words,
        output="output" in words,
    )
