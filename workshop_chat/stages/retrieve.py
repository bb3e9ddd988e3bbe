"""Passages for a question: from this workshop alone, in the version that its participants see, and from its shared documents."""

from dataclasses import dataclass

from structlog import get_logger

from shared_services.contracts.rag import ChunkKind, Passage, SearchRequest
from workshop_chat.ports import Search
from workshop_chat.stages.understand import Understood

log = get_logger()

# Everything but `check`: a check's script judges a participant, it is not there to be read to them.
READABLE: list[ChunkKind] = ["prose", "command", "code", "output", "hint", "explain", "solve"]


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
    search: Search, understood: Understood, *, workshop: str, version: str, step: str | None, limit: int
) -> Retrieved:
    """Search for what was understood; the passages of `step` are favoured.

    The scope is the token's, and with it which shared documents may be read. A passage of another workshop would be a fault of
    the RAG agent's: it is dropped here and logged.

    Raises:
        PlatformError: The RAG agent does not answer, or refuses.
    """
    request = SearchRequest(
        query=understood.query, limit=limit, step=step, kinds=READABLE, history=understood.history, version=version
    )
    response = await search.search(request)
    allowed = [passage for passage in response.passages if passage.document is not None or passage.workshop == workshop]
    if len(allowed) != len(response.passages):
        log.error("foreign_passages_dropped", workshop=workshop, dropped=len(response.passages) - len(allowed))
    return Retrieved(allowed, response.confidence if allowed else 0.0, response.keywords_only)
