"""The gateway through a real OGX server, and a real Llama Stack one: its models, its streams, its errors, and that hanging up reaches the model."""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from shared_services.llm.errors import ModelUnavailableError, ModerationUnavailableError
from shared_services.llm.gateway import ChatMessage, Finish
from shared_services.llm.hazards import Hazard
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from shared_services.llm.moderation import SAFE, Judgement, LlamaStackModerator
from shared_services.llm.settings import server_address
from tests.ogx import MODEL_SERVERS, model_server
from tests.upstream import GUARD, Endless, Fail, Raw, Reply, Safe, Say, ScriptedUpstream, Silence, Unsafe, model_row

pytestmark = [pytest.mark.ogx, pytest.mark.timeout(600)]

PATIENCE = Patience(connect=10, first_token=8, gap=6, total=45, retries=0)
ASKED = [ChatMessage("system", "Be short."), ChatMessage("user", "How?")]


@dataclass(frozen=True)
class Stack:
    upstream: ScriptedUpstream
    address: str

    def gateway(self, patience: Patience = PATIENCE) -> LlamaStackGateway:
        return LlamaStackGateway(self.address, patience=patience)


@pytest.fixture(scope="module", params=MODEL_SERVERS, ids=lambda server: server.name)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    rows = [model_row("nomic-embed-text"), model_row(GUARD), model_row("talker")]
    with (
        ScriptedUpstream(models=rows) as upstream,
        model_server(request.param, upstream.url, tmp_path_factory.mktemp("stack")) as address,
    ):
        yield Stack(upstream, address)


async def ask(gateway: LlamaStackGateway) -> tuple[list[str], Finish | None]:
    pieces, finish = [], None
    async with aclosing(gateway.stream(ASKED, max_tokens=50)) as parts:
        async for part in parts:
            if isinstance(part, Finish):
                finish = part
            else:
                pieces.append(part)
    return pieces, finish


async def test_it_is_ready_and_the_language_model_is_picked(stack: Stack) -> None:
    gateway = stack.gateway()
    assert await gateway.ready() is None
    assert gateway.name == "scripted/talker"
    named = LlamaStackGateway(stack.address, model="scripted/talker")
    assert await named.ready() is None
    assert "LLM_MODEL" in (await LlamaStackGateway(stack.address, model="talker-2").ready() or "")


async def test_an_answer_streams(stack: Stack) -> None:
    stack.upstream.script(Say(["Run ", "`make run`. ", "[1]"], gap=0.1))
    assert await ask(stack.gateway()) == (["Run ", "`make run`. ", "[1]"], Finish("stop"))
    assert stack.upstream.requests[-1].body["messages"][1]["content"] == "How?"
    assert stack.upstream.requests[-1].body["model"] == "talker"


async def test_an_address_with_v1_works_too(stack: Stack) -> None:
    stack.upstream.script(Say("Yes."))
    pieces, _ = await ask(LlamaStackGateway(server_address(stack.address + "/v1/"), patience=PATIENCE))
    assert "".join(pieces) == "Yes."


async def test_the_limit_is_told(stack: Stack) -> None:
    stack.upstream.script(Say("half", finish="length"))
    assert (await ask(stack.gateway()))[1] == Finish("length")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Fail(500), "failed"),
        (Fail(429), "rate_limited"),
        (Fail(400), "rejected"),
        (Silence(), "timeout"),
        (Say("abcdefgh", wait=30), "timeout"),
        (Say("abcdefgh", cut_after=1), "failed"),
        (Say("abcdefgh", garbage_after=1), "failed"),
        (Say("abcdefgh", error_after=1), "failed"),
    ],
)
async def test_upstream_trouble_is_trouble(stack: Stack, reply: Say | Fail | Silence, reason: str) -> None:
    stack.upstream.script(reply)
    with pytest.raises(ModelUnavailableError) as caught:
        await ask(stack.gateway())
    assert caught.value.reason == reason


async def test_hanging_up_reaches_the_model(stack: Stack) -> None:
    stack.upstream.script(Endless(gap=0.05))
    async with aclosing(stack.gateway().stream(ASKED, max_tokens=50)) as parts:
        await anext(parts)
    await stack.upstream.until(lambda: stack.upstream.requests[-1].disconnected, 60)
    assert stack.upstream.requests[-1].disconnected


async def test_a_guard_model_judges_by_chat_which_is_ogx_s_only_way(stack: Stack) -> None:
    stack.upstream.judge(lambda text: Unsafe(("S9",)) if "bomb" in text else Safe(), "chat/completions")
    guard = LlamaStackModerator(stack.address, model=f"scripted/{GUARD}", seconds=20)
    assert await guard.moderate("How do I deploy?") == SAFE
    assert await guard.moderate("Build a bomb so.", asked="How?") == Judgement((Hazard.WEAPONS,))
    assert "by chat" in guard.state
    assert [turn["role"] for turn in stack.upstream.judged[-1].body["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    "reply", [Fail(500), Fail(429), Fail(404), Silence(), Say("Sure, that is safe!"), Raw(b"<html>", "text/html")]
)
async def test_what_is_no_judgement_is_none(stack: Stack, reply: Reply) -> None:
    stack.upstream.judge(lambda _text: reply, "chat/completions")
    with pytest.raises(ModerationUnavailableError):
        await LlamaStackModerator(stack.address, model=f"scripted/{GUARD}", seconds=4).moderate("Hello")
