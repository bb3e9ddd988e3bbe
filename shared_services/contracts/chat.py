"""The chat agent's API. The token or cookie says who asks and in which workshop; the body never does."""

from typing import Annotated, Literal

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.rag import DocumentRef
from shared_services.contracts.workshop import SourcePlace

MAX_MESSAGE_CHARACTERS = 20_000

HelpMode = Literal["hint", "explain", "solve"]
"""Ways of helping: `hint` leads on without giving the command away, `explain` says why, `solve` gives the exact commands."""


class MessageRequest(WireModel):
    """A participant's message, and the step they are on."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARACTERS)]
    step: Slug | None = None


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


class Answer(WireModel):
    """An answer, whole.

    Attributes:
        answer: CommonMark; citations stand as `[1]`.
        abstained: The workshop does not hold an answer; `nearest` says what comes near.
        written_by: `model`, or `extractive`: the passages' own sentences and commands.
        note: What the reader should know about how it was made; empty when there is nothing.
        timings: Milliseconds by stage: `retrieve`, `first_block`, `total`.
        refused: A safety check ended it; `checks` says which.
        checks: Every check that was made, in order.
    """

    conversation: str
    answer: str
    abstained: bool
    refused: bool = False
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
    """SSE `status`: which stage the answer is in, for the reader."""

    stage: Literal["retrieving", "writing"]
    message: str


class ConversationCreated(WireModel):
    """A new conversation's id."""

    id: str


class StoredTurn(WireModel):
    """A turn as it is kept: the question, and the answer once there is one (`interrupted` when it never ended)."""

    number: int
    question: str
    step: Slug | None
    state: Literal["answering", "done", "interrupted"]
    answer: Answer | None
