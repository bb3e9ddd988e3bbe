"""How difficult a source calls itself, in the neutral form's words."""

from typing import Literal

Difficulty = Literal["beginner", "intermediate", "advanced"]

_WORDS: dict[str, Difficulty] = {
    **dict.fromkeys(("beginner", "beginners", "basic", "easy", "fundamental", "introductory", "novice", "starter"), "beginner"),
    **dict.fromkeys(("intermediate", "medium", "moderate"), "intermediate"),
    **dict.fromkeys(("advanced", "advance", "expert", "extreme", "hard", "difficult"), "advanced"),
}


def difficulty_of(value: object) -> Difficulty | None:
    """`beginner` from `Easy`, `advanced` from `expert`; None from what is not known."""
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
