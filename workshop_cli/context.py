"""The search of a workshop's chat agent, with a token for what the workshop may read right now."""

from collections.abc import Callable

from shared_services.contracts.rag import EmbeddingsRequest, EmbeddingsResponse, SearchRequest, SearchResponse
from workshop_chat.contexts import Contexts, WorkshopContext
from workshop_chat.ports import Library, Retrieval


class ContextSearch:
    """Searches with the context of the current version's manifest: a chat agent outlives the versions that it shows.

    Args:
        workshop: Whose context.
        library: Where the current version is looked up, once for each search.
        contexts: Tell its context, given a manifest.
        search_for: A search whose token carries a context's tags and content focus.
    """

    def __init__(
        self, workshop: str, library: Library, contexts: Contexts, search_for: Callable[[WorkshopContext], Retrieval]
    ) -> None:
        self._contexts = contexts
        self._workshop = workshop
        self._library = library
        self._search_for = search_for
        self._made: tuple[WorkshopContext, Retrieval] | None = None

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages of what the workshop may read, best first.

        Raises:
            PlatformError: The library or the RAG agent does not answer, or refuses.
        """
        return await (await self._current()).search(request)

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """A vector of length 1 for each text, in order.

        Raises:
            PlatformError: The library or the RAG agent does not answer, or refuses.
        """
        return await (await self._current()).embeddings(request)

    async def _current(self) -> Retrieval:
        context = self._contexts.of((await self._library.current(self._workshop)).manifest)
        made = self._made
        if made is None or made[0] != context:
            made = self._made = (context, self._search_for(context))
        return made[1]
