"""The three levels of safety: which checks each holds, and what a finding means there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from shared_services.contracts.chat import CheckVerdict
from workshop_chat.contexts import SafetyLevel
from workshop_chat.safety import rules
from workshop_chat.safety.rules import Rule


class Consequence(StrEnum):
    """What follows when a check finds something.

    `BLOCK` refuses, `MASK` takes it out and goes on, `FLAG` goes on and keeps the verdict, `CARE` answers with where help is.
    """

    BLOCK = "block"
    MASK = "mask"
    FLAG = "flag"
    CARE = "care"


Place = Literal["message", "passage", "answer"]
CheckName = Literal["personal-data", "health-data", "secrets", "injection", "injected-text", "attack", "self-harm"]

RULES: Final[Mapping[CheckName, Rule]] = {
    "personal-data": rules.personal_data,
    "health-data": rules.health_data,
    "secrets": rules.secrets,
    "injection": rules.injection,
    "injected-text": rules.injected_text,
    "attack": rules.attack,
    "self-harm": rules.self_harm,
}


@dataclass(frozen=True)
class Level:
    """One level.

    Attributes:
        checks: By place and check, what a finding means. A check that is not listed for a place is not made there.
    """

    checks: Mapping[Place, Mapping[CheckName, Consequence]]


# A secret or an injected instruction is never passed on, whatever the level; people's data is what the levels differ in most.
_MESSAGE: Final[Mapping[CheckName, Consequence]] = {
    "self-harm": Consequence.CARE,
    "secrets": Consequence.MASK,
    "injection": Consequence.FLAG,
    "attack": Consequence.BLOCK,
}
_PASSAGE: Final[Mapping[CheckName, Consequence]] = {"injected-text": Consequence.BLOCK}
_ANSWER: Final[Mapping[CheckName, Consequence]] = {"self-harm": Consequence.BLOCK, "secrets": Consequence.FLAG}

LEVELS: Final[Mapping[SafetyLevel, Level]] = {
    "educational_standard": Level(
        {
            "message": {**_MESSAGE, "personal-data": Consequence.FLAG},
            "passage": _PASSAGE,
            "answer": _ANSWER,
        },
    ),
    "security_focused": Level(
        {
            "message": {**_MESSAGE, "injection": Consequence.BLOCK, "personal-data": Consequence.FLAG},
            "passage": _PASSAGE,
            "answer": {**_ANSWER, "injected-text": Consequence.BLOCK},
        },
    ),
    "healthcare_compliant": Level(
        {
            "message": {**_MESSAGE, "health-data": Consequence.BLOCK, "personal-data": Consequence.BLOCK},
            "passage": _PASSAGE,
            "answer": {**_ANSWER, "health-data": Consequence.BLOCK, "personal-data": Consequence.BLOCK},
        },
    ),
}


_OUTCOMES: Final[Mapping[Consequence, Literal["blocked", "masked", "flagged", "care"]]] = {
    Consequence.BLOCK: "blocked",
    Consequence.MASK: "masked",
    Consequence.FLAG: "flagged",
    Consequence.CARE: "care",
}


def judge(level: SafetyLevel, place: Place, text: str) -> list[CheckVerdict]:
    """Every check of a level that is made at a place, in the level's order."""
    verdicts = []
    for check, consequence in LEVELS[level].checks[place].items():
        found = RULES[check](text)
        verdicts.append(
            CheckVerdict(
                check=check, place=place, outcome="passed" if found is None else _OUTCOMES[consequence], found=found or ""
            )
        )
    return verdicts


def stopping(verdicts: Sequence[CheckVerdict]) -> CheckVerdict | None:
    """The verdict that ends an answer, one of care before one that refuses; None where it may go on."""
    ending = [verdict for verdict in verdicts if verdict.outcome in ("care", "blocked")]
    return next((verdict for verdict in ending if verdict.outcome == "care"), ending[0] if ending else None)


def refusal(verdict: CheckVerdict) -> str:
    """What is said instead of an answer, as CommonMark."""
    if verdict.outcome == "care":
        return (
            "It sounds as if you are going through something hard. I am a program that knows this workshop, and you deserve a "
            "person: please talk to someone you trust, or to your country's emergency number or a crisis line "
            "(findahelpline.com lists them by country). If you are in danger now, call the emergency number."
        )
    match verdict.check:
        case "personal-data" | "health-data" if verdict.place == "message":
            return f"Your message holds {verdict.found}. Nothing of it was kept, searched or sent on. Ask again without it."
        case "personal-data" | "health-data":
            return f"The rest of the answer holds {verdict.found}, which this workshop does not hand out."
        case "attack":
            return "I do not help with attacks on others. Ask me about what this workshop teaches."
        case "injection":
            return "That reads like instructions to me instead of a question. Ask what you want to know about the workshop."
        case _:
            return "I cannot answer that here. Ask me about what this workshop teaches."
