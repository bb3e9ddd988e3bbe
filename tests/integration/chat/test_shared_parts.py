"""A chat agent whose shared parts die one by one, and its rolling upgrade: real processes, real PostgreSQL, real signals."""

import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared_services.contracts.chat import Answer, StoredTurn
from tests.integration.chat.test_process import environment, running
from tests.integration.chat.test_restart import (
    PARAGRAPHS,
    QUESTION,
    agents,
    at,
    blocks,
    first_turn,
    postgres,
    read,
    start,
    text_of,
    until_kept,
)
from tests.ports import free_port
from tests.serving import serve
from tests.upstream import Endless, Say, ScriptedUpstream
from workshop_chat.runs import NOTE_NOT_KEPT_YET

__all__ = ["environment"]

pytestmark = pytest.mark.postgres


class SharedParts:
    """The library, the exchange of tokens and the RAG agent over HTTP; each can be away, and be slow about it."""

    def __init__(self) -> None:
        self._app = agents()
        self.away: set[str] = set()
        self.silent = False
        self.lives = 600
        self.searches = 0
        self.files: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        part = {"search": "rag", "tokens": "tokens"}.get(scope["path"].split("/")[3], "library")
        self.searches += part == "rag"
        if "/files/" in scope["path"]:
            self.files.add(scope["path"])
        if part in self.away:
            if self.silent:
                await anyio.sleep(60)
            await PlainTextResponse("upstream connect error", 503)(scope, receive, send)
        elif part == "tokens":
            given = {"token": "scripted", "expires_in": self.lives}
            await JSONResponse(given)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@pytest.fixture
def parts() -> SharedParts:
    return SharedParts()


@pytest.fixture
def world(environment: dict[str, str], parts: SharedParts, upstream: ScriptedUpstream) -> Iterator[dict[str, str]]:
    """The environment of a chat agent that has everything it stands on but its database."""
    with serve(parts) as address:
        yield {
            **environment,
            "LIBRARY_ENDPOINT": address,
            "CORE_ENDPOINT": address,
            "RAG_ENDPOINT": address,
            "LLAMA_STACK_ENDPOINT": upstream.url,
            "CHAT_DRAIN_SECONDS": "5",
            # What the model is asked is what the tests script.
            "CHAT_REWORDING_SECONDS": "0",
        }


async def until_ready(http: httpx.AsyncClient, ready: bool = True) -> dict[str, Any]:
    with anyio.fail_after(60):
        while True:
            try:
                response = await http.get("/readyz")
                if (response.status_code == 200) is ready:
                    report: dict[str, Any] = response.json()
                    return report
            except httpx.TransportError:
                pass
            await anyio.sleep(0.1)


async def until_taken(http: httpx.AsyncClient, path: str, **options: Any) -> httpx.Response:
    with anyio.fail_after(60):
        while True:
            response = await http.post(path, **options)
            if response.status_code == 200:
                return response
            await anyio.sleep(0.3)


async def until_kept_beforehand(parts: SharedParts) -> None:
    """Wait until the agent has fetched the steps' texts: it asks for no more files."""
    before = 0
    with anyio.fail_after(60):
        while before == 0 or len(parts.files) != before:
            before = len(parts.files)
            await anyio.sleep(2)


async def turns_of(http: httpx.AsyncClient, conversation: str) -> list[StoredTurn]:
    kept = await http.get(f"/api/v1/conversations/{conversation}")
    return [StoredTurn.model_validate(turn) for turn in kept.json()]


def slug(response: httpx.Response) -> str:
    problem: str = response.json()["type"]
    return problem.rpartition(":")[2]


