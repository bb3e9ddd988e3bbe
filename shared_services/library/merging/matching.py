"""Which step of one version is which step of another: by its id, else by the page that it was made from, else by its text."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared_services.library.form import WorkshopFiles

ALIKE = 0.5
_STEP_LINK = re.compile(r"(?<!\.\./)\.\./([a-z0-9][-a-z0-9]{0,62})/content\.md")


@dataclass(frozen=True)
class _Known:
    """What a step is recognised by."""

    title: str
    page: str
    lines: Counter[str]


def match_steps(old: WorkshopFiles, new: WorkshopFiles) -> dict[str, str]:
    """Steps of `old` -> the same steps of `new`; those that have none are left out."""
    matched = {step: step for step in old.manifest.steps if step in new.steps}
    left_old = [step for step in old.manifest.steps if step not in matched]
    left_new = [step for step in new.manifest.steps if step not in matched]
    if not left_old or not left_new:
        return matched
    before = {step: _known(old, step) for step in left_old}
    after = {step: _known(new, step) for step in left_new}
    for score, one, other in _candidates(before, after):
        if score >= ALIKE and one not in matched and other not in matched.values():
            matched[one] = other
    return matched


def _candidates(before: Mapping[str, _Known], after: Mapping[str, _Known]) -> list[tuple[float, str, str]]:
    """Every pair with how alike it is, the likest first."""
    pages = [Counter(known.page for known in table.values()) for table in (before, after)]
    found = []
    for index, (one, was) in enumerate(before.items()):
        for position, (other, now) in enumerate(after.items()):
            alone = was.page != "" and was.page == now.page and all(count[was.page] == 1 for count in pages)
            score = _alike(was.lines, now.lines) + (ALIKE if alone else 0) + (0.2 if was.title == now.title else 0)
            found.append((-score, abs(index - position), one, other))
    return [(-score, one, other) for score, _, one, other in sorted(found)]


def _known(workshop: WorkshopFiles, step: str) -> _Known:
    text = workshop.text(f"steps/{step}/content.md") or ""
    raw = workshop.files.get(f"steps/{step}/source-map.json")
    page = str(json.loads(raw).get("file", "")) if raw else ""
    return _Known(workshop.steps[step].title, page, Counter(line.strip() for line in text.split("\n") if line.strip()))


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """How many of the lines of two texts are the same, from 0 to 1."""
    lines = one.total() + other.total()
    return 2 * (one & other).total() / lines if lines else 0.0


def with_step_ids(files: Mapping[str, bytes], names: Mapping[str, str], steps: Sequence[str]) -> dict[str, bytes]:
    """Files of a version under other step ids, their links among them.

    Args:
        files: By path.
        names: Id -> the other id.
        steps: The version's own steps; a folder that the manifest does not name stays as it is.
    """
    changed = {step: names[step] for step in steps if names.get(step, step) != step}
    if not changed:
        return dict(files)

    def linked(match: re.Match[str]) -> str:
        return f"../{changed.get(match[1], match[1])}/content.md"

    moved = {}
    for path, data in files.items():
        parts = path.split("/")
        if len(parts) > 2 and parts[0] == "steps":
            parts[1] = changed.get(parts[1], parts[1])
        text = _text(data) if path.endswith(".md") else None
        moved["/".join(parts)] = data if text is None else _STEP_LINK.sub(linked, text).encode()
    return moved


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
