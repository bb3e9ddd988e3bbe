"""What safety models call things, and what their answers mean."""

import pytest

from shared_services.llm.errors import ModerationUnavailableError
from shared_services.llm.hazards import Hazard, hazards_of
from shared_services.llm.model_choice import choose_model
from shared_services.llm.moderation import SAFE, Judgement, NullModerator, read_verdict


class Row:
    def __init__(self, name: str) -> None:
        self.id = name
        self.model_type = "llm"


@pytest.mark.parametrize(
    ("names", "hazards"),
    [
        (["S1"], (Hazard.VIOLENCE,)),
        (["S2", "s14", "S2"], (Hazard.CRIME, Hazard.CODE_ABUSE)),
        (["Violent Crimes", "Non-Violent Crimes"], (Hazard.VIOLENCE, Hazard.CRIME)),
        (["self-harm/intent"], (Hazard.SELF_HARM,)),
        (["sexual/minors", "sexual_minors"], (Hazard.CHILDREN,)),
        (["Suicide & Self-Harm"], (Hazard.SELF_HARM,)),
        (["<b>new</b>"], (Hazard.OTHER,)),
        ([], (Hazard.OTHER,)),
    ],
)
def test_categories_in_plain_words(names: list[str], hazards: tuple[Hazard, ...]):
    assert hazards_of(names) == hazards


@pytest.mark.parametrize("text", ["safe", " safe\n", "Safe", "\n\nsafe"])
def test_safe_is_said_by_the_word_alone(text: str):
    assert read_verdict(text) == SAFE


@pytest.mark.parametrize(
    ("text", "hazards"),
    [
        ("unsafe\nS1", (Hazard.VIOLENCE,)),
        ("\n\nunsafe\nS2,S11", (Hazard.CRIME, Hazard.SELF_HARM)),
        ("unsafe", (Hazard.OTHER,)),
        ("Unsafe S10", (Hazard.HATE,)),
    ],
)
def test_unsafe_with_what_was_found(text: str, hazards: tuple[Hazard, ...]):
    assert read_verdict(text) == Judgement(hazards)


@pytest.mark.parametrize(
    "text", ["", "yes", "This is safe.", "safe or unsafe?", "The user is unsafe", "safe\nunsafe\nS1", "unsafely"]
)
def test_a_chatty_model_judges_nothing(text: str):
    assert read_verdict(text) is None


async def test_without_a_safety_model_nothing_is_judged():
    with pytest.raises(ModerationUnavailableError) as caught:
        await NullModerator().moderate("Hello")
    assert caught.value.reason == "no_model"


def test_a_guard_is_never_chosen_to_write_answers():
    rows = [
        Row("vllm/meta-llama/Llama-Guard-3-8B"),
        Row("ollama/llama-guard3:1b"),
        Row("vllm/granite-guardian-3.1"),
        Row("vllm/talker"),
    ]
    assert choose_model(rows) == "vllm/talker"
