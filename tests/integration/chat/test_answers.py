"""Answers that outlive their readers: left and taken up again, stopped, followed and stopped at another process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Answer
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine
from shared_services.kit.sse import ServerSentEvent, decode
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import DEPLOY, ask, serving, start, streaming, turns
from tests.upstream import Endless, Say, ScriptedUpstream
from workshop_chat.repository import ConversationRepository

PARAGRAPHS = [f"Wait for pod number {n}. [1]\n\n" for n in range(12)]
TURN = "/api/v1/conversations/{}/turns/1"


@dataclass
class Reader:
    """What a page has of an answer, as it puts it together from events."""

    text: str = ""
    last: str | None = None
    cited: frozenset[int] = frozenset()
    statuses: int = 0
    done: Answer | None = None
    error: dict[str, Any] | None = None

    def take(self, event: ServerSentEvent) -> None:
        match event.event:
            case "block":
                block = event.json()
                assert event.id == str(block["n"])
                self.text += block["before"] + block["markdown"]
                self.last = event.id
            case "citation":
                self.cited |= {event.json()["n"]}
            case "status":
                self.statuses += 1
            case "done":
                self.done = Answer.model_validate_json(event.data)
            case "error":
                self.error = event.json()

    async def resume(self, http: httpx.AsyncClient, conversation: str, *, blocks: int | None = None) -> None:
        """Read on from where it was: to the end, or so many blocks more."""
        headers = {} if self.last is None else {"last-event-id": self.last}
        async with http.stream("GET", TURN.format(conversation) + "/events", headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            await self.read(decode(response.aiter_bytes()), blocks=blocks)

    async def read(self, events: AsyncIterator[ServerSentEvent], *, blocks: int | None = None) -> None:
        async for event in events:
            self.take(event)
            if blocks is not None and event.event == "block":
                blocks -= 1
                if blocks == 0:
                    return


async def leave_after(http: httpx.AsyncClient, conversation: str, blocks: int) -> Reader:
    """Ask, read so many blocks and go away."""
    reader = Reader()
    async with streaming(http, conversation, DEPLOY) as events:
        await reader.read(events, blocks=blocks)
    return reader


@asynccontextmanager
async def at(app: FastAPI, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the app behind a real socket."""
    async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=60, **options) as http:
        yield http


async def test_who_leaves_and_comes_back_has_every_byte_once(
    platform: Platform, engine: AsyncEngine, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Say(PARAGRAPHS, gap=0.5))
    async with platform.app("harbor", gateway=model, engine=engine) as app, at(app) as http:
        conversation = await start(http)
        reader = await leave_after(http, conversation, 2)
        await reader.resume(http, conversation, blocks=2)
        await reader.resume(http, conversation, blocks=1)
        assert not upstream.requests[0].finished
        await upstream.until(lambda: upstream.requests[0].finished)
        await reader.resume(http, conversation)
        late = Reader()
        await late.resume(http, conversation)
        kept = (await turns(http, conversation))[0]
    assert reader.done is not None
    assert reader.text == reader.done.answer == "".join(PARAGRAPHS).strip()
    assert (late.text, late.done, late.statuses) == (reader.text, reader.done, 0)
    assert reader.cited == late.cited == {1}
    assert (kept["state"], kept["answer"]) == ("done", reader.done.model_dump(mode="json"))
    assert len(upstream.requests) == 1


