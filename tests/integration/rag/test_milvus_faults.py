"""Milvus on the network gone, slow and back: the agent says so, and goes on without a restart."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import httpx
import pytest

import agents.rag.app as app_module
from agents.rag.app import create_app
from agents.rag.errors import StoreUnavailableError
from agents.rag.settings import RagSettings
from agents.rag.store import Owner
from agents.rag.store.milvus import MilvusStore
from shared_services.kit.database import create_engine
from tests.integration.rag.milvus_server import MilvusServer
from tests.integration.rag.test_api import CHAT, ISSUER, SERVICE, Files
from tests.integration.rag.test_indexing import _version
from tests.integration.rag.test_store_contract import DOORS, MODEL, RED, chunk
from tests.unit.rag.fakes import FakeEmbedder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MilvusServer]:
    folder = tmp_path / "milvus"
    folder.mkdir()
    started = MilvusServer(folder)
    yield started
    started.kill()


@pytest.fixture
def store(server: MilvusServer) -> Iterator[MilvusStore]:
    opened = MilvusStore(server.uri, timeout=2)
    opened.open()
    yield opened
    opened.close()


def _filled(store: MilvusStore) -> str:
    index = f"index_{uuid.uuid4().hex}"
    store.create(index, MODEL.model_id, MODEL.dimension)
    vectors = MODEL.encode(DOORS)
    rows = [(number, chunk(text), vector) for number, (text, vector) in enumerate(zip(DOORS, vectors, strict=True))]
    store.insert(Owner.of(RED), index, rows, None)
    store.seal(index)
    return index


def _search(store: MilvusStore, index: str) -> list[int]:
    dense, _ = store.search(RED, index, MODEL.encode(["red door"]), [["door"]], 4, None)
    return [hit.ordinal for hit in dense[0]]


def test_a_killed_server_is_a_clear_error_and_a_new_one_is_found(server: MilvusServer, store: MilvusStore) -> None:
    server.start()
    index = _filled(store)
    before = _search(store, index)
    server.kill()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="Try again in a moment"):
            _search(store, index)
    assert store.check() is not None
    server.start()
    assert _search(store, index) == before
    assert store.check() is None


def test_a_server_that_hangs_costs_the_timeout_and_no_more(server: MilvusServer, store: MilvusStore) -> None:
    server.start()
    index = _filled(store)
    before = _search(store, index)
    server.pause()
    failed: list[Exception] = []

    def ask() -> None:
        try:
            _search(store, index)
        except Exception as error:
            failed.append(error)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        # many times the two seconds that a read may take, and far less than for ever
        thread.join(60)
    assert [type(error) for error in failed] == [StoreUnavailableError] * 4
    assert store.check() is not None
    server.resume()
    assert _search(store, index) == before


def test_a_collection_that_was_released_is_loaded_again(server: MilvusServer, store: MilvusStore) -> None:
    server.start()
    index = _filled(store)
    store._client.release_collection(store._homes[index])
    assert _search(store, index)[0] == 0


async def test_an_agent_starts_without_milvus_and_serves_once_it_is_there(
    server: MilvusServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "RETRY_SECONDS", 0.1)
    settings = RagSettings(data=tmp_path / "rag", milvus_uri=server.uri, milvus_timeout_seconds=2)
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    app = create_app(settings, engine, ISSUER.verifier(), Files({("shop", "v1"): _version("alpha")}), FakeEmbedder())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as client,
    ):

        async def checks() -> dict[str, str | None]:
            found: dict[str, str | None] = (await client.get("/readyz")).json()["checks"]
            return found

        async def search() -> httpx.Response:
            return await client.post("/api/v1/search", json={"query": "alpha"}, headers=CHAT)

        assert (await checks())["store"] is not None
        await anyio.to_thread.run_sync(server.start)
        assert await checks() == {"store": None, "model": None}
        for step in ("index", "activate"):
            done = await client.post(f"/api/v1/workshops/shop/{step}", json={"version": "v1"}, headers=SERVICE)
            assert done.status_code == 200, done.text
        found = (await search()).json()["passages"]
        assert found
        await anyio.to_thread.run_sync(server.kill)
        down = await checks()
        assert down["store"] is not None
        assert down["model"] is None
        refused = await search()
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:workshop-assistant:problem:vector-store-unavailable")
        await anyio.to_thread.run_sync(server.start)
        assert (await search()).json()["passages"] == found
        assert (await checks())["store"] is None
    await engine.dispose()
