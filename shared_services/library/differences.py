"""What differs between two workshops: which step is which is found first, then each is compared with its own earlier self."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from markdown_it import MarkdownIt

from shared_services.contracts.differences import Change, CodeDiff, FieldDiff, FileDiff, StepDiff, WorkshopDiff
from shared_services.contracts.workshop import parse_fence_info
from shared_services.library.form import STEP_TEXTS, WorkshopFiles, parse_yaml
from shared_services.library.merging.files import text_of
from shared_services.library.merging.lines import matching_blocks, split
from shared_services.library.merging.matching import match_steps, with_step_ids
from shared_services.library.merging.steps import DERIVED, step_files

CONTEXT = 3
_MANIFESTS = ("workshop.yaml", "step.yaml")
_NOT_SHOWN = frozenset({"apiVersion", "steps", "source"})
_PARSER = MarkdownIt("commonmark")


def diff_workshops(old: WorkshopFiles, new: WorkshopFiles) -> WorkshopDiff:
    """Compare two workshops; lines that only lead elsewhere in the source are no difference."""
    matched = match_steps(old, new)
    was = with_step_ids(old.files, matched, old.manifest.steps)
    moved = _moved([step for step in old.manifest.steps if step in matched], new.manifest.steps, matched)
    steps = [_step(old, new, was, step, matched, moved) for step in _in_order(old, new, matched)]
    folders = {f"steps/{step}/" for step in [*new.manifest.steps, *(matched.get(step, step) for step in old.manifest.steps)]}

    def outside(files: Mapping[str, bytes]) -> dict[str, bytes]:
        inside = tuple(folders)
        return {path: data for path, data in files.items() if path != "workshop.yaml" and not path.startswith(inside)}

    return WorkshopDiff(
        old_commit=old.manifest.source.commit if old.manifest.source else None,
        commit=new.manifest.source.commit if new.manifest.source else None,
        fields=_fields(_values(old.files, "workshop.yaml", matched), _values(new.files, "workshop.yaml", {})),
        steps=steps,
        files=_files(outside(was), outside(new.files), ""),
    )


def _in_order(old: WorkshopFiles, new: WorkshopFiles, matched: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    """Pairs (old id, new id) in the order of the new workshop, those that were removed after their predecessor."""
    before = {other: one for one, other in matched.items()}
    rows: list[tuple[str | None, str | None]] = [(before.get(step), step) for step in new.manifest.steps]
    for index, step in enumerate(old.manifest.steps):
        if step in matched:
            continue
        earlier = set(old.manifest.steps[:index])
        place = max((at for at, (one, _) in enumerate(rows) if one in earlier), default=-1)
        rows.insert(place + 1, (step, None))
    return rows


def _moved(old: Sequence[str], new: Sequence[str], matched: Mapping[str, str]) -> set[str]:
    """The fewest steps of the old workshop that one has to move to come to the new order."""
    places = [list(new).index(matched[step]) for step in old]
    best: list[tuple[int, ...]] = []
    for index, place in enumerate(places):
        earlier = [row for row in best if places[row[-1]] < place]
        best.append((*_longest(earlier), index))
    kept = set(_longest(best))
    return {step for index, step in enumerate(old) if index not in kept}


def _longest(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return max(rows, key=len, default=())


def _step(
    old: WorkshopFiles,
    new: WorkshopFiles,
    was: Mapping[str, bytes],
    pair: tuple[str | None, str | None],
    matched: Mapping[str, str],
    moved: set[str],
) -> StepDiff:
    before, after = pair
    name = after or before or ""
    one = step_files(was, name) if before else {}
    other = step_files(new.files, name) if after else {}
    fields = _fields(_values(one, "step.yaml", {}), _values(other, "step.yaml", {})) if before and after else []
    files = _files(one, other, f"steps/{name}/")
    changes = [
        *([Change.ADDED] if before is None else []),
        *([Change.REMOVED] if after is None else []),
        *([Change.RENAMED] if before and after and before != after else []),
        *([Change.MOVED] if before in moved else []),
        *([Change.CHANGED] if before and after and (fields or files) else []),
    ]
    return StepDiff(
        id=name,
        old_id=before,
        title=new.steps[after].title if after else old.steps[name].title,
        old_title=old.steps[before].title if before else None,
        changes=changes,
        position=new.manifest.steps.index(after) + 1 if after else 0,
        old_position=old.manifest.steps.index(before) + 1 if before else 0,
        fields=fields,
        code=list(_code(one, other, f"steps/{name}/")),
        files=files,
    )


def _values(files: Mapping[str, bytes], path: str, names: Mapping[str, str]) -> dict[str, Any]:
    values = parse_yaml(files[path], path) if path in files else {}
    if values.get("chapters"):
        chapters = [{**row, "steps": [names.get(step, step) for step in row.get("steps") or []]} for row in values["chapters"]]
        values = {**values, "chapters": chapters}
    return {name: value for name, value in values.items() if name not in _NOT_SHOWN}


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldDiff]:
    return [
        FieldDiff(field=name, old=_shown(old, name), new=_shown(new, name))
        for name in dict.fromkeys([*old, *new])
        if (name in old) != (name in new) or old[name] != new[name]
    ]


def _shown(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    if isinstance(value, str):
        return value
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)).removesuffix("...\n").rstrip("\n")


def _files(old: Mapping[str, bytes], new: Mapping[str, bytes], folder: str) -> list[FileDiff]:
    found = []
    for path in sorted({*old, *new}):
        one, other = old.get(path), new.get(path)
        if one == other or path == DERIVED or path in _MANIFESTS:
            continue
        change = Change.ADDED if one is None else Change.REMOVED if other is None else Change.CHANGED
        found.append(FileDiff(path=folder + path, change=change, text=unified(text_of(one or b""), text_of(other or b""))))
    return found


def unified(old: str | None, new: str | None) -> str:
    """Unified differences of two texts, without file names; empty where one of them is no text."""
    if old is None or new is None:
        return ""
    one, other = split(old), split(new)
    return "".join(_hunk(one, other, rows) for rows in _hunks(_edits(one, other)))


Edit = tuple[int, int, int, int]


def _edits(one: Sequence[str], other: Sequence[str]) -> list[Edit]:
    """Stretches that differ: `[first, end)` in one and in the other."""
    edits: list[Edit] = []
    at = (0, 0)
    for first, second, length in [*matching_blocks(one, other), (len(one), len(other), 0)]:
        if at[0] < first or at[1] < second:
            edits.append((at[0], first, at[1], second))
        at = (first + length, second + length)
    return edits


def _hunks(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Edits that are so near to each other that their surroundings meet."""
    group: list[Edit] = []
    for edit in edits:
        if group and edit[0] - group[-1][1] > 2 * CONTEXT:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _hunk(one: Sequence[str], other: Sequence[str], edits: Sequence[Edit]) -> str:
    before = min(CONTEXT, edits[0][0])
    after = min(CONTEXT, len(one) - edits[-1][1])
    first, end = edits[0][0] - before, edits[-1][1] + after
    new_first, new_end = edits[0][2] - before, edits[-1][3] + after
    rows, at = [], first
    for old_first, old_end, new_from, new_to in edits:
        rows += [f" {line}" for line in one[at:old_first]]
        rows += [f"-{line}" for line in one[old_first:old_end]] + [f"+{line}" for line in other[new_from:new_to]]
        at = old_end
    rows += [f" {line}" for line in one[at:end]]
    head = f"@@ -{_range(first, end)} +{_range(new_first, new_end)} @@\n"
    return head + "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def _range(first: int, end: int) -> str:
    length = end - first
    return f"{first + 1 if length else first}" + ("" if length == 1 else f",{length}")


