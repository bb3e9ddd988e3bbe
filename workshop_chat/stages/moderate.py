"""Safety checks around an answer: of the message before anything is done with it, of passages, and of what is to be sent."""

from collections.abc import Sequence

from shared_services.contracts.chat import CheckVerdict, StoredTurn
from shared_services.contracts.rag import Passage
from shared_services.llm.errors import ModerationUnavailableError
from shared_services.llm.moderation import Moderator
from workshop_chat.contexts import SafetyLevel
from workshop_chat.masking import mask_secrets
from workshop_chat.safety.intent import tools
from workshop_chat.safety.levels import (
    LEVELS,
    RULES,
    SAFETY_MODEL,
    Consequence,
    Place,
    judge,
    judged_by_model,
    stopping,
    unavailable,
)
from workshop_chat.safety.rules import listed
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


def moderate_turns(level: SafetyLevel, turns: Sequence[StoredTurn]) -> list[StoredTurn]:
    """Earlier turns that a caller keeps, without those whose message would be refused; secrets are masked."""
    kept: list[StoredTurn] = []
    for turn in turns:
        question, verdicts = moderate_message(level, turn.question)
        if stopping(verdicts) is None:
            answer = turn.answer and turn.answer.model_copy(update={"answer": mask_secrets(turn.answer.answer).text})
            kept.append(turn.model_copy(update={"question": question, "answer": answer}))
    return kept


async def moderate_by_model(
    moderator: Moderator,
    level: SafetyLevel,
    place: Place,
    text: str,
    earlier: Sequence[CheckVerdict],
    *,
    asked: str | None = None,
) -> list[CheckVerdict]:
    """What the safety model says of a text; nothing where there is no such model.

    Once it has not answered, it is not asked again for the same answer: a reader waits for its silence once.

    Args:
        moderator: The safety model.
        level: What its findings mean.
        place: What the text is.
        text: What is judged.
        earlier: The verdicts of this answer so far.
        asked: The message, where `text` is a piece of the answer to it.
    """
    if not moderator.configured:
        return []
    if any(verdict.outcome == "unavailable" for verdict in earlier):
        return [unavailable(place)]
    try:
        judgement = await moderator.moderate(text, asked=asked)
    except ModerationUnavailableError:
        return [unavailable(place)]
    return [judged_by_model(level, place, judgement.hazards)]


def moderate_passages(level: SafetyLevel, passages: Sequence[Passage]) -> tuple[list[Passage], list[CheckVerdict]]:
    """The passages that an answer may rest on, and the verdicts on all of them."""
    kept: list[Passage] = []
    verdicts: list[CheckVerdict] = []
    for passage in passages:
        judged = judge(level, "passage", passage.text)
        note_verdicts(verdicts, judged)
        if stopping(judged) is None:
            kept.append(passage)
    return kept, verdicts


def moderate_subject(level: SafetyLevel, text: str, passages: Sequence[Passage]) -> list[CheckVerdict]:
    """The refusal of a message that asks for what only its subject could allow, and its subject is not the workshop's."""
    if LEVELS[level].checks["message"].get("attack-tools") is not Consequence.SUBJECT:
        return []
    taught = " ".join(passage.text for passage in passages).lower()
    beyond = sorted(tool for tool in tools(text) if tool not in taught)
    found = f"help with {listed(beyond)}"
    return [CheckVerdict(check="attack-tools", place="message", outcome="blocked", found=found)] if beyond else []


def note_verdicts(checks: list[CheckVerdict], verdicts: Sequence[CheckVerdict]) -> list[CheckVerdict]:
    """Add verdicts to those of an answer; those among them that are new and not `passed`.

    A check that passes many texts is there once, and not at all where it found something in one of them.
    """
    told: list[CheckVerdict] = []
    for verdict in verdicts:
        same = [held for held in checks if (held.check, held.place) == (verdict.check, verdict.place)]
        if verdict in same or (verdict.outcome == "passed" and same):
            continue
        checks[:] = [held for held in checks if held not in same or held.outcome != "passed"]
        checks.append(verdict)
        if verdict.outcome != "passed":
            told.append(verdict)
    return told


def moderate_block(level: SafetyLevel, markdown: str, passages: Sequence[Passage]) -> list[CheckVerdict]:
    """The rules' verdicts on a piece of an answer. What its passages say is the author's to say, and passes."""
    return [
        CheckVerdict(check=verdict.check, place=verdict.place, outcome="passed")
        if _is_said(verdict, markdown, passages)
        else verdict
        for verdict in judge(level, "answer", markdown)
    ]


def masked_block(markdown: str, verdicts: Sequence[CheckVerdict], passages: Sequence[Passage]) -> str:
    """A piece of an answer without secrets that no passage holds: nobody told the model one, and readers pass answers on."""
    if any(verdict.outcome == "masked" for verdict in verdicts):
        return mask_secrets(markdown, [passage.text for passage in passages]).text
    return markdown


def _is_said(verdict: CheckVerdict, markdown: str, passages: Sequence[Passage]) -> bool:
    """Whether the passages say what was found in a piece of an answer: of secrets each of them, of all else something like it."""
    if verdict.outcome == "masked":
        return not mask_secrets(markdown, [passage.text for passage in passages]).found
    return verdict.outcome != "passed" and any(_says(verdict.check, passage.text) for passage in passages)


def _says(check: str, text: str) -> bool:
    return any(name == check and rule(text) is not None for name, rule in RULES.items())


def checks_note(verdicts: Sequence[CheckVerdict]) -> str:
    """What the participant is told of what was masked, and of what was not checked; empty where neither is so."""
    notes = []
    masked = next((verdict for verdict in verdicts if verdict.outcome == "masked" and verdict.place == "message"), None)
    if masked is not None:
        notes.append(
            f"Your message held {masked.found}; it was masked before anything was kept or searched. If it is in use, replace it."
        )
    if any(verdict.check == SAFETY_MODEL and verdict.outcome == "unavailable" for verdict in verdicts):
        notes.append("The safety model does not respond right now, so this was checked by rules alone.")
    return " ".join(notes)
