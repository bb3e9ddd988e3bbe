"""What the page says of an answer, in words. The templates draw by it, and the page's script is given the same words as JSON."""

import json
from collections.abc import Mapping
from typing import Final

from shared_services.contracts.chat import Answer, CheckVerdict, HelpMode

MODES: Final[Mapping[HelpMode, tuple[str, str]]] = {
    "hint": ("Hint", "Leads you on without giving the command away."),
    "explain": ("Explain", "Says why, with the passage it rests on."),
    "solve": ("Solve", "Gives the exact commands of this step."),
}
"""The name of each way of helping, and what it does."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "labels": {"writer": "Written by", "mode": "Way of helping", "checks": "Safety checks", "time": "Time"},
    "writers": {
        "general": "the language model, from what it knows; nothing in this workshop says it",
        "model": "the language model, from the passages it names",
        "sources": "the sources’ own words, put together without a language model",
        "workshop": "the workshop’s own words, put together without a language model",
        "fixed": "a fixed reply of the assistant",
    },
    "own": {"sources": "In the sources’ own words.", "workshop": "In the workshop’s own words."},
    "modes": {mode: name for mode, (name, _) in MODES.items()},
    "checks": {
        "personal-data": "Personal data",
        "health-data": "Health data",
        "secrets": "Passwords and keys",
        "injection": "Instructions to the assistant",
        "injected-text": "Instructions hidden in a text",
        "attack": "Attacks on others",
        "self-harm": "Danger to yourself",
    },
    "places": {"message": "in your message", "passage": "in a passage", "answer": "in the answer"},
    "outcomes": {
        "passed": "nothing found",
        "blocked": "found, and stopped",
        "masked": "found, and masked",
        "flagged": "found, and let through",
        "care": "found, and answered with where help is",
        "unavailable": "not checked",
    },
    "none": {"checks": "none was made"},
    "times": {"retrieve": "looked for passages for", "first_block": "first words after", "total": "whole after"},
}

WORDS_AS_JSON: Final = json.dumps(WORDS, ensure_ascii=False)
"""For the script; in the order above, which Jinja's own filter would sort."""


def writer_of(answer: Answer) -> str:
    """Whose words an answer is made of, as a key of `WORDS["writers"]`."""
    if answer.general_knowledge:
        return "general"
    if answer.written_by == "model":
        return "model"
    if not answer.citations:
        return "fixed"
    return "sources" if any(citation.document for citation in answer.citations) else "workshop"


def check_line(verdict: CheckVerdict) -> str:
    """One check in words. One that was not made says so, and a check of an unknown name goes by that name."""
    name = WORDS["checks"].get(verdict.check) or verdict.check.replace("-", " ").capitalize()
    found = f" ({verdict.found})" if verdict.found else ""
    return f"{name} {WORDS['places'][verdict.place]}: {WORDS['outcomes'][verdict.outcome]}{found}"


def time_line(timings: Mapping[str, float]) -> str:
    """An answer's timings (milliseconds) in words; empty where none are known."""
    return ", ".join(f"{words} {_seconds(timings[stage])}" for stage, words in WORDS["times"].items() if stage in timings)


def _seconds(milliseconds: float) -> str:
    # In whole tenths, so that Python and JavaScript cannot round a half differently.
    tenths = int(milliseconds // 100)
    return f"{tenths // 10}.{tenths % 10} s" if tenths else "less than 0.1 s"
