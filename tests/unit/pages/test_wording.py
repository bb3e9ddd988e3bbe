"""What the page says of an answer: who wrote it, which checks were made, how long it took."""

from typing import Any, get_args

import pytest

from shared_services.contracts.chat import Answer, BlockRef, CheckVerdict, StoredTurn
from tests.unit.chat.worlds import passage, published, shared_passage
from workshop_chat.pages import views
from workshop_chat.pages.wording import MODES, WORDS, check_line, time_line, writer_of
from workshop_chat.pipeline import citation_of
from workshop_chat.safety.levels import RULES


def answer(**fields: Any) -> Answer:
    given = {"conversation": "c", "answer": "Yes.", "abstained": False, "written_by": "model", "nearest": [], "citations": []}
    return Answer.model_validate({**given, "timings": {}, **fields})


def verdict(**fields: Any) -> CheckVerdict:
    return CheckVerdict.model_validate({"check": "secrets", "place": "message", "outcome": "passed", **fields})


OWN = [citation_of(1, passage("Start."))]
SHARED = [citation_of(1, shared_passage("Use vinegar."))]


@pytest.mark.parametrize(
    ("fields", "writer"),
    [
        ({}, "model"),
        ({"written_by": "extractive"}, "fixed"),
        ({"written_by": "extractive", "citations": OWN}, "workshop"),
        ({"written_by": "extractive", "citations": SHARED}, "sources"),
        ({"general_knowledge": True}, "general"),
    ],
)
def test_an_answer_says_whose_words_it_is_made_of(fields: dict[str, Any], writer: str):
    assert writer_of(answer(**fields)) == writer
    assert WORDS["writers"][writer]


BLOCKED = verdict(check="attack", outcome="blocked", found="help to attack others")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "plain"),
        ({"abstained": True}, "abstained"),
        ({"abstained": True, "general_knowledge": True}, "general"),
        ({"abstained": True, "asks_back": True}, "asks"),
        ({"refused": True, "abstained": True}, "refused"),
        ({"refused": True, "checks": [BLOCKED]}, "refused"),
        ({"refused": True, "checks": [verdict(), verdict(place="answer", outcome="blocked")]}, "held"),
        ({"refused": True, "checks": [verdict(check="self-harm", outcome="care"), BLOCKED]}, "care"),
    ],
)
def test_an_answer_looks_like_what_it_is(fields: dict[str, Any], kind: str):
    assert views.kind_of(answer(**fields)) == kind


def test_a_check_is_told_in_words_and_one_that_was_not_made_never_as_passed():
    assert check_line(verdict()) == "Passwords and keys in your message: nothing found"
    masked = verdict(outcome="masked", found="a password")
    assert check_line(masked) == "Passwords and keys in your message: found, and masked (a password)"
    away = verdict(check="guard-model", outcome="unavailable", place="answer")
    assert check_line(away) == "Guard model in the answer: not checked"


def test_there_are_words_for_every_way_check_place_and_outcome():
    outcomes = CheckVerdict.model_fields["outcome"].annotation
    places = CheckVerdict.model_fields["place"].annotation
    assert set(WORDS["outcomes"]) == set(get_args(outcomes))
    assert set(WORDS["places"]) == set(get_args(places))
    assert set(RULES) <= set(WORDS["checks"])
    assert list(MODES) == ["hint", "explain", "solve"]


def test_times_are_told_in_tenths_of_seconds():
    timings = {"total": 61_250.0, "retrieve": 99.9, "first_block": 250.0}
    assert time_line(timings) == "looked for passages for less than 0.1 s, first words after 0.2 s, whole after 61.2 s"
    assert time_line({}) == ""


def test_a_question_about_a_block_leads_to_it_while_its_step_is_there():
    turn = StoredTurn(
        number=1, question="Explain this.", step="boil", about=BlockRef(first_line=5, last_line=7), state="done", answer=answer()
    )
    about = views.turn_view(turn, published(), lambda step: f"/s/{step}").about
    assert about == views.About("/s/boil?mark=5-7", "lines 5–7", "5-7")
    gone = turn.model_copy(update={"step": "gone"})
    assert views.turn_view(gone, published(), str).about is None
