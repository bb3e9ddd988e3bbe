"""The live board on both engines: who is shown, in what order and under what name; live, and of one workshop alone."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.board import Board, BoardEvent
from shared_services.kit.database import create_engine, session_factory
from shared_services.kit.sse import ServerSentEvent, decode
from tests.e2e.instructor.classroom import turn
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_insights import conversation, keep, signed_in
from workshop_chat.board.endpoints import events
from workshop_chat.board.repository import MOST_PEOPLE, RECENT, BoardRepository
from workshop_chat.board.service import BoardService
from workshop_chat.bus import NOTES, SESSIONS, LocalBus
from workshop_chat.content import WorkshopContent
from workshop_chat.tables import Base, ConversationRow, NoteRow, ProgressRow, SessionRow, TurnRow


def session(participant: str, *, workshop: str = "harbor", minutes: float = 10, **about: Any) -> SessionRow:
    """A live session that began some minutes ago."""
    now = datetime.now(UTC)
    kept = {"name": "", "state": "live", "active_at": now, "seen_at": now, "step": "deploy", "step_since": now}
    return SessionRow(workshop=workshop, participant=participant, since=now - timedelta(minutes=minutes), **{**kept, **about})


def progress(participant: str, step: str = "deploy", *, workshop: str = "harbor", **about: Any) -> ProgressRow:
    now = datetime.now(UTC)
    kept = {"first_seen_at": now - timedelta(hours=1), "last_seen_at": now, "seconds": 60.0, "failed_checks": 0}
    return ProgressRow(workshop=workshop, participant=participant, step=step, **{**kept, **about})


@contextlib.asynccontextmanager
async def board_of(platform: Platform, engine: AsyncEngine, workshop: str = "harbor") -> AsyncIterator[httpx.AsyncClient]:
    async with platform.app(workshop, engine=engine) as app, browser(app, workshop, **signed_in(platform)) as author:
        yield author


async def look(author: httpx.AsyncClient) -> Board:
    answer = await author.get("/api/v1/board")
    assert answer.status_code == 200, answer.text
    return Board.model_validate_json(answer.content)


def board_service(platform: Platform, engine: AsyncEngine, bus: LocalBus) -> BoardService:
    return BoardService(WorkshopContent(platform.library, "harbor"), BoardRepository(engine, "harbor"), bus)


async def test_those_who_are_here_stand_in_the_order_in_which_they_came(platform: Platform, engine: AsyncEngine):
    now = datetime.now(UTC)
    gone = now - RECENT - timedelta(minutes=1)
    rows: list[Base] = [
        session("p1", minutes=5),
        session("p2", minutes=50, name="Ann"),
        session("p3", minutes=40),
        session("p4", minutes=60, state="over", seen_at=gone),
        session("p5", minutes=30, state="over"),
        session("p6", minutes=20, state="waiting"),
        # came back: the session is new, the person is not
        session("p7", minutes=1),
        progress("p7", "prepare", first_seen_at=now - timedelta(minutes=45)),
    ]
    await keep(engine, rows)
    # no app, which would let in who waits
    shown = await board_service(platform, engine, LocalBus()).look()
    assert [(one.id, one.name, one.state) for one in shown.people] == [
        ("p2", "Ann", "live"),
        ("p7", "Guest 2", "live"),
        ("p3", "Guest 3", "live"),
        ("p5", "Guest 4", "over"),
        ("p1", "Guest 6", "live"),
    ]
    assert (shown.waiting, shown.left_out) == (1, 0)
    assert [step.here for step in shown.steps] == [0, 4, 0, 0]


async def test_a_guest_keeps_their_number_when_others_leave(platform: Platform, engine: AsyncEngine):
    await keep(engine, [session(f"p{number}", minutes=20 - number) for number in range(3)])
    async with board_of(platform, engine) as author:
        before = {one.id: one.name for one in (await look(author)).people}
        async with session_factory(engine).begin() as change:
            gone = datetime.now(UTC) - RECENT * 2
            await change.execute(update(SessionRow).where(SessionRow.participant == "p0").values(state="over", seen_at=gone))
        after = {one.id: one.name for one in (await look(author)).people}
    assert before == {"p0": "Guest 1", "p1": "Guest 2", "p2": "Guest 3"}
    assert after == {"p1": "Guest 2", "p2": "Guest 3"}


async def test_who_is_stuck_is_told_with_reasons(platform: Platform, engine: AsyncEngine):
    now = datetime.now(UTC)
    rows: list[Base] = [session("slow"), progress("slow", seconds=1200.0), conversation("harbor", "slow")]
    for number in range(3):
        rows += [session(f"fast{number}", step="scale"), progress(f"fast{number}", seconds=120.0 + number)]
    rows += [session("failing"), progress("failing", failed_checks=3)]
    rows += [turn(n, f"why {n}", now, workshop="harbor", participant="slow", step="deploy") for n in range(1, 4)]
    await keep(engine, rows)
    async with board_of(platform, engine) as author:
        shown = await look(author)
    assert {one.id: [reason.rule for reason in one.stuck] for one in shown.people if one.stuck} == {
        "slow": ["time", "questions"],
        "failing": ["checks"],
    }
    assert {step.id: step.median_seconds for step in shown.steps}["deploy"] == 121


async def test_the_board_of_one_workshop_holds_nothing_of_the_other(platform: Platform, engine: AsyncEngine):
    now = datetime.now(UTC)
    rows: list[Base] = []
    for workshop in ("harbor", "orchard"):
        mine = {"workshop": workshop}
        rows += [session("p1", name=f"Ann of {workshop}", hand_raised_at=now, **mine), progress("p1", seconds=3000.0, **mine)]
        rows += [session(f"{workshop}-guest", minutes=99, **mine), conversation(workshop, "p1")]
        rows += [turn(1, f"asked in {workshop}", now, participant="p1", **mine)]
        rows += [NoteRow(workshop=workshop, text=f"note of {workshop}", author="A", created_at=now)]
        if workshop == "orchard":
            rows += [progress(f"o{number}", seconds=1.0, **mine) for number in range(5)]
    await keep(engine, rows)
    for workshop, other in (("harbor", "orchard"), ("orchard", "harbor")):
        async with board_of(platform, engine, workshop) as author:
            shown = await look(author)
            assert other not in shown.model_dump_json()
            assert [one.name for one in shown.people] == ["Guest 1", f"Ann of {workshop}"]
            assert shown.people[1].question == "asked in [masked name]"
            page = await author.get("/board", headers={"accept": "text/html"})
            assert other not in page.text
            assert f"note of {workshop}" in page.text
    async with board_of(platform, engine, "orchard") as author:
        path = "/api/v1/board/participants/harbor-guest/hand"
        assert (await author.post(path, json={"raised": False})).status_code == 404
    async with session_factory(engine)() as reading:
        query = select(SessionRow.hand_raised_at).where(SessionRow.workshop == "harbor", SessionRow.participant == "p1")
        assert await reading.scalar(query) is not None


async def test_a_hand_is_lowered_and_only_lowered(platform: Platform, engine: AsyncEngine):
    odd = "https://id.example/users/7?x=%20y"
    await keep(engine, [session(odd, hand_raised_at=datetime.now(UTC))])
    async with board_of(platform, engine) as author:
        assert (await look(author)).people[0].hand_raised_at is not None
        quoted = odd.replace("%", "%25").replace("/", "%2F").replace("?", "%3F").replace(":", "%3A")
        path = f"/api/v1/board/participants/{quoted}/hand"
        for body in ({"raised": True}, {}, {"raised": "no"}, {"raised": False, "workshop": "orchard"}):
            assert (await author.post(path, json=body)).status_code == 422
        assert (await author.post(path, json={"raised": False})).status_code == 204
        assert (await look(author)).people[0].hand_raised_at is None
        unknown = await author.post("/api/v1/board/participants/nobody/hand", json={"raised": False})
        assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:workshop-assistant:problem:participant-not-found")


async def test_more_people_than_fit_are_counted(platform: Platform, engine: AsyncEngine):
    await keep(engine, [session(f"p{number:03}") for number in range(MOST_PEOPLE + 5)])
    async with board_of(platform, engine) as author:
        shown = await look(author)
    assert (len(shown.people), shown.left_out) == (MOST_PEOPLE, 5)


async def test_nobody_yet(platform: Platform, engine: AsyncEngine):
    async with board_of(platform, engine) as author:
        assert (await look(author)).people == []
        assert "Nobody is here yet" in (await author.get("/board", headers={"accept": "text/html"})).text


def render(board: Board) -> str:
    return board.model_dump_json(exclude={"at"})


async def next_event(stream: AsyncIterator[ServerSentEvent]) -> BoardEvent:
    with anyio.fail_after(60):
        event = await anext(stream)
    assert event.event == "board"
    return BoardEvent.model_validate_json(event.data)


async def test_a_change_elsewhere_is_shown_when_it_is_signalled(platform: Platform, engine: AsyncEngine):
    """What another process has written is read from the store; the signal only says when."""
    await keep(engine, [session("p1", name="Ann")])
    bus = LocalBus()
    sent = events(board_service(platform, engine, bus), render)
    stream = decode(sent)
    assert [one.name for one in (await next_event(stream)).board.people] == ["Ann"]
    async with session_factory(engine).begin() as change:
        await change.execute(update(SessionRow).values(hand_raised_at=datetime.now(UTC)))
    await bus.signal(SESSIONS, "p1")
    assert (await next_event(stream)).board.people[0].hand_raised_at is not None
    # a signal after which everything looks the same sends nothing
    await bus.signal(SESSIONS, "p1")
    async with session_factory(engine).begin() as change:
        change.add(NoteRow(workshop="harbor", text="Lunch", author="A", created_at=datetime.now(UTC)))
    await bus.signal(NOTES)
    assert [note.text for note in (await next_event(stream)).board.notes] == ["Lunch"]
    await sent.aclose()


async def test_the_stream_is_for_whoever_runs_the_workshop(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, browser(app) as participant:
        for path in ("/api/v1/board/events", "/api/v1/board"):
            assert (await participant.get(path)).status_code == 403
        page = await participant.get("/board", headers={"accept": "text/html"})
        assert page.status_code == 403
        assert "Traceback" not in page.text
        answer = await participant.post("/api/v1/board/participants/p1/hand", json={"raised": False})
        assert answer.status_code == 403


async def test_a_board_on_a_workshop_with_a_join_code_sends_strangers_to_join(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine, join_code="sesame") as app, browser(app) as stranger:
        page = await stranger.get("/board", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/w/harbor/join?next=/board")
        assert (await stranger.get("/api/v1/board")).status_code == 401


@pytest.mark.parametrize("path", ["/board", "/insights"])
async def test_pages_lead_to_each_other(platform: Platform, engine: AsyncEngine, path: str):
    async with board_of(platform, engine) as author:
        page = (await author.get(path, headers={"accept": "text/html"})).text
        for address in ("/w/harbor/board", "/w/harbor/insights", "/w/harbor/"):
            assert f'href="{address}"' in page


@contextlib.asynccontextmanager
async def watching(author: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    """An instructor's open board."""
    async with author.stream("GET", "/api/v1/board/events") as response:
        assert response.status_code == 200
        yield decode(response.aiter_bytes())


