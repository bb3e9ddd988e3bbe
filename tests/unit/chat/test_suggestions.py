"""Questions that are offered at a step's sections, and what is meant by them."""

import pytest

from workshop_chat.stages.excerpts import sections_of
from workshop_chat.suggestions import question_for, section_meant

STEP = "# Boil\n\nWhy.\n\n## What you need\n\nWater.\n\n### A lid\n\nOf steel.\n\n## Heat it\n\n```sh\nheat\n```\n\n## Recap\n\nA.\n\n# Recap\n\nB.\n"


def test_a_section_holds_what_stands_inside_it_and_nothing_after_it():
    found = {title: (part.first_line, part.last_line, part.heading) for title, part in sections_of(STEP).items()}
    assert found == {
        "Boil": (3, 21, ("Boil",)),
        "What you need": (7, 11, ("Boil", "What you need")),
        "A lid": (11, 11, ("Boil", "What you need", "A lid")),
        "Heat it": (15, 17, ("Boil", "Heat it")),
        "Recap": (21, 21, ("Boil", "Recap")),
    }


@pytest.mark.parametrize("heading", ["What you need", "Try it", "1. Decide", "Use `kubectl` **now**", "Requirements"])
def test_a_question_that_was_offered_means_its_section(heading: str):
    shown = heading.replace("`", "").replace("*", "")
    for question in (question_for(shown), f"What do I do in “{heading}”?", f"What can go wrong in “{heading}”?"):
        assert section_meant(question, ["Another", heading]) == heading
        assert section_meant(question, ["Another"]) is None


@pytest.mark.parametrize("message", ["help", "what do I need?", "How do I try it with steam?", "Try it"])
def test_any_other_message_means_what_it_says(message: str):
    assert section_meant(message, ["What you need", "Try it"]) is None
