"""The gateway against a scripted server over real HTTP: what it gives, what it makes of trouble, and that it hangs up."""

import time
from contextlib import aclosing

import anyio
import pytest

from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import ChatMessage, Finish
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from shared_services.llm.settings import server_address
from tests.upstream import Endless, Fail, HangUp, Raw, Reply, Say, ScriptedUpstream, Silence, closed_port, model_row

QUICK = Patience(connect=1.0, first_token=1.0, gap=0.4, total=5.0, retries=1)
"""For what is never answered; a loaded machine may be slower than this."""
STEADY = Patience(connect=20.0, first_token=20.0, gap=20.0, total=25.0, retries=1)
ASKED = [ChatMessage("system", "Be short."), ChatMessage("user", "How?")]


async def ask(gateway: LlamaStackGateway) -> tuple[str, Finish]:
    text, finish = "", None
    async with aclosing(gateway.stream(ASKED, max_tokens=50)) as parts:
        async for part in parts:
            assert finish is None, "something came after the finish"
            if isinstance(part, Finish):
                finish = part
            else:
                assert part
                text += part
    assert finish is not None
    return text, finish


async def collect(gateway: LlamaStackGateway, into: list[str | Finish]) -> None:
    async with aclosing(gateway.stream(ASKED, max_tokens=9)) as parts:
        async for part in parts:
            into.append(part)  # noqa: PERF401


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
async def test_streams_an_answer_whatever_the_address_ends_in(suffix: str) -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say("Run `make run`. [1]"))
        gateway = LlamaStackGateway(server_address(upstream.url + suffix), patience=STEADY)
        assert await ask(gateway) == ("Run `make run`. [1]", Finish("stop"))
        assert gateway.name == "scripted-model"
        request = upstream.requests[0]
        assert request.body["messages"] == [{"role": "system", "content": "Be short."}, {"role": "user", "content": "How?"}]
        assert (request.body["max_tokens"], request.body["temperature"], request.body["stream"]) == (50, 0.0, True)
        assert "authorization" not in request.headers


async def test_pieces_arrive_while_the_model_still_writes() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say(["one ", "two ", "three"], gap=0.2))
        started = time.monotonic()
        arrivals: list[float] = []
        async with aclosing(LlamaStackGateway(upstream.url, model="m", patience=STEADY).stream(ASKED, max_tokens=9)) as parts:
            arrivals.extend([time.monotonic() - started async for part in parts if isinstance(part, str)])
        assert len(arrivals) == 3
        assert arrivals[-1] - arrivals[0] > 0.3


async def test_says_when_the_answer_ran_into_its_limit() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say("half of", finish="length"))
        assert await ask(LlamaStackGateway(upstream.url, patience=STEADY)) == ("half of", Finish("length"))


async def test_sends_the_key() -> None:
    with ScriptedUpstream(key="k-1") as upstream:
        assert (await ask(LlamaStackGateway(upstream.url, api_key="k-1", patience=STEADY)))[0] == "Yes. [1]"
        with pytest.raises(ModelUnavailableError) as caught:
            await ask(LlamaStackGateway(upstream.url, api_key="k-2", patience=STEADY))
        assert caught.value.reason == "rejected"
        assert "k-2" not in caught.value.detail


async def test_picks_the_first_language_model() -> None:
    rows = [model_row("vec", "ogx", "embedding"), model_row("order", "ogx", "rerank"), model_row("talk", "ogx")]
    with ScriptedUpstream(models=rows) as upstream:
        gateway = LlamaStackGateway(upstream.url, patience=STEADY)
        await ask(gateway)
        await ask(gateway)
        assert [request.body["model"] for request in upstream.requests] == ["talk", "talk"]
        assert upstream.model_listings == 1
    with ScriptedUpstream(models=[model_row("nomic-embed-text:latest"), model_row("llama3.2:3b")]) as upstream:
        gateway = LlamaStackGateway(upstream.url, patience=STEADY)
        assert await gateway.ready() is None
        assert gateway.name == "llama3.2:3b"


async def test_leaves_thinking_out() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say("<think>Let me see. [9]</think>\n\nYes. [1]", piece=3))
        assert (await ask(LlamaStackGateway(upstream.url, patience=STEADY)))[0] == "Yes. [1]"


async def test_waits_while_a_model_thinks() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say("Yes.", thoughts=20, gap=0.2))
        patience = Patience(connect=20, first_token=3, gap=3, total=60, retries=0)
        assert (await ask(LlamaStackGateway(upstream.url, patience=patience)))[0] == "Yes."


