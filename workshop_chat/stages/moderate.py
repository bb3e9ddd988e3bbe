"""Safety checks around an answer: of the message before anything is done with it, of passages, and of what is to be sent."""

from collections.abc import Sequence

from shared_services.contracts.chat import CheckVerdict
from shared_services.contracts.rag import Passage
from workshop_chat.contexts import SafetyLevel
from workshop_chat.masking import mask_secrets
from workshop_chat.safety.levels import RULES, judge, stopping
from workshop_chat.stages.pasted import without_control

_NOT_KEPT = ("personal-data", "health-data")


def moderate_message(level: SafetyLevel, text: str) -> tuple[str, list[CheckVerdict]]:
    """A message as it may be kept, searched and sent on, and what the checks said of it as it came.

    Secrets are masked. Of a message that is refused for what it says about people, nothing is kept.
    """
    clean = without_control(text)
    verdicts = judge(level, "message", clean)
    ending = stopping(verdicts)
    if ending is not None and ending.check in _NOT_KEPT:
        return f"(a message that held {ending.found}, which is not kept)", verdicts
    return mask_secrets(clean).text, verdicts


def moderate_passages(level: SafetyLevel, passages: Sequence[Passage]) -> tuple[list[Passage], list[CheckVerdict]]:
    """The passages that an answer may rest on, and a verdict for each kind of finding in the others."""
    kept: list[Passage] = []
    found: dict[str, CheckVerdict] = {}
    for passage in passages:
        ending = stopping(judge(level, "passage", passage.text))
        if ending is None:
            kept.append(passage)
        else:
            found[ending.check] = ending
    return kept, list(found.values())


def moderate_block(level: SafetyLevel, markdown: str, passages: Sequence[Passage]) -> list[CheckVerdict]:
    """The findings in a piece of an answer; empty where there are none. What its passages say is the author's to say."""
    found = [verdict for verdict in judge(level, "answer", markdown) if verdict.outcome != "passed"]
    return [verdict for verdict in found if not any(_says(verdict.check, passage.text) for passage in passages)]


def _says(check: str, text: str) -> bool:
    return any(name == check and rule(text) is not None for name, rule in RULES.items())


def masking_note(verdicts: Sequence[CheckVerdict]) -> str:
    """What the participant is told of what was masked; empty where nothing was."""
    masked = next((verdict for verdict in verdicts if verdict.outcome == "masked"), None)
    if masked is None:
        return ""
    return f"Your message held {masked.found}; it was masked before anything was kept or searched. If it is in use, replace it."
