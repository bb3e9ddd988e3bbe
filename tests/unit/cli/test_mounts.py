"""Which app answers an address, and how chat apps come and go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request

from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.problems import Problem
from shared_services.kit.errors import NotFoundError, ProblemError
from workshop_cli.mounts import ChatMounts, House

EVENTS: list[str] = []


def echo(name: str) -> FastAPI:
    """An app that says who it is and what it saw."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        EVENTS.append(f"{name} up")
        yield
        EVENTS.append(f"{name} down")

    app = FastAPI(lifespan=lifespan)

    @app.get("/{path:path}")
    async def answer(path: str, request: Request) -> dict[str, str]:
        return {"app": name, "path": path, "root": request.scope["root_path"], "query": request.url.query}

    return app


async def make(workshop: str) -> FastAPI:
    if workshop == "away":
        raise ProblemError(Problem(type="urn:x", title="Away", status=503, detail="The library is away."))
    if workshop == "gone":
        raise ProblemError(Problem(type="urn:x", title="Gone", status=404, detail="Gone."))
    if workshop != "garden":
        raise NotFoundError(f"There is no {workshop}.")
    return echo("chat")


@pytest.fixture
async def house() -> AsyncIterator[httpx.AsyncClient]:
    EVENTS.clear()
    mounts = ChatMounts(make)
    app = House(echo("console"), {"rag": echo("rag")}, mounts)
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://house") as client:
        yield client
    await mounts.close()


@pytest.mark.parametrize(
    ("address", "app", "path", "root"),
    [
        ("/", "console", "", ""),
        ("/jobs/7", "console", "jobs/7", ""),
        ("/w", "console", "w", ""),
        ("/w/", "console", "w/", ""),
        ("/agents", "console", "agents", ""),
        ("/workshops/x", "console", "workshops/x", ""),
        ("/w/garden/", "chat", "", "/w/garden"),
        ("/w/garden/steps/sow", "chat", "steps/sow", "/w/garden"),
        ("/agents/rag/api/v1/search", "rag", "api/v1/search", "/agents/rag"),
    ],
)
async def test_each_address_has_its_app(house: httpx.AsyncClient, address: str, app: str, path: str, root: str) -> None:
    seen = (await house.get(address)).raise_for_status().json()
    assert (seen["app"], seen["path"], seen["root"]) == (app, path, root)


async def test_an_address_without_its_slash_is_sent_on_with_its_query(house: httpx.AsyncClient) -> None:
    answer = await house.get("/w/garden?code=AB%20C&x=1")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/w/garden/?code=AB%20C&x=1"
    assert (await house.get("/agents/rag")).headers["location"] == "/agents/rag/"


async def test_a_redirect_stays_in_the_house(house: httpx.AsyncClient) -> None:
    for address in ("/w/%2F%2Fevil.example", "/w/%0d%0aSet-Cookie:x", "/w/\u00fc"):
        answer = await house.get(address)
        location = answer.headers.get("location", "/w/")
        assert location.startswith("/w/"), location
        assert not set("\r\n") & set(location)


@pytest.mark.parametrize("address", ["/w/nothing/", "/w/gone/steps/a", "/agents/nobody/", "/w/../"])
async def test_an_unknown_name_is_a_problem_that_says_where_to_look(house: httpx.AsyncClient, address: str) -> None:
    answer = await house.get(httpx.URL("http://house").copy_with(raw_path=address.encode()))
    if address == "/w/../":
        assert answer.status_code in (200, 404)
        return
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "list of workshops" in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/w/unknown/", "/w/unknown/steps/one", "/agents/unknown/"])
async def test_a_browser_is_shown_the_consoles_page_and_is_not_sent_around(house: httpx.AsyncClient, address: str) -> None:
    response = await house.get(address, headers={"accept": "text/html,*/*;q=0.8"})
    assert response.json()["app"] == "console"
    assert not response.json()["path"].endswith("/")


async def test_a_chat_app_is_made_once_and_closed_when_it_is_dropped() -> None:
    EVENTS.clear()
    mounts = ChatMounts(make)
    first = await mounts.get("garden")
    assert await mounts.get("garden") is first
    await mounts.drop("garden")
    await mounts.drop("garden")
    assert EVENTS == ["chat up", "chat down"]
    assert await mounts.get("garden") is not first
    await mounts.close()
    assert EVENTS == ["chat up", "chat down"] * 2


async def test_another_error_than_not_there_is_not_hidden() -> None:
    mounts = ChatMounts(make)
    with pytest.raises(ProblemError, match="away"):
        await mounts.get("away")
    with pytest.raises(NotFoundError):
        await mounts.get("gone")
