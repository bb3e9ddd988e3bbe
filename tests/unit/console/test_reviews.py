"""What the review of an update says of each step."""

from console.reimports import kept_of, parts_of
from console.reports import kind_name
from shared_services.contracts.differences import Change, StepDiff, WorkshopDiff
from shared_services.contracts.merging import Conflict, ConflictKind


def diff(**changes: list[Change]) -> WorkshopDiff:
    """Steps in this order, each with what happened to it."""
    steps = [
        StepDiff(id=step, old_id=step, title=step.title(), old_title=step.title(), changes=what, position=at, old_position=at)
        for at, (step, what) in enumerate(changes.items(), 1)
    ]
    return WorkshopDiff(fields=[], steps=steps, files=[])


def test_a_step_that_is_asked_about_is_not_listed_as_kept():
    clash = Conflict(
        id="1", kind=ConflictKind.LINES, path="steps/dough/content.md", step="dough", line=3, detail="Both changed it."
    )
    # The author's side of a conflict stands in the draft, so that nothing of it differs there.
    merged = diff(starter=[], dough=[], bake=[Change.CHANGED])
    own = diff(starter=[Change.CHANGED], dough=[Change.CHANGED], bake=[])
    parts = parts_of(merged, own, [clash])
    assert [(part.id, part.own) for part in parts] == [("dough", True), ("bake", False)]
    assert kept_of(own, parts) == ["Starter"]


def test_jobs_are_called_what_their_pages_call_them():
    assert [kind_name(kind) for kind in ("convert", "convert-all", "reimport")] == ["Convert", "Convert all of", "Update"]
