"""The chat agent's API. The token or cookie says who asks and in which workshop; the body never does."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.rag import DocumentRef
from shared_services.contracts.workshop import SourcePlace

MAX_MESSAGE_CHARACTERS = 2_000_000
"""The most that is looked at at all; how much a chat agent takes is a setting, and what is longer is refused with advice."""

HelpMode = Literal["hint", "explain", "solve"]
"""Ways of helping: `hint` leads on without giving the command away, `explain` says why, `solve` gives the exact commands."""


class BlockRef(WireModel):
    """A code block of the step that the participant points at: its lines (from 1, inclusive) of the step's `content.md`."""

    first_line: Annotated[int, Field(ge=1)]
    last_line: Annotated[int, Field(ge=1)]


class MessageRequest(WireModel):
    """A participant's message, the step they are on, and how they want to be helped.

    Attributes:
        about: The code block of `step` that the message is about; passed over where the step has no such lines.
    """

    text: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARACTERS)]
    step: Slug | None = None
    mode: HelpMode = "explain"
    about: BlockRef | None = None


class Citation(WireModel):
    """A reference from an answer to the passage it rests on.

    It is of the workshop, and then has `workshop` and `step`, or of a shared document, and then has `document`.

    Attributes:
        n: The number in the answer, from 1.
        file: Path inside the published workshop, or the shared document's; with `first_line` and `last_line` (inclusive)
            it gives `text` back.
        heading: Titles from the step's, or the document's, down to the nearest heading.
        source: The place in the author's own repository.
    """

    n: int
    workshop: Slug | None = None
    step: Slug | None = None
    document: DocumentRef | None = None
    file: str
    first_line: int
    last_line: int
    heading: list[str]
    text: str
    source: SourcePlace


class NearestSection(WireModel):
    """A section that comes nearest to a question that the workshop does not answer."""

    step: Slug | None = None
    document: DocumentRef | None = None
    heading: list[str]
    file: str
    line: int


class CheckVerdict(WireModel):
    """What one safety check said of one text.

    Attributes:
        check: Its name, e.g. `personal-data`.
        place: The participant's message, a passage that was found, or a piece of the answer.
        outcome: `passed`, what followed from a finding (`care`: the answer says where help is), or `unavailable`: not made.
        found: In a few words, never the thing itself; empty where nothing was found.
    """

    check: str
    place: Literal["message", "passage", "answer"]
    outcome: Literal["passed", "blocked", "masked", "flagged", "care", "unavailable"]
    found: str = ""


class HelpWay(WireModel):
    """One of the three ways of helping, on one step, for one participant.

    Attributes:
        message: Why it is not open, and when it will be; empty where it is open.
        opens_at: When time opens it; None where it does not, or where it is open.
        failed_checks_left: How many more failed checks open it; None where they do not, or where it is open.
    """

    mode: HelpMode
    open: bool
    message: str = ""
    opens_at: datetime | None = None
    failed_checks_left: int | None = None


class CheckResult(WireModel):
    """`POST /steps/{id}/check-results`: how a check of the step ended for the caller."""

    passed: bool
    output: Annotated[str, Field(max_length=100_000)] = ""


class Answer(WireModel):
    """An answer, whole.

    Attributes:
        answer: CommonMark; citations stand as `[1]`.
        number: The turn's number in its conversation, from 1; 0 where nothing is kept.
        mode: The way of helping that it was written in, which is not the one asked for where that was shut.
        abstained: The workshop does not hold an answer; `nearest` says what comes near.
        asks_back: It is a question to the participant; `options` are what they may mean, as messages to send.
        general_knowledge: The workshop does not hold it; the model wrote it from what it knows, and it says so.
        stopped: The participant stopped it.
        written_by: `model`, or `extractive`: the passages' own sentences and commands.
        note: What the reader should know about how it was made; empty when there is nothing.
        timings: Milliseconds by stage: `retrieve`, `first_block`, `total`.
        refused: A safety check ended it; `checks` says which.
        checks: Every check that was made, in order.
    """

    conversation: str
    number: int = 0
    answer: str
    mode: HelpMode = "explain"
    abstained: bool
    asks_back: bool = False
    options: list[str] = []
    general_knowledge: bool = False
    refused: bool = False
    stopped: bool = False
    checks: list[CheckVerdict] = []
    written_by: Literal["model", "extractive"]
    note: str = ""
    nearest: list[NearestSection]
    citations: list[Citation]
    timings: dict[str, float]