async def until(stream: AsyncIterator[ServerSentEvent], holds: Callable[[Board], bool]) -> Board:
    """The first board of which that holds."""
    while True:
        board = (await next_event(stream)).board
        if holds(board):
            return board


@pytest.mark.postgres
async def test_the_board_at_one_process_shows_what_happens_at_the_other(platform: Platform, postgres_url: str):
    """Two processes' engines on one PostgreSQL, with the real bus between them: people, hands, questions and notes."""
    async with contextlib.AsyncExitStack() as stack:
        engines = [create_engine(postgres_url) for _ in range(2)]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
        one, two = [await stack.enter_async_context(platform.app("harbor", engine=engine)) for engine in engines]
        author = await stack.enter_async_context(browser(one, **signed_in(platform)))
        ann = await stack.enter_async_context(browser(two))
        bob = await stack.enter_async_context(browser(two))
        try:
            stream = await stack.enter_async_context(watching(author))
            await until(stream, lambda board: board.people == [])
            await ann.post("/join", json={"name": "Ann"})
            for person, step in ((ann, "deploy"), (bob, "scale")):
                assert (await person.post("/api/v1/session/activity", json={"step": step})).status_code == 200
            board = await until(stream, lambda board: len(board.people) == 2)
            assert [(person.name, person.step) for person in board.people] == [("Ann", "deploy"), ("Guest 1", "scale")]
            await bob.post("/api/v1/session/hand", json={"raised": True})
            board = await until(stream, lambda board: board.people[1].hand_raised_at is not None)
            made = await ann.post("/api/v1/conversations")
            path = f"/api/v1/conversations/{made.json()['id']}/messages"
            await ann.post(path, json={"text": "Which port? I am Ann", "step": "deploy"})
            await until(stream, lambda board: board.people[0].question == "Which port? I am [masked name]")
            # lowered at one process, told at the other
            async with bob.stream("GET", "/api/v1/live") as live:
                heard = decode(live.aiter_bytes())
                lowered = await author.post(f"/api/v1/board/participants/{board.people[1].id}/hand", json={"raised": False})
                assert lowered.status_code == 204
                await until(stream, lambda board: board.people[1].hand_raised_at is None)
                with anyio.fail_after(60):
                    while (event := await anext(heard)).event != "hand":
                        pass
                assert event.json() == {"raised": False}
            note = await ann.post("/api/v1/notes", json={"text": "I am no teacher"})
            assert note.status_code == 403
            note = await author.post("/api/v1/notes", json={"text": "Lunch at noon"})
            assert note.status_code == 201
            board = await until(stream, lambda board: bool(board.notes))
            assert [shown.text for shown in board.notes] == ["Lunch at noon"]
            await author.delete(f"/api/v1/notes/{board.notes[0].id}")
            await until(stream, lambda board: not board.notes)
        finally:
            async with session_factory(engines[0]).begin() as change:
                for table in (TurnRow, ConversationRow, SessionRow, ProgressRow, NoteRow):
                    await change.execute(delete(table))
