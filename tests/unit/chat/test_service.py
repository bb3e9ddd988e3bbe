"""What is kept of a turn however its answer ends; fakes stand for the library, the RAG agent and the model's server."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Answer, MessageRequest
from shared_services.contracts.rag import SearchRequest, SearchResponse
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.errors import BadInputError, UnavailableError
from shared_services.kit.sse import decode
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import ChatMessage, Finish, ModelGateway, NullGateway
from tests.unit.chat.worlds import FakeLibrary, FakeSearch, passage, shared_passage
from workshop_chat.bus import LocalBus
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts
from workshop_chat.endpoints import answer_events
from workshop_chat.errors import CannotLookUpError, TurnAnsweredError, TurnNotFoundError
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.pipeline import NOTE_KEYWORDS_ONLY, NOTE_MODEL_STOPPED, NOTES_ON_END, AnswerPipeline
from workshop_chat.progress import ProgressRepository
from workshop_chat.repository import ConversationRepository
from workshop_chat.runs import Runs
from workshop_chat.service import ChatService
from workshop_chat.stages.retrieve import PAUSES_SECONDS
from workshop_chat.tables import MIGRATIONS

HEATING = passage("Start heating with one command.\n\n```bash exec\nkettle start --until 100\n```")
QUESTION = MessageRequest(text="How do I start heating?", step="boil")


class FakeModel:
    """A model's server that says these pieces; an error among them is raised."""

    configured = True
    name = "fake"

    def __init__(self, *pieces: str | Finish | Exception) -> None:
        self.pieces = pieces
        self.prompts: list[Sequence[ChatMessage]] = []
        self.closed = False

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> AsyncGenerator[str | Finish, None]:
        self.prompts.append(messages)
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True

    async def ready(self) -> str | None:
        return None


class Room:
    """A chat service with everything it stands on."""

    def __init__(self, service: ChatService, search: FakeSearch, library: FakeLibrary) -> None:
        self.service = service
        self.search = search
        self.library = library

    async def ask(self, conversation: str, message: MessageRequest = QUESTION) -> Answer:
        turn = await self.service.admit(conversation, "p", message)
        return await (await self.service.begin(turn)).result()


class Rooms:
    """Builds rooms on one store."""

    def __init__(self, engine: AsyncEngine, runs: Runs) -> None:
        self.engine = engine
        self.runs = runs

    def build(self, gateway: ModelGateway | None = None, search: FakeSearch | None = None) -> Room:
        library, found = FakeLibrary(), search or FakeSearch([HEATING])
        library.publish()
        content = WorkshopContent(library, "kettle")
        desk = HelpDesk(content, ProgressRepository(self.engine, "kettle"))
        pipeline = AnswerPipeline(
            "kettle", found, gateway or NullGateway(), desk, threshold=0.5, passages=8, max_tokens=100, context_characters=5000
        )
        repository = ConversationRepository(self.engine, "kettle")
        service = ChatService(content, repository, pipeline, Contexts(None, {}), self.runs, history_turns=3)
        return Room(service, found, library)


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    engine = create_engine(f"sqlite:///{tmp_path}/chat.db")
    await migrate(engine, MIGRATIONS)
    bus = LocalBus()
    runs = Runs("kettle", ConversationRepository(engine, "kettle"), bus, grace=0)
    await runs.start()
    yield Rooms(engine, runs)
    await runs.close()
    await engine.dispose()


async def states(room: Room, conversation: str) -> list[str]:
    return [turn.state for turn in await room.service.turns(conversation, "p")]


async def test_without_a_model_the_passages_speak(rooms: Rooms):
    room = rooms.build()
    conversation = await room.service.create("p")
    answer = await room.ask(conversation)
    assert answer.written_by == "extractive"
    assert "kettle start --until 100" in answer.answer
    assert [citation.text for citation in answer.citations] == [HEATING.text]
    assert await states(room, conversation) == ["done"]


