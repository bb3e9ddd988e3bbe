"""Indexing as a job: asked for by `Prefer`, followed, cancelled, resumed; and who may have which."""

import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from agents.rag.__main__ import build
from agents.rag.app import create_app
from agents.rag.embedder import Vector
from agents.rag.settings import RagSettings
from shared_services.clients.jobs import JobsClient
from shared_services.clients.rag import RagClient
from shared_services.contracts.identity import Role
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.rag import IndexStatus, ReindexReport, ReindexRequest
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.database import create_engine
from shared_services.kit.errors import ProblemError
from shared_services.kit.health import Readiness
from tests.integration.rag.conftest import open_room
from tests.integration.rag.indexing_program import jobs_of
from tests.integration.rag.test_api import ISSUER, ROOT, Files, _bearer
from tests.integration.rag.test_indexing import SHOP, _words
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

AUTHOR = _bearer("author:1", roles=frozenset({Role.AUTHOR}))
OPS = _bearer("ops:1", roles=frozenset({Role.OPS}))
ASYNC = {"prefer": "respond-async"}
PATH = "/api/v1/workshops/shop/index"


@dataclass
class Agent:
    http: httpx.AsyncClient

    def jobs(self, subject: str, *roles: Role, workshop: str | None = None) -> JobsClient:
        return JobsClient(self.http, ISSUER.source(subject, roles=frozenset(roles), workshop=workshop))

    def rag(self, subject: str, *roles: Role, workshop: str | None = None) -> RagClient:
        return RagClient(self.http, ISSUER.source(subject, roles=frozenset(roles), workshop=workshop))

    async def ended(self, job: Job) -> Job:
        with anyio.fail_after(60):
            return await self.jobs("ops:1", Role.OPS).wait(job.id)


@asynccontextmanager
async def agent(tmp_path: Path, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    monkeypatch.setattr("agents.rag.app._embedder", lambda *_: embedder)
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    files = Files({("shop", "v1"): workshop("shop", CLUSTER_STEPS), ("shop", "v2"): workshop("shop", {"a": "# A\n\nTrees.\n"})})
    (tmp_path / "rag").mkdir(exist_ok=True)
    app, _ = build(RagSettings(data=tmp_path / "rag"), JobsSettings(), engine, ISSUER.verifier(), files, Readiness())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as http,
    ):
        yield Agent(http)
    await engine.dispose()


@pytest.fixture
async def rag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    async with agent(tmp_path, FakeEmbedder(), monkeypatch) as opened:
        yield opened


async def test_a_job_in_place_of_the_outcome(rag: Agent) -> None:
    response = await rag.http.post(PATH, json={"version": "v1", "activate": True}, headers=AUTHOR | ASYNC)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    job = Job.model_validate_json(response.content)
    assert (job.kind, job.subject, job.owner, job.result) == ("index", "shop v1", "author:1", None)
    jobs = rag.jobs("author:1", Role.AUTHOR)
    with anyio.fail_after(60):
        ended = await jobs.wait(job.id)
    assert ended.state == JobState.SUCCEEDED
    status = IndexStatus.model_validate(ended.result)
    assert status.active
    assert (await rag.http.get(PATH, headers=AUTHOR)).json() == ended.result
    assert [step.name for step in ended.steps] == ["index", "activate"]
    token = {"authorization": f"Bearer {ISSUER.issue('author:1', 'jobs', roles=frozenset({Role.AUTHOR}))}"}
    assert (await rag.http.get(response.headers["location"], headers=token)).json()["id"] == job.id
    told = [event.data async for event in jobs.events(job.id) if event.type == "progress"]
    assert (told[-1]["done"], told[-1]["total"]) == (status.chunks, status.chunks)


async def test_without_activate_it_waits_to_be_activated(rag: Agent) -> None:
    job = await rag.ended(await rag.rag("author:1", Role.AUTHOR).start_indexing("shop", "v1"))
    assert [step.name for step in job.steps] == ["index"]
    assert not IndexStatus.model_validate(job.result).active


async def test_activate_is_heeded_without_a_job_too(rag: Agent) -> None:
    assert (await rag.http.post(PATH, json={"version": "v1", "activate": True}, headers=AUTHOR)).json()["active"]
    headers = AUTHOR | {"accept": "text/event-stream"}
    streamed = await rag.http.post(PATH, json={"version": "v2", "activate": True}, headers=headers)
    assert '"active":true' in streamed.text.replace(" ", "")


async def test_a_job_that_fails_says_why(rag: Agent) -> None:
    job = await rag.ended(await rag.rag("author:1", Role.AUTHOR).start_indexing("shop", "v9"))
    assert job.state == JobState.FAILED
    assert (job.error or {})["detail"] == "There is no version v9 of shop."


