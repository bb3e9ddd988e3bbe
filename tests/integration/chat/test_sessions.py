"""People in one workshop over two processes of its chat agent: places, the line, notes, hands, and how much one may ask."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.kit.database import session_factory
from tests.integration.chat.houses import CONTEXTS, House, browser, following, live
from tests.unit.chat.worlds import FakeLibrary
from workshop_chat.bus import SESSIONS, LocalBus
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import ContextLayer, Contexts, read_contexts
from workshop_chat.participants import Participant
from workshop_chat.sessions import Sessions
from workshop_chat.tables import ProgressRow, SessionRow

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PAGE = {"accept": "text/html"}


def who(name: str, **more: Any) -> Participant:
    return Participant(f"participant:{name}", name, "cookie", **more)


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


def sessions_on(
    engine: AsyncEngine, clock: Clock, *, limit: int, workshop: str = "kettle", present: Callable[[], Any] = tuple
) -> Sessions:
    library = FakeLibrary()
    library.publish(workshop)
    contexts = Contexts(None, {}, environment=ContextLayer(participant_limit=limit, session_timeout=2400))
    return Sessions(engine, WorkshopContent(library, workshop), contexts, LocalBus(), present=present, clock=clock)


async def rows(engine: AsyncEngine) -> dict[str, SessionRow]:
    async with session_factory(engine)() as session:
        return {row.participant.removeprefix("participant:"): row for row in await session.scalars(select(SessionRow))}


async def test_fifty_who_come_at_once_never_get_more_than_the_places(processes: list[AsyncEngine]):
    one, two = (sessions_on(engine, Clock(), limit=20) for engine in processes)
    people = [who(f"p{number:02}") for number in range(50)]
    states = await asyncio.gather(*[(one, two)[number % 2].enter(person) for number, person in enumerate(people)])
    assert states.count("live") == 20
    assert states.count("waiting") == 30
    kept = await rows(processes[0])
    assert sum(row.state == "live" for row in kept.values()) == 20
    views = [await (one, two)[number % 2].view(person) for number, person in enumerate(people)]
    assert sorted(view.position for view in views if view.position is not None) == list(range(1, 31))
    assert {(view.limit, view.live) for view in views} == {(20, 20)}


async def test_the_same_one_at_both_processes_has_one_place(processes: list[AsyncEngine]):
    one, two = (sessions_on(engine, Clock(), limit=1) for engine in processes)
    ada = who("ada")
    assert set(await asyncio.gather(*[(one, two)[number % 2].enter(ada) for number in range(20)])) == {"live"}
    assert len(await rows(processes[0])) == 1


async def test_a_place_that_frees_at_one_process_goes_to_who_waits_at_the_other(processes: list[AsyncEngine]):
    clock = Clock()
    here: set[str] = set()
    one, two = (sessions_on(engine, clock, limit=1, present=lambda: here) for engine in processes)
    ada, bob, cleo = who("ada"), who("bob"), who("cleo")
    assert await one.enter(ada) == "live"
    for person in (bob, cleo):
        clock.forward(seconds=1)
        assert await two.enter(person) == "waiting"
    assert [(await two.view(person)).position for person in (bob, cleo)] == [1, 2]
    clock.forward(seconds=31)
    # Bob's page is gone by now, Cleo's is open.
    here.add(cleo.id)
    await two.sweep()
    await one.leave(ada)
    assert {name: row.state for name, row in (await rows(processes[0])).items()} == {
        "ada": "over",
        "bob": "waiting",
        "cleo": "live",
    }
    assert await two.enter(cleo) == "live"
    assert await one.enter(ada) == "waiting"


async def test_idle_sessions_end_and_come_back_where_there_is_a_place(processes: list[AsyncEngine]):
    clock = Clock()
    one, two = (sessions_on(engine, clock, limit=2) for engine in processes)
    ada, bob = who("ada"), who("bob")
    await one.enter(ada)
    await two.enter(bob)
    for _ in range(5):
        clock.forward(minutes=9)
        assert await one.enter(ada) == "live"
        await one.sweep()
    await two.sweep()
    assert {name: row.state for name, row in (await rows(processes[0])).items()} == {"ada": "live", "bob": "over"}
    assert (await two.view(bob)).state == "over"
    assert await two.enter(bob) == "live"


async def test_activity_is_written_now_and_then_and_never_lost(engine: AsyncEngine):
    clock = Clock()
    sessions = sessions_on(engine, clock, limit=5)
    ada = who("ada")
    await sessions.enter(ada, step="fill")
    written = []
    for _ in range(30):
        clock.forward(seconds=2)
        await sessions.enter(ada, step="fill")
        await sessions.sweep()
        written.append((await rows(engine))["ada"].active_at)
    assert len(set(written)) == 1 + 3
    async with session_factory(engine)() as session:
        progress = (await session.scalars(select(ProgressRow))).one()
    assert (progress.step, progress.seconds) == ("fill", 60.0)


async def test_time_is_counted_to_the_step_that_it_was_spent_on(processes: list[AsyncEngine]):
    clock = Clock()
    one, two = (sessions_on(engine, clock, limit=5) for engine in processes)
    ada = who("ada")
    await one.enter(ada, step="fill")
    clock.forward(seconds=40)
    await two.enter(ada, step="boil")
    clock.forward(minutes=20)
    await one.enter(ada, step="boil")
    await one.enter(ada, step="fill")
    async with session_factory(processes[0])() as session:
        spent = {row.step: row.seconds for row in await session.scalars(select(ProgressRow))}
    assert spent == {"fill": 40.0, "boil": 0.0}
    assert (await rows(processes[0]))["ada"].step == "fill"


async def test_those_who_teach_and_other_workshops_take_no_place(engine: AsyncEngine):
    one, other = sessions_on(engine, Clock(), limit=1), sessions_on(engine, Clock(), limit=1, workshop="toaster")
    assert await one.enter(who("teacher", teaches=True)) == "live"
    assert await other.enter(who("ada")) == "live"
    assert await one.enter(who("ada")) == "live"
    assert await one.enter(who("bob")) == "waiting"
    await other.leave(who("ada"))
    assert (await one.view(who("bob"))).state == "waiting"


async def test_a_store_that_fails_fails_those_who_come_and_nobody_after(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch):
    sessions = sessions_on(engine, Clock(), limit=5)

    async def broken(*_: object) -> None:
        raise RuntimeError("no lock")

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "_lock_workshop", broken)
        came = await asyncio.gather(*[sessions.enter(who(f"p{number}")) for number in range(3)], return_exceptions=True)
    assert [type(one) for one in came] == [RuntimeError] * 3
    assert await sessions.enter(who("p0")) == "live"


# Over HTTP


async def test_the_page_says_that_it_is_full_and_lets_in_when_a_place_frees(apps: tuple[House, FastAPI, FastAPI]):
    _, one, two = apps
    async with browser(one) as ada, browser(one) as bob, browser(two) as cleo:
        for person in (ada, bob):
            for _ in range(2):
                assert (await person.get("/steps/fill", headers=PAGE)).status_code == 200
        full = await cleo.get("/steps/fill", headers=PAGE)
        assert (full.status_code, full.headers["retry-after"]) == (429, "15")
        assert "The workshop is full" in full.text
        assert "You are next in line." in full.text
        assert '<meta http-equiv="refresh"' in full.text
        assert "Start heating" not in full.text
        async with live(cleo) as events:
            waiting = await following(events, "session", lambda _: True)
            assert (waiting["state"], waiting["position"], waiting["limit"], waiting["live"]) == ("waiting", 1, 2, 2)
            assert (await bob.post("/api/v1/session/leave")).json()["state"] == "over"
            await following(events, "session", lambda session: session["state"] == "live")
        assert (await cleo.get("/steps/fill", headers=PAGE)).status_code == 200
        assert (await bob.get("/steps/fill", headers=PAGE)).status_code == 429


async def test_every_face_asks_for_a_place(apps: tuple[House, FastAPI, FastAPI]):
    house, one, two = apps
    async with browser(one) as ada, browser(one) as bob, browser(two) as cleo, browser(two, headers=house.teacher()) as ann:
        for person in (ada, bob):
            for _ in range(2):
                await person.get("/steps/fill", headers=PAGE)
        conversation = (await cleo.post("/api/v1/conversations")).json()["id"]
        message = {"text": "How do I heat?"}
        asked = await cleo.post(f"/api/v1/conversations/{conversation}/messages", json=message)
        assert (asked.status_code, asked.headers["retry-after"]) == (429, "15")
        assert asked.json()["type"].endswith("workshop-full")
        assert "All 2 places are taken, and you are number 1 in line." in asked.json()["detail"]
        completion = {"model": "kettle", "messages": [{"role": "user", "content": "How do I heat?"}]}
        refused = await cleo.post("/v1/chat/completions", json=completion)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "workshop-full")
        assert (await cleo.post("/mcp/", json={})).status_code == 429
        assert (await cleo.get("/api/v1/session")).json()["state"] == "waiting"
        assert (await cleo.get("/join", headers=PAGE)).status_code == 200
        # Those who teach take no place.
        assert (await ann.post("/v1/chat/completions", json=completion)).status_code == 200
        assert (await ann.get("/steps/fill", headers=PAGE)).status_code == 200


async def test_a_session_that_was_idle_is_over_on_its_page(apps: tuple[House, FastAPI, FastAPI], processes: list[AsyncEngine]):
    _, one, two = apps
    async with browser(one) as ada:
        for _ in range(2):
            await ada.get("/steps/fill", headers=PAGE)
        async with live(ada) as events:
            assert (await following(events, "session", lambda _: True))["state"] == "live"
            long_ago = datetime.now(UTC) - timedelta(seconds=2401)
            async with session_factory(processes[1]).begin() as session:
                await session.execute(update(SessionRow).values(active_at=long_ago))
            # Somebody who comes at the other process is why it is looked at now; else the sweep does.
            async with browser(two) as bob:
                await bob.get("/steps/fill", headers=PAGE)
            await following(events, "session", lambda session: session["state"] == "over")
        assert (await ada.get("/api/v1/session")).json()["state"] == "over"
        again = await ada.post("/api/v1/session/activity", json={"step": "boil"})
        assert again.json()["state"] == "live"
    async with session_factory(processes[1])() as session:
        assert sorted((await session.scalars(select(ProgressRow.step))).all()) == ["boil", "fill", "fill"]


async def test_a_note_given_at_one_process_is_on_the_pages_of_the_other(apps: tuple[House, FastAPI, FastAPI]):
    house, one, two = apps
    async with browser(one, headers=house.teacher()) as ann, browser(two) as ada, browser(two) as bob:
        async with live(ada) as to_ada, live(bob) as to_bob:
            for events in (to_ada, to_bob):
                assert await following(events, "note", lambda _: True) == {"notes": []}
            given = await ann.post("/api/v1/notes", json={"text": " Break until <b>ten</b>. "})
            assert (given.status_code, given.json()["author"]) == (201, "Ann")
            for events in (to_ada, to_bob):
                said = await following(events, "note", lambda data: data["notes"])
                assert [note["text"] for note in said["notes"]] == ["Break until <b>ten</b>."]
            page = (await ada.get("/steps/fill", headers=PAGE)).text
            assert "Break until &lt;b&gt;ten&lt;/b&gt;." in page
            number = given.json()["id"]
            put_away = await ada.get("/steps/fill", headers={**PAGE, "cookie": f"workshop_notes={number}"})
            assert "Break until" not in put_away.text
            assert [note["id"] for note in (await bob.get("/api/v1/notes")).json()] == [number]
            assert (await ann.delete(f"/api/v1/notes/{number}")).status_code == 204
            assert await following(to_ada, "note", lambda data: not data["notes"]) == {"notes": []}
        assert (await ann.delete(f"/api/v1/notes/{number}")).json()["type"].endswith("note-not-found")


async def test_notes_are_given_by_those_who_teach_and_bounded(apps: tuple[House, FastAPI, FastAPI]):
    house, one, _ = apps
    async with browser(one, headers=house.teacher()) as ann, browser(one) as ada:
        for text in ("", "  ", "x" * 2001, "a\0b"):
            assert (await ann.post("/api/v1/notes", json={"text": text})).status_code == 422
        assert (await ann.delete("/api/v1/notes/99999999999")).status_code == 422
        assert (await ada.post("/api/v1/notes", json={"text": "Hello"})).status_code == 403
        assert (await ada.delete("/api/v1/notes/1")).status_code == 403
        assert (await ann.post("/api/v1/session/hand", json={"raised": True})).status_code == 403
        assert (await ada.get("/api/v1/notes")).json() == []


async def test_a_hand_is_raised_and_lowered_by_others(apps: tuple[House, FastAPI, FastAPI], processes: list[AsyncEngine]):
    _, one, two = apps
    async with browser(one) as ada:
        await ada.get("/steps/fill", headers=PAGE)
        async with live(ada) as events:
            await following(events, "session", lambda _: True)
            assert (await ada.post("/api/v1/session/hand", json={"raised": True})).json()["hand_raised"]
            await following(events, "session", lambda session: session["hand_raised"])
            # What the board does, at the other process.
            async with session_factory(processes[1]).begin() as session:
                await session.execute(update(SessionRow).values(hand_raised_at=None))
            await two.state.bus.signal(SESSIONS)
            assert await following(events, "hand", lambda _: True) == {"raised": False}
        assert not (await ada.get("/api/v1/session")).json()["hand_raised"]


async def test_a_name_is_given_and_changed(apps: tuple[House, FastAPI, FastAPI], processes: list[AsyncEngine]):
    house, one, two = apps
    async with browser(one) as ada, browser(two, headers=house.teacher()) as ann:
        page = (await ada.get("/steps/fill", headers=PAGE)).text
        assert "You: no name yet" in page
        joined = await ada.post("/join", data={"name": "Ada  L\0ovelace", "next": "/steps/boil"})
        assert (joined.status_code, joined.headers["location"]) == (303, "/steps/boil")
        assert "You: Ada Lovelace" in (await ada.get("/steps/boil", headers=PAGE)).text
        renamed = await ada.patch("/api/v1/session", json={"name": "Countess"})
        assert (renamed.status_code, renamed.json()["name"]) == (200, "Countess")
        assert 'value="Countess"' in (await ada.get("/join", headers=PAGE)).text
        assert [row.name for row in (await rows(processes[0])).values()] == ["Countess"]
        assert (await ada.patch("/api/v1/session", json={"name": "x" * 81})).status_code == 422
        assert (await ann.patch("/api/v1/session", json={"name": "Other"})).status_code == 403


async def test_the_live_channel_ends_when_the_process_is_about_to(processes: list[AsyncEngine]):
    async with House().app(processes[0]) as app, browser(app) as ada, live(ada) as events:
        await following(events, "session", lambda _: True)
        app.state.drain()
        with anyio.fail_after(60):
            assert [event.event async for event in events] in ([], ["note"])


def test_the_contexts_of_these_tests_are_contexts():
    assert read_contexts(CONTEXTS)["two"].participant_limit == 2