class BlockEvent(WireModel):
    """SSE `block`: a finished, checked piece of the answer (a sentence, a list, a code block).

    Attributes:
        n: From 0, in order.
        markdown: As CommonMark.
        html: The same, sanitized, for the page.
        before: White space between the block before and this one: a space or line end where it goes on in the same paragraph or
            list. `before + markdown` of all blocks is the answer.
    """

    n: int
    markdown: str
    html: str
    before: str = ""


class StatusEvent(WireModel):
    """SSE `status`: which stage the answer is in, for the reader.

    Attributes:
        position: Place in the queue for the model, from 1; None where it is not waiting.
    """

    stage: Literal["waiting", "retrieving", "writing"]
    message: str
    position: int | None = None


class ConversationCreated(WireModel):
    """A new conversation's id."""

    id: str


MAX_TITLE_CHARACTERS = 120
MAX_REASON_CHARACTERS = 2_000


class ConversationSummary(WireModel):
    """One of the caller's conversations. `title` is theirs, else the beginning of its first question; empty without turns."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int


class ConversationChange(WireModel):
    """What can be changed of a conversation."""

    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE_CHARACTERS)]


class Feedback(WireModel):
    """What a participant thinks of an answer."""

    rating: Literal["up", "down"]
    reason: Annotated[str, Field(max_length=MAX_REASON_CHARACTERS)] = ""


class StoredTurn(WireModel):
    """A turn as it is kept: the question, and the answer once there is one.

    Attributes:
        about: The code block of `step` that the question is about.
        state: `interrupted` when the answer never ended, `stopped` when its participant ended it.
    """

    number: int
    question: str
    step: Slug | None
    about: BlockRef | None = None
    state: Literal["answering", "done", "interrupted", "stopped"]
    answer: Answer | None
    asked_at: datetime | None = None
    mode: HelpMode = "explain"
    feedback: Feedback | None = None


class ConversationExport(WireModel):
    """A conversation as its participant takes it away."""

    workshop: Slug
    title: str
    created_at: datetime
    exported_at: datetime
    turns: list[StoredTurn]


class StepRecord(WireModel):
    """What is kept of a participant on a step; `seconds` with idle time left out."""

    step: Slug
    first_seen_at: datetime
    last_seen_at: datetime
    seconds: float
    failed_checks: int
    passed_at: datetime | None


class ParticipantExport(WireModel):
    """Everything that is kept of a participant in this workshop, as they take it away."""

    workshop: Slug
    participant: str
    name: str
    exported_at: datetime
    steps: list[StepRecord]
    conversations: list[ConversationExport]


class Me(WireModel):
    """The caller, as the workshop knows them.

    Attributes:
        teaches: They run the workshop.
        retention_days: After how many days what is kept of them is deleted; 0 where that is never.
    """

    id: str
    name: str
    teaches: bool
    retention_days: int


class Removed(WireModel):
    """How much of a participant was deleted: rows of each kind. `feedback` counts turns that carried a rating."""

    conversations: int
    turns: int
    feedback: int
    sessions: int
    steps: int


class SessionView(WireModel):
    """The caller's place in the workshop.

    Attributes:
        state: `live`; `waiting`: the workshop is full, `position` (from 1) says when it is their turn; `over`: it was idle for
            too long, and the next thing they do begins a new one where there is a place.
        ends_at: When it ends if they do nothing until then; None where it is not live.
        limit: How many live sessions the workshop has room for.
        hand_raised: Whether they have asked for a person.
    """

    state: Literal["live", "waiting", "over"]
    name: str = ""
    position: int | None = None
    ends_at: datetime | None = None
    limit: int
    live: int
    hand_raised: bool = False


class Note(WireModel):
    """What whoever runs the workshop says to everybody in it."""

    id: int
    text: str
    author: str
    created_at: datetime
