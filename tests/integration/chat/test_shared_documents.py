"""Answers from shared documents: search, chat agent and page with real engines and the real model."""

from collections.abc import AsyncIterator

import anyio.to_thread
import pytest

from agents.rag.service import RagService
from shared_services.contracts.chat import Answer
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import DEPLOY, ask, start
from tests.integration.rag.shelves import SHELF, Document, Shelfful

TITLE = "On-call handbook"
ON_CALL = Document(
    1,
    TITLE,
    ("operations",),
    "When the pager rings at night, acknowledge the alert within five minutes and open an incident channel.\n\n"
    "Hand over to the next engineer every Monday at nine.\n",
)
PAGER = {"text": "What do I do when the pager rings at night?", "step": "deploy"}


@pytest.fixture
async def handbook(platform: Platform) -> AsyncIterator[Document]:
    """The handbook, on the shelf of every workshop whose token says `operations`."""
    service: RagService = platform.rag.state.service
    shelf = Shelfful(service._store, service._embedder)
    await anyio.to_thread.run_sync(shelf.create)
    await anyio.to_thread.run_sync(shelf.add, ON_CALL)
    before, service._shelves = service._shelves, shelf
    yield ON_CALL
    service._shelves = before
    await anyio.to_thread.run_sync(service._store.drop, SHELF)
    service.forget_documents(SHELF)


async def test_a_question_that_only_a_shared_document_answers(platform: Platform, handbook: Document) -> None:
    async with platform.app("harbor", tags=("operations",)) as app, browser(app) as http:
        conversation = await start(http)
        answer = await ask(http, conversation, PAGER)
        assert "acknowledge the alert within five minutes" in answer.answer
        (cited,) = answer.citations
        assert (cited.document, cited.workshop, cited.step) == (handbook.ref, None, None)
        kept = (await http.get(f"/api/v1/conversations/{conversation}")).json()
        assert Answer.model_validate(kept[0]["answer"]) == answer
        http.cookies.set("workshop_conversation", conversation)
        page = (await http.get("/steps/deploy")).text
        assert "Shared document" in page
        assert "acknowledge the alert within five minutes" in page
        own = await ask(http, conversation, DEPLOY)
        assert not own.abstained
        assert own.citations[0].workshop == "harbor"


async def test_a_workshop_without_the_tag_abstains(platform: Platform, handbook: Document) -> None:
    for tags in ((), ("operation",), ("operations-night",)):
        async with platform.app("harbor", tags=tags) as app, browser(app) as http:
            answer = await ask(http, await start(http), PAGER)
            assert answer.abstained, tags
            assert not any(section.document for section in answer.nearest)
            assert TITLE not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("token", "context", "found"),
    [
        (("operations",), None, True),
        (("operations", "java"), ("operations",), True),
        (("operations",), ("java",), False),
        (("operations",), (), False),
        (("java",), ("operations", "java"), False),
        ((), ("operations",), False),
    ],
)
async def test_the_context_narrows_what_the_token_opens_and_never_widens_it(
    platform: Platform, handbook: Document, token: tuple[str, ...], context: tuple[str, ...] | None, found: bool
) -> None:
    async with platform.app("harbor", tags=token, rag_context_filter=context) as app, browser(app) as http:
        answer = await ask(http, await start(http), PAGER)
    assert answer.abstained is not found
    assert ("incident channel" in answer.answer) == found
