"""What a message without a subject asks for, when to ask back, and the messages that are offered then. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared_services.contracts.chat import StoredTurn
from shared_services.contracts.rag import Passage
from shared_services.llm.words import stem, terms
from workshop_chat.suggestions import WHAT_GOES_WRONG, WHAT_TO_DO

MOST_OPTIONS = 3
NEARLY = 0.97
"""Part of the best passage's score from which on another section's passage says as much."""
SHORT_TERMS = 2
"""A question with more terms than these says enough of what it means."""
MOST_WORDS = 25

_ABOUT_HELP = """
hint hints clue clues tip tips stuck lost help helping solve solved solution solutions answer answers result reveal
exact whole full complete correct right rule rules ignore ignoring forget previous instructions instruction mode modes pretend
give show tell type enter write run say print output list next another more further again please bitte hilfe tipp hinweis lösung
try continue proceed go going now here just only me explain explanation understand idea clear know don't dont doesn't doesnt
page section task exercise first second last thing way hand away want
"""
_TROUBLE = """
fail fails failed failing failure error errors broken break breaks wrong problem problems issue issues
trouble bug crash crashes crashed happens happened happening nothing still got fehler kaputt
"""
_WORKS = frozenset({"work", "geht", "funktioniert"})
_NOT = re.compile(r"\b(?:not|never|no longer|nicht|n[o']t|\w+n['’]?t)\b", re.IGNORECASE)
_HELP_STEMS = frozenset(stem(word) for word in _ABOUT_HELP.split())
_TROUBLE_STEMS = frozenset(stem(word) for word in _TROUBLE.split())
_APOSTROPHES = re.compile(r"(\w)['’](\w)")


@dataclass(frozen=True)
class Asking:
    """A question to the participant.

    Attributes:
        options: What they may mean, as messages to send.
    """

    text: str
    options: list[str]


def subject(text: str) -> list[str]:
    """The terms of a message that say what it is about, leaving out those that only ask for help or complain."""
    plain = _APOSTROPHES.sub(r"\1\2", text)
    return [term for term in terms(plain) if term not in _HELP_STEMS | _TROUBLE_STEMS | _WORKS]


def is_subjectless(text: str) -> bool:
    """Whether a message names nothing that could be searched for: "help", "it does not work", "give me the exact command"."""
    return len(text.split()) <= MOST_WORDS and not subject(text)


def complains(text: str) -> bool:
    """Whether a message says that something went wrong."""
    said = terms(_APOSTROPHES.sub(r"\1\2", text))
    return any(term in _TROUBLE_STEMS or (term in _WORKS and _NOT.search(text) is not None) for term in said)


def leans_on_earlier(turns: Sequence[StoredTurn]) -> bool:
    """Whether there is an earlier answer that a message without a subject may be about."""
    last = turns[-1].answer if turns else None
    return last is not None and bool(last.citations or last.written_by == "model") and not (last.abstained or last.asks_back)


def may_ask_back(turns: Sequence[StoredTurn]) -> bool:
    """Never twice in a row: whoever did not say more the first time wants an answer now."""
    last = turns[-1].answer if turns else None
    return last is None or not last.asks_back


def ask_what(text: str, step_title: str | None, headings: Sequence[str], steps: Sequence[str]) -> Asking:
    """What to ask where a message names nothing.

    Args:
        text: The message.
        step_title: Of the step they are on; None when they are on none.
        headings: The step's sections.
        steps: Titles of all steps, in order.
    """
    trouble = complains(text)
    ask = WHAT_GOES_WRONG if trouble else WHAT_TO_DO
    named = list(headings) or ([step_title] if step_title else list(steps))
    where = f"in “{step_title}”" if step_title else "in this workshop"
    if trouble:
        question = f"What did you try {where}, and what happened? If there is an error message, paste it here."
    else:
        question = f"What {where} is it about? A word or two are enough for me to look it up."
    return Asking(question, [ask.format(name) for name in named[:MOST_OPTIONS]])


def rivals(question: str, passages: Sequence[Passage], step: str | None) -> list[Passage]:
    """The passages of different sections that a short question may mean alike, best first; empty where one is meant.

    Alike means: the question has at most `SHORT_TERMS` terms, a passage of another step scores at least `NEARLY` as much as the
    best, and none that does is of the step that the participant is on.
    """
    if not passages or not 0 < len(set(subject(question))) <= SHORT_TERMS:
        return []
    near = [passage for passage in passages if passage.scores.fused >= NEARLY * passages[0].scores.fused]
    if any(passage.step == step for passage in near if step is not None):
        return []
    different: dict[str, Passage] = {}
    for passage in near:
        different.setdefault(passage.step or passage.file, passage)
    return list(different.values())[:MOST_OPTIONS] if len(different) > 1 else []


def ask_which(question: str, found: Sequence[Passage]) -> Asking:
    """What to ask where several sections are meant alike."""
    asked = " ".join(question.split()).rstrip("?!. ")[:200]
    return Asking(
        "This comes up in several places. Which one do you mean?", [f"{asked} – in “{_place(each)}”?" for each in found]
    )


def _place(passage: Passage) -> str:
    if passage.document is not None:
        return passage.document.title
    section = passage.heading[-1] if passage.heading else passage.step_title
    return section if section == passage.step_title else f"{passage.step_title}: {section}"
