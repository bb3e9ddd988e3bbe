"""The RAG agent's API: index a version, search inside the caller's scope. The token names the workshop, never the body."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.workshop import SourcePlace

ChunkKind = Literal["prose", "command", "code", "output", "check", "hint", "explain", "solve"]


class Turn(WireModel):
    """An earlier turn of the conversation."""

    speaker: Literal["user", "assistant"]
    text: str


class SearchRequest(WireModel):
    """What to look for.

    Attributes:
        step: The step the participant is on; its passages are favoured.
        kinds: Only these kinds; None for every kind.
        history: Earlier turns, oldest first.
        version: The published version that the caller shows; None for the indexed one.
    """

    query: Annotated[str, Field(max_length=100_000)]
    limit: Annotated[int, Field(ge=1, le=50)] = 8
    step: Slug | None = None
    kinds: list[ChunkKind] | None = None
    history: Annotated[list[Turn], Field(max_length=50)] = []
    version: str | None = None


class PassageScores(WireModel):
    """The parts of a passage's score.

    Attributes:
        dense: Cosine similarity, -1 to 1; None when the dense search did not return it.
        bm25: BM25 score, 0 upwards; None when the keyword search did not return it.
        fused: What the order is made by.
    """

    dense: float | None = None
    bm25: float | None = None
    fused: float


class Passage(WireModel):
    """A piece of a workshop's text, as it stands in `file` from `first_line` to `last_line` (from 1, inclusive), byte for byte.

    Attributes:
        workshop: The workshop it belongs to.
        file: Path inside the published workshop, e.g. `steps/deploy/content.md`.
        heading: Titles from the step's title down to the nearest heading.
        commit: Commit of the author's repository, where known.
        source: The place in the author's own repository.
    """

    workshop: Slug
    step: Slug
    step_title: str
    file: str
    first_line: int
    last_line: int
    heading: list[str]
    kind: ChunkKind
    text: str
    commit: str | None = None
    source: SourcePlace
    scores: PassageScores


class SearchResponse(WireModel):
    """Passages, best first.

    Attributes:
        confidence: 0 to 1, an estimate that the passages answer the question.
        version: The version that was searched.
        took_ms: Inside the agent, the query's embedding included.
    """

    passages: list[Passage]
    confidence: float
    version: str
    took_ms: float


class IndexRequest(WireModel):
    """Index a version that the library holds; it is searchable by its version, and `activate` makes it the current one."""

    version: str


class IndexStatus(WireModel):
    """What is indexed of a workshop. `model` names the embedding model and the hash of its weights."""

    workshop: Slug
    version: str
    chunks: int
    model: str
    indexed_at: datetime
    active: bool
