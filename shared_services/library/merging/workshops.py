"""A workshop that its author changed by hand, and the newer conversion of its source, made one.

What one side alone changed is taken. What both changed in different ways is a conflict: the author's side stands until the
author decides, so that nothing of theirs is lost and no mark of a conflict ever gets into a text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared_services.contracts.merging import Conflict, Decision
from shared_services.contracts.workshop import SourceMap, WorkshopSource
from shared_services.library.form import WorkshopFiles, manifest_yaml, parse_yaml, validate_files
from shared_services.library.merging.files import MergedText, Sides, merge_file, merge_manifest, text_of
from shared_services.library.merging.ledger import Ledger
from shared_services.library.merging.lines import split
from shared_services.library.merging.maps import merged_map
from shared_services.library.merging.matching import with_step_ids
from shared_services.library.merging.steps import DERIVED, name_steps, order_steps, present_steps, step_files
from shared_services.library.merging.yaml_text import with_values

MANIFEST = "workshop.yaml"


@dataclass(frozen=True)
class Merged:
    """The result of a merge: a valid workshop, and every conflict, decided or not."""

    workshop: WorkshopFiles
    conflicts: list[Conflict]

    @property
    def undecided(self) -> list[Conflict]:
        """Conflicts that the author has not decided; their own side stands."""
        return [row for row in self.conflicts if row.decided is None]


def with_origin(workshop: WorkshopFiles, slug: str, source: WorkshopSource | None) -> WorkshopFiles:
    """The same workshop under another slug and with another origin."""
    manifest = workshop.manifest.model_copy(update={"slug": slug, "source": source})
    if manifest == workshop.manifest:
        return workshop
    return replace(workshop, manifest=manifest, files=workshop.files | {MANIFEST: manifest_yaml(manifest)})


def merge_workshops(
    base: WorkshopFiles, mine: WorkshopFiles, theirs: WorkshopFiles, decisions: Mapping[str, Decision] | None = None
) -> Merged:
    """Merge what changed between `base` and `theirs` into `mine`.

    Args:
        base: The conversion that the author's version began as.
        mine: The author's version; the result keeps its slug.
        theirs: The conversion of the newer commit; the result has its origin.
        decisions: By conflict.

    Raises:
        InvalidWorkshopError: The result would not be valid.
    """
    ledger = Ledger(decisions or {})
    slug = mine.manifest.slug
    base, theirs = with_origin(base, slug, mine.manifest.source), with_origin(theirs, slug, theirs.manifest.source)
    names = name_steps(base, mine, theirs, ledger)
    ledger.own_ids = {name: own for own, name in names.mine.items()}
    sides = (base, mine, theirs)
    tables = (names.base, names.mine, names.theirs)
    files = tuple(with_step_ids(side.files, table, side.manifest.steps) for side, table in zip(sides, tables, strict=True))
    orders = tuple([table[step] for step in side.manifest.steps] for side, table in zip(sides, tables, strict=True))
    three, in_order = (files[0], files[1], files[2]), (orders[0], orders[1], orders[2])
    present = present_steps(in_order, three, lambda step: _title(sides, tables, step), ledger)
    order = order_steps(in_order, present, ledger)
    merged: dict[str, bytes] = {}
    for step in order:
        merged |= _merge_step(step, three, in_order, ledger)
    merged |= _merge_others(three, {step for steps in orders for step in steps}, merged, ledger)
    merged[MANIFEST] = _merge_manifest(three, tables, order, ledger)
    return Merged(validate_files(dict(sorted(merged.items()))), ledger.conflicts)


Three = tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]


def _title(sides: tuple[WorkshopFiles, ...], tables: tuple[dict[str, str], ...], step: str) -> str:
    for side, table in zip(sides, tables, strict=True):
        for own, name in table.items():
            if name == step and own in side.steps:
                return side.steps[own].title
    return step


def _merge_step(step: str, files: Three, orders: tuple[list[str], list[str], list[str]], ledger: Ledger) -> dict[str, bytes]:
    """A step's files by path in the result."""
    base, mine, theirs = (step_files(table, step) if step in order else {} for table, order in zip(files, orders, strict=True))
    folder = f"steps/{step}"
    if not mine or not theirs:
        return {f"{folder}/{path}": data for path, data in (mine or theirs).items()}
    merged: dict[str, bytes | None] = {}
    content: MergedText | None = None
    for path in sorted({*base, *mine, *theirs} - {DERIVED}):
        three = Sides(base.get(path), mine.get(path), theirs.get(path))
        if path == "step.yaml":
            merged[path] = merge_manifest(f"{folder}/{path}", step, three, ledger)
        else:
            merged[path], text = merge_file(f"{folder}/{path}", step, three, ledger)
            content = text if path == "content.md" else content
    merged[DERIVED] = _map_of(Sides(base.get(DERIVED), mine.get(DERIVED), theirs.get(DERIVED)), theirs, content)
    return {f"{folder}/{path}": data for path, data in merged.items() if data is not None}


