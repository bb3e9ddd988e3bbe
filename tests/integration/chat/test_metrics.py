"""What `/metrics` says of each workshop, and that two workshops in one process are told apart."""

import re

import pytest
from fastapi import FastAPI

from shared_services.llm.llama_stack import LlamaStackGateway
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import DEPLOY, ask, start
from tests.upstream import Fail, Say, ScriptedUpstream
from workshop_chat import metrics


async def counts(app: FastAPI, workshop: str) -> dict[str, float]:
    """Samples by name and further labels, without the workshop's own."""
    async with browser(app, workshop) as http:
        text = (await http.get("/metrics")).text
    found = re.findall(rf'^(workshop_chat_\w+){{(.*?),?workshop="{workshop}"(.*?)}} (\S+)$', text, re.MULTILINE)
    return {f"{name}{{{(before + after).strip(',')}}}": float(value) for name, before, after, value in found}


def more(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after.get(name, 0.0) - before.get(name, 0.0)


def counted(samples: dict[str, float]) -> dict[str, float]:
    """What has happened; how many sessions there are is what each sweep sees, whoever left them behind."""
    return {name: value for name, value in samples.items() if value and not name.startswith("workshop_chat_sessions{")}


@pytest.mark.parametrize(
    ("reply", "reason", "writer"),
    [
        (Say("Apply its manifest [1]."), "", "model"),
        (Fail(429), "rate_limited", "extractive"),
        (Fail(400), "rejected", "extractive"),
    ],
)
async def test_the_model_is_counted_for_its_workshop_alone(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway, reply: Say | Fail, reason: str, writer: str
):
    upstream.script(reply)
    async with platform.app("harbor", gateway=model) as app, platform.app("orchard", gateway=model) as other:
        before, beside = await counts(app, "harbor"), await counts(other, "orchard")
        async with browser(app) as http:
            await ask(http, await start(http), DEPLOY)
        after, unmoved = await counts(app, "harbor"), await counts(other, "orchard")
    assert more(before, after, "workshop_chat_questions_total{}") == 1
    assert more(before, after, f'workshop_chat_answers_total{{writer="{writer}"}}') == 1
    assert more(before, after, f'workshop_chat_model_errors_total{{reason="{reason}"}}') == (1 if reason else 0)
    assert more(before, after, "workshop_chat_model_first_words_seconds_count{}") == (0 if reason else 1)
    assert more(before, after, "workshop_chat_first_block_seconds_count{}") == 1
    assert after["workshop_chat_model_streams{}"] == 0
    assert counted(unmoved) == counted(beside)


async def test_what_alerts_look_at_is_counted_from_zero(platform: Platform):
    looked_at = ("interrupted_total", "abstentions_total", "questions_total", "model_errors_total")
    for counter in (metrics.INTERRUPTED, metrics.ABSTENTIONS, metrics.QUESTIONS, metrics.MODEL_ERRORS):
        counter.clear()
    async with platform.app("harbor") as app:
        found = await counts(app, "harbor")
    named = {name: value for name, value in found.items() if name.removeprefix("workshop_chat_").startswith(looked_at)}
    assert set(named.values()) == {0.0}
    assert {name.removeprefix("workshop_chat_").partition("{")[0] for name in named} == set(looked_at)
    assert 'workshop_chat_model_errors_total{reason="timeout"}' in named
