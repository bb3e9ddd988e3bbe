"""Vectors of texts over HTTP: for whoever holds a workshop's token, behind searches, and no more of them than there is room for."""

import math
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from agents.rag.app import create_app
from agents.rag.embeddings import RUNNING, WAITING, TextEmbeddings
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.settings import RagSettings
from agents.rag.workers import _background
from shared_services.clients.rag import RagClient
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import EmbeddingsRequest
from shared_services.kit.database import create_engine
from shared_services.kit.errors import PlatformError
from tests.integration.rag.conftest import scope_of
from tests.integration.rag.test_api import ISSUER, Files, _bearer
from tests.unit.rag.fakes import FakeEmbedder

CHAT = _bearer("service:chat", workshop="shop")


class HeldEmbedder(FakeEmbedder):
    """Answers when it is let; notes who was in the background."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.background: list[bool] = []

    def encode(self, texts: Sequence[str]):
        self.background.append(_background.get())
        assert self.let.wait(30)
        return super().encode(texts)


@pytest.fixture
def embedder() -> HeldEmbedder:
    return HeldEmbedder()


@pytest.fixture
async def client(tmp_path: Path, embedder: HeldEmbedder) -> AsyncIterator[httpx.AsyncClient]:
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    app = create_app(RagSettings(data=tmp_path / "rag"), engine, ISSUER.verifier(), Files(), embedder)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag", timeout=60) as opened,
    ):
        yield opened
    await engine.dispose()


async def test_each_text_gets_a_vector_of_length_one(client: httpx.AsyncClient, embedder: HeldEmbedder):
    embedder.let.set()
    answer = await client.post("/api/v1/embeddings", json={"texts": ["a pod", "a pod", "a kettle"]}, headers=CHAT)
    assert answer.status_code == 200
    body = answer.json()
    assert body["model"] == embedder.model_id
    first, second, other = body["vectors"]
    assert first == second != other
    assert [round(math.sumprod(one, one), 4) for one in (first, other)] == [1.0, 1.0]
    assert embedder.background == [True]


async def test_the_typed_client_reads_it(client: httpx.AsyncClient, embedder: HeldEmbedder):
    embedder.let.set()
    rag = RagClient(client, ISSUER.source("service:chat", workshop="shop"))
    found = await rag.embeddings(EmbeddingsRequest(texts=["a pod"]))
    assert (found.model, len(found.vectors), len(found.vectors[0])) == (embedder.model_id, 1, embedder.dimension)


@pytest.mark.parametrize(
    ("texts", "headers", "status"),
    [
        (["x"], {}, 401),
        (["x"], _bearer(workshop="shop", audience="chat"), 401),
        (["x"], _bearer("service:jobs"), 403),
        (["x"], _bearer("participant:1", workshop="shop", roles=frozenset({Role.PARTICIPANT})), 200),
        ([], CHAT, 422),
        ([""], CHAT, 422),
        (["x"] * 64, CHAT, 200),
        (["x"] * 65, CHAT, 422),
        (["x" * 2000], CHAT, 200),
        (["x" * 2001], CHAT, 422),
        ([7], CHAT, 422),
        ("x", CHAT, 422),
    ],
)
async def test_who_gets_them_and_of_what(
    client: httpx.AsyncClient, embedder: HeldEmbedder, texts: object, headers: dict[str, str], status: int
):
    embedder.let.set()
    answer = await client.post("/api/v1/embeddings", json={"texts": texts}, headers=headers)
    assert answer.status_code == status


async def test_one_too_many_is_told_when_to_come_back(client: httpx.AsyncClient, embedder: HeldEmbedder):
    statuses: list[int] = []

    async def ask() -> None:
        answer = await client.post("/api/v1/embeddings", json={"texts": ["a pod"]}, headers=CHAT)
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(RUNNING + WAITING):
            tasks.start_soon(ask)
        while len(embedder.background) < RUNNING:  # noqa: ASYNC110 - the embedder counts, in its threads
            await anyio.sleep(0.01)
        full = await client.post("/api/v1/embeddings", json={"texts": ["a pod"]}, headers=CHAT)
        assert (full.status_code, full.json()["type"]) == (429, "urn:workshop-assistant:problem:embeddings-full")
        assert full.headers["retry-after"] == str(full.json()["retry_after"])
        assert "embeddings requests run" in full.json()["detail"]
        embedder.let.set()
    assert statuses == [200] * (RUNNING + WAITING)


async def test_a_search_does_not_wait_for_the_rest_of_them(model: SentenceTransformerEmbedder):
    """With the real model: what is asked for in the background is done after a search that came later."""
    texts = [f"question number {number} about a pod that does not start" for number in range(64)]
    embeddings = TextEmbeddings(model)
    order: list[str] = []

    async def embed() -> None:
        await embeddings.embed(scope_of("shop"), texts)
        order.append("embeddings")

    await embeddings.embed(scope_of("shop"), ["warm up"])
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(embed)
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(model.encode, ["a search"])
        order.append("search")
    assert order.index("search") < 2


async def test_a_model_that_is_not_there_is_told(tmp_path: Path):
    class Broken(FakeEmbedder):
        def encode(self, texts: Sequence[str]):
            from agents.rag.errors import ModelUnavailableError

            raise ModelUnavailableError("There are no weights in /nowhere.")

    with pytest.raises(PlatformError, match="no weights"):
        await TextEmbeddings(Broken()).embed(scope_of("shop"), ["x"])
