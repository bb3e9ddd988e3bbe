"""What is there after a process was killed, told to end, or lost its database in mid-answer: real processes, real signals."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared_services.contracts.chat import Answer, StoredTurn
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.sse import ServerSentEvent, decode
from tests.integration.chat.test_process import environment, running
from tests.ports import free_port
from tests.postgres import _as_server_user, postgres_binaries, throwaway_postgres
from tests.serving import serve
from tests.unit.chat.worlds import FakeLibrary, FakeSearch, passage
from tests.upstream import Endless, Say, ScriptedUpstream

__all__ = ["environment"]

QUESTION = {"text": "How do I start heating?", "step": "boil"}
PARAGRAPHS = [f"Start it, and count to {n}. [1]\n\n" for n in range(12)]
STREAM = {"accept": "text/event-stream"}


def agents() -> Starlette:
    """The library, the exchange of tokens and the RAG agent over HTTP, with one small workshop."""
    library, search = FakeLibrary(), FakeSearch([passage("Start heating with one command.")])
    library.publish("harbor")

    async def current(_request: Request) -> Response:
        return Response((await library.current("harbor")).model_dump_json(), media_type="application/json")

    async def file(request: Request) -> Response:
        return Response(await library.file("harbor", request.path_params["sha256"]))

    async def find(request: Request) -> Response:
        asked = SearchRequest.model_validate_json(await request.body())
        found = [each.model_copy(update={"workshop": "harbor"}) for each in search.passages]
        return JSONResponse((await search.search(asked)).model_copy(update={"passages": found}).model_dump(mode="json"))

    async def token(_request: Request) -> Response:
        return JSONResponse({"token": "scripted", "expires_in": 600})

    return Starlette(
        routes=[
            Route("/api/v1/library/harbor", current),
            Route("/api/v1/library/harbor/versions/{version}", current),
            Route("/api/v1/library/harbor/files/{sha256}", file),
            Route("/api/v1/search", find, methods=["POST"]),
            Route("/api/v1/tokens", token, methods=["POST"]),
        ]
    )


@pytest.fixture
def world(environment: dict[str, str], upstream: ScriptedUpstream) -> Iterator[dict[str, str]]:
    """The environment of a chat agent that has everything it stands on."""
    with serve(agents()) as address:
        yield {
            **environment,
            "LIBRARY_ENDPOINT": address,
            "RAG_ENDPOINT": address,
            "LLAMA_STACK_ENDPOINT": upstream.url,
            "CHAT_DRAIN_SECONDS": "3",
        }


@contextmanager
def ready(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The process, once it has what it stands on."""
    with running(environment) as (process, seconds):
        begun = time.monotonic()
        while httpx.get(f"http://127.0.0.1:{environment['CHAT_PORT']}/readyz", timeout=10).status_code != 200:
            assert time.monotonic() - begun < 60
            time.sleep(0.05)
        yield process, seconds


def at(environment: dict[str, str], cookies: httpx.Cookies | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['CHAT_PORT']}", timeout=30, cookies=cookies)


async def start(http: httpx.AsyncClient) -> str:
    conversation: str = (await http.post("/api/v1/conversations")).json()["id"]
    return conversation


async def read(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    enough: Callable[[list[ServerSentEvent]], bool] = lambda _: False,
    **options: Any,
) -> list[ServerSentEvent]:
    """Events until there are enough, or no more."""
    events: list[ServerSentEvent] = []
    headers = {**STREAM, **options.pop("headers", {})}
    async with http.stream(method, path, headers=headers, **options) as response:
        assert response.status_code == 200, await response.aread()
        async for event in decode(response.aiter_bytes()):
            events.append(event)
            if enough(events):
                break
    return events


def blocks(events: list[ServerSentEvent]) -> list[dict[str, Any]]:
    return [event.json() for event in events if event.event == "block"]


def text_of(events: list[ServerSentEvent]) -> str:
    return "".join(block["before"] + block["markdown"] for block in blocks(events))


