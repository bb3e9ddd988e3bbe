"""A safety model in whole conversations: what it refuses, and what each level does while it is away."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared_services.contracts.chat import Answer, CheckVerdict
from shared_services.kit.sse import decode
from shared_services.llm.llama_stack import LlamaStackGateway
from shared_services.llm.moderation import LlamaStackModerator
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import ask, start, turns
from tests.upstream import GUARD, Fail, Raw, Reply, Safe, Say, ScriptedUpstream, Silence, Unsafe, closed_port

PORT = {"text": "Which port does the application listen on?", "step": "deploy"}
LEVELS = ["educational_standard", "security_focused", "healthcare_compliant"]
AWAY = "does not respond right now"


@pytest.fixture
def guard() -> Iterator[ScriptedUpstream]:
    """A safety model's server."""
    with ScriptedUpstream() as server:
        server.judge(lambda _text: Safe())
        yield server


@pytest.fixture
def moderator(guard: ScriptedUpstream) -> LlamaStackModerator:
    return LlamaStackModerator(guard.url, model=GUARD, seconds=15)


@pytest.fixture
def impatient(guard: ScriptedUpstream) -> LlamaStackModerator:
    """For what never answers."""
    return LlamaStackModerator(guard.url, model=GUARD, seconds=1)


def of_model(answer: Answer) -> dict[str, tuple[str, str]]:
    return {check.place: (check.outcome, check.found) for check in answer.checks if check.check == "safety-model"}


async def events(http: httpx.AsyncClient, message: dict[str, Any]) -> list[tuple[str, Any]]:
    address = f"/api/v1/conversations/{await start(http)}/messages"
    async with http.stream("POST", address, json=message, headers={"accept": "text/event-stream"}) as response:
        return [(event.event, event.json()) async for event in decode(response.aiter_bytes())]


async def test_what_is_safe_is_answered_and_says_so(platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator):
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        answer = await ask(http, await start(http), PORT)
    assert "8081" in answer.answer
    assert of_model(answer) == {"message": ("passed", ""), "answer": ("passed", "")}
    assert answer.note == ""
    assert guard.texts_judged[0] == PORT["text"]
    assert "8081" in guard.texts_judged[1]
    assert len(guard.judged) == 2


async def test_greetings_wait_for_no_model(platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator):
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        answer = await ask(http, await start(http), {"text": "Hello!"})
    assert guard.judged == []
    assert of_model(answer) == {}


async def test_an_unsafe_message_is_neither_searched_nor_sent_on(
    platform: Platform,
    guard: ScriptedUpstream,
    moderator: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
):
    guard.judge(lambda text: Unsafe(("violence",)) if "port" in text else Safe())
    async with platform.app("harbor", gateway=model, moderator=moderator) as app, browser(app) as http:
        told = await events(http, PORT)
    done = Answer.model_validate(told[-1][1])
    assert [name for name, _ in told] == ["check", "block", "done"]
    assert CheckVerdict.model_validate(told[0][1]) == CheckVerdict(
        check="safety-model", place="message", outcome="blocked", found="violence"
    )
    assert done.refused
    assert "violence" in done.answer
    assert upstream.requests == []


async def test_a_refused_message_is_not_asked_by_the_next_one(
    platform: Platform,
    guard: ScriptedUpstream,
    moderator: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
):
    guard.judge(lambda text: Unsafe(("violence",)) if "zeppelin" in text else Safe())
    upstream.script(Say("The application listens on port 8081 [1]."))
    async with platform.app("harbor", gateway=model, moderator=moderator) as app, browser(app) as http:
        conversation = await start(http)
        assert (await ask(http, conversation, {"text": "Something about a zeppelin"})).refused
        assert not (await ask(http, conversation, PORT)).refused
    assert "zeppelin" not in json.dumps([request.body for request in upstream.requests])


async def test_despair_that_the_model_finds_is_answered_with_help(
    platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator
):
    guard.judge(lambda _text: Unsafe(("self-harm/intent",)))
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        answer = await ask(http, await start(http), {"text": "Nothing is left for me, and I have written my letters"})
    assert of_model(answer)["message"] == ("care", "self-harm")
    assert "emergency number" in answer.answer


async def test_an_unsafe_piece_ends_the_answer_and_is_nowhere(
    platform: Platform,
    guard: ScriptedUpstream,
    moderator: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
):
    guard.judge(lambda text: Unsafe(("hate",)) if "zeppelin" in text else Safe())
    upstream.script(Say("The application listens on port 8081 [1]. A zeppelin is worse [1]. And so on [1]."))
    async with platform.app("harbor", gateway=model, moderator=moderator) as app, browser(app) as http:
        conversation = await start(http)
        answer = await ask(http, conversation, PORT)
        kept = json.dumps(await turns(http, conversation))
    assert "8081" in answer.answer
    assert answer.refused
    assert answer.answer.endswith("The safety check found hate in the rest of the answer, so I do not give it.")
    assert "zeppelin" not in kept
    assert "And so on" not in kept
    assert of_model(answer) == {"message": ("passed", ""), "answer": ("blocked", "hate")}


async def test_a_piece_is_judged_with_what_goes_before_it(
    platform: Platform,
    guard: ScriptedUpstream,
    moderator: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
):
    upstream.script(Say("The application listens on port 8081 [1]. It is open to all [1]."))
    async with platform.app("harbor", gateway=model, moderator=moderator) as app, browser(app) as http:
        await ask(http, await start(http), PORT)
    assert guard.texts_judged[1:] == [
        "The application listens on port 8081 [1].",
        "The application listens on port 8081 [1]. It is open to all [1].",
    ]


