"""Each search carries the context's tags and focus."""

import pytest

from shared_services.contracts.rag import SearchRequest
from tests.unit.chat.worlds import FakeLibrary, FakeSearch
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import ContextLayer, Contexts
from workshop_chat.narrowing import NarrowedSearch


@pytest.mark.parametrize(
    ("environment", "tags", "focus"),
    [
        (ContextLayer(), None, None),
        (ContextLayer(rag_context_filter=[]), [], None),
        (ContextLayer(rag_context_filter=["java"], content_focus="spring"), ["java"], "spring"),
    ],
)
async def test_what_the_context_says_is_sent_along(environment: ContextLayer, tags: list[str] | None, focus: str | None):
    library, search = FakeLibrary(), FakeSearch()
    library.publish()
    narrowed = NarrowedSearch(search, WorkshopContent(library, "kettle"), Contexts(None, {}, environment=environment))
    await narrowed.search(SearchRequest(query="How?", step="boil"))
    assert search.requests == [SearchRequest(query="How?", step="boil", tags=tags, content_focus=focus)]
