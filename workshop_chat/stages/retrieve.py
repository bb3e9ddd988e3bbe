"""Passages for a question: from this workshop alone, in the version that its participants see, and from its shared documents."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
from structlog import get_logger

from shared_services.contracts.rag import ChunkKind, Passage, SearchRequest, SearchResponse
from shared_services.kit.errors import PlatformError, UnavailableError
from workshop_chat.errors import CannotLookUpError
from workshop_chat.ports import Search
from workshop_chat.stages.understand import Understood

log = get_logger()

PAUSES_SECONDS = (0.2, 0.8)
"""Before a search that was not answered is tried again; together less than a reader notices."""
RETRY_SECONDS = 10
REFUSED_FOR_NOW = frozenset({401, 403, 429})
CANNOT_LOOK_UP = (
    "The assistant cannot look it up now, because the search of this workshop does not answer. Try again in a moment."
)


@dataclass(frozen=True)
class Retrieved:
    """Passages, best first, and the chance (0 to 1) that they answer the question.

    Attributes:
        keywords_only: They were found by keywords alone; the index waits to be made anew.
    """

    passages: list[Passage]
    confidence: float
    keywords_only: bool = False


async def retrieve(
    search: Search,
    understood: Understood,
    *,
    workshop: str,
    version: str,
    step: str | None,
    limit: int,
    kinds: list[ChunkKind],
) -> Retrieved:
    """Search for what was understood among passages of these `kinds`; those of `step` are favoured.

    The scope is the token's, and with it which shared documents may be read. A passage of another workshop would be a fault of
    the RAG agent's: it is dropped here and logged.

    A pasted error stands alone: what was spoken of before says nothing about it.

    Raises:
        CannotLookUpError: The RAG agent does not answer, has no time, or does not take this chat agent's token.
        PlatformError: It refuses the question.
    """
    history = [] if understood.pasted else understood.history
    request = SearchRequest(query=understood.query, limit=limit, step=step, kinds=kinds, history=history, version=version)
    response = await _asked(search, request)
    allowed = [passage for passage in response.passages if passage.document is not None or passage.workshop == workshop]
    if len(allowed) != len(response.passages):
        log.error("foreign_passages_dropped", workshop=workshop, dropped=len(response.passages) - len(allowed))
    return Retrieved(allowed, response.confidence if allowed else 0.0, response.keywords_only)


async def _asked(search: Search, request: SearchRequest) -> SearchResponse:
    """What is found. A search changes nothing, so one that meets a replica that ends is sent to the next."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return await search.search(request)
        except PlatformError as error:
            if error.status < 500 and error.status not in REFUSED_FOR_NOW:
                raise
            if pause is None or not isinstance(error, UnavailableError):
                log.warning("cannot_look_up", slug=error.slug, status=error.status, detail=error.detail)
                raise CannotLookUpError(CANNOT_LOOK_UP, retry_after=RETRY_SECONDS) from error
        await anyio.sleep(pause)
    raise AssertionError("unreachable")


def with_block_first(passages: Sequence[Passage], pinned: Sequence[Passage]) -> list[Passage]:
    """The passages with those first that hold one of the `pinned` ones; where none does, that one itself is the first."""
    first: list[Passage] = []
    for pin in pinned:
        holding = [passage for passage in passages if _holds(passage, pin)]
        first += [passage for passage in holding or [pin] if passage not in first]
    return [*first, *(passage for passage in passages if passage not in first)]


def with_section_first(passages: Sequence[Passage], section: Passage) -> list[Passage]:
    """The passages with those first that have lines of a section; where there is none, the whole of it is the first."""
    first = [passage for passage in passages if _meets(section, passage)] or [section]
    return [*first, *(passage for passage in passages if passage not in first)]


def _holds(passage: Passage, part: Passage) -> bool:
    return passage.file == part.file and passage.first_line <= part.first_line and part.last_line <= passage.last_line


def _meets(section: Passage, passage: Passage) -> bool:
    """Whether they have lines in common: a passage may begin above a section's heading, or end within it."""
    same = (passage.document, passage.file) == (section.document, section.file)
    return same and passage.first_line <= section.last_line and section.first_line <= passage.last_line


def solutions_first(passages: Sequence[Passage], step: str | None) -> list[Passage]:
    """The passages with the solution of this step first, and without those of any other: each has a lock of its own."""
    own = [passage for passage in passages if passage.kind == "solve" and passage.step == step]
    return [*own, *(passage for passage in passages if passage.kind != "solve")]
