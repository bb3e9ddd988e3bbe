"""What an author learns of the questions in one workshop. It names no participant; the texts of questions are masked."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.rag import DocumentRef

MAX_DAYS = 365
DEFAULT_DAYS = 30


class QuestionTotals(WireModel):
    """How many questions there were, and what became of them. Greetings and thanks are none.

    Attributes:
        answered: From the workshop's own content, to the end.
        asked_back: Answered with a question to the participant.
        unanswered: The workshop did not hold an answer; those answered from general knowledge among them.
        general_knowledge: Of the unanswered ones, those that the model answered from what it knows.
        refused: Ended by a safety check.
        stopped: Ended by their participant.
        interrupted: Never ended, because of trouble on our side.
        answering: Under way.
        first_block_ms: Median milliseconds until the first piece of an answer was sent; None where nothing was.
    """

    asked: int = 0
    answered: int = 0
    asked_back: int = 0
    unanswered: int = 0
    general_knowledge: int = 0
    refused: int = 0
    stopped: int = 0
    interrupted: int = 0
    answering: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    first_block_ms: float | None = None


class QuestionsAt(WireModel):
    """The questions of one day or hour (UTC), which begins at `start`."""

    start: datetime
    asked: int
    unanswered: int
    thumbs_down: int


class Section(WireModel):
    """The part of the workshop, or of a shared document, that questions are about.

    Attributes:
        step: A step's id, which the current version may no longer have; None for a document's section and for no step.
        heading: Titles from the step's, or the document's, down to the section; empty where only the step is known.
        title: The same in one line, for people.
        known_by: What tells that the questions are about it: the nearest section of a question without an answer, the first
            passage that the answer cites, the step that the participant was on; `none` where nothing does.
    """

    step: Slug | None = None
    document: DocumentRef | None = None
    heading: list[str] = []
    title: str
    known_by: Literal["nearest", "citation", "step", "none"]


class GroupedQuestion(WireModel):
    """A question that got no answer, or one that its participant did not like (or both), masked.

    Attributes:
        text: At most its first 1,000 characters.
        reason: What the participant wrote with their thumbs-down, masked; empty where they wrote nothing.
    """

    text: str
    asked_at: datetime
    step: Slug | None
    unanswered: bool
    thumbs_down: bool
    reason: str = ""


class QuestionGroup(WireModel):
    """Questions that are alike.

    Attributes:
        id: The same as long as its section and its representative are.
        representative: The question that is most like all others.
        size: How many questions there are; `questions` holds the newest of them.
        people: How many participants asked them.
        reasons: What was written with thumbs-down, newest first, each once; at most as many as questions are shown.
    """

    id: str
    section: Section
    representative: str
    size: int
    people: int
    unanswered: int
    thumbs_down: int
    first_asked: datetime
    last_asked: datetime
    questions: list[GroupedQuestion]
    reasons: list[str]


class Likeness(WireModel):
    """How questions were found to be alike.

    Attributes:
        by: `embeddings`: cosine of their vectors; `words`: the words that they share, which finds less.
        model: The embedding model; empty for words.
        threshold: Two groups become one where their questions are this much alike on average, 0 to 1.
        note: Why it was done by words, for people; empty where it was not.
    """

    by: Literal["embeddings", "words"]
    model: str = ""
    threshold: float
    note: str = ""


class StepStay(WireModel):
    """How long participants stay on a step.

    Attributes:
        number: Its place in the current version, from 1.
        median_seconds: Idle time left out.
        stated_seconds: What the author says it takes; None where they say nothing.
        long: It takes much longer than stated, or than the other steps where nothing is stated.
        failed_checks: Failed checks after which none has passed yet.
    """

    step: Slug
    title: str
    number: int
    people: int
    median_seconds: float
    stated_seconds: float | None
    long: bool
    failed_checks: int
    passed: int


class Insights(WireModel):
    """`GET /api/v1/insights`.

    Attributes:
        since: The period's beginning, inclusive; `until` is when it was looked at.
        resolution: What `over_time` counts by.
        groups: Largest first.
        grouped: How many questions are in groups: the newest of the period, up to a bound.
        left_out: How many older ones were left out of the groups.
        stays: Longest first.
    """

    workshop: Slug
    since: datetime
    until: datetime
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)]
    resolution: Literal["hour", "day"]
    totals: QuestionTotals
    over_time: list[QuestionsAt]
    groups: list[QuestionGroup]
    grouped: int
    left_out: int
    likeness: Likeness
    stays: list[StepStay]