async def test_a_turn_says_where_it_is(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        path = f"/api/v1/conversations/{conversation}/messages"
        plain = await http.post(path, json=DEPLOY)
        async with http.stream("POST", path, json=DEPLOY, headers={"accept": "text/event-stream"}) as streamed:
            await streamed.aread()
        place = f"/w/harbor/api/v1/conversations/{conversation}/turns/"
        assert [each.headers["content-location"] for each in (plain, streamed)] == [f"{place}1", f"{place}2"]
        turn = (await http.get(plain.headers["content-location"].removeprefix("/w/harbor"))).json()
    assert turn["answer"] == plain.json()
    assert turn["number"] == plain.json()["number"] == 1


async def test_stop_stops_the_model_and_keeps_what_was_given(
    platform: Platform, engine: AsyncEngine, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    async with platform.app("harbor", gateway=model, engine=engine) as app, at(app) as http:
        conversation = await start(http)
        reader = Reader()
        async with streaming(http, conversation, DEPLOY) as events:
            await reader.read(events, blocks=3)
            assert (await http.post(TURN.format(conversation) + "/stop")).status_code == 204
            await reader.read(events)
        await upstream.until(lambda: upstream.requests[0].disconnected)
        assert (await http.post(TURN.format(conversation) + "/stop")).status_code == 204
        kept = (await turns(http, conversation))[0]
        late = Reader()
        await late.resume(http, conversation)
    assert reader.done is not None
    assert reader.done.stopped
    assert reader.done.answer == reader.text == late.text
    assert late.done == reader.done
    assert (kept["state"], kept["answer"]) == ("stopped", reader.done.model_dump(mode="json"))


async def test_a_json_caller_who_leaves_does_not_end_the_answer(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Say(PARAGRAPHS, gap=0.02))
    async with platform.app("harbor", gateway=model) as app, at(app) as http:
        conversation = await start(http)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, http, conversation, DEPLOY)
            await upstream.until(lambda: bool(upstream.requests))
            tasks.cancel_scope.cancel()
        reader = Reader()
        await reader.resume(http, conversation)
    assert reader.done is not None
    assert reader.text == "".join(PARAGRAPHS).strip()


@pytest.mark.parametrize("last", ["x", "-1", "1e3", "9" * 30, "١"])
async def test_junk_for_a_last_event_is_refused(platform: Platform, last: str):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        await ask(http, conversation, DEPLOY)
        path = TURN.format(conversation) + "/events"
        response = await http.get(path, headers={"last-event-id": last.encode()})
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (422, "bad-input")
        for number in ("0", "-1", "x", str(2**31), str(10**40)):
            assert (await http.get(path.replace("/1/", f"/{number}/"))).status_code == 422
        ahead = Reader(last="99999")
        await ahead.resume(http, conversation)
    assert ahead.text == ""
    assert ahead.done is not None


async def test_nobody_else_follows_or_stops_a_turn(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    async with platform.app("harbor", gateway=model) as app, at(app) as ada, browser(app) as grace:
        conversation = await start(ada)
        await leave_after(ada, conversation, 1)
        path = TURN.format(conversation)
        for response in (await grace.get(path), await grace.get(f"{path}/events"), await grace.post(f"{path}/stop")):
            assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (404, "turn-not-found")
        assert (await turns(ada, conversation))[0]["state"] == "answering"
        assert not upstream.requests[0].disconnected
        assert (await ada.post(f"{path}/stop")).status_code == 204


async def test_a_turn_that_is_deleted_while_it_is_answered_ends(
    platform: Platform, engine: AsyncEngine, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    async with platform.app("harbor", gateway=model, engine=engine) as app, at(app) as http:
        conversation = await start(http)
        await leave_after(http, conversation, 1)
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM chat_turns"))
        await upstream.until(lambda: upstream.requests[0].disconnected, 15)
        assert await turns(http, conversation) == []


async def test_an_end_of_the_process_lets_answers_finish_and_keeps_the_others(
    platform: Platform, engine: AsyncEngine, upstream: ScriptedUpstream
):
    def reply(request: Any) -> Say | Endless:
        return Endless("On and on. [1]\n\n", 0.05) if "Port" in str(request.body) else Say(PARAGRAPHS, gap=0.02)

    upstream.script(reply)
    # Telling of the refusal can hold the process up for longer than a model may be silent elsewhere.
    model = LlamaStackGateway(upstream.url, patience=Patience(gap=60))
    claims = {"workshop": "harbor", "roles": frozenset({Role.PARTICIPANT})}
    headers = {"authorization": f"Bearer {platform.issuer.issue('participant:p', 'chat', **claims)}"}
    async with platform.app("harbor", gateway=model, engine=engine, drain_seconds=6) as app, at(app, headers=headers) as http:
        quick, endless = await start(http), await start(http)
        await leave_after(http, quick, 1)
        async with streaming(http, endless, {"text": "How do I deploy the application? Port?"}) as events:
            await Reader().read(events, blocks=1)
        app.state.drain()
        refused = await http.post(f"/api/v1/conversations/{quick}/messages", json=DEPLOY)
        reader = Reader()
        await reader.resume(http, endless)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert reader.error is not None
    assert reader.error["type"].endswith("answer-interrupted")
    repository = ConversationRepository(engine, "harbor")
    kept = (await repository.turns(quick, "participant:p"))[0]
    cut = (await repository.turns(endless, "participant:p"))[0]
    assert (kept.state, cut.state) == ("done", "interrupted")
    assert kept.answer is not None
    assert cut.answer is not None
    assert kept.answer.answer == "".join(PARAGRAPHS).strip()
    assert cut.answer.answer == reader.text


@dataclass
class Two:
    """One participant at two processes of one chat agent: each with its own engine and bus."""

    here: httpx.AsyncClient
    there: httpx.AsyncClient


@pytest.fixture
async def two(
    platform: Platform, postgres_url: str, postgres_engine: AsyncEngine, model: LlamaStackGateway
) -> AsyncIterator[Two]:
    other = create_engine(postgres_url)
    claims = {"workshop": "harbor", "roles": frozenset({Role.PARTICIPANT})}
    headers = {"authorization": f"Bearer {platform.issuer.issue('participant:p', 'chat', **claims)}"}
    async with (
        platform.app("harbor", gateway=model, engine=postgres_engine) as first,
        platform.app("harbor", gateway=model, engine=other) as second,
        at(first, headers=headers) as here,
        at(second, headers=headers) as there,
    ):
        yield Two(here, there)
    await other.dispose()


@pytest.mark.postgres
async def test_an_answer_is_followed_at_another_process(two: Two, upstream: ScriptedUpstream):
    upstream.script(Say(PARAGRAPHS, gap=0.5))
    conversation = await start(two.here)
    reader = await leave_after(two.here, conversation, 2)
    await reader.resume(two.there, conversation, blocks=2)
    assert not upstream.requests[0].finished
    await reader.resume(two.there, conversation)
    assert reader.done is not None
    assert reader.text == reader.done.answer == "".join(PARAGRAPHS).strip()
    assert (await turns(two.there, conversation))[0]["answer"] == reader.done.model_dump(mode="json")
    assert len(upstream.requests) == 1


@pytest.mark.postgres
async def test_an_answer_is_stopped_at_another_process(two: Two, upstream: ScriptedUpstream):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    conversation = await start(two.here)
    reader = Reader()
    async with streaming(two.here, conversation, DEPLOY) as events:
        await reader.read(events, blocks=1)
        assert (await two.there.post(TURN.format(conversation) + "/stop")).status_code == 204
        assert (await turns(two.there, conversation))[0]["state"] == "stopped"
        await upstream.until(lambda: upstream.requests[0].disconnected)
        await reader.read(events)
    assert reader.done is not None
    assert reader.done.stopped
    assert reader.text == reader.done.answer


@pytest.mark.postgres
async def test_another_process_that_begins_leaves_running_answers_alone(
    two: Two, platform: Platform, postgres_url: str, upstream: ScriptedUpstream
):
    upstream.script(Say(PARAGRAPHS, gap=0.05))
    conversation = await start(two.here)
    reader = await leave_after(two.here, conversation, 1)
    third = create_engine(postgres_url)
    async with platform.app("harbor", engine=third):
        pass
    await third.dispose()
    await reader.resume(two.there, conversation)
    assert reader.done is not None
    assert reader.text == "".join(PARAGRAPHS).strip()
