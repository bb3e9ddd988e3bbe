"""Three workshops on one cluster, by the script: each chat agent answers from its own content."""

import pytest

from shared_services.contracts.chat import Answer
from tests.cluster.deployment import ROOT, Workshop
from tests.cluster.stage import Stage

QUESTIONS = {
    "healthcare-ml": "What does it mean that a column has an AUC of 1.000?",
    "spring-boot": "How do I write a test for the controller?",
    "k8s-security": "How do I forbid pods to run as root?",
}


def assert_cites_its_own_content(answer: Answer, workshop: Workshop) -> None:
    assert not answer.abstained
    assert answer.citations
    for citation in answer.citations:
        assert citation.workshop == workshop.name
        lines = (ROOT / "examples" / workshop.kind / citation.file).read_text().splitlines()
        assert "\n".join(lines[citation.first_line - 1 : citation.last_line]).strip() == citation.text.strip()


@pytest.mark.parametrize("which", range(3), ids=list(QUESTIONS))
async def test_each_chat_agent_answers_by_the_model_and_cites_its_own_content(
    workshops: list[Workshop], scene: Stage, which: int
) -> None:
    workshop = workshops[which]
    scene.model.say(f"So it is in {workshop.name}. [1]")
    async with workshop.participant() as kim:
        reading = await kim.ask(QUESTIONS[workshop.kind])
    assert reading.error is None
    assert reading.done is not None
    assert reading.done.written_by == "model"
    assert f"So it is in {workshop.name}." in reading.done.answer
    assert_cites_its_own_content(reading.done, workshop)


@pytest.mark.parametrize("which", range(3), ids=list(QUESTIONS))
async def test_each_chat_agent_answers_in_its_sources_words_where_the_model_fails(
    workshops: list[Workshop], scene: Stage, which: int
) -> None:
    workshop = workshops[which]
    scene.model.fail(503)
    async with workshop.participant() as kim:
        reading = await kim.ask(QUESTIONS[workshop.kind])
    assert reading.error is None
    assert reading.done is not None
    assert reading.done.written_by == "extractive"
    assert_cites_its_own_content(reading.done, workshop)


async def test_what_another_workshop_teaches_is_not_answered(workshops: list[Workshop], scene: Stage) -> None:
    clinic = workshops[0]
    async with clinic.participant() as kim:
        reading = await kim.ask(QUESTIONS["spring-boot"])
    assert reading.error is None
    assert reading.done is not None
    assert reading.done.abstained
    assert not reading.done.citations
