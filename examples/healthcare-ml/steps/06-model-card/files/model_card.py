"""Write MODEL_CARD.md: the numbers come from metrics.json, the judgement comes from card.toml."""

import json
import sys
import tomllib
from pathlib import Path

SECTIONS = {
    "intended_use": "Intended use",
    "not_for": "Not for",
    "data": "Data",
    "limits": "Known limits",
    "oversight": "Human oversight",
}
SHORTEST = 40


def missing(notes: dict[str, object]) -> list[str]:
    """The sections that card.toml leaves out or says too little about."""
    return [name for name in SECTIONS if len(str(notes.get(name, "")).strip()) < SHORTEST]


def render(notes: dict[str, object], metrics: dict[str, object]) -> str:
    """The card as Markdown."""
    lines = ["# Model card: readmission within 30 days", ""]
    for name, title in SECTIONS.items():
        lines += [f"## {title}", "", str(notes[name]).strip(), ""]
    lines += ["## Performance", "", f"Test stays: {metrics['stays']}. Threshold: {metrics['threshold']}.", ""]
    lines += [f"- {name}: {metrics[name]}" for name in ("sensitivity", "specificity", "precision")]
    lines += ["", "| group | predicted | observed | sensitivity |", "|---|---|---|---|"]
    groups = metrics["groups"]
    assert isinstance(groups, dict)
    lines += [f"| {name} | {g['predicted']} | {g['observed']} | {g['sensitivity']} |" for name, g in groups.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the card, or say which sections are still missing."""
    try:
        notes = tomllib.loads(Path("card.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        print("error: there is no card.toml in this folder", file=sys.stderr)
        return 1
    gaps = missing(notes)
    if gaps:
        print(f"error: card.toml says too little about: {', '.join(gaps)} (at least {SHORTEST} characters each)", file=sys.stderr)
        return 1
    metrics = json.loads(Path("metrics.json").read_text(encoding="utf-8"))
    Path("MODEL_CARD.md").write_text(render(notes, metrics), encoding="utf-8")
    print(f"MODEL_CARD.md: {len(SECTIONS)} sections and the numbers at threshold {metrics['threshold']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
