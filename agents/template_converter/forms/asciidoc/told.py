"""What a component's descriptor says of the whole workshop, as the export to Antora writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.forms.difficulty import Difficulty, difficulty_of
from agents.template_converter.forms.frontmatter import minutes_of


@dataclass(frozen=True)
class Told:
    """Details of a workshop; `authors` are parted by semicolons there, `tags` by commas."""

    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    duration: int | None = None
    difficulty: Difficulty | None = None


def read_told(attributes: Mapping[str, Any]) -> Told:
    """The details among a descriptor's attributes (`page-authors`, `page-tags`, `page-duration`, `page-difficulty`)."""
    return Told(
        authors=_parts(attributes.get("page-authors"), ";"),
        tags=_parts(attributes.get("page-tags"), ","),
        duration=minutes_of(attributes.get("page-duration")),
        difficulty=difficulty_of(attributes.get("page-difficulty")),
    )


def _parts(value: object, mark: str) -> list[str]:
    parts = [" ".join(part.split()) for part in value.split(mark)] if isinstance(value, str) else []
    return [part for part in parts if part]