@pytest.mark.parametrize(
    ("reply", "reason", "text", "calls"),
    [
        (Fail(429), "rate_limited", "", 2),
        (Fail(500), "failed", "", 2),
        (Fail(503), "failed", "", 2),
        (Fail(400), "rejected", "", 1),
        (Fail(404), "rejected", "", 1),
        (Silence(), "timeout", "", 1),
        (HangUp(), "cut_off", "", 2),
        (Say("abcdefgh", wait=3), "timeout", "", 1),
        (Say("abcdefgh", gap=3), "timeout", "abcd", 1),
        (Say("abcdefgh", cut_after=1), "cut_off", "abcd", 1),
        (Say("abcdefgh", cut_after=0), "cut_off", "", 2),
        (Say("abcdefgh", end_after=1), "cut_off", "abcd", 1),
        (Say("abcdefgh", error_after=1), "failed", "abcd", 1),
        (Say("abcdefgh", garbage_after=1), "garbage", "abcd", 1),
        (Raw(b"<html>welcome</html>", "text/html"), "garbage", "", 2),
        (Raw(b'data: {"foo": 1}\n\n'), "garbage", "", 2),
        (Raw(b"data: [1, 2]\n\n"), "garbage", "", 2),
        (Raw(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "garbage", "", 2),
        (Raw(b"data: \xff\xfe\n\n"), "garbage", "", 2),
    ],
)
async def test_every_trouble_has_its_reason(reply: Reply, reason: str, text: str, calls: int) -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(reply)
        received: list[str | Finish] = []
        with pytest.raises(ModelUnavailableError) as caught:
            await collect(LlamaStackGateway(upstream.url, model="m", patience=QUICK if reason == "timeout" else STEADY), received)
        assert (caught.value.reason, received, len(upstream.requests)) == (reason, [text] if text else [], calls)
        assert caught.value.problem().model_extra == {"reason": reason}


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with closed_port() as url:
        gateway = LlamaStackGateway(url, patience=STEADY)
        with pytest.raises(ModelUnavailableError) as caught:
            await ask(gateway)
        assert caught.value.reason == "unreachable"
        assert "cannot be reached" in (await gateway.ready() or "")


async def test_what_passes_is_tried_again_before_the_first_words() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Fail(503), Say("Back. [1]"))
        assert (await ask(LlamaStackGateway(upstream.url, patience=STEADY)))[0] == "Back. [1]"
        assert len(upstream.requests) == 2


async def test_a_wait_beyond_the_budget_is_not_waited_for() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Fail(429, headers={"retry-after": "30"}))
        started = time.monotonic()
        with pytest.raises(ModelUnavailableError) as caught:
            await ask(LlamaStackGateway(upstream.url, patience=STEADY))
        assert time.monotonic() - started < 15
        assert caught.value.retry_after == 30.0
        assert len(upstream.requests) == 1


async def test_an_endless_answer_ends_at_the_total() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Endless())
        started = time.monotonic()
        with pytest.raises(ModelUnavailableError) as caught:
            await ask(LlamaStackGateway(upstream.url, patience=Patience(1, 1, 0.5, 0.8, 0)))
        assert caught.value.reason == "timeout"
        assert time.monotonic() - started < 10
        await upstream.until(lambda: upstream.requests[0].disconnected)


async def test_closing_the_stream_hangs_up() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Endless(gap=0.05))
        async with aclosing(LlamaStackGateway(upstream.url, patience=STEADY).stream(ASKED, max_tokens=9)) as parts:
            await anext(parts)
            assert not upstream.requests[0].disconnected
        await upstream.until(lambda: upstream.requests[0].disconnected)


async def test_cancelling_before_the_first_words_hangs_up() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Silence())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, LlamaStackGateway(upstream.url, model="m", patience=Patience()))
            await upstream.until(lambda: bool(upstream.requests))
            tasks.cancel_scope.cancel()
        await upstream.until(lambda: upstream.requests[0].disconnected)
        assert upstream.requests[0].disconnected


async def test_a_server_that_never_says_done_is_not_waited_for() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say("Yes.", done=False, hold_open=True))
        started = time.monotonic()
        assert await ask(LlamaStackGateway(upstream.url, patience=STEADY)) == ("Yes.", Finish("stop"))
        assert time.monotonic() - started < 15


async def test_readiness_names_what_is_wrong() -> None:
    with ScriptedUpstream(models=[model_row("all-minilm:latest")]) as upstream:
        assert "lists no language model" in (await LlamaStackGateway(upstream.url).ready() or "")
        assert "LLM_MODEL" in (await LlamaStackGateway(upstream.url, model="llama3").ready() or "")
        assert await LlamaStackGateway(upstream.url, model="all-minilm").ready() is None
    with ScriptedUpstream(models=Raw(b"<html></html>", "text/html")) as upstream:
        assert "unreadable" in (await LlamaStackGateway(upstream.url).ready() or "")


async def test_a_hundred_streams_do_not_wait_for_each_other() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(lambda request: Say([request.body["messages"][0]["content"], "x", "y"], gap=0.3))
        gateway = LlamaStackGateway(upstream.url, model="m", patience=Patience(first_token=20, gap=10))
        got: dict[int, str] = {}

        async def one(number: int) -> None:
            async with aclosing(gateway.stream([ChatMessage("user", f"<{number}>")], max_tokens=9)) as parts:
                got[number] = "".join([part async for part in parts if isinstance(part, str)])

        started = time.monotonic()
        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(one, number)
        assert got == {number: f"<{number}>xy" for number in range(100)}
        assert time.monotonic() - started < 15
