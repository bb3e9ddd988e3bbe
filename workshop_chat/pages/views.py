"""What the templates show, decided from the workshop and the stored turns alone; no request and no I/O."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared_services.contracts.chat import Answer, CheckVerdict, Citation, Feedback, NearestSection, Note, StoredTurn
from shared_services.contracts.library import WorkshopVersion
from shared_services.pages.markdown import TocEntry, heading_slug, render_answer
from workshop_chat.pages.wording import WORDS, check_line, time_line, writer_of
from workshop_chat.suggestions import WHAT_FOR, question_for

QUESTIONS = 3
TURNS_SHOWN = 40
"""Rendering an answer takes 0.7 ms; a conversation of hundreds must not hold up everybody else's page."""

TOC_FROM = 4
RAIL_WIDTHS = range(200, 361, 20)
ASSISTANT_WIDTHS = range(320, 641, 20)
DEFAULT_RAIL = 260
DEFAULT_ASSISTANT = 400

_SHOWN_FILE = re.compile(r"^steps/([^/]+)/(content|hints)\.md$")
_PUBLIC_FILE = re.compile(r"^(?:assets/.|steps/[^/]+/files/.)")


@dataclass(frozen=True)
class RailStep:
    """A line of the rail; `number` from 1."""

    id: str
    title: str
    number: int
    current: bool
    chapter: str | None


@dataclass(frozen=True)
class Source:
    """A passage that an answer rests on, as it is shown. `address` leads to it, or is None where no page shows its file.

    Attributes:
        shared: Whether it is a shared document's, which no page of the workshop shows.
    """

    n: int
    heading: str
    lines: str
    place: str
    text: str
    address: str | None
    shared: bool


@dataclass(frozen=True)
class Nearest:
    """A section that comes near, as it is shown. `address` leads to it; None for a shared document's."""

    title: str
    address: str | None


@dataclass(frozen=True)
class CheckLine:
    """A safety check in words; `outcome` as on the wire."""

    outcome: str
    words: str


@dataclass(frozen=True)
class About:
    """The code block that a question is about: where it can be seen, and its lines in words and as `first-last`."""

    address: str
    lines: str
    place: str


@dataclass(frozen=True)
class Turn:
    """A question and its answer, as they are shown.

    Attributes:
        kind: How it looks: `plain`, `asks` (a question to the participant), `abstained`, `general` (general knowledge),
            `refused` (by a safety check), `held` (its rest was, by a safety check) or `care`.
        own_words: Where the answer's sentences are from, when it is made of its sources' own; empty when it is not.
        options: What the participant may mean, as messages to send.
        writer: Who wrote it, in words; empty where there is no answer.
        told: Whether the participant has said that the answer did not help.
        trouble: Why there is no answer, where that was kept.
    """

    number: int
    question: str
    step: str | None
    mode: str
    about: About | None
    state: str
    kind: str
    html: str
    own_words: str
    note: str
    sources: list[Source]
    nearest: list[Nearest]
    options: list[str]
    writer: str
    checks: list[CheckLine]
    time: str
    told: bool
    feedback: Feedback | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Layout:
    """How the reader has arranged the page."""

    rail: int = DEFAULT_RAIL
    assistant: int = DEFAULT_ASSISTANT
    rail_open: bool = True
    assistant_open: bool = True


def rail(version: WorkshopVersion, current: str | None) -> list[RailStep]:
    """The steps in order; the first of each chapter carries its title."""
    chapters = {chapter.steps[0]: chapter.title for chapter in version.manifest.chapters if chapter.steps}
    return [
        RailStep(step, version.steps[step].title, number, step == current, chapters.get(step))
        for number, step in enumerate(version.manifest.steps, 1)
    ]


def is_public(path: str) -> bool:
    """Whether a file of the workshop may be fetched by its path: what steps show and hand out, not checks and solutions."""
    return bool(_PUBLIC_FILE.match(path))


def outline(toc: Sequence[TocEntry]) -> list[TocEntry]:
    """The headings of a step's own table of contents; empty where the step is short."""
    entries = [entry for entry in toc if entry.level in {2, 3}]
    sections = [entry for entry in entries if entry.level == 2]
    chosen = entries if len(entries) <= 12 else sections
    return chosen if len(chosen) >= TOC_FROM else []


def split_title(html: str) -> tuple[str, str]:
    """A rendered step as its own title (empty where it does not begin with one) and the rest."""
    if not html.startswith("<h1"):
        return "", html
    title, end, rest = html.partition("</h1>")
    return title + end, rest


def questions(title: str, toc: Sequence[TocEntry]) -> list[str]:
    """Up to three questions made from a step's own headings; from its title where it has too few."""
    headings = [entry.title for entry in toc if entry.level == 2 and entry.title]
    headings += [entry.title for entry in toc if entry.level == 3 and entry.title]
    made = list(dict.fromkeys(question_for(heading) for heading in headings))
    return [*made, WHAT_FOR.format(title)][:QUESTIONS]


def mark_address(step_address: str, file: str, first: int, last: int, heading: Sequence[str]) -> str | None:
    """Where a passage can be seen and is marked; None where no page shows its file."""
    shown = _SHOWN_FILE.match(file)
    if shown is None:
        return None
    where = f"&in={shown[2]}" if shown[2] != "content" else ""
    anchor = heading_slug(heading[-1]) if heading and not where else ""
    return f"{step_address}?mark={first}-{last}{where}" + (f"#{anchor}" if anchor else "")


