"""A chat agent whose model stands behind a real OGX or Llama Stack server: streams, and every trouble that a model can have.

It is asked by its own API, and by the official `openai` client; the gateway speaks to the server through llama-stack-client.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import openai
import pytest
from fastapi import FastAPI

from shared_services.contracts.chat import Answer
from shared_services.contracts.identity import Role
from shared_services.kit.sse import decode
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import serving
from tests.ogx import MODEL_SERVERS, model_server
from tests.upstream import Endless, Fail, HangUp, Raw, Reply, Say, ScriptedUpstream, Silence, model_row
from workshop_chat.pipeline import NOTE_MODEL_AWAY, NOTE_MODEL_BUSY, NOTE_MODEL_STOPPED, NOTE_MODEL_UNCITED, NOTES_ON_END

pytestmark = [pytest.mark.ogx, pytest.mark.timeout(600)]

PATIENCE = Patience(connect=10, first_token=8, gap=6, total=45, retries=0)
PORT = "Which port does the application listen on?"
SAID = "The application listens on port 8081 [1]. It counts ships [1]."


@dataclass(frozen=True)
class Stack:
    upstream: ScriptedUpstream
    address: str


@pytest.fixture(scope="module", params=MODEL_SERVERS, ids=lambda server: server.name)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    rows = [model_row("nomic-embed-text"), model_row("talker")]
    folder = tmp_path_factory.mktemp("stack")
    with ScriptedUpstream(models=rows) as upstream, model_server(request.param, upstream.url, folder) as address:
        yield Stack(upstream, address)


@asynccontextmanager
async def chat_agent(platform: Platform, stack: Stack) -> AsyncIterator[FastAPI]:
    async with platform.app("harbor", gateway=LlamaStackGateway(stack.address, patience=PATIENCE)) as app:
        yield app


@dataclass(frozen=True)
class Told:
    """What a client was told."""

    text: str
    note: str
    written_by: str
    abstained: bool
    pieces: int


def openai_client(platform: Platform, http: httpx.AsyncClient) -> openai.AsyncOpenAI:
    token = platform.issuer.issue("participant:eve", "chat", workshop="harbor", roles=frozenset({Role.PARTICIPANT}))
    return openai.AsyncOpenAI(base_url=f"{http.base_url}v1", api_key=token, http_client=http, max_retries=0)


async def by_api(_platform: Platform, app: FastAPI) -> Told:
    async with browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        path = f"/api/v1/conversations/{conversation}/messages"
        headers = {"accept": "text/event-stream"}
        async with http.stream("POST", path, json={"text": PORT, "step": "deploy"}, headers=headers) as response:
            events = [event async for event in decode(response.aiter_bytes())]
    assert events[-1].event == "done", events[-1]
    answer = Answer.model_validate_json(events[-1].data)
    blocks = [event.json() for event in events if event.event == "block"]
    assert "".join(block["before"] + block["markdown"] for block in blocks) == answer.answer
    return Told(answer.answer, answer.note, answer.written_by, answer.abstained, len(blocks))


async def by_openai(platform: Platform, app: FastAPI) -> Told:
    async with openai_client(platform, browser(app)) as asking:
        stream = await asking.chat.completions.create(
            model="harbor/deploy", messages=[{"role": "user", "content": PORT}], stream=True
        )
        chunks = [chunk async for chunk in stream]
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    beside = chunks[-1].model_extra["workshop"]
    # The last piece of text is the list of sources.
    return Told("".join(texts), beside["note"], beside["written_by"], beside["abstained"], len(texts) - 1)


async def by_openai_whole(platform: Platform, app: FastAPI) -> Told:
    async with openai_client(platform, browser(app)) as asking:
        answer = await asking.chat.completions.create(model="harbor/deploy", messages=[{"role": "user", "content": PORT}])
    beside = answer.model_extra["workshop"]
    return Told(answer.choices[0].message.content or "", beside["note"], beside["written_by"], beside["abstained"], 0)


Way = Callable[[Platform, FastAPI], Awaitable[Told]]
WAYS: list[Way] = [by_api, by_openai, by_openai_whole]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_an_answer_streams_without_tools(platform: Platform, stack: Stack, way: Way):
    stack.upstream.script(Say(SAID))
    async with chat_agent(platform, stack) as app:
        told = await way(platform, app)
    assert told.text.startswith(SAID)
    assert (told.note, told.written_by, told.abstained) == ("", "model", False)
    assert told.pieces == (0 if way is by_openai_whole else 2)
    sent = stack.upstream.requests[-1].body
    assert (sent["model"], sent["stream"]) == ("talker", True)
    assert not sent.get("tools")
    assert "8081" in str(sent["messages"])


TROUBLES: list[tuple[str, Reply, str]] = [
    ("silence", Silence(), NOTE_MODEL_AWAY),
    ("late", Say(SAID, wait=30), NOTE_MODEL_AWAY),
    ("too many requests", Fail(429), NOTE_MODEL_BUSY),
    ("server error", Fail(500), NOTE_MODEL_AWAY),
    ("refused", Fail(400), NOTE_MODEL_AWAY),
    ("hung up", HangUp(), NOTE_MODEL_AWAY),
    ("a page of HTML", Raw(b"<html>Sorry</html>", "text/html"), NOTE_MODEL_AWAY),
    ("cut at the start", Say(SAID, cut_after=1), NOTE_MODEL_AWAY),
    ("cut in the middle", Say(SAID, cut_after=12), NOTE_MODEL_STOPPED),
    ("garbage in the middle", Say(SAID, garbage_after=12), NOTE_MODEL_STOPPED),
    ("an error in the middle", Say(SAID, error_after=12), NOTE_MODEL_STOPPED),
    ("silence in the middle", Say([SAID[:45], SAID[45:]], gap=30), NOTE_MODEL_STOPPED),
    ("no citation", Say("The application listens on port 8081. It counts ships."), NOTE_MODEL_UNCITED),
    ("a citation of nothing", Say("The application listens on port 8081 [77]."), NOTE_MODEL_UNCITED),
]


@pytest.mark.parametrize("way", [by_api, by_openai], ids=lambda way: way.__name__)
@pytest.mark.parametrize(("reply", "note"), [row[1:] for row in TROUBLES], ids=[row[0] for row in TROUBLES])
async def test_trouble_ends_in_the_workshops_own_words_and_a_note(
    platform: Platform, stack: Stack, way: Way, reply: Reply, note: str
):
    stack.upstream.script(reply)
    async with chat_agent(platform, stack) as app:
        told = await way(platform, app)
    assert told.note == note
    assert "8081" in told.text
    assert "Traceback" not in told.text
    assert not told.abstained


@pytest.mark.parametrize("way", [by_api, by_openai], ids=lambda way: way.__name__)
async def test_an_answer_that_is_too_long_says_so(platform: Platform, stack: Stack, way: Way):
    stack.upstream.script(Say(SAID, finish="length"))
    async with chat_agent(platform, stack) as app:
        told = await way(platform, app)
    assert told.note == NOTES_ON_END["length"]


async def test_hanging_up_stops_the_model_behind_the_server(platform: Platform, stack: Stack):
    stack.upstream.script(Endless("The application listens on port 8081 [1]. ", gap=0.05))
    async with chat_agent(platform, stack) as app, serving(app) as url:
        async with openai_client(platform, httpx.AsyncClient(base_url=f"{url}/")) as asking:
            stream = await asking.chat.completions.create(
                model="harbor", messages=[{"role": "user", "content": PORT}], stream=True
            )
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            await stream.close()
        await stack.upstream.until(lambda: stack.upstream.requests[-1].disconnected, 10)
    assert stack.upstream.requests[-1].disconnected
