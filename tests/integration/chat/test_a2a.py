"""A chat agent over A2A, asked by the protocol's own client across a real socket."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from a2a.client import A2ACardResolver
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskNotCancelableError,
    TaskNotFoundError,
)
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from shared_services.contracts.chat import Answer
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import SearchResponse
from shared_services.llm.llama_stack import LlamaStackGateway
from tests.a2a import BINDINGS, bearer, call, client, data_of, message, send, state_of, text_of
from tests.integration.chat.conftest import Platform
from tests.integration.chat.test_conversations import serving
from tests.upstream import Endless, Fail, Say, ScriptedUpstream
from workshop_chat.pipeline import NOTE_MODEL_AWAY, Question

ROOT = Path(__file__).parents[3]
PORT = "Which port does the application listen on?"


def token(platform: Platform, who: str = "eve", workshop: str | None = "harbor", **claims: Any) -> str:
    roles = claims.pop("roles", frozenset({Role.PARTICIPANT}))
    return platform.issuer.issue(f"participant:{who}", claims.pop("audience", "chat"), workshop=workshop, roles=roles)


@asynccontextmanager
async def agent(platform: Platform, **options: Any) -> AsyncIterator[str]:
    """A chat agent alone, as in a cluster; gives its address."""
    async with platform.app("harbor", **options) as app, serving(app) as url:
        yield url


@pytest.fixture
async def harbor(platform: Platform) -> AsyncIterator[str]:
    async with agent(platform) as url:
        yield url


def task_of(events: list[StreamResponse]) -> Task:
    """The task that an answer is about, as it was first told."""
    return next(event.task for event in events if event.HasField("task"))


def artifact_text(events: list[StreamResponse]) -> str:
    """The text of the artifact, put together as a reader of the stream does."""
    updates = [event.artifact_update for event in events if event.HasField("artifact_update")]
    return "".join(part.text for update in updates for part in update.artifact.parts if part.HasField("text"))


def answer_of(task: Task) -> Answer:
    [artifact] = task.artifacts[-1:]
    return Answer.model_validate(data_of(artifact.parts))


async def test_the_card_names_the_workshop_its_skills_and_its_place(harbor: str):
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, harbor).get_agent_card()
    assert "harbor" in card.name
    assert [skill.id for skill in card.skills] == ["ask", "search_workshop", "get_step"]
    assert {each.protocol_binding: each.url for each in card.supported_interfaces} == {
        "JSONRPC": f"{harbor}/a2a/rpc",
        "HTTP+JSON": f"{harbor}/a2a/rest",
    }
    assert card.capabilities.streaming


async def test_a_public_address_stands_in_the_card(platform: Platform):
    async with agent(platform, public_url="https://chat.example.org/") as url, httpx.AsyncClient() as http:
        card = (await http.get(f"{url}/.well-known/agent-card.json")).json()
    assert card["supportedInterfaces"][0]["url"] == "https://chat.example.org/a2a/rpc"


@pytest.mark.parametrize("binding", BINDINGS)
async def test_mounted_beside_others_the_card_leads_to_the_same_workshop(platform: Platform, binding: str):
    async with platform.app("harbor") as app, serving(_laptop(app)) as url:
        base = f"{url}/w/harbor"
        events = await send(base, token(platform), message(text=PORT), binding=binding)
    assert "8081" in answer_of(events[-1].task).answer


def _laptop(app: FastAPI) -> Any:
    return Starlette(routes=[Mount("/w/harbor", app)])


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_answer_streams_block_by_block(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway, binding: str
):
    upstream.script(Say("The application listens on port 8081 [1]. It counts ships [1]."))
    async with agent(platform, gateway=model) as url:
        events = await send(url, token(platform), message(text=PORT), streaming=True, binding=binding)
        async with client(url, token(platform), binding=binding) as opened:
            kept = await opened.get_task(GetTaskRequest(id=task_of(events).id))
    assert state_of(task_of(events)) == "SUBMITTED"
    updates = [event.artifact_update for event in events if event.HasField("artifact_update")]
    assert [update.append for update in updates] == [False, True, True]
    assert [update.last_chunk for update in updates] == [False, False, True]
    assert updates[0].artifact.parts[0].text == "The application listens on port 8081 [1]."
    assert artifact_text(events).startswith("The application listens on port 8081 [1]. It counts ships [1].\n\n[1] ")
    whole = Answer.model_validate(data_of(updates[-1].artifact.parts))
    assert (whole.written_by, whole.citations[0].file) == ("model", "steps/deploy/content.md")
    assert state_of(kept) == "COMPLETED"
    assert answer_of(kept) == whole


@pytest.mark.parametrize("binding", BINDINGS)
async def test_without_a_stream_the_task_comes_back_whole(platform: Platform, harbor: str, binding: str):
    [event] = await send(harbor, token(platform), message(data={"question": PORT, "step": "deploy"}), binding=binding)
    assert state_of(event.task) == "COMPLETED"
    assert "8081" in answer_of(event.task).answer
    assert answer_of(event.task).citations


async def test_what_the_workshop_does_not_hold_is_said(platform: Platform, harbor: str):
    [event] = await send(harbor, token(platform), message(text="Who won the chess championship of 1972?"))
    assert state_of(event.task) == "COMPLETED"
    assert answer_of(event.task).abstained


async def test_a_model_that_fails_leaves_the_workshops_own_words(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Fail(500))
    async with agent(platform, gateway=model) as url:
        [event] = await send(url, token(platform), message(text=PORT))
    assert "8081" in answer_of(event.task).answer
    assert answer_of(event.task).note == NOTE_MODEL_AWAY


async def test_search_and_step_are_answered_at_once(platform: Platform, harbor: str):
    [found] = await send(harbor, token(platform), message(data={"query": PORT, "limit": 3}))
    passages = SearchResponse.model_validate(data_of(found.message.parts)).passages
    assert 1 <= len(passages) <= 3
    assert {passage.workshop for passage in passages} == {"harbor"}
    assert "8081" in text_of(found.message.parts)
    [by_number] = await send(harbor, token(platform), message(data={"step": "2"}))
    [by_id] = await send(harbor, token(platform), message(data={"step": "deploy"}))
    assert data_of(by_number.message.parts) == data_of(by_id.message.parts)
    assert text_of(by_id.message.parts).startswith("# Deploy the application")


async def test_a_context_is_a_conversation_of_its_caller_alone(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Say("Apply its manifest [1]."))
    async with agent(platform, gateway=model) as url:
        first = await send(url, token(platform), message(text="How do I deploy the application?", contextId="mine"))
        again = await send(url, token(platform), message(text="And how do I undo it?", contextId="mine"))
        other = await send(url, token(platform, "mallory"), message(text="And how do I undo it?", contextId="mine"))
        async with client(url, token(platform, "mallory")) as theirs:
            with pytest.raises(TaskNotFoundError):
                await theirs.get_task(GetTaskRequest(id=first[-1].task.id))
            with pytest.raises(TaskNotFoundError):
                await theirs.cancel_task(CancelTaskRequest(id=first[-1].task.id))
            with pytest.raises(TaskNotFoundError):
                [event async for event in theirs.send_message(message(text="And?", taskId=first[-1].task.id))]
            assert [task.id for task in (await theirs.list_tasks(ListTasksRequest())).tasks] == [other[-1].task.id]
        headers = bearer(token(platform))
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            history = await http.get(f"/api/v1/conversations/{answer_of(again[-1].task).conversation}")
    assert {each[-1].task.context_id for each in (first, again, other)} == {"mine"}
    asked = [turn["question"] for turn in history.json()]
    assert asked == ["How do I deploy the application?", "And how do I undo it?"]
    assert answer_of(first[-1].task).conversation == answer_of(again[-1].task).conversation
    assert answer_of(other[-1].task).conversation != answer_of(first[-1].task).conversation
    prompts = [text for request in upstream.requests if "<passages>" in (text := str(request.body["messages"]))]
    assert ["How do I deploy" in prompt for prompt in prompts] == [True, True, False]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_cancelling_stops_the_model(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway, binding: str):
    upstream.script(Endless("The application listens on port 8081 [1]. "))
    async with agent(platform, gateway=model) as url, client(url, token(platform), binding=binding, streaming=True) as opened:
        stream = opened.send_message(message(text=PORT))
        task = ""
        async for event in stream:
            if event.HasField("task"):
                task = event.task.id
            if event.HasField("artifact_update"):
                break
        ended = await opened.cancel_task(CancelTaskRequest(id=task))
        rest = [event async for event in stream]
        await upstream.until(lambda: upstream.requests[-1].disconnected, 5)
        assert state_of(ended) == "CANCELED"
        assert rest[-1].HasField("status_update")
        kept = await opened.get_task(GetTaskRequest(id=task))
        assert "8081" in kept.artifacts[0].parts[0].text
        with pytest.raises(TaskNotCancelableError):
            await opened.cancel_task(CancelTaskRequest(id=task))


async def test_a_question_back_waits_for_its_answer(platform: Platform, monkeypatch: pytest.MonkeyPatch):
    from workshop_chat import pipeline

    whole = pipeline.Draft.answer

    def asks_back_at_first(draft: pipeline.Draft) -> Answer:
        made = whole(draft)
        return made.model_copy(update={"asks_back": True, "options": ["the application"]}) if "port?" in asked[-1] else made

    asked: list[str] = []
    run = pipeline.AnswerPipeline.run

    def noting(self: pipeline.AnswerPipeline, question: Question, draft: pipeline.Draft) -> Any:
        asked.append(question.text)
        return run(self, question, draft)

    monkeypatch.setattr(pipeline.AnswerPipeline, "run", noting)
    monkeypatch.setattr(pipeline.Draft, "answer", asks_back_at_first)
    async with agent(platform) as url:
        [first] = await send(url, token(platform), message(text="Which port?"))
        assert state_of(first.task) == "INPUT_REQUIRED"
        assert "the application" in text_of(first.task.status.message.parts)
        [blank] = await send(url, token(platform), message(text="  ", taskId=first.task.id))
        assert state_of(blank.task) == "INPUT_REQUIRED"
        assert data_of(blank.task.status.message.parts)["status"] == 422
        [then] = await send(url, token(platform), message(text=PORT, taskId=first.task.id))
    assert (then.task.id, state_of(then.task)) == (first.task.id, "COMPLETED")
    assert "8081" in answer_of(then.task).answer
    assert len(then.task.artifacts) == 2
    assert answer_of(then.task).conversation == Answer.model_validate(data_of(then.task.artifacts[0].parts)).conversation


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"question": "  "}, 422),
        ({"question": ""}, 422),
        ({"question": "x" * 100_000}, 413),
        ({"question": "Why?", "mode": "shout"}, 422),
        ({"question": "Why?", "workshop": "orchard"}, 422),
        ({"question": "Why?", "step": "No Slug"}, 422),
        ({"query": "port", "workshop": "orchard"}, 422),
        ({"query": "port", "limit": 1000}, 422),
        ({"query": ""}, 422),
        ({"step": "gone"}, 404),
        ({"step": "99"}, 404),
        ({"step": 2}, 422),
        ({}, 422),
        (["question"], 422),
        (7, 422),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(platform: Platform, harbor: str, data: object, status: int):
    [event] = await send(harbor, token(platform), message(data=data))
    problem = data_of(event.task.status.message.parts)
    assert (state_of(event.task), problem["status"]) == ("REJECTED", status)
    assert problem["detail"] in text_of(event.task.status.message.parts)


async def test_text_and_data_together_are_refused(platform: Platform, harbor: str):
    [event] = await send(harbor, token(platform), message(text="Why?", data={"question": "Why?"}))
    assert state_of(event.task) == "REJECTED"


async def test_only_who_may_ask_gets_in(platform: Platform, harbor: str):
    body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}
    cases = [
        ("not-a-token", 401),
        (token(platform, audience="rag"), 401),
        (token(platform, workshop="orchard"), 403),
        (token(platform, workshop=None), 403),
        (token(platform), 200),
        (token(platform, workshop=None, roles=frozenset({Role.AUTHOR})), 200),
    ]
    for given, status in cases:
        assert (await call("POST", f"{harbor}/a2a/rpc", given, json=body)).status_code == status
    async with httpx.AsyncClient() as http:
        nobody = await http.post(f"{harbor}/a2a/rpc", json=body)
    assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/problem+json")


async def test_many_callers_at_once_get_their_own_answers(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    def echo(request: Any) -> Say:
        marker = str(request.body["messages"][-1]["content"]).rsplit("marker-", 1)[1][:2]
        return Say(f"It listens on port 8081, marker-{marker} [1].")

    upstream.script(echo)
    got: dict[int, Answer] = {}
    async with agent(platform, gateway=model) as url:

        async def asking(number: int) -> None:
            request: SendMessageRequest = message(text=f"{PORT} marker-{number:02}", contextId="the same for all")
            [event] = await send(url, token(platform, f"p{number}"), request)
            got[number] = answer_of(event.task)

        async with anyio.create_task_group() as tasks:
            for number in range(12):
                tasks.start_soon(asking, number)
    assert all(f"marker-{number:02}" in answer.answer for number, answer in got.items())
    assert len({answer.conversation for answer in got.values()}) == 12


def test_the_protocol_s_library_is_not_imported_before_a_call():
    program = """
import sys
import workshop_chat.__main__
import workshop_chat.card
workshop_chat.card.chat_card("harbor", "http://here")
print([name for name in ("a2a", "google.protobuf", "mcp", "llama_stack_client") if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")
