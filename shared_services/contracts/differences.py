"""What differs between two workshops, step by step."""

from enum import StrEnum

from shared_services.contracts.base import Slug, WireModel


class Change(StrEnum):
    """What happened to a step, a file or a code block between the old workshop and the new one."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    CHANGED = "changed"


class FieldDiff(WireModel):
    """A field of a manifest; None on the side that has none."""

    field: str
    old: str | None
    new: str | None


class FileDiff(WireModel):
    """A file that one side lacks, or that holds something else.

    Attributes:
        path: Where it is in the new workshop, else in the old one.
        text: Unified differences; empty for what is no text.
    """

    path: str
    change: Change
    text: str = ""


class CodeDiff(WireModel):
    """A code block that was added, removed or changed; lines count from 1 in the file, 0 on the side that lacks it."""

    path: str
    change: Change
    language: str
    old: str | None
    new: str | None
    old_line: int
    line: int


class StepDiff(WireModel):
    """A step on both sides, or on one.

    Attributes:
        id: In the new workshop, else in the old one.
        old_id: In the old workshop; None for a step that was added.
        changes: Everything that happened to it; empty where nothing did.
        position: In the new workshop, from 1; 0 where it was removed. `old_position` likewise.
    """

    id: Slug
    old_id: Slug | None
    title: str
    old_title: str | None
    changes: list[Change]
    position: int
    old_position: int
    fields: list[FieldDiff] = []
    code: list[CodeDiff] = []
    files: list[FileDiff] = []


class WorkshopDiff(WireModel):
    """Everything that differs.

    Attributes:
        old_commit: The commit that the old workshop was made from, where it is known; `commit` likewise.
        fields: Of `workshop.yaml`, but for its origin and its steps.
        steps: In the order of the new workshop, those that were removed where they stood.
        files: In no step's folder.
    """

    old_commit: str | None = None
    commit: str | None = None
    fields: list[FieldDiff]
    steps: list[StepDiff]
    files: list[FileDiff]

    def is_empty(self) -> bool:
        """Whether nothing differs that anybody would see."""
        return not self.fields and not self.files and not any(step.changes for step in self.steps)
