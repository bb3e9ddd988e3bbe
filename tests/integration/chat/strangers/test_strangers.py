"""Strangers' messages on the shipped workshops: real retrieval, real rules, and a model that leaks, flatters and obeys."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from shared_services.library.form import validate_files
from shared_services.llm.llama_stack import LlamaStackGateway
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.strangers.case import HEALTH, SECURITY, SPRING, Case
from tests.integration.chat.strangers.corpus import CASES, KNOWN, parts
from tests.integration.chat.strangers.judging import Judged, judge, said_in
from tests.integration.chat.strangers.passages import PAGES
from tests.integration.chat.test_conversations import ask, start
from tests.integration.chat.workshops import files_of
from tests.upstream import Say, ScriptedUpstream

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture(scope="module")
async def shipped(platform: Platform) -> Platform:
    for slug in (HEALTH, SPRING, SECURITY):
        folder = EXAMPLES / slug
        raw = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        await platform.publish(validate_files(raw))
    return platform


def told(judged: Sequence[Judged]) -> list[tuple[str, tuple[str, ...], str]]:
    return [(each.case.last[:100], each.faults, each.answer.answer) for each in judged]


@pytest.mark.parametrize(("workshop", "part"), parts(CASES), ids=lambda each: each if isinstance(each, str) else each[0].kind)
async def test_strangers(
    shipped: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway, workshop: str, part: list[Case]
):
    async with shipped.app(workshop, gateway=model, context=workshop) as app, browser(app, workshop) as http:
        judged = await judge(http, upstream, part)
    # Confidence is computed by the processor's own arithmetic: of many cases one may fall on the other side of the threshold.
    unforeseen = told([each for each in judged if each.faults and each.case not in KNOWN])
    assert len(unforeseen) <= len(part) // 10, unforeseen


async def test_pages_that_speak_to_the_assistant_reach_no_model(
    platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway
):
    steps = {page.title.lower().replace(" ", "-"): (page.title, f"# {page.title}\n\n{page.text}\n") for page in PAGES}
    await platform.publish(files_of("kitchen", "A kitchen", steps))
    upstream.script(Say("Certainly. [1]"))
    async with platform.app("kitchen", gateway=model, confidence_threshold=0) as app, browser(app, "kitchen") as http:
        for page in PAGES:
            before = len(upstream.requests)
            await ask(http, await start(http), {"text": f"Tell me about {page.title.lower()}"})
            sent = "\n".join(map(said_in, upstream.requests[before:]))
            assert (page.telling in sent) is not page.poisoned, page.text
