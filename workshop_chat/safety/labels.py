"""Verdicts in words, for whoever opens an answer's details."""

from typing import Final

from shared_services.contracts.chat import CheckVerdict

_LABELS: Final = {
    "personal-data": "Personal data",
    "health-data": "Health data",
    "secrets": "Passwords and keys",
    "injection": "Instructions to the assistant",
    "injected-text": "Instructions hidden in a text",
    "attack": "Attacks on others",
    "attack-tools": "Tools of attack",
    "self-harm": "Somebody in distress",
    "safety-model": "Safety model",
}
_PLACES: Final = {"message": "your message", "passage": "the workshop's passages", "answer": "the answer"}


def check_label(check: str) -> str:
    """A check's name for people, in a few words."""
    return _LABELS.get(check) or check.replace("-", " ").capitalize()


def verdict_text(verdict: CheckVerdict) -> str:
    """What a check said, as one sentence; it never claims a check that was not made."""
    place = _PLACES[verdict.place]
    found = verdict.found or "something"
    match verdict.outcome:
        case "passed":
            return f"Checked {place}; nothing was found."
        case "unavailable":
            return f"Not checked: the safety model did not respond when it was to read {place}."
        case "masked":
            return f"Found {found} in {place}, and masked it."
        case "flagged":
            return f"Found {found} in {place}, and went on."
        case "care":
            return f"Found {found} in {place}, and said where help is."
        case "blocked" if verdict.place == "passage":
            return f"Found {found} in {place}, and left those out."
        case "blocked" if verdict.place == "answer":
            return f"Found {found} in the answer, and held it back."
        case "blocked":
            return f"Found {found} in {place}, and did not answer it."