async def first_turn(http: httpx.AsyncClient, conversation: str) -> StoredTurn:
    return StoredTurn.model_validate((await http.get(f"/api/v1/conversations/{conversation}/turns/1")).json())


async def until_kept(
    http: httpx.AsyncClient, conversation: str, true: Callable[[StoredTurn], bool], seconds: float = 60
) -> StoredTurn:
    with anyio.fail_after(seconds):
        while True:
            try:
                turn = await first_turn(http, conversation)
                if true(turn):
                    return turn
            except (httpx.TransportError, ValueError):
                pass
            await anyio.sleep(0.1)


async def test_kill_9_in_mid_answer_leaves_what_was_given(world: dict[str, str], upstream: ScriptedUpstream):
    upstream.script(Endless("Start it. [1]\n\n", 0.05))
    async with at(world) as http:
        with ready(world) as (process, _):
            conversation = await start(http)
            path = f"/api/v1/conversations/{conversation}"
            await read(http, "POST", f"{path}/messages", lambda events: len(blocks(events)) == 3, json=QUESTION)
            flushed = await until_kept(
                http, conversation, lambda turn: turn.answer is not None and turn.answer.answer.count("Start") >= 3
            )
            process.kill()
            process.wait(60)
        assert flushed.state == "answering"
        with ready(world):
            turn = await first_turn(http, conversation)
            events = await read(http, "GET", f"{path}/turns/1/events")
            resumed = await read(http, "GET", f"{path}/turns/1/events", headers={"last-event-id": "1"})
            upstream.script(Say("Start it. [1]"))
            again = await http.post(f"{path}/messages", json=QUESTION)
    assert turn.state == "interrupted"
    assert turn.answer is not None
    assert flushed.answer is not None
    assert turn.answer.answer.startswith(flushed.answer.answer)
    assert turn.answer.citations == flushed.answer.citations != []
    assert events[-1].event == "error"
    assert events[-1].json()["type"].endswith("answer-interrupted")
    assert text_of(events) == turn.answer.answer
    assert [block["n"] for block in blocks(events)] == list(range(len(blocks(events))))
    assert blocks(resumed) == blocks(events)[2:]
    assert Answer.model_validate(again.json()).number == 2


async def test_told_to_end_it_finishes_what_it_began(world: dict[str, str], upstream: ScriptedUpstream):
    upstream.script(Say(PARAGRAPHS, gap=0.1))
    async with at(world) as http:
        with ready(world) as (process, _):
            conversation = await start(http)

            def end_it(events: list[ServerSentEvent]) -> bool:
                if len(blocks(events)) == 2:
                    process.send_signal(signal.SIGTERM)
                return False

            events = await read(http, "POST", f"/api/v1/conversations/{conversation}/messages", end_it, json=QUESTION)
            with anyio.fail_after(60):
                assert await anyio.to_thread.run_sync(process.wait) in {0, -signal.SIGTERM}
        with ready(world):
            turn = await first_turn(http, conversation)
    assert events[-1].event == "done"
    assert text_of(events) == "".join(PARAGRAPHS).strip()
    assert (turn.state, turn.answer) == ("done", Answer.model_validate_json(events[-1].data))


async def test_told_to_end_it_does_not_wait_for_ever(world: dict[str, str], upstream: ScriptedUpstream):
    upstream.script(Endless("Start it. [1]\n\n", 0.05))
    async with at(world) as http:
        with ready({**world, "CHAT_DRAIN_SECONDS": "1"}) as (process, _):
            conversation = await start(http)

            def end_it(events: list[ServerSentEvent]) -> bool:
                if len(blocks(events)) == 2:
                    process.send_signal(signal.SIGTERM)
                return False

            events = await read(http, "POST", f"/api/v1/conversations/{conversation}/messages", end_it, json=QUESTION)
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(process.wait)
        with ready(world):
            turn = await first_turn(http, conversation)
    assert events[-1].json()["type"].endswith("answer-interrupted")
    assert turn.state == "interrupted"
    assert turn.answer is not None
    assert turn.answer.answer == text_of(events)


