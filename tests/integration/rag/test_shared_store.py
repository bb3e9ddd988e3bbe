"""Several RAG agents on one Milvus and one bookkeeping: none undoes another's work, and what one leaves half-done another ends."""

import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from agents.rag.embedder import Vector
from agents.rag.errors import IndexLostError, NotIndexedError, StoreUnavailableError
from agents.rag.form import CURRENT_FORM
from agents.rag.repository import LEASE, MIGRATIONS, IndexRepository, IndexRow
from agents.rag.service import RagService
from agents.rag.store.milvus import MilvusStore
from shared_services.contracts.rag import SearchRequest, Turn
from shared_services.kit.database import create_engine, migrate, session_factory
from tests.integration.rag.conftest import Room, open_room
from tests.integration.rag.milvus_server import MilvusServer
from tests.integration.rag.test_indexing import SHOP, _version, _words
from tests.postgres import throwaway_postgres
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    started = MilvusServer(tmp_path_factory.mktemp("milvus"))
    started.start()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with throwaway_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rag.sqlite3"
    return str(request.getfixturevalue("postgres"))


Agents = Callable[..., AbstractAsyncContextManager[Room]]


@pytest.fixture
async def agent(database: str, server: MilvusServer) -> AsyncIterator[Agents]:
    """Opens one more agent on the same store and bookkeeping."""

    @asynccontextmanager
    async def opened(embedder: FakeEmbedder | None = None) -> AsyncIterator[Room]:
        engine = create_engine(database)
        await migrate(engine, MIGRATIONS)
        store = MilvusStore(server.uri, timeout=30)
        store.open()
        indexes = IndexRepository(session_factory(engine))
        model = embedder or FakeEmbedder()
        try:
            yield Room(RagService(store, model, indexes), store, indexes, model)  # type: ignore[arg-type]
        finally:
            await anyio.to_thread.run_sync(store.close)
            await engine.dispose()

    yield opened
    async with opened() as last:
        await last.service.remove(SHOP)
        async with last.indexes._sessions.begin() as session:
            await session.execute(update(IndexRow).values(touched_at=None))
        await last.service.recover()
        assert await anyio.to_thread.run_sync(last.store.collections) == []
        async with last.indexes._sessions() as session:
            assert await session.scalar(select(func.count()).select_from(IndexRow)) == 0


@asynccontextmanager
async def two(agent: Agents, first: FakeEmbedder | None = None) -> AsyncIterator[tuple[Room, Room]]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(agent(first)), await stack.enter_async_context(agent())


