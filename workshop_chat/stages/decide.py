"""Whether to answer at all, and what to say when not."""

from collections.abc import Sequence
from enum import StrEnum

from shared_services.contracts.chat import NearestSection
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import Passage
from workshop_chat.stages.retrieve import Retrieved
from workshop_chat.stages.understand import SmallTalk

NEAREST_SECTIONS = 3


class Decision(StrEnum):
    """What to do with a question."""

    ANSWER = "answer"
    ABSTAIN = "abstain"


def decide(found: Retrieved, threshold: float) -> Decision:
    """Answer when there are passages and the confidence in them reaches `threshold` (0 to 1)."""
    return Decision.ANSWER if found.passages and found.confidence >= threshold else Decision.ABSTAIN


def nearest_sections(passages: Sequence[Passage]) -> list[NearestSection]:
    """The first few different sections among passages, nearest first."""
    nearest: list[NearestSection] = []
    seen: set[tuple[str | None, str, tuple[str, ...]]] = set()
    for passage in passages:
        place = (passage.step, passage.file if passage.document else "", tuple(passage.heading))
        if place in seen:
            continue
        seen.add(place)
        nearest.append(
            NearestSection(
                step=passage.step,
                document=passage.document,
                heading=passage.heading,
                file=passage.file,
                line=passage.first_line,
            )
        )
        if len(nearest) == NEAREST_SECTIONS:
            break
    return nearest


def cause_elsewhere(found: Sequence[Passage], step: str | None, published: WorkshopVersion) -> str:
    """A sentence that names the step where a pasted error comes from; empty where that is the one they are on.

    Args:
        found: The passages that were found for it, best first.
        step: Where the participant is.
        published: The version, whose order gives steps their numbers.
    """
    cause = found[0].step if found else None
    order = published.manifest.steps
    if cause is None or cause == step or cause not in order:
        return ""
    return f"This comes from step {order.index(cause) + 1}, “{published.steps[cause].title}”."


def abstention(workshop_title: str, nearest: Sequence[NearestSection]) -> str:
    """The sentence that refuses, as CommonMark."""
    refusal = f"The workshop “{workshop_title}” does not hold an answer to that."
    return f"{refusal} These sections come nearest." if nearest else f"{refusal} Nothing in it comes near."


def reply_to(kind: SmallTalk, workshop_title: str, step_title: str | None) -> str:
    """A fixed, honest reply to small talk."""
    here = f"the step “{step_title}”" if step_title else f"“{workshop_title}”"
    match kind:
        case SmallTalk.GREETING:
            return f"Hello. Ask me anything about {here}; I answer from this workshop and show where it says so."
        case SmallTalk.THANKS:
            return "You are welcome."
        case SmallTalk.FAREWELL:
            return "Goodbye. This conversation is kept for when you come back."
        case SmallTalk.NOTED:
            return "Good. Go on when you are ready, and ask when something is unclear."
        case SmallTalk.ABILITIES:
            return (
                f"I answer questions about “{workshop_title}” from its own text, with a reference to each passage that I use. "
                "I know which step you are on. What the workshop does not say, I do not make up."
            )
