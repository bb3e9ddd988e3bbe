"""The RAG agent as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from console.credentials import MIGRATIONS as CREDENTIAL_MIGRATIONS
from console.credentials import CredentialRepository, rag_credential
from console.exchange import exchange_router
from shared_services.contracts.identity import Role
from shared_services.kit.auth import caller_identity
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.http import create_app
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.endpoints import library_router
from shared_services.library.repository import MIGRATIONS
from shared_services.library.service import LibraryService, version_of
from tests.ports import free_port
from tests.serving import serve
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

ROOT = Path(__file__).parents[3]
CREDENTIAL = "r" * 43
ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
SHOP = workshop("shop", CLUSTER_STEPS)
VERSION = version_of(SHOP.files)


def _environment(folder: Path, port: int, library: str = "http://127.0.0.1:9") -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": ".",
        "NO_PROXY": "*",
        "RAG_DATA": str(folder / "rag"),
        "RAG_DATABASE_URL": f"sqlite:///{folder}/rag.sqlite3",
        "CORE_PUBLIC_KEY_FILE": str(folder / "public.pem"),
        "WORKSHOP_CREDENTIAL_FILE": str(folder / "credential"),
        "CORE_ENDPOINT": library,
        "RAG_PORT": str(port),
    }


def _bearer(audience: str, *roles: Role, workshop: str | None = None) -> dict[str, str]:
    token = ISSUER.issue("author:1", audience, seconds=86_400, roles=frozenset(roles), workshop=workshop)
    return {"authorization": f"Bearer {token}"}


class Agent:
    """The process, answering."""

    def __init__(self, folder: Path, library: str = "http://127.0.0.1:9") -> None:
        (folder / "public.pem").write_bytes(ISSUER.public_pem())
        (folder / "credential").write_text(CREDENTIAL)
        port = free_port()
        self.log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agents.rag"],
            cwd=ROOT,
            env=_environment(folder, port, library),
            stdout=self.log,
            stderr=self.log,
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)

    def ready(self) -> "Agent":
        for _ in range(600):
            assert self.process.poll() is None
            try:
                assert self.http.get("/healthz").json() == {"status": "ok"}
            except httpx.HTTPError:
                time.sleep(0.2)
            else:
                return self
        pytest.fail("it never answered")

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self.http.close()
        self.log.close()
        return status


@contextmanager
def running(folder: Path, library: str = "http://127.0.0.1:9") -> Iterator[Agent]:
    agent = Agent(folder, library)
    try:
        yield agent.ready()
    finally:
        agent.end(signal.SIGKILL)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[str]:
    """A core with a library of one workshop, over HTTP."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_engine(f"sqlite:///{tmp_path}/library.sqlite3")
        await migrate(engine, MIGRATIONS)
        service = LibraryService(engine)
        await service.draft(SHOP)
        await service.set_current("shop", VERSION)
        await migrate(engine, CREDENTIAL_MIGRATIONS)
        credentials = CredentialRepository(engine)
        await credentials.register(rag_credential(CREDENTIAL))
        app.include_router(exchange_router(credentials, ISSUER))
        app.include_router(library_router(service, None, caller_identity(ISSUER.verifier(), "library")))  # type: ignore[arg-type]
        yield
        await engine.dispose()

    with serve(create_app("Library", service="library", lifespan=lifespan)) as url:
        yield url


def test_it_starts_answers_and_ends(tmp_path: Path, library: str) -> None:
    with running(tmp_path, library) as agent:
        assert agent.http.get("/readyz").json()["checks"]["store"] is None
        assert agent.end() in (0, -signal.SIGTERM)


def test_without_its_core_it_serves_and_says_what_it_has_not(tmp_path: Path) -> None:
    with running(tmp_path) as agent:
        ready = agent.http.get("/readyz")
        assert ready.status_code == 503
        assert "No token for 'library' is held" in ready.json()["checks"]["tokens"]
        assert "http://127.0.0.1:9 does not answer" in ready.json()["checks"]["tokens"]


def test_a_job_is_started_and_followed(tmp_path: Path, library: str) -> None:
    with running(tmp_path, library) as agent:
        body = {"version": VERSION, "activate": True}
        headers = _bearer("rag", Role.AUTHOR) | {"prefer": "respond-async"}
        started = agent.http.post("/api/v1/workshops/shop/index", json=body, headers=headers)
        assert started.status_code == 202, started.text
        location, own = started.headers["location"], _bearer("jobs", Role.AUTHOR)
        assert agent.http.get(location).status_code == 401
        events = agent.http.get(f"{location}/events", headers=own).text
        assert "Indexing shop: " in events
        job = agent.http.get(location, headers=own).json()
        assert job["state"] == "succeeded", job
        assert job["result"]["active"]
        found = agent.http.post(
            "/api/v1/search", json={"query": "CrashLoopBackOff"}, headers=_bearer("rag", Role.PARTICIPANT, workshop="shop")
        )
        assert "CrashLoopBackOff" in found.json()["passages"][0]["text"]
        renewed = agent.http.post("/api/v1/reindex", json={}, headers=_bearer("rag", Role.OPS)).headers["location"]
        assert agent.http.get(f"{renewed}/events", headers=own).status_code == 200
        assert agent.http.get(renewed, headers=own).json()["result"]["current"] == ["shop"]
    assert (tmp_path / "rag" / "jobs.sqlite3").exists()


def test_a_job_outlives_its_process(tmp_path: Path, library: str) -> None:
    """Stopped while it waits for a library that is away, it goes on with the next process."""
    body = {"version": VERSION, "activate": True}
    headers = _bearer("rag", Role.AUTHOR) | {"prefer": "respond-async"}
    with running(tmp_path) as agent:
        started = agent.http.post("/api/v1/workshops/shop/index", json=body, headers=headers)
        location = started.headers["location"]
        agent.end(signal.SIGKILL)
    with running(tmp_path, library) as agent:
        own = _bearer("jobs", Role.AUTHOR)
        assert agent.http.get(f"{location}/events", headers=own).status_code == 200
        job = agent.http.get(location, headers=own).json()
        assert (job["state"], job["result"] and job["result"]["active"]) == ("succeeded", True), job


@pytest.mark.parametrize("name", ["CORE_PUBLIC_KEY_FILE", "WORKSHOP_CREDENTIAL_FILE", "CORE_ENDPOINT"])
def test_what_is_not_set_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "public.pem").write_bytes(ISSUER.public_pem())
    environment = _environment(tmp_path, 1) | {name: ""}
    ended = subprocess.run([sys.executable, "-m", "agents.rag"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"{name} is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    environment = _environment(tmp_path, 0) | {"RAG_BATCH": "many"}
    ended = subprocess.run([sys.executable, "-m", "agents.rag"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "RAG_BATCH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_jobs_whose_database_cannot_be_used_keep_it_from_starting(tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(ISSUER.public_pem())
    environment = _environment(tmp_path, 0) | {"RAG_JOBS_URL": "sqlite:////nowhere/at/all.sqlite3"}
    ended = subprocess.run([sys.executable, "-m", "agents.rag"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "unable to open database file" in ended.stderr