async def test_a_shared_document_alone_may_answer(rooms: Rooms):
    shared = shared_passage("Descale the kettle with vinegar once a month.")
    question = MessageRequest(text="How do I descale the kettle?", step="boil")
    room = rooms.build(search=FakeSearch([shared]))
    conversation = await room.service.create("p")
    answer = await room.ask(conversation, question)
    assert answer.answer == "Descale the kettle with vinegar once a month. [1]"
    assert [citation.document for citation in answer.citations] == [shared.document]
    assert (await room.service.turns(conversation, "p"))[0].answer == answer
    written = rooms.build(FakeModel("With vinegar. [1]", Finish("stop")), FakeSearch([shared]))
    answer = await written.ask(await written.service.create("p"), question)
    assert (answer.written_by, answer.answer) == ("model", "With vinegar. [1]")
    assert answer.citations[0].document == shared.document


async def test_small_talk_is_not_searched_for(rooms: Rooms):
    model = FakeModel("never")
    room = rooms.build(model)
    answer = await room.ask(await room.service.create("p"), MessageRequest(text="hello!", step="boil"))
    assert "Boil the water" in answer.answer
    assert (room.search.requests, model.prompts, answer.abstained) == ([], [], False)


async def test_a_follow_up_carries_the_last_turns(rooms: Rooms):
    model = FakeModel("Start it. [1]", Finish("stop"))
    room = rooms.build(model)
    conversation = await room.service.create("p")
    await room.ask(conversation)
    await room.ask(conversation, MessageRequest(text="and how long does that take?"))
    assert [turn.text for turn in room.search.requests[1].history] == [QUESTION.text, "Start it. [1]"]
    assert [message.content for message in model.prompts[1]][1:3] == [QUESTION.text, "Start it."]


async def test_low_confidence_abstains_without_asking_the_model(rooms: Rooms):
    model = FakeModel("never")
    room = rooms.build(model, FakeSearch([HEATING], confidence=0.2))
    answer = await room.ask(await room.service.create("p"))
    assert answer.abstained
    assert model.prompts == []
    assert [section.step for section in answer.nearest] == ["boil"]
    assert answer.citations == []


async def test_the_model_may_find_that_the_passages_hold_no_answer(rooms: Rooms):
    room = rooms.build(FakeModel("NOT_IN_", "THIS_WORKSHOP", Finish("stop")))
    answer = await room.ask(await room.service.create("p"))
    assert (answer.abstained, answer.written_by, answer.citations) == (True, "extractive", [])


async def test_a_model_that_fails_in_mid_answer_is_followed_by_the_passages_under_the_same_numbers(rooms: Rooms):
    search = FakeSearch([passage("Fill it first.", step="fill", heading="Fill"), HEATING])
    room = rooms.build(FakeModel("Start it now. [2]\n\nAnd ", ModelUnavailableError("cut_off", "cut")), search)
    answer = await room.ask(await room.service.create("p"))
    assert answer.note == NOTE_MODEL_STOPPED
    assert answer.answer.startswith("Start it now. [1]\n\n")
    assert answer.citations[0].text == HEATING.text
    assert len({citation.text for citation in answer.citations}) == len(answer.citations)


@pytest.mark.parametrize("reason", ["length", "filtered"])
async def test_an_answer_that_was_cut_says_so(rooms: Rooms, reason):
    room = rooms.build(FakeModel("Start it. [1]", Finish(reason)))
    assert (await room.ask(await room.service.create("p"))).note == NOTES_ON_END[reason]


async def test_a_search_by_keywords_alone_is_said_in_answers_and_in_abstentions(rooms: Rooms):
    search = FakeSearch([HEATING])
    search.keywords_only = True
    room = rooms.build(FakeModel("Run `kettle start` [1].", Finish("length")), search)
    conversation = await room.service.create("p")
    answer = await room.ask(conversation)
    assert answer.note == f"{NOTES_ON_END['length']} {NOTE_KEYWORDS_ONLY}"
    search.confidence = 0.1
    refused = await room.ask(conversation)
    assert (refused.abstained, refused.note) == (True, NOTE_KEYWORDS_ONLY)
    search.keywords_only = False
    assert (await room.ask(conversation)).note == ""


