"""One file of three versions made one."""

from dataclasses import dataclass, field
from typing import Any

from shared_services.contracts.merging import ConflictKind, Take
from shared_services.library.form import InvalidWorkshopError, parse_yaml
from shared_services.library.merging.ledger import Ledger
from shared_services.library.merging.lines import Agreed, Clash, merge_lines, split
from shared_services.library.merging.values import ABSENT, merge_values
from shared_services.library.merging.yaml_text import with_values

MOST_TEXT_BYTES = 1_000_000
_ALWAYS_READ = frozenset({"workshop.yaml", "step.yaml", "source-map.json"})
_MEDIA = frozenset({
    "apng", "avif", "bmp", "gif", "gz", "ico", "jpeg", "jpg", "mov", "mp3", "mp4", "ogg", "pdf", "png", "svg", "tar", "tgz",
    "webm", "webp", "woff", "woff2", "zip",
})  # fmt: skip


def opaque(path: str, size: int) -> bool:
    """Whether a file is taken as a whole and never merged by lines: a picture, an archive, a large one."""
    name = path.rpartition("/")[2]
    return name not in _ALWAYS_READ and (size > MOST_TEXT_BYTES or name.rpartition(".")[2].lower() in _MEDIA)


@dataclass(frozen=True)
class Sides:
    """A file as each version has it; None where a version has none."""

    base: bytes | None
    mine: bytes | None
    theirs: bytes | None


@dataclass
class MergedText:
    """A merged text, and where each of its lines comes from: an index into the source's text, or None for the author's own."""

    text: str = ""
    origins: list[int | None] = field(default_factory=list)

    def add(self, lines: tuple[str, ...] | list[str], theirs: int | None) -> None:
        """Append lines, the first of which is line `theirs` (from 0) of the source's text."""
        self.text += "".join(lines)
        self.origins += [None if theirs is None else theirs + number for number in range(len(lines))]


def text_of(data: bytes | None) -> str | None:
    """A file's text; None for what is not there and for what is no text."""
    if data is None or b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def merge_file(path: str, step: str | None, sides: Sides, ledger: Ledger) -> tuple[bytes | None, MergedText | None]:
    """The file of the result, None for none; and where its lines come from, where it is a text that was merged."""
    if sides.mine == sides.theirs or sides.base == sides.mine:
        return sides.theirs, _whole(text_of(sides.theirs), from_theirs=True)
    if sides.base == sides.theirs and sides.mine is None:
        return None, None
    three = (sides.base, sides.mine, sides.theirs)
    texts = tuple(None if data is None or opaque(path, len(data)) else text_of(data) for data in three)
    base, mine, theirs = texts
    if mine is not None and theirs is not None and (base is not None or sides.base is None):
        merged = _merge_text(path, step, base or "", mine, theirs, ledger)
        return merged.text.encode(), merged
    if sides.base == sides.theirs:
        return sides.mine, None
    decision = ledger.decide(ConflictKind.FILE, path, _what_happened(sides), sides=(base, mine, theirs), step=step)
    kept = sides.theirs if decision.take is Take.THEIRS else sides.mine
    return kept, _whole(text_of(kept), from_theirs=decision.take is Take.THEIRS)


def _whole(text: str | None, *, from_theirs: bool) -> MergedText | None:
    if text is None:
        return None
    merged = MergedText()
    merged.add(split(text), 0 if from_theirs else None)
    return merged


def _what_happened(sides: Sides) -> str:
    if sides.mine is None:
        return "You removed this file, and the source changed it."
    if sides.theirs is None:
        return "You changed this file, and the source removed it."
    done = "You and the source changed this file" if sides.base is not None else "You and the source added this file"
    return f"{done}, and it is none that could be merged by lines. Take the one or the other."


def _merge_text(path: str, step: str | None, base: str, mine: str, theirs: str, ledger: Ledger) -> MergedText:
    merged = MergedText()
    for part in merge_lines(split(base), split(mine), split(theirs)):
        if isinstance(part, Agreed):
            _ended(merged)
            merged.add(part.lines, None if part.origin == "mine" else part.theirs)
        else:
            _decide_lines(path, step, part, merged, ledger)
    return merged


def _decide_lines(path: str, step: str | None, clash: Clash, merged: MergedText, ledger: Ledger) -> None:
    done = {(True, False): "You removed these lines, and the source changed them.",
            (False, True): "You changed these lines, and the source removed them."}  # fmt: skip
    detail = done.get((not clash.mine, not clash.theirs), "You and the source changed the same lines.")
    if not clash.base:
        detail = "You and the source added different lines at the same place."
    decision = ledger.decide(
        ConflictKind.LINES, path, detail, step=step, line=clash.mine_at + 1,
        sides=("".join(clash.base), "".join(clash.mine), "".join(clash.theirs)),
    )  # fmt: skip
    if decision.text is not None:
        _ended(merged)
        merged.add(split(decision.text), None)
        return
    if decision.take is not Take.THEIRS and clash.mine:
        _ended(merged)
        merged.add(clash.mine, None)
    if decision.take is not Take.MINE and clash.theirs:
        _ended(merged)
        merged.add(clash.theirs, clash.theirs_at)


def _ended(merged: MergedText) -> None:
    """End the last line: one side's text may have ended in the middle of what is a text's middle now."""
    if merged.text and not merged.text.endswith("\n"):
        merged.text += "\n"


def merge_manifest(path: str, step: str | None, sides: Sides, ledger: Ledger) -> bytes | None:
    """`workshop.yaml` or `step.yaml`, field by field; the author's text stays where its fields do."""
    if sides.mine is None or sides.theirs is None:
        return merge_file(path, step, sides, ledger)[0]
    base, mine, theirs = (_mapping(data, path) for data in (sides.base, sides.mine, sides.theirs))

    def choose(field: str, was: Any, own: Any, new: Any) -> Any:
        texts = tuple(None if value is ABSENT else _shown(value) for value in (was, own, new))
        detail = f"You and the source changed `{field}`."
        decision = ledger.decide(ConflictKind.FIELD, path, detail, step=step, field=field, sides=(texts[0], texts[1], texts[2]))
        return new if decision.take is Take.THEIRS else own

    merged = merge_values("", base, mine, theirs, choose)
    return manifest_bytes(sides, mine, theirs, merged)


def manifest_bytes(sides: Sides, mine: dict[str, Any], theirs: dict[str, Any], merged: dict[str, Any]) -> bytes:
    """A merged manifest, in the words of the side that needs no change, else of the author's file with what changed."""
    assert sides.mine is not None
    if merged == theirs and (sides.base == sides.mine or sides.mine == sides.theirs) and sides.theirs is not None:
        return sides.theirs
    if merged == mine:
        return sides.mine
    return with_values(sides.mine.decode(), mine, merged).encode()


def _mapping(data: bytes | None, path: str) -> dict[str, Any]:
    try:
        return parse_yaml(data, path) if data is not None else {}
    except InvalidWorkshopError:
        return {}


def _shown(value: Any) -> str:
    from yaml import safe_dump

    if isinstance(value, str):
        return value
    return str(safe_dump(value, sort_keys=False, allow_unicode=True, width=120)).removesuffix("...\n")