async def test_without_the_rag_agent_it_says_so_and_the_same_turn_is_answered_later(
    world: dict[str, str], parts: SharedParts, upstream: ScriptedUpstream
):
    upstream.script(Say("Start it with one command. [1]"))
    with postgres() as server, running({**world, "DATABASE_URL": server.url}):
        async with at(world) as http:
            await until_ready(http)
            conversation = await start(http)
            path = f"/api/v1/conversations/{conversation}"
            parts.away = {"rag"}
            events = await read(http, "POST", f"{path}/messages", json=QUESTION)
            (kept,) = await turns_of(http, conversation)
            http.cookies.set("workshop_conversation", conversation)
            page = (await http.get("/steps/boil")).text
            again = await http.post(f"{path}/turns/1/retry")
            report = await until_ready(http)
            parts.away = set()
            answered = await http.post(f"{path}/turns/1/retry")
            twice = await http.post(f"{path}/turns/1/retry")
            turns = await turns_of(http, conversation)
    problem = events[-1].json()
    assert (events[-1].event, problem["type"].rpartition(":")[2]) == ("error", "cannot-look-up")
    assert "cannot look it up now" in problem["detail"]
    assert problem["retry_after"] > 0
    assert (kept.state, kept.answer and kept.answer.note) == ("interrupted", problem["detail"])
    assert problem["detail"] in page
    assert 'class="retry"' in page
    assert (again.status_code, slug(again)) == (503, "cannot-look-up")
    assert report["ready"]
    assert Answer.model_validate(answered.json()) == turns[0].answer
    assert (turns[0].state, turns[0].question) == ("done", QUESTION["text"])
    assert "one command" in answered.json()["answer"]
    assert len(turns) == 1
    assert (twice.status_code, slug(twice)) == (409, "turn-answered")


async def test_without_the_gateway_the_passages_speak(world: dict[str, str]):
    gone = f"http://127.0.0.1:{free_port()}"
    with postgres() as server, running({**world, "DATABASE_URL": server.url, "LLAMA_STACK_ENDPOINT": gone}):
        async with at(world) as http:
            await until_ready(http)
            conversation = await start(http)
            answer = Answer.model_validate(
                (await http.post(f"/api/v1/conversations/{conversation}/messages", json=QUESTION)).json()
            )
            report = await until_ready(http)
    assert answer.written_by == "extractive"
    assert "Start heating with one command." in answer.answer
    assert answer.citations
    assert "does not answer" in answer.note
    assert report["ready"]


@pytest.mark.parametrize("silent", [False, True])
async def test_without_the_core_it_goes_on_with_what_it_knows(
    world: dict[str, str], parts: SharedParts, upstream: ScriptedUpstream, silent: bool
):
    """The console is library and exchange of tokens. Its last token outlives it by seconds here, by minutes elsewhere."""
    upstream.script(*[Say("Start it. [1]")] * 3)
    # Renewed at half of it, so that ten seconds or more are left when the core goes.
    parts.lives = 20
    with postgres() as server, running({**world, "DATABASE_URL": server.url}):
        async with at(world) as http:
            await until_ready(http)
            conversation = await start(http)
            path = f"/api/v1/conversations/{conversation}"
            await until_kept_beforehand(parts)
            parts.away, parts.silent = {"library", "tokens"}, silent
            gone_at = time.monotonic()
            answered = await http.post(f"{path}/messages", json=QUESTION)
            took = time.monotonic() - gone_at
            # A step that nobody has opened yet.
            step = await http.get("/api/v1/steps/fill")
            with anyio.fail_after(60):
                while (await until_ready(http))["facts"]["tokens"] == "held":  # noqa: ASYNC110  another process
                    await anyio.sleep(0.3)
            refused = await http.post(f"{path}/messages", json=QUESTION)
            began = time.monotonic()
            for _ in range(5):
                (await http.get("/api/v1/workshop")).raise_for_status()
            seconds = time.monotonic() - began
            report = await until_ready(http)
            parts.away, parts.silent = set(), False
            with anyio.fail_after(60):
                while (await until_ready(http))["facts"]["tokens"] != "held":  # noqa: ASYNC110  another process
                    await anyio.sleep(0.3)
            again = await until_taken(http, f"{path}/turns/2/retry")
            turns = await turns_of(http, conversation)
    assert answered.status_code == 200
    assert took < 15
    assert "kettle fill" in step.json()["content"]
    assert (refused.status_code, slug(refused)) == (503, "cannot-look-up")
    assert seconds < 15
    assert report["ready"]
    assert "No token" in report["facts"]["tokens"]
    assert again.json()["answer"]
    assert [turn.state for turn in turns] == ["done", "done"]


async def test_a_new_process_without_the_core_is_not_ready_until_it_is_back(world: dict[str, str], parts: SharedParts):
    parts.away = {"library", "tokens"}
    with postgres() as server, running({**world, "DATABASE_URL": server.url}):
        async with at(world) as http:
            with anyio.fail_after(60):
                while "workshop" not in (report := await until_ready(http, False))["checks"]:  # noqa: ASYNC110  another process
                    await anyio.sleep(0.1)
            parts.away = set()
            await until_ready(http)
    assert "library does not answer" in report["checks"]["workshop"]
    assert report["checks"]["tokens"]


