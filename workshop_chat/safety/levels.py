"""The three levels of safety: which checks each holds, what a finding means, and whether the safety model may be missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from shared_services.contracts.chat import CheckVerdict
from shared_services.llm.hazards import Hazard
from workshop_chat.contexts import SafetyLevel
from workshop_chat.safety import intent, rules
from workshop_chat.safety.rules import Rule, listed


class Consequence(StrEnum):
    """What follows when a check finds something.

    `BLOCK` refuses, `MASK` takes it out and goes on, `FLAG` goes on and keeps the verdict, `CARE` answers with where help is,
    `SUBJECT` goes on where the workshop's own passages speak of it, and else refuses.
    """

    BLOCK = "block"
    MASK = "mask"
    FLAG = "flag"
    CARE = "care"
    SUBJECT = "subject"


Place = Literal["message", "passage", "answer"]
SAFETY_MODEL: Final = "safety-model"
"""The check that a safety model makes, where one is named."""

CheckName = Literal[
    "personal-data", "health-data", "secrets", "injection", "injected-text", "attack", "attack-tools", "self-harm"
]

RULES: Final[Mapping[CheckName, Rule]] = {
    "personal-data": rules.personal_data,
    "health-data": rules.health_data,
    "secrets": rules.secrets,
    "injection": intent.injection,
    "injected-text": intent.injected_text,
    "attack": intent.attack,
    "attack-tools": intent.attack_tools,
    "self-harm": intent.self_harm,
}


@dataclass(frozen=True)
class Level:
    """One level.

    Attributes:
        checks: By place and check, what a finding means. A check that is not listed for a place is not made there.
        flags: What the safety model may find without more than a note of it; anything else that it finds is refused.
        needs_model: Refuse while the safety model, where one is named, does not answer; else the rules go on alone.
    """

    checks: Mapping[Place, Mapping[CheckName, Consequence]]
    flags: frozenset[Hazard] = frozenset()
    needs_model: bool = False


# A secret or an injected instruction is never passed on, whatever the level; people's data is what the levels differ in most.
_MESSAGE: Final[Mapping[CheckName, Consequence]] = {
    "self-harm": Consequence.CARE,
    "secrets": Consequence.MASK,
    "injection": Consequence.FLAG,
    "attack": Consequence.BLOCK,
    "attack-tools": Consequence.BLOCK,
}
_PASSAGE: Final[Mapping[CheckName, Consequence]] = {"injected-text": Consequence.BLOCK}
_ANSWER: Final[Mapping[CheckName, Consequence]] = {"self-harm": Consequence.BLOCK, "secrets": Consequence.MASK}

LEVELS: Final[Mapping[SafetyLevel, Level]] = {
    "educational_standard": Level(
        {
            "message": {**_MESSAGE, "personal-data": Consequence.FLAG},
            "passage": _PASSAGE,
            "answer": _ANSWER,
        },
        flags=frozenset({Hazard.PRIVACY}),
    ),
    "security_focused": Level(
        {
            "message": {
                **_MESSAGE,
                "injection": Consequence.BLOCK,
                "attack-tools": Consequence.SUBJECT,
                "personal-data": Consequence.FLAG,
            },
            "passage": _PASSAGE,
            "answer": {**_ANSWER, "injected-text": Consequence.BLOCK},
        },
        # What a workshop on security teaches is what such a model calls a crime; there the rules on attacks decide.
        flags=frozenset({Hazard.PRIVACY, Hazard.CRIME, Hazard.CODE_ABUSE}),
    ),
    "healthcare_compliant": Level(
        {
            "message": {**_MESSAGE, "health-data": Consequence.BLOCK, "personal-data": Consequence.BLOCK},
            "passage": _PASSAGE,
            "answer": {**_ANSWER, "health-data": Consequence.BLOCK, "personal-data": Consequence.BLOCK},
        },
        needs_model=True,
    ),
}


_OUTCOMES: Final[Mapping[Consequence, Literal["blocked", "masked", "flagged", "care"]]] = {
    Consequence.BLOCK: "blocked",
    Consequence.MASK: "masked",
    Consequence.FLAG: "flagged",
    Consequence.CARE: "care",
    Consequence.SUBJECT: "flagged",
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


def judged_by_model(level: SafetyLevel, place: Place, hazards: Sequence[Hazard]) -> CheckVerdict:
    """What follows from what the safety model found; it passes where that is nothing."""
    serious = [hazard for hazard in hazards if hazard not in LEVELS[level].flags]
    outcome: Literal["passed", "flagged", "care", "blocked"] = "blocked" if serious else "flagged" if hazards else "passed"
    if place == "message" and Hazard.SELF_HARM in hazards:
        outcome = "care"
    return CheckVerdict(check=SAFETY_MODEL, place=place, outcome=outcome, found=listed(list(serious or hazards)))


def unavailable(place: Place) -> CheckVerdict:
    """The safety model was to judge, and did not."""
    return CheckVerdict(check=SAFETY_MODEL, place=place, outcome="unavailable")


def stopping(verdicts: Sequence[CheckVerdict], level: SafetyLevel | None = None) -> CheckVerdict | None:
    """The verdict that ends an answer, one of care before one that refuses; None where it may go on.

    Args:
        verdicts: What the checks said.
        level: Decides whether a check that was not made ends it; without a level it does not.
    """
    ends = {"care", "blocked"} | ({"unavailable"} if level is not None and LEVELS[level].needs_model else set())
    ending = [verdict for verdict in verdicts if verdict.outcome in ends]
    return next((verdict for verdict in ending if verdict.outcome == "care"), ending[0] if ending else None)


def refusal(verdict: CheckVerdict) -> str:
    """What is said instead of an answer, as CommonMark."""
    if verdict.outcome == "care":
        return (
            "It sounds as if you are going through something hard. I am a program that knows this workshop, and you deserve a "
            "person: please talk to someone you trust, or to your country's emergency number or a crisis line "
            "(findahelpline.com lists them by country). If you are in danger now, call the emergency number."
        )
    if verdict.outcome == "unavailable":
        withheld = "give the rest of the answer" if verdict.place == "answer" else "answer"
        return (
            f"The safety check that this workshop requires does not respond right now, so I may not {withheld}. "
            "Ask again in a minute. If it stays like this, tell whoever runs the workshop."
        )
    match verdict.check:
        case "safety-model" if verdict.place == "message":
            return f"The safety check found {verdict.found} in your message. Ask me about what this workshop teaches."
        case "safety-model":
            return f"The safety check found {verdict.found} in the rest of the answer, so I do not give it."
        case "personal-data" | "health-data" if verdict.place == "message":
            return f"Your message holds {verdict.found}. Nothing of it was kept, searched or sent on. Ask again without it."
        case "personal-data" | "health-data":
            return f"The rest of the answer holds {verdict.found}, which this workshop does not hand out."
        case "attack-tools":
            return "I do not help with tools of attack that this workshop does not teach. Ask me about what it teaches."
        case "attack":
            return "I do not help with attacks on others. Ask me about what this workshop teaches."
        case "injection":
            return "That reads like instructions to me instead of a question. Ask what you want to know about the workshop."
        case _:
            return "I cannot answer that here. Ask me about what this workshop teaches."
