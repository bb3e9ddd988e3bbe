"""How `workshop ask` names the places that an answer rests on."""

import pytest

from shared_services.contracts.chat import Answer
from tests.unit.chat.worlds import passage, shared_passage
from workshop_chat.pipeline import citation_of
from workshop_chat.stages.decide import nearest_sections
from workshop_cli.commands.ask import _show_places


def test_places_of_a_workshop_and_of_a_shared_document(capsys: pytest.CaptureFixture[str]) -> None:
    passages = [passage("Start it."), shared_passage("Use vinegar.", title="Kettles [bold]at\x1b[31m work")]
    answer = Answer(
        conversation="c",
        answer="",
        abstained=True,
        written_by="extractive",
        nearest=nearest_sections(passages),
        citations=[citation_of(number, one) for number, one in enumerate(passages, 1)],
        timings={},
    )
    _show_places(answer)
    said = " ".join(capsys.readouterr().out.split())
    assert "[1] steps/boil/content.md:3 Boil the water (source docs/boil.md:3)" in said
    assert "[2] guides/kettles.pdf:7 shared document: Kettles [bold]at" in said
    assert "work > Descaling" in said
    assert "\x1b[31m" not in said
    assert "Nearest sections: Boil the water steps/boil/content.md:3 shared document: Kettles" in said
    assert '"document":{"id":"kettles-at-work"' in answer.model_dump_json(include={"citations"})
