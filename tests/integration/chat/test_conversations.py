"""Whole conversations over HTTP: order of events, who may read what, what is kept when things end early."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import uvicorn
from fastapi import FastAPI

from shared_services.contracts.chat import Answer
from shared_services.contracts.identity import Identity, Role
from shared_services.kit.database import create_engine
from shared_services.kit.identity import SESSION_COOKIE, issue_session
from shared_services.kit.sse import ServerSentEvent, decode
from shared_services.llm.llama_stack import LlamaStackGateway
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.workshops import HARBOR, files_of
from tests.unit.chat.test_participants import forge_hs256
from tests.upstream import Fail, Say, ScriptedUpstream
from workshop_chat.participants import PARTICIPANT_COOKIE
from workshop_chat.pipeline import NOTE_MODEL_AWAY, NOTE_MODEL_BUSY, NOTE_MODEL_STOPPED, NOTE_MODEL_UNCITED
from workshop_chat.repository import ConversationRepository
from workshop_chat.stages.check import OWN_CODE

DEPLOY = {"text": "How do I deploy the application?", "step": "deploy"}


async def start(http: httpx.AsyncClient) -> str:
    response = await http.post("/api/v1/conversations")
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def ask(http: httpx.AsyncClient, conversation: str, body: dict[str, Any]) -> Answer:
    response = await http.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    assert response.status_code == 200, response.text
    return Answer.model_validate_json(response.content)


@asynccontextmanager
async def streaming(
    http: httpx.AsyncClient, conversation: str, body: dict[str, Any]
) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    path = f"/api/v1/conversations/{conversation}/messages"
    async with http.stream("POST", path, json=body, headers={"accept": "text/event-stream"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream"), await response.aread()
        yield decode(response.aiter_bytes())


async def events_of(http: httpx.AsyncClient, conversation: str, body: dict[str, Any]) -> list[ServerSentEvent]:
    async with streaming(http, conversation, body) as events:
        return [event async for event in events]


async def turns(http: httpx.AsyncClient, conversation: str) -> list[dict[str, Any]]:
    response = await http.get(f"/api/v1/conversations/{conversation}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_events_come_in_order(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        events = await events_of(http, conversation, DEPLOY)
        kept = await turns(http, conversation)
    names = [event.event for event in events]
    assert names[:2] == ["status", "status"]
    assert [events[0].json()["stage"], events[1].json()["stage"]] == ["retrieving", "writing"]
    assert names[-1] == "done"
    assert set(names[2:-1]) == {"citation", "block"}
    known: set[int] = set()
    for event in events:
        if event.event == "citation":
            known.add(event.json()["n"])
        elif event.event == "block":
            for number in known | {1}:
                assert f"[{number}]" not in event.json()["markdown"] or number in known
    blocks = [event.json() for event in events if event.event == "block"]
    assert [block["n"] for block in blocks] == list(range(len(blocks)))
    assert 'class="citation"' in "".join(block["html"] for block in blocks)
    answer = Answer.model_validate_json(events[-1].data)
    assert answer.answer == "".join(block["before"] + block["markdown"] for block in blocks)
    assert answer.written_by == "extractive"
    assert {"retrieve", "first_block", "total"} <= set(answer.timings)
    asked_at = kept[0].pop("asked_at")
    assert datetime.fromisoformat(asked_at).tzinfo is not None
    assert kept == [
        {
            "number": 1,
            "question": DEPLOY["text"],
            "step": "deploy",
            "about": None,
            "state": "done",
            "answer": answer.model_dump(mode="json"),
            "mode": "explain",
            "feedback": None,
        }
    ]


async def test_a_model_writes_from_the_passages(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway):
    upstream.script(
        Say("Apply the manifest. [1]\n\n```bash\nkubectl apply -f harbor.yaml\n```\n\nThen run:\n\n```bash\nrm -rf /\n```\n")
    )
    async with platform.app("harbor", gateway=model) as app, browser(app) as http:
        answer = await ask(http, await start(http), DEPLOY)
    assert answer.written_by == "model"
    assert answer.note == ""
    assert answer.citations[0].n == 1
    assert answer.answer.startswith("Apply the manifest. [1]\n\n```bash\nkubectl apply")
    assert answer.answer.endswith(f"rm -rf /\n```\n\n{OWN_CODE}")
    assert answer.answer.count(OWN_CODE) == 1
    prompt = upstream.requests[0].body["messages"]
    assert "Ships in the harbor" in prompt[0]["content"]
    assert "9292" not in str(prompt)


async def test_blocks_come_while_the_model_still_writes(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway):
    upstream.script(Say(["Apply the manifest. [1]\n\n", "Wait for it. [1]\n"], gap=4))
    async with platform.app("harbor", gateway=model) as app, browser(app) as http:
        conversation = await start(http)
        async with streaming(http, conversation, DEPLOY) as events:
            async for event in events:
                if event.event == "block":
                    break
            assert not upstream.requests[0].finished
            rest = [event.event async for event in events]
    assert rest[-2:] == ["block", "done"]


async def test_the_marker_makes_an_abstention(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway):
    upstream.script(Say("NOT_IN_THIS_WORKSHOP"))
    async with platform.app("harbor", gateway=model) as app, browser(app) as http:
        answer = await ask(http, await start(http), DEPLOY)
    assert answer.abstained
    assert "NOT_IN" not in answer.answer
    assert answer.nearest[0].step == "deploy"
    assert answer.citations == []


@pytest.mark.parametrize(
    ("reply", "note", "writer"),
    [
        (Fail(500), NOTE_MODEL_AWAY, "extractive"),
        (Fail(429), NOTE_MODEL_BUSY, "extractive"),
        (Say("It is all quite simple, believe me."), NOTE_MODEL_UNCITED, "extractive"),
        (Say(["First apply it. [1] ", "Then ", "wait "], cut_after=2), NOTE_MODEL_STOPPED, "model"),
    ],
)
async def test_model_trouble_ends_in_the_passages_own_words(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway, reply: Any, note: str, writer: str
):
    upstream.script(reply)
    async with platform.app("harbor", gateway=model, model_wait_seconds=0) as app, browser(app) as http:
        answer = await ask(http, await start(http), DEPLOY)
    assert (answer.note, answer.written_by, answer.abstained) == (note, writer, False)
    assert "kubectl apply -f harbor.yaml" in answer.answer
    assert "believe me" not in answer.answer
    assert [citation.n for citation in answer.citations] == list(range(1, len(answer.citations) + 1))


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real socket; its lifespan is already running."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def test_history_survives_a_restart_and_an_unfinished_turn_says_so(platform: Platform, tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    async with platform.app("harbor", engine=engine) as app, browser(app) as http:
        conversation = await start(http)
        first = await ask(http, conversation, DEPLOY)
        cookies = http.cookies
        participant = jwt.decode(cookies[PARTICIPANT_COOKIE], options={"verify_signature": False})["sub"]
    await engine.dispose()
    # What a process that was killed in mid-answer leaves behind.
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    await ConversationRepository(engine, "harbor").begin_turn(conversation, participant, "And then?", None, "v")
    async with platform.app("harbor", engine=engine) as app, browser(app, cookies=cookies) as http:
        kept = await turns(http, conversation)
    await engine.dispose()
    assert [turn["state"] for turn in kept] == ["done", "interrupted"]
    assert kept[0]["answer"] == first.model_dump(mode="json")
    assert kept[1]["answer"] is None


async def test_two_participants_do_not_see_each_other(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as ada, browser(app) as grace:
        conversation = await start(ada)
        await ask(ada, conversation, DEPLOY)
        for response in (
            await grace.get(f"/api/v1/conversations/{conversation}"),
            await grace.post(f"/api/v1/conversations/{conversation}/messages", json=DEPLOY),
            await grace.get("/api/v1/conversations/unknown"),
        ):
            assert response.status_code == 404
            assert response.json()["type"].endswith("conversation-not-found")
        assert len(await turns(ada, conversation)) == 1


async def test_two_workshops_do_not_see_each_other(platform: Platform):
    token = platform.issuer.issue("author:a", "chat", roles=frozenset({Role.AUTHOR}))
    headers = {"authorization": f"Bearer {token}"}
    async with (
        platform.app("harbor") as harbor,
        platform.app("orchard") as orchard,
        browser(harbor, headers=headers) as one,
        browser(orchard, "orchard", headers=headers) as two,
    ):
        conversation = await start(one)
        mine, theirs = await ask(one, conversation, DEPLOY), await ask(two, await start(two), DEPLOY)
        assert (await two.get(f"/api/v1/conversations/{conversation}")).status_code == 404
    assert {citation.workshop for citation in mine.citations} == {"harbor"}
    assert {citation.workshop for citation in theirs.citations} == {"orchard"}
    assert "helm install" in theirs.answer
    assert "helm" not in mine.answer


async def test_tokens_cookies_and_sessions_of_others_are_refused(platform: Platform):
    harbor_token = platform.issuer.issue("participant:p", "chat", workshop="harbor", roles=frozenset({Role.PARTICIPANT}))
    forged = forge_hs256(
        {"iss": "workshop-assistant", "sub": "author:a", "aud": "chat", "iat": 1, "exp": 9_999_999_999, "roles": ["admin"]},
        platform.issuer.public_pem(),
    )
    session = issue_session(platform.issuer, Identity(id="participant:p", roles=frozenset({Role.PARTICIPANT}), workshop="harbor"))
    cookie = jwt.encode({"sub": "participant:p", "aud": "participant:orchard", "exp": 9_999_999_999}, b"z" * 32, "HS256")
    async with platform.app("orchard", join_code="apple-pie") as app:
        for options, status, slug in (
            ({"headers": {"authorization": f"Bearer {harbor_token}"}}, 403, "other-workshop"),
            ({"headers": {"authorization": f"Bearer {forged}"}}, 401, "unauthenticated"),
            ({"cookies": {SESSION_COOKIE: session}}, 403, "other-workshop"),
            ({"cookies": {PARTICIPANT_COOKIE: cookie}}, 401, "join-required"),
            ({}, 401, "join-required"),
        ):
            async with browser(app, "orchard", **options) as http:
                for response in (
                    await http.post("/api/v1/conversations"),
                    await http.get("/api/v1/workshop"),
                    await http.get("/api/v1/steps/deploy"),
                ):
                    assert response.status_code == status
                    assert response.json()["type"].endswith(slug)


async def test_joining_by_code(platform: Platform):
    async with platform.app("orchard", join_code="apple-pie") as app, browser(app, "orchard") as http:
        page = await http.get("/steps/deploy", headers={"accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/w/orchard/join")
        wrong = await http.post("/join", json={"code": "apple", "name": "Ada"})
        assert (wrong.status_code, wrong.json()["type"].rpartition(":")[2]) == (403, "wrong-join-code")
        assert 'name="next" value="/steps/deploy"' in (await http.get(page.headers["location"].removeprefix("/w/orchard"))).text
        form = await http.post("/join", data={"code": "apple", "name": "Ada & <b>", "next": "/steps/deploy"})
        assert (form.status_code, form.headers["location"]) == (
            303,
            "/w/orchard/join?problem=wrong-join-code&next=/steps/deploy&name=Ada+%26+%3Cb%3E&code=apple",
        )
        again = (await http.get(form.headers["location"].removeprefix("/w/orchard"))).text
        assert 'value="Ada &amp; &lt;b&gt;"' in again
        assert 'value="apple"' in again
        right = await http.post("/join", data={"code": "Apple pie", "name": "Ada", "next": "/steps/deploy"})
        assert (right.status_code, right.headers["location"]) == (303, "/w/orchard/steps/deploy")
        elsewhere = await http.post("/join", data={"code": "apple-pie", "name": "Ada", "next": "//evil.example/"})
        assert elsewhere.headers["location"] == "/w/orchard/"
        assert "HttpOnly" in right.headers["set-cookie"]
        assert "Path=/w/orchard" in right.headers["set-cookie"]
        workshop = (await http.get("/api/v1/workshop")).json()
        assert (workshop["workshop"], [step["id"] for step in workshop["steps"]]) == ("orchard", ["deploy", "undo"])
        step = (await http.get("/api/v1/steps/deploy")).json()
        assert (step["number"], step["next"]) == (1, "undo")
        assert step["content"].startswith("# Deploy")
        assert (await http.get("/api/v1/steps/nothing")).status_code == 404


async def test_a_new_version_is_answered_from(platform: Platform):
    await platform.publish(files_of("quay", "A quay", {"moor": HARBOR["deploy"]}))
    async with platform.app("quay", confidence_threshold=0) as app, browser(app, "quay") as http:
        conversation = await start(http)
        assert "8081" in (await ask(http, conversation, {"text": "Which port does the application listen on?"})).answer
        title, content = HARBOR["deploy"]
        await platform.publish(files_of("quay", "A quay", {"moor": (title, content.replace("8081", "7070"))}))
        await asyncio.sleep(2.1)
        answer = await ask(http, conversation, {"text": "Which port does the application listen on?", "step": "gone"})
    assert "7070" in answer.answer
    assert "8081" not in answer.model_dump_json(exclude={"conversation"})


async def test_bad_messages_are_refused_with_a_sentence(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        path = f"/api/v1/conversations/{conversation}/messages"
        for body in (
            {"text": ""},
            {"text": "  \n"},
            {"text": "x", "workshop": "orchard"},
            {"step": "deploy"},
        ):
            response = await http.post(path, json=body, headers={"accept": "text/event-stream"})
            assert response.status_code == 422
            assert response.headers["content-type"] == "application/problem+json"
        assert await turns(http, conversation) == []


async def test_retrieval_away_is_an_error_event_and_an_interrupted_turn(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        broken = files_of("harbor", "Ships in the harbor", {"only": HARBOR["tidy"]})
        before = await platform.library.current("harbor")
        unindexed = await platform.library.draft(broken)
        await platform.library.set_current("harbor", unindexed.version)
        try:
            await asyncio.sleep(2.1)
            events = await events_of(http, conversation, DEPLOY)
            plain = await http.post(f"/api/v1/conversations/{conversation}/messages", json=DEPLOY)
            kept = await turns(http, conversation)
        finally:
            await platform.library.set_current("harbor", before.version)
    assert [event.event for event in events] == ["status", "error"]
    assert events[1].json()["status"] == plain.status_code >= 400
    assert [turn["state"] for turn in kept] == ["interrupted", "interrupted"]


async def test_metrics_name_the_workshop(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await start(http)
        await ask(http, conversation, DEPLOY)
        text = (await http.get("/metrics")).text
        assert (await http.get("/readyz")).json()["ready"]
    assert 'workshop_chat_questions_total{workshop="harbor"}' in text
    assert 'workshop_chat_answers_total{workshop="harbor",writer="extractive"}' in text
    assert 'workshop_chat_first_block_seconds_count{workshop="harbor"}' in text
