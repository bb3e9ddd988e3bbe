"""The search of a workshop's chat agent, with a token for what the workshop may read right now."""

from collections.abc import Callable

from shared_services.contracts.rag import SearchRequest, SearchResponse
from workshop_chat.contexts import Contexts, WorkshopContext
from workshop_chat.ports import Library, Search


class ContextSearch:
    """Searches with the context of the current version's manifest: a chat agent outlives the versions that it shows.

    Args:
        workshop: Whose context.
        library: Where the current version is looked up, once for each search.
        contexts: Tell its context, given a manifest.
        search_for: A search whose token carries a context's tags and content focus.
    """

    def __init__(
        self, workshop: str, library: Library, contexts: Contexts, search_for: Callable[[WorkshopContext], Search]
    ) -> None:
        self._contexts = contexts
        self._workshop = workshop
        self._library = library
        self._search_for = search_for
        self._made: tuple[WorkshopContext, Search] | None = None

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages of what the workshop may read, best first.

        Raises:
            PlatformError: The library or the RAG agent does not answer, or refuses.
        """
        context = self._contexts.of((await self._library.current(self._workshop)).manifest)
        made = self._made
        if made is None or made[0] != context:
            made = self._made = (context, self._search_for(context))
        return await made[1].search(request)
