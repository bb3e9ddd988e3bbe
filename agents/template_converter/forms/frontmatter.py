"""Front matter of Markdown pages: read for what it says of the step, and taken out of the content."""

import tomllib
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from shared_services.contracts.workshop import duration_minutes

_MAX_LINES = 400


@dataclass(frozen=True)
class FrontMatter:
    """What a page says of itself before it begins."""

    title: str = ""
    description: str = ""
    minutes: int | None = None
    tags: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    hidden: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    """All of it, keys in lower case."""


def split_front_matter(lines: list[Line]) -> tuple[FrontMatter, list[Line]]:
    """A page's front matter (YAML between `---`, TOML between `+++`) and the lines after it; all lines where there is none."""
    if not lines or lines[0].text.rstrip() not in ("---", "+++"):
        return FrontMatter(), lines
    mark = lines[0].text.rstrip()
    ends = ("---", "...") if mark == "---" else ("+++",)
    end = next((row for row, line in enumerate(lines[1:_MAX_LINES], 1) if line.text.rstrip() in ends), None)
    if end is None:
        return FrontMatter(), lines
    text = "\n".join(line.text for line in lines[1:end])
    try:
        values = load_plain(text) if mark == "---" else tomllib.loads(text)
    except (UnsafeYamlError, tomllib.TOMLDecodeError):
        return FrontMatter(), lines
    if not isinstance(values, dict):
        return FrontMatter(), lines if values else lines[end + 1 :]
    return _read({str(key).lower(): value for key, value in values.items()}), lines[end + 1 :]


def _read(values: dict[str, Any]) -> FrontMatter:
    return FrontMatter(
        title=_text(values.get("title")),
        description=_text(values.get("description")) or _text(values.get("summary")),
        minutes=minutes_of(values.get("duration", values.get("duration_minutes", values.get("time")))),
        tags=_list(values.get("tags", values.get("keywords"))),
        authors=_list(values.get("authors", values.get("author", values.get("contributors")))),
        hidden=values.get("draft") is True or values.get("hidden") is True,
        values=values,
    )


def minutes_of(value: object) -> int | None:
    """Minutes that a duration says, or None where it cannot be told."""
    minutes = duration_minutes(value)
    return minutes if isinstance(minutes, int) and not isinstance(minutes, bool) and 0 <= minutes <= 100_000 else None


def _text(value: object) -> str:
    return " ".join(str(value).split())[:300] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _list(value: object) -> list[str]:
    rows = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else []
    return [text for text in map(_text, rows) if text]
