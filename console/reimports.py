"""What a re-import came to, in words and rows: the conflicts of each step, what else changes, what of the author's is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.reports import several
from shared_services.contracts.differences import Change, FileDiff, StepDiff, WorkshopDiff
from shared_services.contracts.merging import Conflict, Decision, Take

OWN_WORDS = "text"
MOST_LINES = 2_000
_CLASSES = {"+": "added", "-": "removed", "@": "place", "\\": "place"}


@dataclass(frozen=True)
class Part:
    """A step of the result, or with an empty id what is in no step.

    Attributes:
        own: Whether the author had changed it.
    """

    id: str
    title: str
    position: int
    changes: list[Change]
    own: bool
    step: StepDiff | None
    files: Sequence[FileDiff]
    conflicts: list[Conflict] = field(default_factory=list)


def parts_of(diff: WorkshopDiff, own: WorkshopDiff, conflicts: Sequence[Conflict]) -> list[Part]:
    """The parts of a workshop that change or that both sides changed, in the order of the result.

    Args:
        diff: From the author's version to the draft.
        own: From what the author's version began as to it.
        conflicts: All of them.
    """
    changed = {step.id for step in own.steps if step.changes}
    known = {step.id for step in diff.steps}
    whole = Part("", "The workshop", 0, [], bool(own.fields or own.files), None, diff.files)
    whole.conflicts.extend(row for row in conflicts if row.step not in known)
    parts = [whole] if diff.fields or diff.files or whole.conflicts else []
    for step in diff.steps:
        mine = [row for row in conflicts if row.step == step.id]
        if step.changes or mine:
            is_own = step.id in changed or step.old_id in changed
            parts.append(Part(step.id, step.title, step.position, step.changes, is_own, step, step.files, mine))
    return parts


def kept_of(own: WorkshopDiff, parts: Sequence[Part]) -> list[str]:
    """Titles of the steps that the author had changed and that nothing is asked or changed of: none of `parts`."""
    touched = {part.id for part in parts}
    return [step.title for step in own.steps if step.changes and step.position and step.id not in touched]


def sentence_of(diff: WorkshopDiff, own: WorkshopDiff, conflicts: Sequence[Conflict]) -> str:
    """A re-import in a sentence or two."""
    if diff.is_empty() and not conflicts:
        return "The newer commit changes nothing in the workshop."
    counts = {
        change: sum(change in step.changes for step in diff.steps) for change in (Change.CHANGED, Change.ADDED, Change.REMOVED)
    }
    words = {Change.CHANGED: "changed", Change.ADDED: "new", Change.REMOVED: "removed"}
    said = ", ".join(f"{number} {words[change]}" for change, number in counts.items() if number)
    steps = f"Steps: {said}. " if said else ""
    mine = sum(bool(step.changes) for step in own.steps)
    kept = f"Your changes in {several(mine, 'step')} are kept. " if mine else ""
    left = sum(row.decided is None for row in conflicts)
    asked = (
        f"{several(left, 'conflict')} for you to decide." if left else "Nothing clashes." if not conflicts else "All is decided."
    )
    return f"{steps}{kept}{asked}"


def diff_lines(file: FileDiff) -> list[tuple[str, str]]:
    """Lines of unified differences with their class; the last row says how many are not shown."""
    lines = file.text.removesuffix("\n").split("\n") if file.text else []
    shown = [(_CLASSES.get(line[:1], ""), line) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(("place", f"{len(lines) - MOST_LINES:,} more lines are not shown."))
    return shown


def decisions_of(sent: Mapping[str, str]) -> dict[str, Decision]:
    """What a form decides: `take-ID` is a side or `text`, and `text-ID` the words then."""
    found: dict[str, Decision] = {}
    for name, value in sent.items():
        if not name.startswith("take-"):
            continue
        conflict = name.removeprefix("take-")
        if value == OWN_WORDS:
            found[conflict] = Decision(text=sent.get(f"text-{conflict}", "").replace("\r\n", "\n"))
        elif value in list(Take):
            found[conflict] = Decision(take=Take(value))
    return found
