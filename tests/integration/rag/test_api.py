"""The RAG agent over HTTP, as its callers see it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from agents.rag.app import create_app
from agents.rag.errors import ModelUnavailableError
from agents.rag.settings import RagSettings
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import IndexStatus, SearchResponse
from shared_services.kit.database import create_engine
from shared_services.kit.sse import decode
from tests.integration.rag.callers import ISSUER, Files, token
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

ROOT = Path(__file__).parents[3]


class SlowEmbedder(FakeEmbedder):
    """Loads when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    def warm(self) -> None:
        self.let.wait(20)
        super().warm()


class MissingEmbedder(FakeEmbedder):
    def warm(self) -> None:
        raise ModelUnavailableError("There are no weights in /nowhere.")


def _bearer(subject: str = "service:chat", **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(subject, **claims)}"}


SERVICE = _bearer("service:jobs")
CHAT = _bearer("service:chat", workshop="shop")


async def _serve(tmp_path: Path, embedder: FakeEmbedder) -> AsyncIterator[httpx.AsyncClient]:
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    files = Files({("shop", "v1"): workshop("shop", CLUSTER_STEPS), ("park", "v1"): workshop("park", {"a": "# A\n\nTrees.\n"})})
    app = create_app(RagSettings(data=tmp_path / "rag"), engine, ISSUER.verifier(), files, embedder)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as client,
    ):
        yield client
    await engine.dispose()
    assert embedder.closed


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for opened in _serve(tmp_path, FakeEmbedder()):
        yield opened


async def test_index_activate_search_status_remove(client: httpx.AsyncClient) -> None:
    indexed = await client.post("/api/v1/workshops/shop/index", json={"version": "v1"}, headers=SERVICE)
    assert indexed.status_code == 200
    assert not IndexStatus.model_validate_json(indexed.content).active
    unseen = await client.post("/api/v1/search", json={"query": "CrashLoopBackOff"}, headers=CHAT)
    assert (unseen.status_code, unseen.json()["type"]) == (404, "urn:workshop-assistant:problem:not-indexed")
    active = await client.post("/api/v1/workshops/shop/activate", json={"version": "v1"}, headers=SERVICE)
    assert active.json()["active"] is True
    found = await client.post("/api/v1/search", json={"query": "CrashLoopBackOff", "limit": 2}, headers=CHAT)
    response = SearchResponse.model_validate_json(found.content)
    assert response.version == "v1"
    assert len(response.passages) == 2
    assert "CrashLoopBackOff" in response.passages[0].text
    status = await client.get("/api/v1/workshops/shop/index", headers=CHAT)
    assert status.json() == active.json()
    assert 'workshop_rag_searches_total{workshop="shop"}' in (await client.get("/metrics")).text
    assert (await client.delete("/api/v1/workshops/shop/index", headers=SERVICE)).status_code == 204
    assert (await client.get("/api/v1/workshops/shop/index", headers=SERVICE)).status_code == 404
    assert not re.search(r'workshop_rag_\w+\{workshop="shop"\}', (await client.get("/metrics")).text)


async def test_progress_is_streamed(client: httpx.AsyncClient) -> None:
    headers = SERVICE | {"accept": "text/event-stream"}
    async with client.stream("POST", "/api/v1/workshops/shop/index", json={"version": "v1"}, headers=headers) as response:
        events = [event async for event in decode(response.aiter_bytes())]
    assert {event.event for event in events[:-1]} == {"progress"}
    assert events[0].json()["done"] == 0
    assert events[-1].event == "done"
    assert events[-2].json() == {"done": events[-1].json()["chunks"], "total": events[-1].json()["chunks"]}


async def test_a_failure_ends_the_stream_with_a_problem(tmp_path: Path) -> None:
    class Broken(FakeEmbedder):
        def encode(self, texts: object) -> list[object]:  # type: ignore[override]
            raise ModelUnavailableError("The model broke.")

    async for client in _serve(tmp_path, Broken()):
        headers = SERVICE | {"accept": "text/event-stream"}
        async with client.stream("POST", "/api/v1/workshops/shop/index", json={"version": "v1"}, headers=headers) as response:
            events = [event async for event in decode(response.aiter_bytes())]
        assert events[-1].event == "error"
        assert events[-1].json()["detail"] == "The model broke."
        assert (await client.get("/api/v1/workshops/shop/index", headers=SERVICE)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/v1/search", {}, 401),
        ("POST", "/api/v1/search", {"authorization": "Bearer forged.token.here"}, 401),
        ("POST", "/api/v1/search", _bearer(workshop="shop", audience="chat"), 401),
        ("POST", "/api/v1/search", SERVICE, 403),
        ("POST", "/api/v1/search", _bearer(workshop="park"), 404),
        ("POST", "/api/v1/workshops/shop/index", CHAT, 403),
        ("POST", "/api/v1/workshops/shop/index", _bearer("participant:1", roles=frozenset({Role.PARTICIPANT})), 403),
        ("POST", "/api/v1/workshops/shop/index", _bearer("author:1", workshop="park", roles=frozenset({Role.AUTHOR})), 403),
        ("POST", "/api/v1/workshops/shop/activate", CHAT, 403),
        ("DELETE", "/api/v1/workshops/shop/index", CHAT, 403),
        ("GET", "/api/v1/workshops/park/index", CHAT, 403),
        ("POST", "/api/v1/workshops/No%20Slug/index", SERVICE, 422),
        ("POST", "/api/v1/workshops/nothing/index", SERVICE, 404),
    ],
)
async def test_who_may_do_what(client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int) -> None:
    await client.post("/api/v1/workshops/shop/index", json={"version": "v1"}, headers=SERVICE)
    body = {"query": "pods"} if path.endswith("search") else {"version": "v1"}
    response = await client.request(method, path, json=body if method == "POST" else None, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_search_body_cannot_name_a_workshop(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/search", json={"query": "x", "workshop": "park"}, headers=CHAT)
    assert response.status_code == 422


async def _until(client: httpx.AsyncClient, model: str | None) -> None:
    for _ in range(1000):
        if (await client.get("/readyz")).json()["checks"]["model"] == model:
            return
        await anyio.sleep(0.01)
    pytest.fail(f"the model's readiness never became {model!r}")


async def test_readiness_tells_model_and_store_apart(tmp_path: Path) -> None:
    embedder = SlowEmbedder()
    async for client in _serve(tmp_path, embedder):
        assert (await client.get("/healthz")).status_code == 200
        waiting = await client.get("/readyz")
        assert waiting.status_code == 503
        assert waiting.json()["checks"] == {"store": None, "model": "The embedding model is still loading."}
        embedder.let.set()
        await _until(client, None)


async def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    async for client in _serve(tmp_path, MissingEmbedder()):
        await _until(client, "There are no weights in /nowhere.")
        assert (await client.get("/healthz")).status_code == 200


def test_neither_torch_nor_milvus_is_imported_to_make_the_app() -> None:
    program = """
import sys
import agents.rag.app
from agents.rag.app import create_app
from agents.rag.settings import RagSettings
from shared_services.kit.database import create_engine
from shared_services.kit.tokens import TokenIssuer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
create_app(RagSettings(), create_engine("sqlite:///x"), TokenIssuer(Ed25519PrivateKey.generate()).verifier(), None)
print(sorted({"torch", "sentence_transformers", "transformers", "pymilvus", "milvus_lite", "pandas"} & set(sys.modules)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")