@pytest.mark.parametrize("version", ["", "../v1", "a b", "x" * 201, "v1\n", "ü"])
async def test_a_version_that_is_none_is_refused_at_once(rag: Agent, version: str) -> None:
    response = await rag.http.post(PATH, json={"version": version}, headers=AUTHOR | ASYNC)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", PATH, {}, 401),
        ("POST", PATH, _bearer("participant:1", roles=frozenset({Role.PARTICIPANT})), 403),
        ("POST", PATH, _bearer("author:1", workshop="park", roles=frozenset({Role.AUTHOR})), 403),
        ("POST", PATH, _bearer("service:chat", workshop="shop"), 403),
        ("POST", "/api/v1/reindex", {}, 401),
        ("POST", "/api/v1/reindex", AUTHOR, 403),
        ("POST", "/api/v1/reindex", _bearer("admin:1", workshop="shop", roles=frozenset({Role.ADMIN})), 403),
        ("POST", "/api/v1/reindex", _bearer("service:chat", workshop="shop"), 403),
        ("POST", "/api/v1/reindex", OPS, 202),
        ("GET", "/api/v1/indexes", AUTHOR, 403),
        ("GET", "/api/v1/indexes", OPS, 200),
        ("GET", "/api/v1/indexes", _bearer("service:core"), 200),
    ],
)
async def test_who_may_start_what(rag: Agent, method: str, path: str, headers: dict[str, str], status: int) -> None:
    body = {"version": "v1"} if path == PATH else {}
    response = await rag.http.request(method, path, json=body if method == "POST" else None, headers=headers | ASYNC)
    assert response.status_code == status
    expected = 1 if (method, status) == ("POST", 202) else 0
    assert len(await _listed(rag)) == expected


async def _listed(rag: Agent) -> list[object]:
    token = {"authorization": f"Bearer {ISSUER.issue('ops:1', 'jobs', roles=frozenset({Role.OPS}))}"}
    found: list[object] = (await rag.http.get("/api/v1/jobs", headers=token)).json()
    return found


@pytest.mark.parametrize("body", [{"workshops": []}, {"workshops": ["No Slug"]}, {"workshops": "shop"}, {"all": True}, []])
async def test_a_reindexing_of_junk_is_refused(rag: Agent, body: object) -> None:
    assert (await rag.http.post("/api/v1/reindex", json=body, headers=OPS)).status_code == 422


async def test_a_job_is_its_owners(rag: Agent) -> None:
    job = await rag.ended(await rag.rag("author:1", Role.AUTHOR).start_indexing("shop", "v1"))
    with pytest.raises(ProblemError) as refused:
        await rag.jobs("author:2", Role.AUTHOR).get(job.id)
    assert refused.value.status == 404
    for other in (rag.jobs("participant:1", Role.PARTICIPANT), rag.jobs("author:1", Role.AUTHOR, workshop="shop")):
        with pytest.raises(ProblemError) as refused:
            await other.get(job.id)
        assert refused.value.status == 403


async def test_everything_is_reindexed_over_http(rag: Agent) -> None:
    await rag.http.post(PATH, json={"version": "v1", "activate": True}, headers=AUTHOR)
    ops = rag.rag("ops:1", Role.OPS)
    assert [(status.workshop, status.current_model) for status in await ops.serving()] == [("shop", True)]
    job = await rag.ended(await ops.reindex(ReindexRequest()))
    assert ReindexReport.model_validate(job.result).current == ["shop"]


class _Held(FakeEmbedder):
    """Embeds when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        self.begun.set()
        self.let.wait(20)
        return super().encode(texts)


async def test_a_cancelled_job_leaves_nothing_half_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = _Held()
    async with agent(tmp_path, embedder, monkeypatch) as rag:
        job = await rag.rag("author:1", Role.AUTHOR).start_indexing("shop", "v1")
        assert await anyio.to_thread.run_sync(embedder.begun.wait, 20)
        with pytest.raises(ProblemError):
            await rag.jobs("author:2", Role.AUTHOR).cancel(job.id)
        await rag.jobs("author:1", Role.AUTHOR).cancel(job.id)
        embedder.let.set()
        assert (await rag.ended(job)).state == JobState.CANCELLED
        assert (await rag.http.get(PATH, headers=AUTHOR)).status_code == 404


async def test_where_there_are_no_jobs_the_preference_is_ignored(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    files = Files({("shop", "v1"): workshop("shop", CLUSTER_STEPS)})
    app = create_app(RagSettings(data=tmp_path / "rag"), engine, ISSUER.verifier(), files, FakeEmbedder())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as http,
    ):
        response = await http.post(PATH, json={"version": "v1"}, headers=AUTHOR | ASYNC)
        assert response.status_code == 200
        assert "preference-applied" not in response.headers
        assert IndexStatus.model_validate_json(response.content).version == "v1"
        assert (await http.post("/api/v1/reindex", json={}, headers=OPS)).status_code == 404
    await engine.dispose()


async def test_a_job_goes_on_after_a_kill(tmp_path: Path) -> None:
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-m", "tests.integration.rag.indexing_program", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    )
    assert done.returncode == -signal.SIGKILL
    job_id = next(line for line in done.stdout.splitlines() if len(line) == 32 and line.isalnum())
    async with open_room(tmp_path) as room:
        assert len(await room.service.recover()) == 1
        assert await _words(room) == {"alpha"}
        jobs = jobs_of(tmp_path, room)
        await jobs.start()
        try:
            with anyio.fail_after(60):
                job = await jobs.wait(job_id)
        finally:
            await jobs.stop()
            await jobs.database.dispose()
        assert job.state == JobState.SUCCEEDED
        assert await _words(room) == {"beta"}
        assert (await room.service.status(SHOP)).version == "v2"