@dataclass(frozen=True)
class Code:
    """A code block: its info string, its text, and the line (from 1) that it begins on."""

    info: str
    text: str
    line: int


def code_blocks(markdown: str) -> list[Code]:
    """Every code block of a text, in order."""
    return [
        Code(token.info.strip(), token.content, (token.map[0] if token.map else 0) + 1)
        for token in _PARSER.parse(markdown)
        if token.type in ("fence", "code_block")
    ]


def _code(old: Mapping[str, bytes], new: Mapping[str, bytes], folder: str) -> Iterator[CodeDiff]:
    """Code blocks that differ; between two that both sides have, they are told apart by their order and language."""
    for name in STEP_TEXTS:
        one, other = (code_blocks(text_of(files.get(name)) or "") for files in (old, new))
        keys = [[f"{code.info}\0{code.text}" for code in codes] for codes in (one, other)]
        for first, end, new_first, new_end in _edits(*keys):
            yield from _pairs(one[first:end], other[new_first:new_end], folder + name)


def _pairs(old: Sequence[Code], new: Sequence[Code], path: str) -> Iterator[CodeDiff]:
    rest = list(new)
    for one in old:
        other = next((code for code in rest if _language(code) == _language(one)), None)
        if other is None:
            yield _code_diff(path, Change.REMOVED, one, None)
            continue
        for skipped in rest[: rest.index(other)]:
            yield _code_diff(path, Change.ADDED, None, skipped)
        rest = rest[rest.index(other) + 1 :]
        yield _code_diff(path, Change.CHANGED, one, other)
    for other in rest:
        yield _code_diff(path, Change.ADDED, None, other)


def _language(code: Code) -> str:
    return parse_fence_info(code.info).language


def _code_diff(path: str, change: Change, old: Code | None, new: Code | None) -> CodeDiff:
    shown = new or old
    assert shown is not None
    return CodeDiff(
        path=path, change=change, language=_language(shown), old=old.text if old else None, new=new.text if new else None,
        old_line=old.line if old else 0, line=new.line if new else 0,
    )  # fmt: skip
