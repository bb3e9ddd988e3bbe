"""Histories over HTTP: theirs alone, named, rated, taken away, deleted."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import ConversationExport, ParticipantExport
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine
from shared_services.kit.sse import decode
from shared_services.llm.llama_stack import LlamaStackGateway
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_history import TOKEN, Kept
from tests.upstream import Endless, ScriptedUpstream
from workshop_chat.participants import PARTICIPANT_COOKIE
from workshop_chat.retention import Retention


async def say(http: httpx.AsyncClient, text: str = "How do I deploy the application?", conversation: str = "") -> str:
    if not conversation:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
    asked = await http.post(f"/api/v1/conversations/{conversation}/messages", json={"text": text, "step": "deploy"})
    assert asked.status_code == 200, asked.text
    return conversation


async def listed(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    response = await http.get("/api/v1/conversations", params=params)
    assert response.status_code == 200, response.text
    return response.json()


@asynccontextmanager
async def two(app: FastAPI) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with browser(app) as one, browser(app) as other:
        yield one, other


async def test_a_history_survives_a_restart_and_is_nobody_elses(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, browser(app) as http:
        conversation = await say(http)
        cookies = http.cookies
    async with platform.app("harbor", engine=engine) as app, browser(app, cookies=cookies) as http, browser(app) as other:
        renamed = await http.patch(f"/api/v1/conversations/{conversation}", json={"title": "Deploying"})
        assert renamed.status_code == 200
        assert [(one["id"], one["title"], one["turns"]) for one in await listed(http)] == [(conversation, "Deploying", 1)]
        assert await listed(other) == []
        missing = [
            await other.request(method, f"/api/v1/conversations/{name}{path}", json=body)
            for name in (conversation, "0" * 32, "%00", "x")
            for method, path, body in (
                ("PATCH", "", {"title": "x"}),
                ("DELETE", "", None),
                ("GET", "/export", None),
                ("PUT", "/turns/1/feedback", {"rating": "up"}),
                ("DELETE", "/turns/1/feedback", None),
            )
        ]
        assert {response.status_code for response in missing} == {404}
        # Somebody else's and none at all cannot be told apart.
        told = [{name: text for name, text in response.json().items() if name != "instance"} for response in missing]
        assert all(one == told[0] for one in told)
        assert (await other.get("/api/v1/conversations", params={"before": conversation})).status_code == 404
        assert (await http.delete(f"/api/v1/conversations/{conversation}")).status_code == 204
        assert await listed(http) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/conversations?limit=0", None),
        ("GET", "/conversations?limit=101", None),
        ("PATCH", "/conversations/{}", {"title": ""}),
        ("PATCH", "/conversations/{}", {"title": " \u0000 "}),
        ("PATCH", "/conversations/{}", {"title": "x" * 121}),
        ("PATCH", "/conversations/{}", {"title": "x", "participant": "q"}),
        ("GET", "/conversations/{}/export?format=pdf", None),
        ("PUT", "/conversations/{}/turns/1/feedback", {"rating": "sideways"}),
        ("PUT", "/conversations/{}/turns/1/feedback", {"rating": "up", "reason": "x" * 2001}),
        ("PUT", "/conversations/{}/turns/0/feedback", {"rating": "up"}),
        ("PUT", "/conversations/{}/turns/99999999999999999999/feedback", {"rating": "up"}),
    ],
)
async def test_junk_is_refused(platform: Platform, method: str, path: str, body: Any):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = await say(http)
        response = await http.request(method, "/api/v1" + path.format(conversation), json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_feedback_comes_back_with_the_turn(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, browser(app) as http:
        conversation = await say(http)
        path = f"/api/v1/conversations/{conversation}/turns/1/feedback"
        kept = await http.put(path, json={"rating": "down", "reason": f"My {TOKEN}"})
        assert kept.json() == {"rating": "down", "reason": "My [masked GitHub token]"}
        turn = (await http.get(f"/api/v1/conversations/{conversation}")).json()[0]
        assert turn["feedback"] == kept.json()
        metrics = (await http.get("/metrics")).text
        assert 'workshop_chat_feedback_total{rating="down",workshop="harbor"}' in metrics
        assert (await http.delete(path)).status_code == 204
        assert (await http.get(f"/api/v1/conversations/{conversation}")).json()[0]["feedback"] is None
        assert (await http.put(path.replace("/1/", "/2/"), json={"rating": "up"})).status_code == 404


async def test_a_conversation_is_taken_away_as_a_file(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, browser(app) as http:
        conversation = await say(http)
        as_json = await http.get(f"/api/v1/conversations/{conversation}/export")
        as_text = await http.get(f"/api/v1/conversations/{conversation}/export", params={"format": "markdown"})
    whole = ConversationExport.model_validate_json(as_json.content)
    assert (whole.workshop, whole.title, len(whole.turns)) == ("harbor", "How do I deploy the application?", 1)
    assert whole.turns[0].answer is not None
    name = f"harbor-how-do-i-deploy-the-application-{whole.exported_at:%Y-%m-%d}"
    assert as_json.headers["content-disposition"] == f'attachment; filename="{name}.json"'
    assert as_text.headers["content-disposition"] == f'attachment; filename="{name}.md"'
    assert as_text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert as_text.headers["cache-control"] == "private, no-store"
    assert as_text.text.startswith("# How do I deploy the application?\n")
    assert "\n### Passages\n\n- \\[1\\] " in as_text.text
    assert "(steps/deploy/content.md), line" in as_text.text


async def test_everything_is_taken_away_as_one_file(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, two(app) as (http, other):
        await say(other)
        made = [await say(http), await say(http, "How do I scale it?"), await say(http, "Undo?")]
        me = (await http.get("/api/v1/me")).json()["id"]
        await Kept(engine, "harbor").been(me)
        response = await http.get("/api/v1/export")
    whole = ParticipantExport.model_validate_json(response.content)
    assert response.headers["content-disposition"].startswith('attachment; filename="harbor-my-data-')
    assert (whole.workshop, whole.participant) == ("harbor", me)
    assert len(whole.conversations) == len(made)
    assert [one.turns[0].question for one in whole.conversations][1:] == ["How do I scale it?", "Undo?"]
    assert ("boil", 61.5) in [(step.step, step.seconds) for step in whole.steps]


async def test_nothing_of_a_newcomer_is_an_empty_file(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine) as app, browser(app) as http:
        assert json.loads((await http.get("/api/v1/export")).content)["conversations"] == []


async def test_me_says_who_and_for_how_long(platform: Platform, engine: AsyncEngine):
    async with platform.app("harbor", engine=engine, history_retention_days=30) as app, browser(app) as http:
        await http.post("/join", json={"name": "Ann"})
        me = (await http.get("/api/v1/me")).json()
        token = platform.issuer.issue("author:eve", "chat", seconds=60, workshop="harbor", roles=frozenset({Role.AUTHOR}))
        author = (await http.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})).json()
    assert (me["name"], me["teaches"], me["retention_days"]) == ("Ann", False, 30)
    assert (author["id"], author["teaches"]) == ("author:eve", True)


async def test_delete_my_data_leaves_nothing(platform: Platform, engine: AsyncEngine):
    kept = Kept(engine, "harbor")
    async with platform.app("harbor", engine=engine) as app, two(app) as (http, other):
        conversation = await say(http)
        await say(http, "How do I scale it?", conversation)
        await http.put(f"/api/v1/conversations/{conversation}/turns/1/feedback", json={"rating": "up"})
        await say(other)
        me, them = [(await one.get("/api/v1/me")).json()["id"] for one in (http, other)]
        await kept.been(me)
        steps = len(await kept.history.steps(me))
        removed = await http.delete("/api/v1/me")
        assert removed.status_code == 200
        assert removed.json() == {"conversations": 1, "turns": 2, "feedback": 1, "sessions": 1, "steps": steps}
        assert await kept.rows_of(me) == 0
        assert PARTICIPANT_COOKIE not in http.cookies
        assert (await http.get("/api/v1/me")).json()["id"] != me
        assert len(await listed(other)) == 1
        assert await kept.rows_of(them) > 0
        nothing = (await http.delete("/api/v1/me")).json()
    assert not any(nothing.values())


@pytest.mark.parametrize("path", ["/conversations/{}", "/me"])
async def test_what_is_being_answered_is_stopped_before_it_is_deleted(
    platform: Platform, engine: AsyncEngine, upstream: ScriptedUpstream, model: LlamaStackGateway, path: str
):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    async with platform.app("harbor", gateway=model, engine=engine) as app, browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        me = (await http.get("/api/v1/me")).json()["id"]
        question = {"text": "How do I deploy the application?", "step": "deploy"}
        async with http.stream(
            "POST", f"/api/v1/conversations/{conversation}/messages", json=question, headers={"accept": "text/event-stream"}
        ) as response:
            events = decode(response.aiter_bytes())
            while (await anext(events)).event != "block":
                pass
            assert (
                await http.put(f"/api/v1/conversations/{conversation}/turns/1/feedback", json={"rating": "up"})
            ).status_code == 409
            deleted = await http.delete(f"/api/v1{path.format(conversation)}")
            assert deleted.is_success
            names = [event.event async for event in events]
        assert names[-1] in {"done", "error"}
        await upstream.until(lambda: upstream.requests[0].disconnected)
    kept = Kept(engine, "harbor")
    left = await kept.owned()
    assert (left["chat_conversations"], left["chat_turns"]) == (0, 0)
    assert path != "/me" or await kept.rows_of(me) == 0


@pytest.mark.parametrize("database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_what_another_process_answers_is_stopped_as_well(
    platform: Platform, engine: AsyncEngine, postgres_url: str, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    other = create_engine(postgres_url)
    async with (
        platform.app("harbor", gateway=model, engine=engine) as here,
        platform.app("harbor", gateway=model, engine=other) as there,
        browser(here) as http,
    ):
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        me = (await http.get("/api/v1/me")).json()["id"]
        question = {"text": "How do I deploy the application?", "step": "deploy"}
        async with http.stream(
            "POST", f"/api/v1/conversations/{conversation}/messages", json=question, headers={"accept": "text/event-stream"}
        ) as response:
            events = decode(response.aiter_bytes())
            while (await anext(events)).event != "block":
                pass
            async with browser(there, cookies=http.cookies) as elsewhere:
                assert (await elsewhere.delete("/api/v1/me")).json()["turns"] == 1
            names = [event.event async for event in events]
        assert names[-1] in {"done", "error"}
        await upstream.until(lambda: upstream.requests[0].disconnected)
    assert await Kept(engine, "harbor").rows_of(me) == 0
    await other.dispose()


async def test_only_who_teaches_may_delete_someone_elses_data(platform: Platform, engine: AsyncEngine):
    def bearer(workshop: str, role: Role) -> dict[str, str]:
        token = platform.issuer.issue("author:eve", "chat", seconds=60, workshop=workshop, roles=frozenset({role}))
        return {"authorization": f"Bearer {token}"}

    async with platform.app("harbor", engine=engine) as app, two(app) as (http, other):
        await say(http)
        me = (await http.get("/api/v1/me")).json()["id"]
        path = f"/api/v1/participants/{me}"
        assert (await other.delete(path)).status_code == 403
        assert (await other.delete(path, headers=bearer("harbor", Role.PARTICIPANT))).status_code == 403
        assert (await other.delete(path, headers=bearer("orchard", Role.AUTHOR))).status_code == 403
        assert len(await listed(http)) == 1
        removed = await other.delete(path, headers=bearer("harbor", Role.AUTHOR))
        assert removed.json()["turns"] == 1
        assert await listed(http) == []
        for someone in (me, "nobody", "%00", "a/b"):
            again = await other.delete(f"/api/v1/participants/{someone}", headers=bearer("harbor", Role.AUTHOR))
            assert again.status_code == 404, someone


async def test_old_turns_go_when_the_agent_starts(platform: Platform, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch):
    kept = Kept(engine, "harbor")
    await kept.age(await kept.asked("p", "Old?"), 31)
    await kept.asked("p", "New?")
    swept = anyio.Event()
    sweep = Retention.sweep

    async def watched_sweep(self: Retention) -> dict[str, int]:
        gone = await sweep(self)
        swept.set()
        return gone

    monkeypatch.setattr(Retention, "sweep", watched_sweep)
    async with platform.app("harbor", engine=engine):
        assert (await kept.owned())["chat_turns"] == 2
    async with platform.app("harbor", engine=engine, history_retention_days=30):
        with anyio.fail_after(60):
            await swept.wait()
    assert [one.title for one in await kept.history.conversations("p", 10)] == ["New?"]
