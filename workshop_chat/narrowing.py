"""Retrieval for every face of one chat agent: each search asks for no more of the shared documents than the context names."""

from shared_services.contracts.rag import SearchRequest, SearchResponse
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts
from workshop_chat.ports import Search


class NarrowedSearch:
    """A search whose requests carry the context's tags and focus. The RAG agent holds them against the token's.

    Args:
        search: Retrieval in the token's scope.
        content: The workshop, whose manifest speaks of its context.
        contexts: Tell the context.
    """

    def __init__(self, search: Search, content: WorkshopContent, contexts: Contexts) -> None:
        self._search = search
        self._content = content
        self._contexts = contexts

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages, best first.

        Raises:
            PlatformError: The library or the RAG agent does not answer, or refuses.
        """
        context = self._contexts.of((await self._content.current()).manifest)
        tags = None if context.rag_context_filter is None else list(context.rag_context_filter)
        return await self._search.search(request.model_copy(update={"tags": tags, "content_focus": context.content_focus}))
