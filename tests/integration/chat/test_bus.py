"""Signals over PostgreSQL: between processes, within a workshop, and after the connection was lost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.kit.database import create_engine
from tests.postgres import throwaway_postgres
from workshop_chat.bus import NOTES, SESSIONS, TURNS, LocalBus, Subscription, open_bus
from workshop_chat.bus_postgres import PostgresBus
from workshop_chat.shared_names import SharedNames

pytestmark = pytest.mark.postgres
LONGEST_SLUG = "a" * 63
KEY = b"the secret of harbor's chat agent"


@asynccontextmanager
async def bus_on(url: str, workshop: str = "harbor", key: bytes = KEY) -> AsyncIterator[PostgresBus]:
    """A listening bus of a process of its own."""
    engine = create_engine(url)
    bus = open_bus(engine, SharedNames(workshop, key))
    assert isinstance(bus, PostgresBus)
    await bus.start()
    with anyio.fail_after(60):
        await bus.connected.wait()
    yield bus
    await bus.close()
    await engine.dispose()


async def next_of(signals: Subscription) -> set[tuple[str, str]]:
    with anyio.fail_after(60):
        return await signals.wait()


async def cut_all(engine: AsyncEngine, bus: PostgresBus) -> None:
    """Cut every connection that listens, as a restarted server does."""
    connected = bus.connected
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE '%pg_notify%' AND pid <> pg_backend_pid()"
            )
        )
    with anyio.fail_after(60):
        while bus.connected is connected:  # noqa: ASYNC110  a lost connection has no event of its own
            await anyio.sleep(0.01)


@pytest.mark.parametrize("workshop", ["harbor", LONGEST_SLUG])
async def test_a_signal_reaches_every_process_once(postgres_url: str, workshop: str):
    async with (
        bus_on(postgres_url, workshop) as one,
        bus_on(postgres_url, workshop) as two,
        one.subscribe(TURNS) as here,
        two.subscribe(TURNS) as there,
        two.subscribe(NOTES) as notes,
    ):
        await one.signal(TURNS, "c/1", "c/2")
        await one.signal(NOTES)
        assert await next_of(here) == {(TURNS, "c/1"), (TURNS, "c/2")}
        assert await next_of(notes) == {(NOTES, "")}
        got = await next_of(there)
        while len(got) < 2:
            got |= await next_of(there)
        assert got == {(TURNS, "c/1"), (TURNS, "c/2")}
        await two.signal(TURNS, "c/3")
        assert await next_of(here) == {(TURNS, "c/3")}
        assert await here.wait(0.2) == set()


async def test_workshops_on_one_database_do_not_hear_each_other(postgres_url: str):
    async with (
        bus_on(postgres_url, "harbor") as harbor,
        bus_on(postgres_url, "orchard") as orchard,
        harbor.subscribe(TURNS) as ours,
        orchard.subscribe(TURNS) as theirs,
    ):
        await harbor.signal(TURNS, "c/1")
        await orchard.signal(TURNS, "d/1")
        assert await next_of(ours) == {(TURNS, "c/1")}
        assert await next_of(theirs) == {(TURNS, "d/1")}
        assert await ours.wait(0.3) == set()


async def test_another_workshops_role_hears_nothing_and_says_nothing(postgres_url: str):
    """It may listen and notify on every channel of the database, and knows the slug and this code; the secret it has not."""
    async with (
        bus_on(postgres_url, "harbor") as ours,
        bus_on(postgres_url, "harbor") as replica,
        bus_on(postgres_url, "harbor", b"orchard's own secret") as stranger,
        bus_on(postgres_url, "harbor", b"") as guesser,
        replica.subscribe(TURNS) as heard,
        stranger.subscribe(TURNS) as overheard,
        guesser.subscribe(TURNS) as guessed,
    ):
        await stranger.signal(TURNS, "forged/1")
        await guesser.signal(TURNS, "forged/2")
        await ours.signal(TURNS, "c/1")
        assert await next_of(heard) == {(TURNS, "c/1")}
        await anyio.sleep(0.3)
        assert await heard.wait(0) == set()
        assert await overheard.wait(0) == {(TURNS, "forged/1")}
        assert await guessed.wait(0) == {(TURNS, "forged/2")}


def test_names_are_derived_from_the_secret_and_fit_postgresql():
    names = [SharedNames(workshop, key) for workshop in ("harbor", "orchard", LONGEST_SLUG) for key in (KEY, b"", b"another")]
    channels = [each.channel() for each in names]
    locks = [each.lock(*what) for each in names for what in (("sessions",), ("turns", "p"), ("turns", "q"))]
    assert len(set(channels)) == len(channels)
    assert len(set(locks)) == len(locks)
    assert all(channel.isidentifier() and channel == channel.lower() and len(channel) <= 63 for channel in channels)
    assert all(-(2**63) <= lock < 2**63 for lock in locks)
    assert names[0].channel() == SharedNames("harbor", KEY).channel()


async def test_keys_of_every_kind_travel(postgres_url: str):
    keys = ["participant:" + "ü" * 255, 'a b"; DROP TABLE chat_turns; --', "x" * 5_000, "nul\0", "\ud800"]
    many = [f"{'c' * 32}/{n}" for n in range(2_000)]
    async with bus_on(postgres_url) as one, bus_on(postgres_url) as two, two.subscribe(SESSIONS, TURNS) as there:
        await one.signal(SESSIONS, *keys)
        await one.signal(TURNS, *many)
        wanted = {(TURNS, key) for key in many} | {(SESSIONS, keys[0]), (SESSIONS, keys[1]), (SESSIONS, ""), (SESSIONS, "?")}
        got: set[tuple[str, str]] = set()
        while not wanted <= got:
            got |= await next_of(there)
    assert got == wanted


async def test_after_a_lost_connection_everybody_looks_and_what_was_said_meanwhile_arrives(
    postgres_url: str, postgres_engine: AsyncEngine
):
    async with (
        bus_on(postgres_url) as one,
        bus_on(postgres_url) as two,
        one.subscribe(TURNS, NOTES) as here,
        two.subscribe(TURNS) as there,
    ):
        await one.signal(TURNS, "c/0")
        assert await next_of(there) == {(TURNS, "c/0")}
        await two.signal(NOTES)
        assert {(TURNS, "c/0"), (NOTES, "")} >= await next_of(here)
        await cut_all(postgres_engine, two)
        with anyio.fail_after(60):
            await two.connected.wait()
        assert (TURNS, "") in await next_of(there)
        await one.signal(TURNS, "c/1")
        got: set[tuple[str, str]] = set()
        while (TURNS, "c/1") not in got:
            got |= await next_of(there)


async def test_a_bus_without_a_server_still_speaks_within_its_process_and_closes():
    async with AsyncExitStack() as stack:
        with throwaway_postgres() as url:
            bus = await stack.enter_async_context(bus_on(url))
        signals = await stack.enter_async_context(bus.subscribe(TURNS))
        for n in range(3):
            await bus.signal(TURNS, f"c/{n}")
        got: set[tuple[str, str]] = set()
        while len(got) < 3:
            got |= await next_of(signals)
        assert got == {(TURNS, f"c/{n}") for n in range(3)}


async def test_sqlite_has_the_bus_of_one_process(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/chat.db")
    assert isinstance(open_bus(engine, SharedNames("harbor")), LocalBus)
    await engine.dispose()
