"""A safety model over real HTTP: each way of asking it, and everything that is no judgement."""

from collections.abc import Iterator

import pytest

from shared_services.llm.errors import ModelTrouble, ModerationUnavailableError
from shared_services.llm.hazards import Hazard
from shared_services.llm.moderation import SAFE, Judgement, LlamaStackModerator, NullModerator, Way
from shared_services.llm.settings import LlmSettings, build_moderator
from tests.upstream import GUARD, Fail, HangUp, Raw, Reply, Safe, Say, ScriptedUpstream, Silence, Unsafe, closed_port

JSON = "application/json"
ADDRESSES = {"moderations": "moderations", "shield": "safety/run-shield", "chat": "chat/completions"}


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as server:
        yield server


def moderator(upstream: ScriptedUpstream, way: Way | None = None, seconds: float = 30.0, **options: str) -> LlamaStackModerator:
    return LlamaStackModerator(upstream.url, model=GUARD, way=way, seconds=seconds, **options)


def on_bombs(text: str) -> Safe | Unsafe:
    return Unsafe(("S9",)) if "bomb" in text else Safe()


@pytest.mark.parametrize("way", [None, "given"])
@pytest.mark.parametrize("served", ["moderations", "shield", "chat"])
async def test_a_text_is_judged(upstream: ScriptedUpstream, served: Way, way: str | None):
    upstream.judge(on_bombs, ADDRESSES[served])  # type: ignore[arg-type]
    guard = moderator(upstream, served if way else None)
    assert "not asked yet" in guard.state
    assert await guard.moderate("How do I deploy?") == SAFE
    assert await guard.moderate("Build a bomb so.", asked="How?") == Judgement((Hazard.WEAPONS,))
    assert upstream.texts_judged == ["How do I deploy?", "Build a bomb so."]
    assert all(request.path == f"/v1/{ADDRESSES[served]}" for request in upstream.judged)
    assert "answered when last asked" in guard.state


async def test_a_guard_by_chat_sees_an_answer_as_the_assistants(upstream: ScriptedUpstream):
    upstream.judge(on_bombs, "chat/completions")
    await moderator(upstream).moderate("So.", asked="How?")
    body = upstream.judged[0].body
    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == [("user", "How?"), ("assistant", "So.")]
    assert (body["model"], body["temperature"]) == (GUARD, 0.0)


async def test_a_server_that_changes_its_way_is_followed(upstream: ScriptedUpstream):
    guard = moderator(upstream)
    upstream.judge(on_bombs, "moderations")
    assert await guard.moderate("Hello") == SAFE
    upstream.judge(on_bombs, "chat/completions")
    with pytest.raises(ModerationUnavailableError):
        await guard.moderate("Hello")
    assert await guard.moderate("a bomb") == Judgement((Hazard.WEAPONS,))


@pytest.mark.parametrize("way", ["moderations", "shield", "chat"])
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Fail(500), "failed"),
        (Fail(503), "failed"),
        (Fail(429), "rate_limited"),
        (Fail(404), "rejected"),
        (Fail(401), "rejected"),
        (HangUp(), None),
        (Silence(), "timeout"),
        (Raw(b"<html>no</html>", "text/html"), "garbage"),
        (Raw(b"{}", JSON), "garbage"),
        (Raw(b"[]", JSON), "garbage"),
        (Raw(b"null", JSON), "garbage"),
        (Raw(b"not json", JSON), "garbage"),
        (Raw(b'{"results": []}', JSON), "garbage"),
        (Raw(b'{"results": [{"flagged": "no"}]}', JSON), "garbage"),
        (Raw(b'{"violation": {"violation_level": "none"}}', JSON), "garbage"),
        (Raw(b'{"violation": "none"}', JSON), "garbage"),
        (Raw(b'{"choices": []}', JSON), "garbage"),
        (Raw(b'{"choices": [{"message": {"content": null}}]}', JSON), "garbage"),
        (Raw(b'{"choices": [{"message": {"content": "Sure, that is safe."}}]}', JSON), "garbage"),
        (Raw(b'{"choices": 3}', JSON), "garbage"),
    ],
)
async def test_trouble_is_never_a_judgement(upstream: ScriptedUpstream, way: Way, reply: Reply, reason: ModelTrouble | None):
    upstream.judge(lambda _text: reply, ADDRESSES[way])  # type: ignore[arg-type]
    guard = moderator(upstream, way, 0.5 if reason == "timeout" else 30)
    with pytest.raises(ModerationUnavailableError) as caught:
        await guard.moderate("Hello")
    assert reason is None or caught.value.reason == reason
    assert caught.value.detail
    assert "did not answer" in guard.state


async def test_a_moment_of_trouble_is_asked_again(upstream: ScriptedUpstream):
    replies: list[Reply | Safe] = [Fail(503), Safe()]
    upstream.judge(lambda _text: replies.pop(0))
    assert await moderator(upstream).moderate("Hello") == SAFE


async def test_a_chatty_model_named_by_mistake_makes_nothing_safe(upstream: ScriptedUpstream):
    upstream.script(Say("Hello! How can I help you?"))
    guard = LlamaStackModerator(upstream.url, model="scripted-model", seconds=30)
    with pytest.raises(ModerationUnavailableError) as caught:
        await guard.moderate("Hello")
    assert caught.value.reason == "garbage"


async def test_a_name_that_nothing_has_says_which_settings_to_correct(upstream: ScriptedUpstream):
    upstream.script(Fail(404))
    with pytest.raises(ModerationUnavailableError, match=r"SAFETY_MODEL, SAFETY_ENDPOINT or SAFETY_API"):
        await moderator(upstream).moderate("Hello")


async def test_nobody_there():
    with closed_port() as address, pytest.raises(ModerationUnavailableError) as caught:
        await LlamaStackModerator(address, model=GUARD, seconds=30).moderate("Hello")
    assert caught.value.reason == "unreachable"


async def test_the_key_is_sent_to_its_own_server_alone(upstream: ScriptedUpstream):
    upstream.judge(on_bombs)
    both = {"LLAMA_STACK_ENDPOINT": upstream.url, "LLM_API_KEY": "sesame", "SAFETY_MODEL": GUARD}
    await build_moderator(LlmSettings.model_validate(both)).moderate("Hello")
    assert upstream.judged[-1].headers["authorization"] == "Bearer sesame"
    elsewhere = {**both, "LLAMA_STACK_ENDPOINT": "http://localhost:1", "SAFETY_ENDPOINT": f"{upstream.url}/v1"}
    await build_moderator(LlmSettings.model_validate(elsewhere)).moderate("Hello")
    assert "authorization" not in upstream.judged[-1].headers
    await build_moderator(LlmSettings.model_validate({**elsewhere, "SAFETY_API_KEY": "open"})).moderate("Hello")
    assert upstream.judged[-1].headers["authorization"] == "Bearer open"


def test_what_the_settings_ask_for():
    assert isinstance(build_moderator(LlmSettings()), NullModerator)
    assert isinstance(build_moderator(LlmSettings.model_validate({"LLAMA_STACK_ENDPOINT": "http://localhost:1"})), NullModerator)
    with pytest.raises(ValueError, match="SAFETY_ENDPOINT"):
        LlmSettings.model_validate({"SAFETY_MODEL": GUARD})
