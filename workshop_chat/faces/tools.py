"""What faces for programs offer beside answers: passages of the workshop, and a step by its id or number."""

from collections.abc import Callable, Sequence

from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import SearchRequest, SearchResponse
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import SafetyLevel
from workshop_chat.errors import StepNotFoundError
from workshop_chat.help import readable_kinds
from workshop_chat.masking import mask_secrets
from workshop_chat.ports import Search
from workshop_chat.stages.moderate import moderate_passages

LevelOf = Callable[[WorkshopVersion], SafetyLevel]

MOST_PASSAGES = 20
MOST_CHARACTERS = 20_000


async def search_workshop(content: WorkshopContent, search: Search, level: LevelOf, query: str, limit: int) -> SearchResponse:
    """Passages of the current version that participants may read, best first.

    Args:
        content: The workshop.
        search: Retrieval in its scope.
        level: A version's level of safety; who reads the passages is an assistant, too.
        query: What goes beyond `MOST_CHARACTERS` is left out.
        limit: How many; brought into 1 to `MOST_PASSAGES`.

    Raises:
        PlatformError: The library or the RAG agent does not answer.
    """
    published = await content.current()
    request = SearchRequest(
        query=mask_secrets(query[:MOST_CHARACTERS]).text,
        limit=max(1, min(limit, MOST_PASSAGES)),
        kinds=readable_kinds("explain", solve_open=False),
        version=published.version,
    )
    found = await search.search(request)
    own = [passage for passage in found.passages if passage.document is not None or passage.workshop == content.workshop]
    safe, _ = moderate_passages(level(published), own)
    return found.model_copy(update={"passages": safe})


def step_named(name: str, order: Sequence[str]) -> str:
    """The step with this id or number.

    Raises:
        StepNotFoundError: There is none; the sentence lists those that there are.
    """
    if name.isascii() and name.isdecimal() and 1 <= int(name) <= len(order):
        return order[int(name) - 1]
    if name not in order:
        raise StepNotFoundError(f"There is no step {name[:80]!r}. The steps: {', '.join(order)}.")
    return name