class HeldEmbedder(FakeEmbedder):
    """Stops in the middle of the first indexing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = anyio.Event()
        self.let = anyio.Event()

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        if self.encoded >= 8 and not self.reached.is_set():
            anyio.from_thread.run_sync(self.reached.set)
            anyio.from_thread.run(self.let.wait)
        return super().encode(texts)


async def test_one_agents_index_is_found_by_the_other(agent: Agents) -> None:
    async with two(agent) as (one, other):
        await one.service.index(SHOP, "v1", _version("alpha"))
        await one.service.activate(SHOP, "v1")
        assert await _words(other) == {"alpha"}
        await other.service.index(SHOP, "v2", _version("beta"))
        await other.service.activate(SHOP, "v2")
        assert await _words(one) == {"beta"}
        assert await _words(one, "v1") == {"alpha"}
        await one.service.index(SHOP, "v3", _version("gamma"))
        await one.service.activate(SHOP, "v3")
        # what the other one remembers of it does not answer
        with pytest.raises(NotIndexedError):
            await _words(other, "v1")
        assert await _words(other) == {"gamma"}


async def test_an_agent_that_starts_leaves_anothers_build_alone(agent: Agents) -> None:
    held = HeldEmbedder()
    async with two(agent, held) as (builder, starting):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(builder.service.index, SHOP, "v1", _version("alpha"))
            await held.reached.wait()
            assert await starting.service.recover() == []
            held.let.set()
        await builder.service.activate(SHOP, "v1")
        assert await _words(starting) == {"alpha"}


async def test_a_build_whose_agent_is_gone_is_taken_and_its_agent_is_told(agent: Agents) -> None:
    held = HeldEmbedder()
    async with two(agent, held) as (builder, other):
        async with anyio.create_task_group() as tasks:

            async def build() -> None:
                with pytest.raises(IndexLostError, match="Publish the workshop again"):
                    await builder.service.index(SHOP, "v1", _version("alpha"))

            tasks.start_soon(build)
            await held.reached.wait()
            async with other.indexes._sessions.begin() as session:
                silent = datetime.now(UTC) - LEASE - timedelta(seconds=1)
                await session.execute(update(IndexRow).values(touched_at=silent))
            assert len(await other.service.recover()) == 1
            held.let.set()
        # what the builder added after that is gone, too
        assert await anyio.to_thread.run_sync(other.store.collections) == []
        await builder.service.index(SHOP, "v1", _version("alpha"))
        assert await _words(other, "v1") == {"alpha"}


async def test_a_workshop_that_is_removed_while_another_agent_builds_stays_removed(agent: Agents) -> None:
    held = HeldEmbedder()
    async with two(agent, held) as (builder, other):
        async with anyio.create_task_group() as tasks:

            async def build() -> None:
                with pytest.raises(IndexLostError):
                    await builder.service.index(SHOP, "v1", _version("alpha"))

            tasks.start_soon(build)
            await held.reached.wait()
            await other.service.remove(SHOP)
            held.let.set()
        with pytest.raises(NotIndexedError):
            await other.service.status(SHOP)


async def test_two_agents_publish_at_once_and_one_wins_whole(agent: Agents) -> None:
    async with two(agent) as (one, other):

        async def publish(room: Room, version: str, word: str) -> None:
            await room.service.index(SHOP, version, _version(word))
            await room.service.activate(SHOP, version)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish, one, "v1", "alpha")
            tasks.start_soon(publish, other, "v1", "alpha")
            tasks.start_soon(publish, one, "v2", "beta")
            tasks.start_soon(publish, other, "v3", "gamma")
        served = await _words(one)
        assert len(served) == 1
        assert await _words(other) == served
        built = await one.indexes.built()
        assert [index.active for index in built].count(True) == 1
        assert len({index.version for index in built}) == len(built)
        assert sorted(index.collection for index in built) == await anyio.to_thread.run_sync(one.store.collections)
        assert await other.service.recover() == []


async def test_readers_on_another_agent_see_the_old_or_the_new_version_whole(agent: Agents) -> None:
    async with two(agent) as (writer, reader):
        await writer.service.index(SHOP, "v0", _version("alpha"))
        await writer.service.activate(SHOP, "v0")
        seen: list[set[str]] = []
        done = anyio.Event()

        async def visitor() -> None:
            while not done.is_set():
                seen.append(await _words(reader))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(visitor)
            for number, word in enumerate(("beta", "gamma", "alpha", "beta"), 1):
                await writer.service.index(SHOP, f"v{number}", _version(word))
                await writer.service.activate(SHOP, f"v{number}")
            done.set()
        assert seen
        assert all(len(words) == 1 for words in seen)


async def test_what_could_not_be_dropped_is_dropped_later(agent: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    async with two(agent) as (one, other):
        for version, word in (("v1", "alpha"), ("v2", "beta")):
            await one.service.index(SHOP, version, _version(word))
            await one.service.activate(SHOP, version)
        await one.service.index(SHOP, "v3", _version("gamma"))

        def gone(collection: str) -> None:
            raise StoreUnavailableError("Milvus is gone.")

        with monkeypatch.context() as patch:
            patch.setattr(one.store, "drop", gone)
            await one.service.activate(SHOP, "v3")
        assert await _words(one) == {"gamma"}
        with pytest.raises(NotIndexedError):
            await _words(one, "v1")
        assert len(await anyio.to_thread.run_sync(one.store.collections)) == 3
        assert len(await other.service.recover()) == 1
        assert len(await anyio.to_thread.run_sync(one.store.collections)) == 2
        assert await other.service.recover() == []


async def test_an_index_that_milvus_lost_is_made_anew_when_it_is_published_again(agent: Agents) -> None:
    async with two(agent) as (one, other):
        await one.service.index(SHOP, "v1", _version("alpha"))
        [index] = await one.indexes.built()
        await anyio.to_thread.run_sync(other.store.drop, index.collection)
        with pytest.raises(NotIndexedError):
            await _words(other, "v1")
        await other.service.recover()
        await one.service.index(SHOP, "v1", _version("beta"))
        assert await _words(other, "v1") == {"beta"}


async def test_the_tables_refuse_two_that_serve_and_two_of_one_version(agent: Agents) -> None:
    async with agent() as room:
        for name in ("index_a", "index_b"):
            await room.indexes.begin(name, "shop", "v1", "m", CURRENT_FORM)
        for column in ("active", "built"):
            with pytest.raises(IntegrityError):
                async with room.indexes._sessions.begin() as session:
                    await session.execute(update(IndexRow).values({column: True}))
        for name in ("index_a", "index_b"):
            await room.indexes.forget(name)


async def test_a_search_by_both_agents_gives_the_same_passages(agent: Agents) -> None:
    async with two(agent) as (one, other):
        await one.service.index(SHOP, "v1", _version("alpha"))
        request = SearchRequest(query="password of room 3", version="v1")
        first, second = await one.service.search(SHOP, request), await other.service.search(SHOP, request)
        assert first.passages == second.passages
        assert first.confidence == second.confidence


def test_two_agents_that_make_the_models_collection_at_once_both_have_it(server: MilvusServer) -> None:
    stores = [MilvusStore(server.uri, timeout=30) for _ in range(4)]
    names = [f"index_{uuid.uuid4().hex}" for _ in stores]
    together = threading.Barrier(len(stores))

    def make(store: MilvusStore, name: str) -> None:
        together.wait(30)
        store.create(name, "race@333333333333", 16)

    for store in stores:
        store.open()
        assert store.check() is None
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(make, stores, names))
    assert stores[0].collections() == sorted(names)
    for store, name in zip(stores, names, strict=True):
        store.drop(name)
        store.close()


async def test_both_engines_find_the_same_passages_with_the_same_scores(agent: Agents, tmp_path: Path) -> None:
    files = workshop("shop", CLUSTER_STEPS)
    questions = [
        "CrashLoopBackOff",
        "how do I scale the replicas of the pods",
        "route certificate",
        "oc adm policy",
        "nothing of it",
    ]
    (tmp_path / "lite").mkdir()
    async with agent() as milvus, open_room(tmp_path / "lite") as lite:
        for room in (milvus, lite):
            await room.service.index(SHOP, "v1", files)
        for question in questions:
            for request in (
                SearchRequest(query=question, version="v1"),
                SearchRequest(
                    query="and it?", history=[Turn(speaker="user", text=question)], version="v1", kinds=["prose", "code"]
                ),
            ):
                one, other = await milvus.service.search(SHOP, request), await lite.service.search(SHOP, request)
                assert [(each.file, each.first_line) for each in one.passages] == [
                    (each.file, each.first_line) for each in other.passages
                ]
                for mine, theirs in zip(one.passages, other.passages, strict=True):
                    assert (mine.scores.bm25 or 0.0) == pytest.approx(theirs.scores.bm25 or 0.0, rel=1e-4)
                    assert mine.scores.fused == pytest.approx(theirs.scores.fused, rel=1e-3)
                assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
