"""How much one may ask, over two processes, and how answers wait in line for a busy model."""

import asyncio
from collections.abc import AsyncGenerator

import anyio
import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.kit.sse import decode
from shared_services.llm.gateway import Finish
from tests.integration.chat.houses import House, browser, following
from workshop_chat.pipeline import NOTE_MODEL_BUSY


async def test_the_rate_is_counted_over_both_processes(processes: list[AsyncEngine]):
    house = House()
    async with (
        house.app(processes[0], messages_per_minute=3) as one,
        house.app(processes[1], messages_per_minute=3) as two,
        browser(one) as ada,
        browser(two) as bob,
    ):
        conversation = (await ada.post("/api/v1/conversations")).json()["id"]
        path = f"/api/v1/conversations/{conversation}/messages"
        async with browser(two, cookies=ada.cookies) as elsewhere:
            for person in (ada, elsewhere, ada):
                assert (await person.post(path, json={"text": "How do I heat?"})).status_code == 200
            for person in (ada, elsewhere):
                refused = await person.post(path, json={"text": "How do I heat?"})
                assert refused.status_code == 429
                assert refused.json()["type"].endswith("too-many-messages")
                assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert len((await ada.get(f"/api/v1/conversations/{conversation}")).json()) == 3
        other = (await bob.post("/api/v1/conversations")).json()["id"]
        assert (await bob.post(f"/api/v1/conversations/{other}/messages", json={"text": "Heat?"})).status_code == 200


async def test_messages_sent_at_one_moment_are_counted_one_by_one(processes: list[AsyncEngine]):
    house = House()
    bounds = {"messages_per_minute": 3, "answers_at_once": 0}
    async with house.app(processes[0], **bounds) as one, house.app(processes[1], **bounds) as two, browser(one) as ada:
        conversation = (await ada.post("/api/v1/conversations")).json()["id"]
        path = f"/api/v1/conversations/{conversation}/messages"
        async with browser(two, cookies=ada.cookies) as elsewhere:
            sent = [person.post(path, json={"text": "How do I heat?"}) for person in (ada, elsewhere) * 6]
            statuses = [response.status_code for response in await asyncio.gather(*sent)]
    assert (statuses.count(200), statuses.count(429)) == (3, 9)


async def test_faces_that_keep_nothing_count_in_their_process(processes: list[AsyncEngine]):
    house = House()
    async with house.app(processes[0], messages_per_minute=2) as app, browser(app) as ada:
        asked = {"model": "kettle", "messages": [{"role": "user", "content": "How do I heat?"}]}
        answers = [await ada.post("/v1/chat/completions", json=asked) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["code"] == "too-many-messages"
    assert int(answers[2].headers["retry-after"]) >= 1


async def test_what_is_too_long_is_told_so(apps: tuple[House, FastAPI, FastAPI]):
    _, one, _ = apps
    async with browser(one) as ada:
        conversation = (await ada.post("/api/v1/conversations")).json()["id"]
        path = f"/api/v1/conversations/{conversation}/messages"
        log = "$ kettle start\nError: no such kettle at /dev/kettle0\n" * 4000
        refused = await ada.post(path, json={"text": log})
        assert refused.status_code == 413
        assert f"{len(log):,} characters, and at most 8,000 are read. It looks like pasted output" in refused.json()["detail"]
        huge = await ada.post(path, content=b"[" * 3_000_000, headers={"content-type": "application/json"})
        assert (huge.status_code, huge.json()["title"]) == (413, "Too large")
        asked = {"model": "kettle", "messages": [{"role": "user", "content": "x" * 8001}]}
        assert (await ada.post("/v1/chat/completions", json=asked)).json()["error"]["code"] == "message-too-long"


class Turnstile:
    """A model that is let go answer by answer."""

    configured = True
    name = "turnstile"

    def __init__(self) -> None:
        self.asked: asyncio.Queue[anyio.Event] = asyncio.Queue()

    async def stream(self, messages: object, *, max_tokens: int, temperature: float = 0.0) -> AsyncGenerator[str | Finish]:
        go_on = anyio.Event()
        self.asked.put_nowait(go_on)
        await go_on.wait()
        yield "Start heating with one command [1].\n"
        yield Finish("stop")

    async def ready(self) -> str | None:
        return None


async def asked(http: httpx.AsyncClient) -> str:
    conversation = (await http.post("/api/v1/conversations")).json()["id"]
    return f"/api/v1/conversations/{conversation}/messages"


async def test_answers_wait_in_line_for_a_busy_model(processes: list[AsyncEngine]):
    model = Turnstile()
    question = {"text": "How do I start heating?"}
    stream = {"accept": "text/event-stream"}
    async with (
        House().app(processes[0], gateway=model, model_streams=1) as app,
        browser(app) as ada,
        browser(app) as bob,
        ada.stream("POST", await asked(ada), json=question, headers=stream) as first,
    ):
        to_ada = decode(first.aiter_bytes())
        await following(to_ada, "status", lambda status: status["stage"] == "writing")
        async with bob.stream("POST", await asked(bob), json=question, headers=stream) as second:
            to_bob = decode(second.aiter_bytes())
            told = await following(to_bob, "status", lambda status: status["stage"] == "waiting")
            assert (told["position"], told["message"]) == (1, "The model is busy. You are next in line.")
            assert model.asked.qsize() == 1
            (await model.asked.get()).set()
            assert (await following(to_ada, "done", lambda _: True))["written_by"] == "model"
            with anyio.fail_after(60):
                (await model.asked.get()).set()
            assert (await following(to_bob, "done", lambda _: True))["written_by"] == "model"


async def test_who_waits_too_long_gets_the_sources_own_words(processes: list[AsyncEngine]):
    model = Turnstile()
    question = {"text": "How do I start heating?"}
    async with (
        House().app(processes[0], gateway=model, model_streams=1, model_wait_seconds=0) as app,
        browser(app) as ada,
        browser(app) as bob,
        ada.stream("POST", await asked(ada), json=question, headers={"accept": "text/event-stream"}) as first,
    ):
        await following(decode(first.aiter_bytes()), "status", lambda status: status["stage"] == "writing")
        answer = (await bob.post(await asked(bob), json=question)).json()
        assert (answer["written_by"], answer["note"]) == ("extractive", NOTE_MODEL_BUSY)
        (await model.asked.get()).set()
