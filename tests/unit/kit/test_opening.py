"""An app whose database is still to come: probes are answered, the rest is told to wait, and it is opened once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared_services.clients.transport import InProcessTransport
from shared_services.kit import opening
from shared_services.kit.errors import NewerDataError, UnavailableError
from shared_services.kit.opening import Prepared


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(opening, "LONGEST_PAUSE_SECONDS", 0.002)


class World:
    """A database, an app on it, and the server's side of its life."""

    def __init__(self) -> None:
        self.problem: Exception | None = UnavailableError("The server at db:5432 does not answer.")
        self.lifespan_problem: Exception | None = None
        self.tried = 0
        self.happened: list[str] = []
        self.ended = False
        app = FastAPI(lifespan=self._lifespan)

        @app.get("/readyz")
        async def readyz() -> str:
            return "the app's own"

        self.prepared = Prepared(app, self._prepare, self._end)
        self.http = httpx.AsyncClient(transport=InProcessTransport(self.prepared), base_url="http://service.test")
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[Any] = asyncio.Queue()

    async def _prepare(self) -> None:
        self.tried += 1
        if self.problem:
            raise self.problem

    def _end(self) -> None:
        self.ended = True

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        if self.lifespan_problem:
            raise self.lifespan_problem
        self.happened.append("opened")
        yield
        self.happened.append("closed")

    async def start(self) -> None:
        self._life = asyncio.create_task(
            self.prepared({"type": "lifespan"}, self._to_app.get, self._from_app.put)  # type: ignore[arg-type]
        )
        await self._to_app.put({"type": "lifespan.startup"})
        assert (await self._from_app.get())["type"] == "lifespan.startup.complete"

    async def stop(self) -> None:
        async with asyncio.timeout(5):
            await self._to_app.put({"type": "lifespan.shutdown"})
            assert (await self._from_app.get())["type"] == "lifespan.shutdown.complete"
            await self._life


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_until_it_is_prepared_it_is_alive_and_not_ready():
    world = World()
    await world.start()
    await until(lambda: world.tried > 3)
    assert (await world.http.get("/healthz")).json() == {"status": "ok"}
    ready = await world.http.get("/readyz")
    assert ready.status_code == 503
    assert "db:5432 does not answer" in ready.json()["checks"]["database"]
    other = await world.http.post("/api/v1/anything")
    assert (other.status_code, other.headers["content-type"]) == (503, "application/problem+json")
    assert int(other.headers["retry-after"]) > 0
    assert world.happened == []
    await world.stop()
    assert world.happened == []
    assert not world.ended


async def test_it_is_opened_once_and_closed_at_the_end():
    world = World()
    await world.start()
    await until(lambda: world.tried > 1)
    world.problem = None
    await until(lambda: world.happened == ["opened"])
    assert (await world.http.get("/readyz")).json() == "the app's own"
    tried = world.tried
    await asyncio.sleep(0.02)
    assert world.tried == tried
    await world.stop()
    assert world.happened == ["opened", "closed"]
    assert not world.prepared.failed


@pytest.mark.parametrize("problem", [NewerDataError("Of a newer version."), PermissionError("no"), ValueError("odd")])
async def test_whatever_is_in_the_way_is_told_and_tried_again(problem: Exception):
    world = World()
    world.problem = problem
    await world.start()
    await until(lambda: world.tried > 2)
    assert str(problem) in (await world.http.get("/readyz")).json()["checks"]["database"]
    await world.stop()


async def test_an_app_that_cannot_be_opened_ends_the_process():
    world = World()
    world.problem, world.lifespan_problem = None, RuntimeError("half open")
    await world.start()
    await until(lambda: world.ended)
    assert world.prepared.failed
    assert world.tried == 1
    await world.stop()
