"""A newer conversion merged into what an author has changed by hand: the conflicts, and what the author decides about each."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from shared_services.contracts.base import Slug, WireModel


class Take(StrEnum):
    """Which side of a conflict stands: the author's, the source's, or the author's lines and then the source's."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


class Decision(WireModel):
    """What an author decides about one conflict: a side, or for lines of text words of their own."""

    take: Take | None = None
    text: Annotated[str, Field(max_length=1_000_000)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Decision":
        if (self.take is None) == (self.text is None):
            raise ValueError("a decision is either a side to take or a text")
        return self


class ConflictKind(StrEnum):
    """What both sides changed: lines of a text, a field of a manifest, a whole file, a step, its id, or the order of steps."""

    LINES = "lines"
    FIELD = "field"
    FILE = "file"
    STEP = "step"
    NAME = "name"
    ORDER = "order"


class Conflict(WireModel):
    """Something that both sides changed, each in another way.

    Attributes:
        id: The same for the same conflict whenever the merge is made again.
        path: The file in the workshop, under the name that it has in the result.
        step: The step that it is about, under the id that it has in the result.
        field: Of a manifest, its parts with dots between them.
        line: Where the author's lines begin, from 1; 0 where it is not about lines.
        base: What was there when the workshop was imported; None for nothing, or for what is no text.
        mine: What the author made of it.
        theirs: What the source made of it.
        detail: A sentence: what happened on both sides.
        takes: The sides that can be taken.
        decided: What stands in the result; without it the author's side does.
    """

    id: str
    kind: ConflictKind
    path: str
    step: Slug | None = None
    field: str = ""
    line: int = 0
    base: str | None = None
    mine: str | None = None
    theirs: str | None = None
    detail: str
    takes: list[Take] = [Take.MINE, Take.THEIRS]
    decided: Decision | None = None


class MergeRequest(WireModel):
    """Three versions of a workshop in the library, and what the author has decided so far.

    Attributes:
        base: The conversion that the author's version began as.
        mine: The author's version.
        theirs: The conversion of the newer commit.
        decisions: By conflict.
        strict: Refuse to make a draft while a conflict is undecided; else the author's side stands for each of those.
    """

    base: str
    mine: str
    theirs: str
    decisions: dict[str, Decision] = {}
    strict: bool = False


class Merge(WireModel):
    """What a merge came to: a draft in the library.

    Attributes:
        version: The draft.
        conflicts: Every conflict, decided or not.
    """

    workshop: Slug
    version: str
    conflicts: list[Conflict]