class Postgres:
    """A server that can be stopped and started again."""

    def __init__(self, url: str) -> None:
        self.url = url
        run = subprocess.run([sys.executable, "-c", _FOLDER, url], capture_output=True, text=True, check=True, timeout=60)
        self._folder = Path(json.loads(run.stdout))

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        options = (self._folder / "postmaster.opts").read_text().split(" ", 1)[1].strip()
        self._control("-l", str(self._folder.parent / "log"), "-o", options.replace('"', ""), "start")

    def _control(self, *arguments: str) -> None:
        command = [f"{postgres_binaries()}/pg_ctl", "-D", str(self._folder), "-w", *arguments]
        subprocess.run(_as_server_user(command), check=True, stdout=subprocess.DEVNULL, timeout=60, cwd="/tmp")


_FOLDER = """
import asyncio, asyncpg, json, sys
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    print(json.dumps(await connection.fetchval("SHOW data_directory")))
    await connection.close()
asyncio.run(main())
"""


@contextmanager
def postgres() -> Iterator[Postgres]:
    with throwaway_postgres() as url:
        yield Postgres(url)


@pytest.mark.postgres
async def test_an_answer_is_finished_without_its_database_and_kept_when_that_is_back(
    world: dict[str, str], upstream: ScriptedUpstream
):
    upstream.script(Say(PARAGRAPHS, gap=0.1))
    with postgres() as server:
        async with at(world) as http:
            with ready({**world, "DATABASE_URL": server.url}):
                conversation = await start(http)
                path = f"/api/v1/conversations/{conversation}"

                def stop_it(events: list[ServerSentEvent]) -> bool:
                    if len(blocks(events)) == 3 and events[-1].event == "block":
                        server.stop()
                    return False

                events = await read(http, "POST", f"{path}/messages", stop_it, json=QUESTION)
                away = await http.post(f"{path}/messages", json=QUESTION)
                server.start()
                turn = await until_kept(http, conversation, lambda turn: turn.state == "done")
                whole = (await http.get(path)).json()
    assert events[-1].event == "done"
    assert text_of(events) == "".join(PARAGRAPHS).strip()
    assert (away.status_code, away.json()["type"].rpartition(":")[2]) == (503, "not-taken")
    # The reader was told that it was not kept yet, which it is now.
    assert turn.answer == Answer.model_validate_json(events[-1].data).model_copy(update={"note": ""})
    assert len(whole) == 1


@pytest.mark.postgres
async def test_a_killed_process_is_missed_by_the_other(world: dict[str, str], upstream: ScriptedUpstream, tmp_path: Path):
    upstream.script(Endless("Start it. [1]\n\n", 0.05))
    with throwaway_postgres() as url:
        one = {**world, "DATABASE_URL": url}
        two = {**one, "CHAT_PORT": str(free_port())}
        with ready(one) as (process, _), ready(two):
            async with at(one) as http:
                conversation = await start(http)
                path = f"/api/v1/conversations/{conversation}"
                await read(http, "POST", f"{path}/messages", lambda events: len(blocks(events)) == 3, json=QUESTION)
                cookies = http.cookies
            async with at(two, cookies) as http:
                await until_kept(http, conversation, lambda turn: turn.answer is not None)
                killed = False

                def kill_it(events: list[ServerSentEvent]) -> bool:
                    nonlocal killed
                    if not killed and len(blocks(events)) == 5:
                        process.kill()
                        killed = True
                    return False

                with anyio.fail_after(60):
                    events = await read(http, "GET", f"{path}/turns/1/events", kill_it)
                turn = await first_turn(http, conversation)
    assert killed
    assert events[-1].json()["type"].endswith("answer-interrupted")
    assert turn.state == "interrupted"
    assert turn.answer is not None
    assert turn.answer.answer == text_of(events)
