"""What became of questions, counted; and which part of the workshop each is about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from shared_services.contracts.chat import Citation, NearestSection
from shared_services.contracts.insights import QuestionsAt, QuestionTotals, Section
from shared_services.contracts.library import WorkshopVersion
from workshop_chat.stages.understand import small_talk

NO_STEP = "No step"
SMALL_TALK_CHARACTERS = 200
"""What is longer than this is no greeting."""

Resolution = Literal["hour", "day"]


@dataclass(frozen=True)
class Outcome:
    """What became of one message.

    Attributes:
        beginning: The message's first `SMALL_TALK_CHARACTERS` characters.
        first_block_ms: Milliseconds until the first piece of the answer; None where there was none.
    """

    beginning: str
    asked_at: datetime
    state: str
    abstained: bool = False
    general_knowledge: bool = False
    asks_back: bool = False
    refused: bool = False
    rating: str | None = None
    first_block_ms: float | None = None

    @property
    def kind(self) -> str:
        """The name of its count in `QuestionTotals`."""
        if self.state in ("answering", "interrupted", "stopped"):
            return self.state
        if self.refused:
            return "refused"
        if self.unanswered:
            return "unanswered"
        return "asked_back" if self.asks_back else "answered"

    @property
    def unanswered(self) -> bool:
        """Whether the workshop did not hold an answer."""
        return self.state == "done" and not self.refused and (self.abstained or self.general_knowledge)


@dataclass(frozen=True)
class RawQuestion:
    """A question without an answer, or with a thumbs-down, as it was asked.

    Attributes:
        participant: Whoever asked, so that people can be counted.
        name: What they want to be called, so that it can be taken out.
    """

    text: str
    asked_at: datetime
    step: str | None
    unanswered: bool
    thumbs_down: bool
    reason: str
    nearest: NearestSection | None
    citation: Citation | None
    participant: str
    name: str


def is_question(text: str) -> bool:
    """Whether a message asks anything; greetings and thanks do not."""
    return len(text) >= SMALL_TALK_CHARACTERS or small_talk(text) is None


def totals(outcomes: Sequence[Outcome]) -> QuestionTotals:
    """The counts of a period's questions."""
    counts = dict.fromkeys(("answering", "interrupted", "stopped", "refused", "unanswered", "asked_back", "answered"), 0)
    for outcome in outcomes:
        counts[outcome.kind] += 1
    waits = [outcome.first_block_ms for outcome in outcomes if outcome.first_block_ms is not None]
    return QuestionTotals(
        asked=len(outcomes),
        general_knowledge=sum(outcome.unanswered and outcome.general_knowledge for outcome in outcomes),
        thumbs_up=sum(outcome.rating == "up" for outcome in outcomes),
        thumbs_down=sum(outcome.rating == "down" for outcome in outcomes),
        first_block_ms=round(median(waits), 1) if waits else None,
        **counts,
    )


def period(now: datetime, days: int) -> tuple[datetime, Resolution]:
    """When the last `days` days (UTC, today among them) began, and what they are counted by: one day's questions by hours.

    One day is the last 24 hours, the one under way among them.
    """
    if days == 1:
        return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23), "hour"
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1), "day"


def over_time(outcomes: Sequence[Outcome], since: datetime, now: datetime, resolution: Resolution) -> list[QuestionsAt]:
    """Questions by hour or day, each of them, the empty ones too."""
    width = timedelta(hours=1) if resolution == "hour" else timedelta(days=1)
    count = int((now - since) / width) + 1
    found = [[0, 0, 0] for _ in range(count)]
    for outcome in outcomes:
        place = int((outcome.asked_at - since) / width)
        if 0 <= place < count:
            found[place][0] += 1
            found[place][1] += outcome.unanswered
            found[place][2] += outcome.rating == "down"
    return [
        QuestionsAt(start=since + place * width, asked=asked, unanswered=unanswered, thumbs_down=down)
        for place, (asked, unanswered, down) in enumerate(found)
    ]


def section_of(
    nearest: NearestSection | None, citation: Citation | None, step: str | None, version: WorkshopVersion | None
) -> Section:
    """What a question is about: the section nearest to one without an answer, else what its answer cites first, else its step."""
    place = nearest or citation
    if place is not None:
        document = place.document
        heading = document.titles(place.heading) if document else place.heading
        return Section(
            step=place.step,
            document=document,
            heading=heading,
            title=" › ".join(heading) or place.step or place.file,
            known_by="nearest" if nearest else "citation",
        )
    if step is None:
        return Section(title=NO_STEP, known_by="none")
    known = version.steps.get(step) if version else None
    return Section(step=step, heading=[known.title] if known else [], title=known.title if known else step, known_by="step")


def section_key(section: Section) -> tuple[str, ...]:
    """What tells two sections apart."""
    return (section.step or "", section.document.id if section.document else "", *section.heading)