def _map_of(sides: Sides, theirs: Mapping[str, bytes], content: MergedText | None) -> bytes | None:
    """The source map of a merged step; the author's own where they changed it."""
    if sides.mine != sides.base and sides.mine is not None:
        return sides.mine
    text = text_of(theirs.get("content.md"))
    if sides.theirs is None or text is None or content is None:
        return sides.theirs if content is not None else sides.mine
    if content.text == text:
        return sides.theirs
    made = merged_map(SourceMap.model_validate_json(sides.theirs), len(split(text)), content.origins)
    return made.model_dump_json().encode() + b"\n"


def _merge_others(files: Three, steps: set[str], merged_steps: Mapping[str, bytes], ledger: Ledger) -> dict[str, bytes]:
    """Every file that is in no step's folder, but for the manifest."""

    def outside(path: str) -> bool:
        return path != MANIFEST and not (path.startswith("steps/") and path.split("/")[1] in steps)

    base, mine, theirs = files
    used = _texts(merged_steps), _texts(theirs)
    merged: dict[str, bytes] = {}
    for path in sorted({path for table in files for path in table if outside(path)}):
        sides = Sides(base.get(path), mine.get(path), theirs.get(path))
        data, _ = merge_file(path, None, sides, ledger)
        if data is None and sides.mine is not None and path in used[0] and path not in used[1]:
            data = sides.mine  # the source no longer needs it, and the author's text does
        if data is not None:
            merged[path] = data
    return merged


def _texts(files: Mapping[str, bytes]) -> str:
    return "\n".join(data.decode("utf-8", "replace") for path, data in files.items() if path.endswith(".md"))


def _merge_manifest(files: Three, tables: tuple[dict[str, str], ...], order: list[str], ledger: Ledger) -> bytes:
    """`workshop.yaml`: the source's origin, the merged order of steps, and each other field by its three values."""
    raw = [parse_yaml(table[MANIFEST], MANIFEST) for table in files]
    values = [_with_ids(one, names) for one, names in zip(raw, tables, strict=True)]
    for one in values:
        one["steps"] = order
        one.pop("source", None)
        if "source" in raw[2]:
            one["source"] = raw[2]["source"]
    dumped = [manifest_text(one) for one in values]
    made = merge_manifest(MANIFEST, None, Sides(*dumped), ledger)
    merged = _of_these(parse_yaml(made or dumped[1], MANIFEST), order)
    if merged == raw[2] and files[0][MANIFEST] == files[1][MANIFEST]:
        return files[2][MANIFEST]
    if merged == raw[1]:
        return files[1][MANIFEST]
    return with_values(files[1][MANIFEST].decode(), raw[1], merged).encode()


def manifest_text(values: dict[str, Any]) -> bytes:
    """A mapping as YAML."""
    from yaml import safe_dump

    return str(safe_dump(values, sort_keys=False, allow_unicode=True)).encode()


def _with_ids(values: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A manifest's values with the steps of its chapters under the ids of the result."""
    chapters = [
        {**row, "steps": [names.get(step, step) for step in row.get("steps") or []]} for row in values.get("chapters") or []
    ]
    return {**values, **({"chapters": chapters} if chapters else {})}


def _of_these(values: dict[str, Any], order: list[str]) -> dict[str, Any]:
    """A manifest's values whose chapters name steps of the result alone; a chapter that this leaves empty goes."""
    if "chapters" not in values:
        return values
    chapters = [{**row, "steps": [step for step in row["steps"] if step in order]} for row in values["chapters"]]
    kept = [row for row, was in zip(chapters, values["chapters"], strict=True) if row["steps"] or not was["steps"]]
    return {**values, "chapters": kept}
