"""The RAG agent's API: index a version, search inside the caller's scope. The token names the workshop, never the body."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
        tags: Of the shared documents that the caller's token opens, only those with one of these tags; None for all of them.
        content_focus: Of these, only those that fit this focus as well. A token of another focus then opens none.
    """

    query: Annotated[str, Field(max_length=100_000)]
    limit: Annotated[int, Field(ge=1, le=50)] = 8
    step: Slug | None = None
    kinds: list[ChunkKind] | None = None
    history: Annotated[list[Turn], Field(max_length=50)] = []
    version: str | None = None
    tags: Annotated[list[Slug], Field(max_length=1000)] | None = None
    content_focus: Slug | None = None


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


class DocumentRef(WireModel):
    """A shared document: its id and its title."""

    id: Slug
    title: str

    def titles(self, heading: list[str]) -> list[str]:
        """The titles down to a section, the document's own first and once."""
        return heading if heading[:1] == [self.title] else [self.title, *heading]


class Passage(WireModel):
    """A piece of a text, as it stands in `file` from `first_line` to `last_line` (from 1, inclusive), byte for byte.

    It is a workshop's, and then has `workshop` and `step`, or a shared document's, and then has `document`.

    Attributes:
        workshop: The workshop it belongs to.
        document: The shared document it belongs to.
        file: Path inside the published workshop, e.g. `steps/deploy/content.md`; of a shared document its own path.
        heading: Titles from the step's title, or the document's, down to the nearest heading.
        commit: Commit of the author's repository, where known.
        source: The place in the author's own repository.
    """

    workshop: Slug | None = None
    step: Slug | None = None
    step_title: str = ""
    document: DocumentRef | None = None
    file: str
    first_line: int
    last_line: int
    heading: list[str]
    kind: ChunkKind
    text: str
    commit: str | None = None
    source: SourcePlace
    scores: PassageScores

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.document is None) == (self.workshop is None) or (self.workshop is None) != (self.step is None):
            raise ValueError("a passage is either a workshop's, with a step, or a shared document's")
        return self


class SearchResponse(WireModel):
    """Passages, best first.

    Attributes:
        confidence: 0 to 1, an estimate that the passages answer the question.
        version: The version that was searched.
        took_ms: Inside the agent, the query's embedding included.
        keywords_only: The index was made with another embedding model than the one in use, so keywords alone were searched.
    """

    passages: list[Passage]
    confidence: float
    version: str
    took_ms: float
    keywords_only: bool = False


MAX_EMBEDDED_TEXTS = 64
MAX_EMBEDDED_CHARACTERS = 2_000


class EmbeddingsRequest(WireModel):
    """Texts to embed; what is longer than the model reads is cut by it."""

    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_EMBEDDED_CHARACTERS)]],
        Field(min_length=1, max_length=MAX_EMBEDDED_TEXTS),
    ]


class EmbeddingsResponse(WireModel):
    """A vector of length 1 for each text, in order: the product of two is the cosine of the angle between them.

    Attributes:
        model: The embedding model and the hash of its weights; vectors of two models cannot be compared.
    """

    model: str
    vectors: list[list[float]]


class IndexRequest(WireModel):
    """Index a version that the library holds; it is searchable by its version, and `activate` makes it the current one.

    Attributes:
        activate: Make it the current one as soon as it is whole; else a request of its own does.
    """

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
    activate: bool = False


class IndexStatus(WireModel):
    """What is indexed of a workshop.

    Attributes:
        model: The embedding model that it was made with, and the hash of its weights.
        current_model: Whether that is the model in use; where it is not, the index is searched by its keywords alone.
        current_form: Whether it was made by the rules in use; where it was not, it is searched all the same.
    """

    workshop: Slug
    version: str
    chunks: int
    model: str
    indexed_at: datetime
    active: bool
    current_model: bool = True
    current_form: bool = True


class ReindexRequest(WireModel):
    """Index anew what was made with another model than the one in use, or in an older form.

    Attributes:
        workshops: These alone; None for every workshop, and the shared documents.
    """

    workshops: Annotated[list[Slug], Field(min_length=1, max_length=1000)] | None = None


class ReindexReport(WireModel):
    """What came of a reindexing: the result of a job of kind `reindex`.

    Attributes:
        renewed: Indexes that were made anew; they serve.
        current: Workshops that needed nothing.
        gone: Workshops that were removed meanwhile.
        documents: How many shared documents were indexed anew.
    """

    renewed: list[IndexStatus]
    current: list[Slug]
    gone: list[Slug]
    documents: int


DocumentFormat = Literal["markdown", "asciidoc", "rst", "html", "notebook", "pdf"]


class SharedDocument(WireModel):
    """A document for many workshops: those whose context names one of its tags, and whose content focus fits, may read it.

    Attributes:
        id: Made from its path; posting a document under an id that exists replaces it.
        content_focus: None fits every workshop.
        file: Its path, as it was given.
        sha256: Of the bytes that were given.
        chunks: Passages that are indexed of it.
    """

    id: Slug
    title: str
    tags: list[Slug]
    content_focus: Slug | None
    format: DocumentFormat
    file: str
    sha256: str
    chunks: int
    model: str
    indexed_at: datetime


class RefusedDocument(WireModel):
    """A file that was not taken, and why."""

    file: str
    detail: str


class SharedDocumentsReport(WireModel):
    """What came of posted documents.

    Attributes:
        indexed: New ones, and such as changed.
        unchanged: Ids of those that were there already, just so.
        refused: Files that hold nothing that could be indexed.
        embedded: Passages that the model had to read; the others were known.
    """

    indexed: list[SharedDocument]
    unchanged: list[Slug]
    refused: list[RefusedDocument]
    embedded: int