async def test_without_the_database_a_question_is_refused_and_nothing_of_it_is_kept(
    world: dict[str, str], upstream: ScriptedUpstream
):
    upstream.script(Say("Start it. [1]"))
    with postgres() as server, running({**world, "DATABASE_URL": server.url}):
        async with at(world) as http:
            await until_ready(http)
            conversation = await start(http)
            path = f"/api/v1/conversations/{conversation}"
            server.stop()
            began = time.monotonic()
            refused = await http.post(f"{path}/messages", json=QUESTION)
            seconds = time.monotonic() - began
            report = await until_ready(http)
            step = await http.get("/api/v1/steps/boil")
            server.start()
            answered = await until_taken(http, f"{path}/messages", json=QUESTION)
            turns = await turns_of(http, conversation)
    assert (refused.status_code, slug(refused)) == (503, "not-taken")
    assert "nothing of it is kept" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert seconds < 10
    assert report["ready"]
    assert step.status_code == 200
    assert [turn.number for turn in turns] == [1]
    assert turns[0].answer == Answer.model_validate(answered.json())


async def test_told_to_end_while_the_database_is_away_it_keeps_the_answer_as_soon_as_it_is_back(
    world: dict[str, str], upstream: ScriptedUpstream
):
    upstream.script(Say(PARAGRAPHS, gap=0.1))
    with postgres() as server:
        one = {**world, "DATABASE_URL": server.url, "CHAT_DRAIN_SECONDS": "30"}
        with running(one) as (process, _):
            async with at(one) as http:
                await until_ready(http)
                conversation = await start(http)
                cookies = http.cookies

                def stop_it(events: list[Any]) -> bool:
                    if len(blocks(events)) == 3 and events[-1].event == "block":
                        server.stop()
                        process.send_signal(signal.SIGTERM)
                    return False

                events = await read(http, "POST", f"/api/v1/conversations/{conversation}/messages", stop_it, json=QUESTION)
            assert process.poll() is None
            server.start()
            back = time.monotonic()
            with anyio.fail_after(60):
                assert await anyio.to_thread.run_sync(process.wait) in {0, -signal.SIGTERM}
            ended = time.monotonic() - back
        two = {**one, "CHAT_PORT": str(free_port())}
        with running(two):
            async with at(two, cookies) as http:
                await until_ready(http)
                turns = await turns_of(http, conversation)
    told = Answer.model_validate_json(events[-1].data)
    assert events[-1].event == "done"
    assert text_of(events) == "".join(PARAGRAPHS).strip()
    assert told.note == NOTE_NOT_KEPT_YET
    assert [(turn.state, turn.answer) for turn in turns] == [("done", told.model_copy(update={"note": ""}))]
    assert ended < 30


async def test_an_end_before_the_database_is_back_is_said(world: dict[str, str], upstream: ScriptedUpstream):
    upstream.script(Say(PARAGRAPHS, gap=0.02))
    with postgres() as server:
        one = {**world, "DATABASE_URL": server.url, "CHAT_DRAIN_SECONDS": "1"}
        with running(one) as (process, _):
            async with at(one) as http:
                await until_ready(http)
                conversation = await start(http)
                cookies = http.cookies

                def stop_it(events: list[Any]) -> bool:
                    if len(blocks(events)) == 2 and events[-1].event == "block":
                        server.stop()
                    return False

                events = await read(http, "POST", f"/api/v1/conversations/{conversation}/messages", stop_it, json=QUESTION)
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            lines = [json.loads(line) for line in (await anyio.to_thread.run_sync(process.stderr.read)).splitlines()]
        server.start()
        two = {**one, "CHAT_PORT": str(free_port())}
        with running(two):
            async with at(two, cookies) as http:
                turn = await until_kept(http, conversation, lambda turn: turn.state != "answering")
    said = [line for line in lines if line["event"] == "answer_not_kept"]
    assert [(line["conversation"], line["number"], line["level"]) for line in said] == [(conversation, 1, "error")]
    assert events[-1].event == "done"
    assert turn.state == "interrupted"


