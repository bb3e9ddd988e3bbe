"""One workshop on an empty cluster, by one call of the script: the core comes up and the chat agent answers."""

from tests.cluster.deployment import ROOT, Workshop
from tests.cluster.stage import Stage

QUESTION = "What does it mean that a column has an AUC of 1.000?"


async def test_an_empty_cluster_answers_after_one_call_of_the_script(first_workshop: Workshop, scene: Stage) -> None:
    scene.model.say("A copy of the answer. [1]")
    async with first_workshop.participant() as kim:
        conversation = await kim.conversation()
        by_model = await kim.ask(QUESTION, conversation)
        scene.model.fail(503)
        without_one = await kim.ask(QUESTION, conversation)
        turns = await kim.turns(conversation)
    for reading, written_by in ((by_model, "model"), (without_one, "extractive")):
        assert reading.error is None
        assert reading.done is not None
        assert reading.done.written_by == written_by
        assert {citation.workshop for citation in reading.done.citations} == {first_workshop.name}
    assert [(turn.number, turn.state) for turn in turns] == [(1, "done"), (2, "done")]
    cited = without_one.citations[0]
    lines = (ROOT / "examples" / first_workshop.kind / cited.file).read_text().splitlines()
    assert "\n".join(lines[cited.first_line - 1 : cited.last_line]).strip() == cited.text.strip()