@pytest.mark.parametrize(
    ("level", "found", "outcome"),
    [
        ("security_focused", "illicit", "flagged"),
        ("educational_standard", "illicit", "blocked"),
        ("healthcare_compliant", "illicit", "blocked"),
        ("educational_standard", "privacy", "flagged"),
        ("healthcare_compliant", "privacy", "blocked"),
        ("security_focused", "violence", "blocked"),
    ],
)
async def test_the_level_says_what_a_finding_means(
    platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator, level: str, found: str, outcome: str
):
    guard.judge(lambda text: Unsafe((found,)) if text == PORT["text"] else Safe())
    async with platform.app("harbor", moderator=moderator, safety_level=level) as app, browser(app) as http:
        answer = await ask(http, await start(http), PORT)
    assert of_model(answer)["message"][0] == outcome
    assert answer.refused == (outcome == "blocked")
    assert ("8081" in answer.answer) == (outcome == "flagged")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("reply", [Fail(500), Fail(404), Silence(), Raw(b"<html>", "text/html")])
async def test_while_it_is_away_the_level_decides(
    platform: Platform, guard: ScriptedUpstream, impatient: LlamaStackModerator, level: str, reply: Reply
):
    guard.judge(lambda _text: reply)
    async with platform.app("harbor", moderator=impatient, safety_level=level) as app, browser(app) as http:
        told = await events(http, PORT)
    answer = Answer.model_validate(told[-1][1])
    assert next(data["outcome"] for name, data in told if name == "check") == "unavailable"
    assert "passed" not in {outcome for outcome, _ in of_model(answer).values()}
    if level == "healthcare_compliant":
        assert answer.refused
        assert AWAY in answer.answer
        assert "Ask again in a minute" in answer.answer
        assert not answer.citations
    else:
        assert not answer.refused
        assert "8081" in answer.answer
        assert "checked by rules alone" in answer.note
        assert of_model(answer) == {"message": ("unavailable", ""), "answer": ("unavailable", "")}


async def test_its_silence_is_waited_for_once_an_answer(
    platform: Platform,
    guard: ScriptedUpstream,
    impatient: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
):
    guard.judge(lambda _text: Silence())
    upstream.script(Say("The application listens on port 8081 [1]. It does [1]. So it is [1]."))
    async with platform.app("harbor", gateway=model, moderator=impatient) as app, browser(app) as http:
        assert "So it is" in (await ask(http, await start(http), PORT)).answer
    assert len(guard.judged) == 1


@pytest.mark.parametrize("level", LEVELS)
async def test_it_goes_away_in_mid_answer(
    platform: Platform,
    guard: ScriptedUpstream,
    moderator: LlamaStackModerator,
    upstream: ScriptedUpstream,
    model: LlamaStackGateway,
    level: str,
):
    guard.judge(lambda text: Fail(500) if "zeppelin" in text else Safe())
    upstream.script(Say("The application listens on port 8081 [1]. It is no zeppelin [1]."))
    async with platform.app("harbor", gateway=model, moderator=moderator, safety_level=level) as app, browser(app) as http:
        answer = await ask(http, await start(http), PORT)
    assert "8081" in answer.answer
    assert of_model(answer) == {"message": ("passed", ""), "answer": ("unavailable", "")}
    assert answer.refused == (level == "healthcare_compliant")
    assert ("zeppelin" in answer.answer) == (level != "healthcare_compliant")


async def test_the_rules_come_first(platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator):
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        answer = await ask(http, await start(http), {"text": "How do I write ransomware?"})
    assert answer.refused
    assert guard.judged == []


async def test_a_secret_is_not_shown_to_the_safety_model(
    platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator
):
    token = "ghp_" + "a1B2" * 9
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        await ask(http, await start(http), {"text": f"My token is {token}. {PORT['text']}"})
    assert token not in json.dumps([request.body for request in guard.judged])


async def test_other_faces_are_checked_too(platform: Platform, guard: ScriptedUpstream, moderator: LlamaStackModerator):
    guard.judge(lambda _text: Unsafe(("violence",)))
    async with platform.app("harbor", moderator=moderator) as app, browser(app) as http:
        asked = {"model": "harbor", "messages": [{"role": "user", "content": PORT["text"]}]}
        said = (await http.post("/v1/chat/completions", json=asked)).json()
    assert "violence in your message" in said["choices"][0]["message"]["content"]
    assert said["choices"][0]["finish_reason"] == "content_filter"
    assert [check["outcome"] for check in said["workshop"]["checks"] if check["check"] == "safety-model"] == ["blocked"]
    assert guard.texts_judged == [PORT["text"]]


@pytest.mark.parametrize("level", LEVELS)
async def test_readiness_does_not_hang_on_it_and_tells_of_it(platform: Platform, level: str):
    with closed_port() as address:
        away = LlamaStackModerator(address, model=GUARD, seconds=1)
        async with platform.app("harbor", moderator=away, safety_level=level) as app, browser(app) as http:
            before = await http.get("/readyz")
            await ask(http, await start(http), PORT)
            after = await http.get("/readyz")
    assert (before.status_code, after.status_code) == (200, 200)
    assert "not asked yet" in before.json()["facts"]["safety_model"]
    assert "did not answer when last asked (unreachable)" in after.json()["facts"]["safety_model"]
    assert after.json()["facts"]["safety_level"] == level
