"""Reads a retrieval set (passages and questions as JSON lines, several tenants) and makes a workshop of each tenant.

A passage becomes a step of its own, so that a found chunk leads back to its passage by the step's id, and no chunk holds
text of two passages.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_services.contracts.rag import SearchRequest, Turn
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.library.form import WorkshopFiles

DEFAULT_SET = Path(__file__).parents[2] / "shared" / "data" / "mtrag"
MOST_TURNS = 50
NO_TITLE = " "
"""A blank title is left out of what is indexed."""


@dataclass(frozen=True)
class SetPassage:
    """A passage of a tenant; `title` may be empty."""

    tenant: str
    passage_id: str
    title: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question, with the turns before it, oldest first, and what is known of its answer.

    Attributes:
        conversation: Questions of one conversation are not independent; intervals redraw whole conversations.
        answerability: `ANSWERABLE`, `PARTIAL`, `UNANSWERABLE` or another label.
        relevant: Ids of the passages that answer it.
    """

    tenant: str
    source: str
    conversation: str
    text: str
    turns: tuple[Turn, ...]
    answerability: str
    relevant: frozenset[str]

    @property
    def ranked(self) -> bool:
        """Whether rankings are measured on it."""
        return bool(self.relevant) and self.answerability in ("ANSWERABLE", "PARTIAL")

    def request(self, limit: int) -> SearchRequest:
        """The search that a chat agent would make of it."""
        return SearchRequest(query=self.text, limit=limit, history=list(self.turns[-MOST_TURNS:]))


class SetError(ValueError):
    """A file that is not a retrieval set; says which line and why."""


def read_passages(path: Path) -> list[SetPassage]:
    """The passages of a corpus file.

    Raises:
        SetError: A line is not a passage.
        OSError: The file cannot be read.
    """
    return [
        SetPassage(
            _text(row, "tenant", place), _text(row, "passage_id", place), str(row.get("title") or ""), _text(row, "text", place)
        )
        for place, row in _rows(path)
    ]


def read_questions(path: Path) -> list[Question]:
    """The questions of a questions file; a conversation without an id is one question.

    Raises:
        SetError: A line is not a question.
        OSError: The file cannot be read.
    """
    return [_question(row, place) for place, row in _rows(path)]


def _question(row: dict[str, Any], place: str) -> Question:
    relevant = frozenset(str(each) for each in row.get("relevant_passage_ids") or [])
    turns = [
        Turn(speaker="user" if turn.get("speaker") == "user" else "assistant", text=str(turn.get("text", "")))
        for turn in row.get("previous_turns") or []
    ]
    return Question(
        tenant=_text(row, "tenant", place),
        source=str(row.get("source") or "all"),
        conversation=str(row.get("conversation_id") or row.get("id") or place),
        text=_text(row, "question", place),
        turns=tuple(turns),
        answerability=str(row.get("answerability") or ("ANSWERABLE" if relevant else "UNKNOWN")).upper(),
        relevant=relevant,
    )


def _rows(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SetError(f"{place} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise SetError(f"{place} is not a JSON object")
            yield place, row


def _text(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise SetError(f"{place} has no `{name}`")
    return value


def tenants_of(passages: Iterable[SetPassage]) -> dict[str, list[SetPassage]]:
    """Passages by tenant, in the tenants' alphabetical order; one passage id counts once."""
    found: dict[str, dict[str, SetPassage]] = {}
    for passage in passages:
        found.setdefault(passage.tenant, {}).setdefault(passage.passage_id, passage)
    return {tenant: list(found[tenant].values()) for tenant in sorted(found)}


def step_of(number: int) -> str:
    """The step that holds a tenant's passage `number`, from 0."""
    return f"passage-{number}"


def workshop_of(slug: str, passages: list[SetPassage]) -> WorkshopFiles:
    """A workshop whose steps are the passages, in order. The set names no workshop, so its title is blank.

    The manifest lists the first step alone: a body of text may hold more passages than a workshop may have steps.
    """
    steps = {step_of(number): StepManifest(title=passage.title[:300] or NO_TITLE) for number, passage in enumerate(passages)}
    files = {
        f"steps/{step_of(number)}/content.md": passage.text.encode("utf-8", "replace") for number, passage in enumerate(passages)
    }
    return WorkshopFiles(WorkshopManifest(slug=slug, title=NO_TITLE, steps=[step_of(0)]), steps, files)