def turn_view(turn: StoredTurn, version: WorkshopVersion, step_address: Callable[[str], str]) -> Turn:
    """A stored turn as it is shown. `turns.js` shows a live one by the same rules."""
    answer = turn.answer
    trouble = answer.note if answer and turn.state == "interrupted" and not answer.answer else ""
    return Turn(
        number=turn.number,
        question=turn.question,
        step=turn.step,
        mode=answer.mode if answer else turn.mode,
        about=_about(turn, version, step_address),
        state=turn.state,
        kind=kind_of(answer) if answer else "plain",
        html=render_answer(answer.answer) if answer else "",
        own_words=own_words(answer) if answer else "",
        note=answer.note if answer and not trouble else "",
        sources=[_source(citation, version, step_address) for citation in answer.citations] if answer else [],
        nearest=[_nearest(section, version, step_address) for section in answer.nearest] if answer else [],
        options=list(answer.options) if answer else [],
        writer=WORDS["writers"][writer_of(answer)] if answer else "",
        checks=[CheckLine(verdict.outcome, check_line(verdict)) for verdict in answer.checks] if answer else [],
        time=time_line(answer.timings) if answer else "",
        told=bool(turn.feedback and turn.feedback.rating == "down"),
        feedback=turn.feedback,
        trouble=trouble,
    )


def empty_turn() -> Turn:
    """What the page's script makes a live turn of."""
    return Turn(0, "", None, "explain", None, "live", "plain", "", "", "", [], [], [], "", [], "", False)


def kind_of(answer: Answer) -> str:
    """How an answer looks; see `Turn`."""
    if answer.refused:
        return _refusal(answer.checks)
    if answer.general_knowledge:
        return "general"
    if answer.asks_back:
        return "asks"
    return "abstained" if answer.abstained else "plain"


def _refusal(checks: Sequence[CheckVerdict]) -> str:
    outcomes = {(check.place, check.outcome) for check in checks}
    if ("message", "care") in outcomes:
        return "care"
    return "held" if ("answer", "blocked") in outcomes else "refused"


def own_words(answer: Answer) -> str:
    """What is said of an answer that is made of its sources' own sentences; empty for another one."""
    return WORDS["own"].get(writer_of(answer), "")


def _about(turn: StoredTurn, version: WorkshopVersion, step_address: Callable[[str], str]) -> About | None:
    if turn.about is None or turn.step is None or turn.step not in version.steps:
        return None
    first, last = turn.about.first_line, turn.about.last_line
    address = mark_address(step_address(turn.step), f"steps/{turn.step}/content.md", first, last, [])
    return About(address, lines_text(first, last), f"{first}-{last}") if address else None


def _source(citation: Citation, version: WorkshopVersion, step_address: Callable[[str], str]) -> Source:
    address = None
    if citation.step is not None and citation.step in version.steps:
        address = mark_address(
            step_address(citation.step), citation.file, citation.first_line, citation.last_line, citation.heading
        )
    return Source(
        n=citation.n,
        heading=_title(citation),
        lines=lines_text(citation.first_line, citation.last_line),
        place=f"{citation.file}:{citation.first_line}-{citation.last_line}",
        text=citation.text,
        address=address,
        shared=citation.document is not None,
    )


def _title(place: Citation | NearestSection) -> str:
    titles = place.document.titles(place.heading) if place.document else place.heading
    return " › ".join(titles) or place.step or place.file


def unread(notes: Sequence[Note], cookie: str) -> list[Note]:
    """The notes that the reader has not put away; the page's script keeps the ids of those in a cookie, e.g. `3.5`."""
    away = set(cookie.split("."))
    return [note for note in notes if str(note.id) not in away]


def duration(time: timedelta) -> str:
    """A time in words, in its largest whole unit."""
    seconds = round(time.total_seconds())
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{seconds} seconds"


def lines_text(first: int, last: int) -> str:
    """A range of lines in words."""
    return f"line {first}" if first == last else f"lines {first}–{last}"


def _nearest(section: NearestSection, version: WorkshopVersion, step_address: Callable[[str], str]) -> Nearest:
    title = _title(section)
    if section.document is not None:
        return Nearest(title, None)
    if section.step is None or section.step not in version.steps:
        return Nearest(title, step_address(version.manifest.steps[0]))
    address = mark_address(step_address(section.step), section.file, section.line, section.line, section.heading)
    return Nearest(title, address or step_address(section.step))


def read_layout(cookie: str) -> Layout:
    """The layout that the page's script keeps in a cookie, e.g. `r260o.a400c`; what is not one is passed over."""
    match = re.fullmatch(r"r(\d{3})([oc])\.a(\d{3})([oc])", cookie)
    if match is None:
        return Layout()
    wide_rail, wide_assistant = int(match[1]), int(match[3])
    return Layout(
        rail=wide_rail if wide_rail in RAIL_WIDTHS else DEFAULT_RAIL,
        assistant=wide_assistant if wide_assistant in ASSISTANT_WIDTHS else DEFAULT_ASSISTANT,
        rail_open=match[2] == "o",
        assistant_open=match[4] == "o",
    )
