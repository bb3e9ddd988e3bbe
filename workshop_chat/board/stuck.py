"""Who is stuck, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_services.contracts.board import StuckReason
from workshop_chat.insights.words import content_words

OVER_STATED = 1.5
OVER_OTHERS = 2.0
SHORTEST_SECONDS = 300.0
"""Nobody is stuck on a step, however quick the others were, before they have been there for this long."""

MANY_QUESTIONS = 3
ALIKE = 0.6
FAILED_CHECKS = 3


@dataclass(frozen=True)
class OnStep:
    """What is known of somebody on the step where they are.

    Attributes:
        seconds: How long they have been there, idle time left out.
        stated_seconds: What the author says it takes; None where they say nothing.
        median_seconds: How long the others stayed who have left it; None where they are too few.
        questions: What they asked there in the last hours, as `words.folded` gives it.
        failed_checks: Since the last one that passed.
        passed: Whether they have passed its check, and so are done with it.
    """

    seconds: float = 0.0
    stated_seconds: float | None = None
    median_seconds: float | None = None
    questions: Sequence[str] = ()
    failed_checks: int = 0
    passed: bool = False


def stuck(at: OnStep) -> list[StuckReason]:
    """The reasons to think that somebody is stuck; none where there is nothing to think so."""
    if at.passed:
        return []
    reasons = [_by_time(at), _by_questions(at.questions)]
    if at.failed_checks >= FAILED_CHECKS:
        reasons.append(StuckReason(rule="checks", text=f"{at.failed_checks} failed checks"))
    return [reason for reason in reasons if reason is not None]


def _by_time(at: OnStep) -> StuckReason | None:
    here = f"{minutes(at.seconds)} on this step"
    if at.median_seconds is not None and at.seconds > max(SHORTEST_SECONDS, OVER_OTHERS * at.median_seconds):
        return StuckReason(rule="time", text=f"{here}; half of the others took {minutes(at.median_seconds)} or less")
    if at.stated_seconds is not None and at.seconds > max(SHORTEST_SECONDS, OVER_STATED * at.stated_seconds):
        return StuckReason(rule="time", text=f"{here}; it should take about {minutes(at.stated_seconds)}")
    return None


def _by_questions(questions: Sequence[str]) -> StuckReason | None:
    if len(questions) >= MANY_QUESTIONS:
        return StuckReason(rule="questions", text=f"{len(questions)} questions about this step")
    if any(_alike(one, other) for place, one in enumerate(questions) for other in questions[place + 1 :]):
        return StuckReason(rule="questions", text="Asked the same again")
    return None


def _alike(one: str, other: str) -> bool:
    first, second = content_words(one), content_words(other)
    return 2 * len(first & second) >= ALIKE * (len(first) + len(second))


def minutes(seconds: float) -> str:
    """A time for people: whole minutes, hours from two on."""
    whole = round(seconds / 60)
    if whole < 1:
        return "< 1 min"
    return f"{whole} min" if whole < 120 else f"{whole // 60} h {whole % 60} min"
