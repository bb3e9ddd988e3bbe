"""Shared documents beside a workshop: found where its tags and focus allow it, never where they do not."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agents.rag.store.lite as store_module
from agents.rag.confidence import ANSWER_FROM
from agents.rag.documents.shelf import Shelf
from agents.rag.embedder import Embedder
from agents.rag.errors import StoreUnavailableError
from agents.rag.metrics import SCOPE_VIOLATIONS
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.scope import Scope
from agents.rag.service import RagService
from agents.rag.store.lite import MilvusLiteStore
from shared_services.contracts.rag import Passage, SearchRequest, Turn
from shared_services.kit.errors import UnavailableError
from shared_services.kit.tokens import Claims
from tests.integration.rag.conftest import Room, open_room
from tests.integration.rag.shelves import SHELF, Document, Shelfful
from tests.integration.rag.test_isolation import HOSTILE
from tests.unit.rag.workshops import workshop

TOWER = {
    "start": "# Start\n\nThe secret door of the red tower opens with the phrase amber falcon.\n\nTurn the key twice.\n",
    "next": "# Climb\n\nClimb the narrow stairs until you see the bell, then rest on the wooden bench.\n",
}


JAVA = Document(
    1, "Java basics", ("java",), "The silver heron guards the class loader.\n\nGarbage collection frees unused memory.\n"
)
SCRIPT = Document(2, "JavaScript basics", ("javascript",), "The copper otter guards the event loop.\n\nPromises settle once.\n")
NET = Document(3, "Networks", ("net",), "The brass badger guards the routing table.\n", content_focus="networking")
ANY = Document(4, "House rules", ("java", "net"), "The golden lynx guards the coffee machine.\n")


@dataclass
class Shared:
    room: Room
    service: RagService
    library: Shelfful

    async def search(self, scope: Scope, query: str, **more: object) -> list[Passage]:
        return (await self.service.search(scope, SearchRequest(query=query, limit=50, **more))).passages  # type: ignore[arg-type]


def scope_of(workshop: str, *tags: str, focus: str | None = None) -> Scope:
    return Scope.of(Claims("service:test", "rag", 0, workshop=workshop, tags=tags, content_focus=focus))


@asynccontextmanager
async def open_shared(
    folder: Path, *documents: Document, embedder: Embedder | None = None, kept: int = 20
) -> AsyncIterator[Shared]:
    async with open_room(folder, embedder) as room:
        library = Shelfful(room.store, room.embedder)
        service = RagService(room.store, room.embedder, room.indexes, shelves=library, kept=kept)
        await anyio.to_thread.run_sync(library.create)
        await anyio.to_thread.run_sync(lambda: library.add(*documents))
        for slug in ("red", "blue"):
            steps = {step: text.replace("red", slug) for step, text in TOWER.items()}
            await service.index(scope_of(slug), "v1", workshop(slug, steps))
            await service.activate(scope_of(slug), "v1")
        yield Shared(room, service, library)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    async with open_shared(tmp_path, JAVA, SCRIPT, NET, ANY) as opened:
        yield opened


def titles(passages: Iterable[Passage]) -> set[str]:
    return {passage.document.title for passage in passages if passage.document}


async def test_a_workshop_sees_the_documents_that_its_tags_and_focus_meet(shared: Shared) -> None:
    for scope, seen in (
        (scope_of("red"), set()),
        (scope_of("red", "java"), {"Java basics", "House rules"}),
        (scope_of("red", "javascript"), {"JavaScript basics"}),
        (scope_of("red", "java", "javascript"), {"Java basics", "JavaScript basics", "House rules"}),
        (scope_of("blue", "net"), {"Networks", "House rules"}),
        (scope_of("blue", "net", focus="networking"), {"Networks", "House rules"}),
        (scope_of("blue", "net", focus="storage"), {"House rules"}),
        (scope_of("blue", "jav"), set()),
    ):
        found = await shared.search(scope, "what guards the class loader, the event loop, the routing table and the coffee?")
        assert titles(found) == seen, scope
        assert {passage.workshop for passage in found} - {None} <= {scope.workshop}


async def test_a_shared_passage_says_where_it_stands(shared: Shared) -> None:
    first, *_ = await shared.search(scope_of("red", "java"), "who guards the class loader")
    assert first.document == JAVA.ref
    assert (first.workshop, first.step, first.step_title) == (None, None, "")
    assert (first.file, first.first_line, first.heading) == ("doc-1.md", 1, ["Java basics"])
    assert (first.source.file, first.source.line) == ("doc-1.md", 1)
    assert first.text.startswith("The silver heron")
    assert first.scores.dense is not None
    assert first.scores.bm25 is not None


async def test_without_tags_nobody_is_asked_and_nothing_is_read(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    search = MilvusLiteStore.search

    def watched(store: MilvusLiteStore, scope: object, collection: str, *rest: object) -> object:
        read.append(collection)
        return search(store, scope, collection, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(MilvusLiteStore, "search", watched)
    assert titles(await shared.search(scope_of("red"), "who guards the class loader")) == set()
    assert shared.library.asked == 0
    assert SHELF not in read
    await shared.search(scope_of("red", "java"), "who guards the class loader")
    assert SHELF in read


async def test_the_query_is_embedded_once(shared: Shared) -> None:
    embedder = shared.room.embedder
    before = embedder.encoded  # type: ignore[attr-defined]
    await shared.search(scope_of("red", "java"), "who guards the class loader")
    assert embedder.encoded == before + 1  # type: ignore[attr-defined]


async def test_kinds_narrow_the_shared_documents_too(shared: Shared) -> None:
    assert titles(await shared.search(scope_of("red", "java"), "who guards the class loader", kinds=["command"])) == set()
    assert titles(await shared.search(scope_of("red", "java"), "who guards the class loader", kinds=["prose"]))


async def test_of_the_same_words_the_workshops_own_passage_is_shown_once(tmp_path: Path) -> None:
    copy = Document(7, "Tower", ("java",), TOWER["start"], whole=True)
    async with open_shared(tmp_path, copy, JAVA) as shared:
        found = await shared.search(scope_of("red", "java"), "what phrase opens the secret door of the red tower")
        assert found[0].workshop == "red"
        assert "Tower" not in titles(found)
        # a clearly better shared passage is not hidden by the favour
        better = await shared.search(scope_of("red", "java"), "who guards the class loader", step="start")
        assert better[0].document == JAVA.ref


async def test_neighbours_are_joined_inside_one_document_alone(tmp_path: Path) -> None:
    # the same file name, heading and lines in two documents and in the workshop
    one = Document(1, "Start", ("java",), "Alpha pigeons nest.\n\nBeta pigeons sleep.\n", file="steps/start/content.md")
    two = Document(2, "Start", ("java",), "Gamma pigeons fly.\n\nDelta pigeons sing.\n", file="steps/start/content.md")
    async with open_shared(tmp_path, one, two) as shared:
        found = await shared.search(scope_of("red", "java"), "pigeons")
        texts = {passage.document.id: passage.text for passage in found if passage.document}
        assert texts == {"doc-1": one.text, "doc-2": two.text}
        assert all("pigeons" not in passage.text for passage in found if passage.workshop)


async def test_confidence_comes_from_whichever_half_answers(tmp_path: Path, model: SentenceTransformerEmbedder) -> None:
    quota = Document(
        1,
        "Quotas",
        ("java",),
        "A ResourceQuota limits how much CPU and memory all pods of a namespace may ask for together.\n\n"
        "Ask the platform team for a larger quota by opening a ticket.\n",
    )
    fill = [Document(n, f"Notes {n}", ("java",), f"Note {n} is about cheese number {n}.\n") for n in range(2, 40)]
    async with open_shared(tmp_path, quota, *fill, embedder=model) as shared:

        async def confident(scope: Scope, query: str) -> float:
            return (await shared.service.search(scope, SearchRequest(query=query))).confidence

        asked = "What limits how much memory the pods of a namespace may ask for?"
        assert await confident(scope_of("red"), asked) < ANSWER_FROM
        assert await confident(scope_of("red", "java"), asked) >= ANSWER_FROM
        own = "Which phrase opens the secret door of the red tower?"
        alone = await confident(scope_of("red"), own)
        assert alone >= ANSWER_FROM
        assert await confident(scope_of("red", "java"), own) >= alone
        for nowhere in ("How do I bake sourdough bread?", "When was the Eiffel tower painted last?"):
            assert await confident(scope_of("red", "java"), nowhere) < ANSWER_FROM


async def test_scores_count_over_what_the_reader_may_read(tmp_path: Path) -> None:
    mine = Document(1, "Mine", ("java",), "The heron sleeps in the reeds all day.\n\nThe lantern is lit at dusk.\n")
    async with open_shared(tmp_path, mine) as shared:
        question = "where does the heron sleep"

        async def scores() -> list[float | None]:
            return [one.scores.bm25 for one in await shared.search(scope_of("red", "java"), question) if one.document]

        before = await scores()
        # others' documents, in segments of their own, must not shift what this reader's words weigh
        for number in range(10, 16):
            other = Document(number, f"Other {number}", ("cobol",), "The heron and the heron sleep.\n\nHeron sleep heron.\n")
            await anyio.to_thread.run_sync(shared.library.add, other)
        assert await scores() == before
        assert any(before)


async def test_scores_are_the_engines_where_it_counts_over_the_same(shared: Shared) -> None:
    scope = scope_of("red", "java", "javascript", "net")
    shelf = await shared.library.visible(scope, "")
    assert shelf is not None
    contents = shared.service._searcher._contents.of_shelf(scope, shelf)
    assert set(contents.chunks) == set(contents.terms)
    for query in (["heron", "guard", "loader"], ["guard"], ["memori", "onc", "guard"]):
        (engine,) = shared.room.store.search_terms(scope.shared(shelf.documents), SHELF, [query], 20, None)
        ours = {hit.ordinal: hit.score for hit in contents.scored(query, engine)}
        # Milvus Lite does not take the saturation that it is given (1.2) but its own (1.5), which shows in the second digit
        assert ours == pytest.approx({hit.ordinal: hit.score for hit in engine}, rel=0.03)
        assert ours


async def test_nothing_kept_is_shared_between_readers_of_different_documents(shared: Shared) -> None:
    question = "who guards what"
    for scope in (
        scope_of("red", "java"),
        scope_of("blue", "java"),
        scope_of("red", "net"),
        scope_of("red", "net", focus="storage"),
    ):
        await shared.search(scope, question)
    keys = shared.service._searcher._contents.shelves()
    assert len(keys) == 3
    assert {key.documents for key in keys} == {frozenset({1, 4}), frozenset({3, 4}), frozenset({4})}
    # a change of the shared index makes what was kept of it stale
    await anyio.to_thread.run_sync(shared.library.add, Document(5, "New", ("java",), "The iron newt guards the gate.\n"))
    found = await shared.search(scope_of("red", "java"), "who guards the gate")
    assert "New" in titles(found)
    (key,) = shared.service._searcher._contents.shelves()
    assert key.generation == shared.library.generation
    shared.service.forget_documents(SHELF)
    assert shared.service._searcher._contents.shelves() == []


async def test_what_is_kept_follows_the_setting(tmp_path: Path) -> None:
    async with open_shared(tmp_path, JAVA, SCRIPT, NET, kept=1) as shared:
        for scope in (scope_of("red", "java"), scope_of("blue", "javascript"), scope_of("blue", "net")):
            assert titles(await shared.search(scope, "who guards"))
        kept = shared.service._searcher._contents
        assert kept.workshops() == {"blue"}
        assert [key.documents for key in kept.shelves()] == [frozenset({3})]


async def test_hostile_questions_stay_on_the_shelf(shared: Shared) -> None:
    for text in HOSTILE:
        request = SearchRequest.model_construct(
            query=text, limit=50, step=None, kinds=None, history=[Turn.model_construct(speaker="user", text=text)], version=None
        )
        found = (await shared.service.search(scope_of("red", "java"), request)).passages
        assert titles(found) <= {"Java basics", "House rules"}, text[:40]
        assert all("otter" not in one.text and "badger" not in one.text for one in found)
        assert {one.workshop for one in found} <= {"red", None}


async def test_any_question_stays_on_the_shelf(shared: Shared) -> None:
    index = await shared.room.indexes.find("red", None)
    assert index is not None
    scope = scope_of("red", "java")
    shelf = await shared.library.visible(scope, "")
    assert shelf is not None
    searcher = shared.service._searcher

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=200))
    def check(text: str) -> None:
        found = searcher.search(scope, index.collection, SearchRequest(query=text, limit=50), shelf)
        assert {each.chunk.document for each in found.candidates} <= {0, 1, 4}
        assert {each.chunk.workshop for each in found.candidates} <= {"red", "_shared"}

    await anyio.to_thread.run_sync(check)


async def test_a_poisoned_row_is_dropped_counted_and_logged(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # the bookkeeping says java, the row itself says otherwise
    poisoned = Document(8, "Poisoned", ("java",), "The poisoned apple guards the class loader.\n")
    await anyio.to_thread.run_sync(lambda: shared.library.add(poisoned, tags=("javascript",)))
    before = SCOPE_VIOLATIONS._value.get()
    found = await shared.search(scope_of("red", "java"), "who guards the class loader")
    assert titles(found) == {"Java basics", "House rules"}
    assert SCOPE_VIOLATIONS._value.get() >= before + 2
    assert "rag_scope_violation" in "".join(capsys.readouterr())
    # an engine that ignores its filter gives rows of documents that are not this reader's
    monkeypatch.setattr(store_module, "literal", lambda conditions: "id >= 0")
    before = SCOPE_VIOLATIONS._value.get()
    found = await shared.search(scope_of("red", "javascript"), "who guards the class loader and the event loop")
    assert titles(found) == {"JavaScript basics"}
    assert SCOPE_VIOLATIONS._value.get() > before


async def test_a_workshop_answers_when_the_shared_documents_cannot_be_read(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scope, question = scope_of("red", "java"), "what phrase opens the secret door"
    await anyio.to_thread.run_sync(shared.room.store.drop, SHELF)
    shared.service.forget_documents(SHELF)
    found = await shared.search(scope, question)
    assert found[0].workshop == "red"
    assert titles(found) == set()
    assert "rag_shared_documents_gone" in "".join(capsys.readouterr())

    async def away(scope: Scope, model: str) -> Shelf | None:
        raise UnavailableError("The bookkeeping does not answer.")

    monkeypatch.setattr(shared.library, "visible", away)
    assert (await shared.search(scope, question))[0].workshop == "red"
    assert "rag_shared_documents_unknown" in "".join(capsys.readouterr())


async def test_a_store_that_fails_on_the_shared_half_alone_leaves_the_own_half(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    search = MilvusLiteStore.search

    def failing(store: MilvusLiteStore, scope: object, collection: str, *rest: object) -> object:
        if collection == SHELF:
            raise StoreUnavailableError("The vector store is slow today.")
        return search(store, scope, collection, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(MilvusLiteStore, "search", failing)
    assert (await shared.search(scope_of("red", "java"), "secret door"))[0].workshop == "red"
    assert "rag_shared_search_failed" in "".join(capsys.readouterr())


async def test_shared_documents_that_move_to_another_collection_are_found_there(shared: Shared) -> None:
    scope, library = scope_of("red", "java"), shared.library
    await shared.search(scope, "who guards the class loader")
    old = await library.visible(scope, "")
    moved = replace(library, collection="index_" + "6" * 32, documents={})
    await anyio.to_thread.run_sync(moved.create)
    await anyio.to_thread.run_sync(lambda: moved.add(JAVA))
    await anyio.to_thread.run_sync(shared.room.store.drop, SHELF)
    shared.service.forget_documents(SHELF)
    answers = iter([old])

    async def visible(scope: Scope, model: str) -> Shelf | None:
        # looked up just before the move, and after it
        return next(answers, None) or await moved.visible(scope, model)

    library.visible = visible  # type: ignore[method-assign]
    assert "Java basics" in titles(await shared.search(scope, "who guards the class loader"))


async def test_searches_go_on_while_documents_come_and_go(shared: Shared) -> None:
    scopes = {"java": scope_of("red", "java"), "javascript": scope_of("blue", "javascript")}
    done = anyio.Event()
    seen: dict[str, set[str]] = {"java": set(), "javascript": set()}

    async def ask(tag: str) -> None:
        while not done.is_set():
            found = await shared.search(scopes[tag], "who guards the class loader, the event loop and the gate")
            assert any(one.workshop for one in found)
            seen[tag] |= titles(found)

    async with anyio.create_task_group() as tasks:
        for tag in scopes:
            tasks.start_soon(ask, tag)
        for number in range(20, 26):
            tag = ("java", "javascript")[number % 2]
            new = Document(number, f"{tag} {number}", (tag,), f"The newt number {number} guards the gate.\n")
            await anyio.to_thread.run_sync(shared.library.add, new)
            if number > 21:
                del shared.library.documents[number - 2]
                shared.library.generation += 1
                await anyio.to_thread.run_sync(shared.room.store.delete_documents, SHELF, [number - 2])
        done.set()
    assert seen["java"] <= {"Java basics", "House rules", "java 20", "java 22", "java 24"}
    assert seen["javascript"] <= {"JavaScript basics", "javascript 21", "javascript 23", "javascript 25"}
    found = await shared.search(scopes["java"], "who guards the gate")
    assert titles(found) == {"Java basics", "House rules", "java 24"}


async def test_documents_that_another_model_has_indexed_are_found_by_their_words(tmp_path: Path):
    async with open_shared(tmp_path, JAVA, ANY) as shared:
        shared.library.made_with = "another@222222222222"
        found = await shared.search(scope_of("red", "java"), "What does the golden lynx guard?")
        document = next(passage for passage in found if passage.document is not None)
        assert "golden lynx" in document.text
        assert document.scores.dense is None
        assert any(passage.scores.dense is not None for passage in found if passage.workshop == "red")
