"""Tokens in exchange for a credential: held, renewed, and missing with a reason."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from shared_services.clients import credentials
from shared_services.clients.credentials import ExchangedTokens
from shared_services.kit.errors import UnavailableError


class Core:
    """A scripted core: answers each exchange, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.status = 200
        self.known = {"secret-one"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        audience = json.loads(request.content)["audience"]
        credential = request.headers["authorization"].removeprefix("Bearer ")
        self.asked.append((credential, audience))
        if self.status == 0:
            raise httpx.ConnectError("refused")
        if self.status != 200:
            return httpx.Response(self.status, text="a proxy's words", headers={"retry-after": "1"})
        if credential not in self.known:
            problem = {"type": "urn:workshop-assistant:problem:unauthenticated", "title": "Please sign in", "status": 401}
            return httpx.Response(401, json=problem)
        return httpx.Response(200, json={"token": f"{audience}-{len(self.asked)}", "expires_in": 600})


@pytest.fixture
def core() -> Core:
    return Core()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(credentials, name, 0.002)


def tokens_of(core: Core, path: Path, clock: Clock) -> ExchangedTokens:
    http = httpx.AsyncClient(transport=httpx.MockTransport(core), base_url="http://core.test")
    return ExchangedTokens(http, path, ("library", "rag"), clock=clock)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110  it waits for a task that has no event to tell by
            await asyncio.sleep(0.001)


def missing(tokens: ExchangedTokens) -> str:
    """Why no token is held; empty when one is."""
    try:
        return "" if tokens("library") and tokens("rag") else "empty"
    except UnavailableError as error:
        return error.detail


async def until_ready(tokens: ExchangedTokens) -> None:
    await until(lambda: not missing(tokens))
    assert await tokens.ready() is None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "credential"
    path.write_text("secret-one\n")
    return path


async def test_tokens_are_held_for_each_audience_and_renewed_at_half_of_their_life(core: Core, file: Path):
    clock = Clock()
    tokens = tokens_of(core, file, clock)
    with pytest.raises(UnavailableError, match="has not been asked yet"):
        tokens("rag")
    async with tokens.kept():
        await until_ready(tokens)
        assert (tokens("library"), tokens("rag")) == ("library-1", "rag-2")
        await asyncio.sleep(0.02)
        assert len(core.asked) == 2
        clock.now += 301
        await until(lambda: len(core.asked) >= 4)
        await asyncio.sleep(0.01)
    assert (tokens("library"), tokens("rag")) == ("library-3", "rag-4")
    assert {credential for credential, _ in core.asked} == {"secret-one"}


async def test_while_the_core_is_away_what_is_held_is_shown_until_it_expires(core: Core, file: Path):
    clock = Clock()
    tokens = tokens_of(core, file, clock)
    async with tokens.kept():
        await until_ready(tokens)
        core.status = 0
        clock.now += 590
        await asyncio.sleep(0.02)
        assert tokens("rag") == "rag-2"
        clock.now += 20
        with pytest.raises(UnavailableError, match=r"http://core\.test does not answer") as refused:
            tokens("rag")
        assert refused.value.status == 503
        assert await tokens.ready() is None, "a service that was ready is not taken out by a core that is away"
        assert "does not answer" in tokens.state()
        assert "secret-one" not in str(refused.value)
        core.status = 200
        await until_ready(tokens)


async def test_a_core_that_comes_later_is_waited_for(core: Core, file: Path):
    core.status = 0
    tokens = tokens_of(core, file, Clock())
    async with tokens.kept():
        await asyncio.sleep(0.02)
        assert await tokens.ready()
        assert len(core.asked) >= 2
        core.status = 200
        await until_ready(tokens)


async def test_a_file_that_changed_is_read_again_and_every_token_is_replaced(core: Core, file: Path):
    tokens = tokens_of(core, file, Clock())
    core.known.add("secret-two")
    async with tokens.kept():
        await until_ready(tokens)
        file.write_text("secret-two")  # noqa: ASYNC240
        await until(lambda: core.asked[-2:] == [("secret-two", "library"), ("secret-two", "rag")])
        await asyncio.sleep(0.01)
        assert tokens("rag") == f"rag-{len(core.asked)}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        ("", "not one line of text"),
        ("two words", "not one line of text"),
        ("schlüssel", "cannot be read"),
        ("unknown", "does not know the credential"),
    ],
)
async def test_why_there_is_no_token_is_said_without_the_secret(core: Core, tmp_path: Path, content: str | None, sentence: str):
    path = tmp_path / "credential"
    if content is not None:
        path.write_text(content)
    tokens = tokens_of(core, path, Clock())
    async with tokens.kept():
        await until(lambda: sentence in missing(tokens))
    told = await tokens.ready()
    assert told is not None
    assert str(path) in told
    assert not content or content not in told.replace(str(path), "")