@asynccontextmanager
async def browsers(worlds: list[dict[str, str]]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One participant at each of two replicas."""
    async with at(worlds[0]) as one:
        await until_ready(one)
        await start(one)
        async with at(worlds[1], one.cookies) as two:
            await until_ready(two)
            yield [one, two]


@contextmanager
def replicas(world: dict[str, str], url: str) -> Iterator[tuple[list[dict[str, str]], list[Any]]]:
    worlds = [{**world, "DATABASE_URL": url, "CHAT_PORT": port} for port in (world["CHAT_PORT"], str(free_port()))]
    with running(worlds[0]) as (first, _), running(worlds[1]) as (second, _):
        yield worlds, [first, second]


async def test_a_rolling_upgrade_cuts_no_stream_and_loses_no_answer(world: dict[str, str], upstream: ScriptedUpstream):
    """Both replicas are replaced in turn while answers run; every reader reads their answer to its end, once."""
    upstream.script(*[Say(PARAGRAPHS, gap=0.15)] * 4)
    whole = "".join(PARAGRAPHS).strip()
    read_here: list[str] = []
    resumed: list[str] = []
    with postgres() as server, replicas({**world, "CHAT_DRAIN_SECONDS": "30"}, server.url) as (worlds, processes):
        async with browsers(worlds) as pages:
            conversations = [await start(pages[0]) for _ in range(2)]
            under_way = [anyio.Event(), anyio.Event()]

            async def stay(page: httpx.AsyncClient, conversation: str) -> None:
                def seen(events: list[Any]) -> bool:
                    if blocks(events):
                        under_way[0].set()
                    return False

                events = await read(page, "POST", f"/api/v1/conversations/{conversation}/messages", seen, json=QUESTION)
                assert events[-1].event == "done", events[-1].data
                read_here.append(text_of(events))

            async def change_over(conversation: str) -> None:
                path = f"/api/v1/conversations/{conversation}"
                begun = await read(pages[0], "POST", f"{path}/messages", lambda seen: len(blocks(seen)) == 3, json=QUESTION)
                under_way[1].set()
                last = {"last-event-id": str(blocks(begun)[-1]["n"])}
                rest = await read(pages[1], "GET", f"{path}/turns/1/events", headers=last)
                assert rest[-1].event == "done", rest[-1].data
                resumed.append(text_of(begun) + text_of(rest))
                assert [block["n"] for block in blocks(begun) + blocks(rest)] == list(range(len(PARAGRAPHS)))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stay, pages[0], conversations[0])
                tasks.start_soon(change_over, conversations[1])
                with anyio.fail_after(60):
                    await under_way[0].wait()
                    await under_way[1].wait()
                processes[0].send_signal(signal.SIGTERM)
            with anyio.fail_after(60):
                assert await anyio.to_thread.run_sync(processes[0].wait) in {0, -signal.SIGTERM}
            turns = [await turns_of(pages[1], conversation) for conversation in conversations]
    assert read_here == [whole]
    assert resumed == [whole]
    assert [[(turn.state, turn.answer and turn.answer.answer) for turn in kept] for kept in turns] == [[("done", whole)]] * 2


async def test_an_answer_that_outlasts_the_grace_is_answered_anew_at_the_other_replica(
    world: dict[str, str], upstream: ScriptedUpstream
):
    upstream.script(Endless("Start it. [1]\n\n", 0.05), Say("Start it with one command. [1]"))
    with postgres() as server, replicas({**world, "CHAT_DRAIN_SECONDS": "1"}, server.url) as (worlds, processes):
        async with browsers(worlds) as pages:
            conversation = await start(pages[0])
            path = f"/api/v1/conversations/{conversation}"

            def end_it(events: list[Any]) -> bool:
                if len(blocks(events)) == 2 and events[-1].event == "block":
                    processes[0].send_signal(signal.SIGTERM)
                return False

            events = await read(pages[0], "POST", f"{path}/messages", end_it, json=QUESTION)
            cut = await until_kept(pages[1], conversation, lambda turn: turn.state == "interrupted")
            again = await read(pages[1], "POST", f"{path}/turns/1/retry")
            turn = await first_turn(pages[1], conversation)
            turns = await turns_of(pages[1], conversation)
    assert events[-1].json()["type"].endswith("answer-interrupted")
    assert cut.answer is not None
    assert cut.answer.answer == text_of(events)
    assert again[-1].event == "done"
    assert turn.answer == Answer.model_validate_json(again[-1].data)
    assert turn.answer.answer == "Start it with one command. [1]"
    assert len(turns) == 1
