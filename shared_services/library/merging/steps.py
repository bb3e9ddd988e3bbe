"""Which steps the result of a merge has, under which ids, and in which order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared_services.contracts.merging import ConflictKind, Take
from shared_services.library.form import WorkshopFiles
from shared_services.library.merging.ledger import Ledger
from shared_services.library.merging.matching import match_steps
from shared_services.library.merging.sequences import merged_order

DERIVED = "source-map.json"


@dataclass
class StepNames:
    """The id of each step in the result.

    Attributes:
        base: Id in the base -> id in the result; `mine` and `theirs` likewise.
    """

    base: dict[str, str] = field(default_factory=dict)
    mine: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)


def name_steps(base: WorkshopFiles, mine: WorkshopFiles, theirs: WorkshopFiles, ledger: Ledger) -> StepNames:
    """One id for each step, whatever the sides call it: the one that a side alone gave it, else what the author decides."""
    in_mine, in_theirs = match_steps(base, mine), match_steps(base, theirs)
    wanted = {step: _wanted(step, in_mine.get(step), in_theirs.get(step), ledger) for step in base.manifest.steps}
    names, taken = StepNames(), set[str]()

    def give(step: str, name: str) -> None:
        names.base[step] = _free(name, taken)
        for matched, table in ((in_mine, names.mine), (in_theirs, names.theirs)):
            if step in matched:
                table[matched[step]] = names.base[step]

    own = [step for step in wanted if in_mine.get(step) == wanted[step]]
    for step in own:
        give(step, wanted[step])
    for step in mine.manifest.steps:
        if step not in in_mine.values():
            names.mine[step] = _free(step, taken)
    for step in (step for step in wanted if step not in own):
        give(step, wanted[step])
    for step in theirs.manifest.steps:
        if step in in_theirs.values():
            continue
        both_added = step in names.mine and step not in in_mine.values()
        names.theirs[step] = names.mine[step] if both_added else _free(step, taken)
    return names


def _wanted(step: str, mine: str | None, theirs: str | None, ledger: Ledger) -> str:
    if mine is None or theirs is None:
        return mine or theirs or step
    if mine in (step, theirs):
        return theirs
    if theirs == step:
        return mine
    detail = f"You renamed the step `{step}` to `{mine}`, the source to `{theirs}`."
    decision = ledger.decide(ConflictKind.NAME, f"steps/{mine}", detail, sides=(step, mine, theirs), step=mine)
    return theirs if decision.take is Take.THEIRS else mine


def _free(name: str, taken: set[str]) -> str:
    made, count = name, 1
    while made in taken:
        count += 1
        made = f"{name[:58].rstrip('-')}-{count}"
    taken.add(made)
    return made


def step_files(files: Mapping[str, bytes], step: str) -> dict[str, bytes]:
    """A step's files by path inside its folder."""
    prefix = f"steps/{step}/"
    return {path.removeprefix(prefix): data for path, data in files.items() if path.startswith(prefix)}


def differ(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> bool:
    """Whether two steps hold something different; where their lines came from does not count."""
    return {path: data for path, data in one.items() if path != DERIVED} != {
        path: data for path, data in other.items() if path != DERIVED
    }


def present_steps(
    orders: tuple[Sequence[str], Sequence[str], Sequence[str]],
    files: tuple[Mapping[str, bytes], Mapping[str, bytes], Mapping[str, bytes]],
    title: Callable[[str], str],
    ledger: Ledger,
) -> set[str]:
    """The steps that the result has.

    Args:
        orders: The steps of base, mine and theirs, all under the ids of the result.
        files: Their files, likewise.
        title: What people call a step.
        ledger: Where it is asked when one side removed a step that the other one changed.
    """
    base, mine, theirs = (set(order) for order in orders)
    present = (mine - base) | (theirs - base) | (base & mine & theirs)
    for step in orders[0]:
        if (step in mine) == (step in theirs):
            continue
        removed_by_me = step in theirs
        kept = files[2] if removed_by_me else files[1]
        if not differ(step_files(files[0], step), step_files(kept, step)):
            continue
        detail = (
            f"You removed the step “{title(step)}”, and the source changed it."
            if removed_by_me
            else f"The source removed the step “{title(step)}”, and you changed it."
        )
        path = f"steps/{step}/content.md"
        texts = tuple(_content(table, path) for table in files)
        decision = ledger.decide(ConflictKind.STEP, path, detail, sides=(texts[0], texts[1], texts[2]), step=step)
        if (decision.take is Take.THEIRS) == removed_by_me:
            present.add(step)
    return present


def _content(files: Mapping[str, bytes], path: str) -> str | None:
    raw = files.get(path)
    return None if raw is None else raw.decode("utf-8", "replace")


def order_steps(orders: tuple[Sequence[str], Sequence[str], Sequence[str]], present: set[str], ledger: Ledger) -> list[str]:
    """The order of the result's steps."""

    def prefer_theirs() -> bool:
        shown = tuple("".join(f"{step}\n" for step in order) for order in orders)
        decision = ledger.decide(
            ConflictKind.ORDER, "workshop.yaml", "You and the source put the steps in different orders.",
            sides=(shown[0], shown[1], shown[2]), field="steps",
        )  # fmt: skip
        return decision.take is Take.THEIRS

    return merged_order(*orders, present, prefer_theirs)
