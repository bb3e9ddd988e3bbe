"""Index requests wait or are told when to come back; searches are answered meanwhile; the publish job waits its turn."""

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.rag.admission import Admission
from agents.rag.app import create_app
from agents.rag.settings import RagSettings
from shared_services.clients.rag import RagClient
from shared_services.kit.database import create_engine
from shared_services.kit.errors import NotFoundError, PlatformError
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import WorkshopFiles
from shared_services.library.publishing import publish_job
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
SERVICE = {"authorization": f"Bearer {ISSUER.issue('service:jobs', 'rag', seconds=86_400)}"}
CHAT = {"authorization": f"Bearer {ISSUER.issue('service:chat', 'rag', seconds=86_400, workshop='shop')}"}
NAMES = [f"shop-{number}" for number in range(5)]


class HeldEmbedder(FakeEmbedder):
    """Holds what is given in batches, and lets single texts, as a search has, through."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.held = threading.Semaphore(0)

    def encode(self, texts: Sequence[str]):
        if len(texts) > 1:
            self.held.release()
            assert self.let.wait(30)
        return super().encode(texts)


@dataclass
class Files:
    versions: dict[tuple[str, str], WorkshopFiles] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, name: str, version: str) -> WorkshopFiles:
        if (name, version) not in self.versions:
            raise NotFoundError(f"There is no version {version} of {name}.")
        self.fetched.append(name)
        return self.versions[name, version]


@dataclass
class Agent:
    http: httpx.AsyncClient
    embedder: HeldEmbedder
    files: Files
    admission: Admission

    async def index(self, name: str) -> httpx.Response:
        return await self.http.post(f"/api/v1/workshops/{name}/index", json={"version": "v1"}, headers=SERVICE)

    async def fill(self, tasks: anyio.abc.TaskGroup) -> None:
        """One request runs and one waits."""
        for name in NAMES[:2]:
            tasks.start_soon(self.index, name)
        assert await anyio.to_thread.run_sync(lambda: self.embedder.held.acquire(timeout=20))
        while self.admission.inside < 2:  # noqa: ASYNC110 - it is the agent that counts
            await anyio.sleep(0.01)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    files = Files({(name, "v1"): workshop(name, CLUSTER_STEPS) for name in [*NAMES, "shop"]})
    embedder = HeldEmbedder()
    settings = RagSettings(data=tmp_path / "rag", ingest_running=1, ingest_waiting=1)
    app = create_app(settings, engine, ISSUER.verifier(), files, embedder)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag", timeout=60) as http,
    ):
        yield Agent(http, embedder, files, app.state.admission)
    await engine.dispose()


async def test_one_too_many_is_told_when_to_come_back_and_searches_go_on(agent: Agent) -> None:
    agent.embedder.let.set()
    await agent.index("shop")
    await agent.http.post("/api/v1/workshops/shop/activate", json={"version": "v1"}, headers=SERVICE)
    agent.embedder.let.clear()
    while agent.embedder.held.acquire(blocking=False):
        pass
    async with anyio.create_task_group() as tasks:
        await agent.fill(tasks)
        for accept in ("application/json", "text/event-stream"):
            path = f"/api/v1/workshops/{NAMES[2]}/index"
            full = await agent.http.post(path, json={"version": "v1"}, headers=SERVICE | {"accept": accept})
            assert (full.status_code, full.json()["type"]) == (429, "urn:workshop-assistant:problem:ingest-full")
            assert full.headers["retry-after"] == str(full.json()["retry_after"])
        found = await agent.http.post("/api/v1/search", json={"query": "CrashLoopBackOff"}, headers=CHAT)
        assert found.status_code == 200
        # the one that waits holds no files yet
        assert len(agent.files.fetched) == 2
        agent.embedder.let.set()
    assert (await agent.index(NAMES[2])).status_code == 200
    for name in NAMES[:3]:
        assert (await agent.http.get(f"/api/v1/workshops/{name}/index", headers=SERVICE)).status_code == 200


class Job:
    """What the publish job asks of a job."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waited = anyio.Event()

    async def step(self, _name: str, function: Any, retries: int = 0) -> Any:
        return await function()

    async def progress(self, done: int, total: int, message: str) -> None:
        return None

    async def log(self, message: str) -> None:
        self.lines.append(message)
        self.waited.set()

    def raise_if_cancelled(self) -> None:
        return None


class Library:
    async def version(self, workshop: str, version: str) -> None:
        return None

    async def set_current(self, workshop: str, version: str) -> None:
        return None


async def test_the_publish_job_waits_its_turn(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.rag.admission.retry_after", lambda _taken, _running: 0)
    job = Job()
    client = RagClient(agent.http, ISSUER.source("service:core"))
    publish = publish_job(Library(), lambda _workshop: client)  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:
        await agent.fill(tasks)
        outcome: list[dict[str, Any]] = []

        async def run() -> None:
            outcome.append(await publish(job, {"workshop": NAMES[2], "version": "v1"}))  # type: ignore[arg-type]

        tasks.start_soon(run)
        await job.waited.wait()
        agent.embedder.let.set()
    assert outcome[0]["workshop"] == NAMES[2]
    assert "Asking again in 0 s." in job.lines[0]
    assert job.lines[-1].startswith("Published")


async def test_a_request_that_fails_gives_its_place_back(agent: Agent) -> None:
    agent.embedder.let.set()
    for _ in range(3):
        path = "/api/v1/workshops/nothing/index"
        assert (await agent.http.post(path, json={"version": "v1"}, headers=SERVICE)).status_code == 404
    with pytest.raises(PlatformError, match="no version"):
        await RagClient(agent.http, ISSUER.source("service:core")).index("nothing", "v1")
    assert (await agent.index(NAMES[0])).status_code == 200
