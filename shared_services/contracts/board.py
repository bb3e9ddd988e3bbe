"""The instructor's live board: who is where, who is stuck and why. For whoever runs the workshop alone."""

from datetime import datetime
from typing import Literal

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.chat import Note


class StuckReason(WireModel):
    """Why somebody seems to be stuck: for long on a step, asking again and again about it, or failing its check."""

    rule: Literal["time", "questions", "checks"]
    text: str


class BoardStep(WireModel):
    """A step, in the workshop's order.

    Attributes:
        here: How many live participants are on it.
        median_seconds: How long those stayed who have left it; None while they are too few.
        stated_seconds: What the author says it takes.
    """

    id: Slug
    title: str
    here: int
    median_seconds: float | None
    stated_seconds: float | None


class BoardPerson(WireModel):
    """A participant.

    Attributes:
        name: What they want to be called, else `Guest 1`, `Guest 2`, ... by when they came.
        state: `live`; `away`: their page has not been heard of for a while; `over`: their session has ended.
        step: Where they are; None where that is not known, or no longer a step of the workshop.
        seconds_on_step: Idle time left out.
        visited: Steps that they have opened.
        passed: Steps whose check they have passed.
        question: Their last question of the last hours, masked; empty where there is none.
    """

    id: str
    name: str
    state: Literal["live", "away", "over"]
    seen_at: datetime
    step: Slug | None
    seconds_on_step: float
    visited: list[Slug]
    passed: list[Slug]
    stuck: list[StuckReason]
    hand_raised_at: datetime | None
    question: str
    question_at: datetime | None


class Board(WireModel):
    """`GET /api/v1/board`. People stand in the order in which they came.

    Attributes:
        waiting: How many wait for a place.
        left_out: Participants beyond what the board shows: those heard of longest ago.
        notes: What is said to all right now.
    """

    workshop: Slug
    title: str
    at: datetime
    steps: list[BoardStep]
    people: list[BoardPerson]
    waiting: int
    left_out: int
    notes: list[Note]


class BoardEvent(WireModel):
    """SSE `board`: the board when something has changed. `html` is what the page shows of it."""

    board: Board
    html: str


class HandChange(WireModel):
    """`POST /api/v1/board/participants/{id}/hand`: lower somebody's hand; only they raise it."""

    raised: Literal[False]