async def test_a_message_that_was_let_in_and_never_answered_leaves_nothing(rooms: Rooms):
    room = rooms.build()
    conversation = await room.service.create("p")
    await room.service.admit(conversation, "p", QUESTION)
    assert await states(room, conversation) == []


async def test_a_turn_knows_its_number_and_how_help_was_wanted(rooms: Rooms):
    room = rooms.build()
    conversation = await room.service.create("p")
    await room.ask(conversation)
    answer = await room.ask(conversation, QUESTION.model_copy(update={"mode": "hint"}))
    first, second = await room.service.turns(conversation, "p")
    assert answer.number == 2
    assert second.answer == answer
    assert (first.mode, second.mode) == ("explain", "hint")
    assert second.asked_at is not None
    assert second.asked_at.tzinfo is not None


class CrashingSearch(FakeSearch):
    async def search(self, request: SearchRequest) -> SearchResponse:
        raise RuntimeError("a secret of the inside")


@pytest.mark.parametrize(("search", "status"), [(CrashingSearch(), 500), (FakeSearch(), 503)])
async def test_a_failure_is_an_event_and_an_interrupted_turn(rooms: Rooms, search, status):
    search.away = True
    room = rooms.build(search=search)
    conversation = await room.service.create("p")
    run = await room.service.begin(await room.service.admit(conversation, "p", QUESTION))
    events = [event async for event in decode(answer_events(run.follow()))]
    await run.left.wait()
    assert [event.event for event in events] == ["status", "error"]
    assert events[1].json()["status"] == status
    assert "secret" not in events[1].data
    assert await states(room, conversation) == ["interrupted"]


async def test_what_could_not_be_looked_up_says_so_and_is_answered_later_in_the_same_turn(rooms: Rooms):
    room = rooms.build()
    conversation = await room.service.create("p")
    first = await room.ask(conversation)
    room.search.away = True
    run = await room.service.begin(await room.service.admit(conversation, "p", QUESTION.model_copy(update={"mode": "hint"})))
    with pytest.raises(CannotLookUpError) as told:
        await run.result()
    tries = len(room.search.requests)
    (_, kept) = await room.service.turns(conversation, "p")
    assert "cannot look it up now" in told.value.detail
    assert told.value.extra["retry_after"] > 0
    assert tries == 1 + 1 + len(PAUSES_SECONDS)
    assert kept.state == "interrupted"
    assert kept.answer is not None
    assert (kept.answer.answer, kept.answer.note) == ("", told.value.detail)
    with pytest.raises(CannotLookUpError):
        await (await room.service.retry(conversation, "p", 2)).result()
    room.search.away = False
    again = await (await room.service.retry(conversation, "p", 2)).result()
    turns = await room.service.turns(conversation, "p")
    assert [(turn.number, turn.state) for turn in turns] == [(1, "done"), (2, "done")]
    assert (turns[0].answer, turns[1].answer) == (first, again)
    assert (again.number, again.mode, again.note) == (2, "hint", "")
    assert again.answer
    with pytest.raises(TurnAnsweredError):
        await room.service.retry(conversation, "p", 2)
    with pytest.raises(TurnNotFoundError):
        await room.service.retry(conversation, "somebody else", 2)


async def test_a_search_that_meets_a_replica_which_ends_goes_to_the_next(rooms: Rooms):
    class Ending(FakeSearch):
        async def search(self, request: SearchRequest) -> SearchResponse:
            self.away = not self.requests
            return await super().search(request)

    room = rooms.build(search=Ending([HEATING]))
    answer = await room.ask(await room.service.create("p"))
    assert "kettle start --until 100" in answer.answer
    assert len(room.search.requests) == 2


async def test_with_the_library_away_and_nothing_fetched_nothing_is_let_in(rooms: Rooms):
    room = rooms.build()
    room.library.away = True
    conversation = await room.service.create("p")
    with pytest.raises(UnavailableError):
        await room.service.admit(conversation, "p", QUESTION)
    assert await states(room, conversation) == []


async def test_a_blank_message_is_refused(rooms: Rooms):
    room = rooms.build()
    with pytest.raises(BadInputError):
        await room.service.admit(await room.service.create("p"), "p", MessageRequest(text=" \n"))
