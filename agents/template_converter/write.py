"""The neutral form as bytes and on disk: the same input gives the same bytes, and a folder is replaced whole or not at all."""

import errno
import os
import secrets
import shutil
import time
from collections import Counter
from pathlib import Path

from agents.template_converter.errors import OutputRefusedError
from agents.template_converter.forms.anchors import slug
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from agents.template_converter.programs import write_file
from shared_services.contracts.workshop import SourceMap, StepCheck, StepManifest, WorkshopManifest, WorkshopSource
from shared_services.kit.errors import StorageFullError
from shared_services.library.form import manifest_yaml

_OWN = frozenset({"workshop.yaml", "steps", "assets"})
_MAX_TITLE = 300


def workshop_files(workshop: ImportedWorkshop, tree: Tree, source: WorkshopSource, fallback_name: str) -> dict[str, bytes]:
    """Every file of the neutral form by path; `fallback_name` is what the workshop is called when its pages say nothing."""
    title = _title(workshop.title, fallback_name)
    manifest = WorkshopManifest(
        slug=slug(title) or slug(fallback_name) or "workshop",
        title=title,
        summary=workshop.summary,
        difficulty=workshop.difficulty,
        duration=workshop.duration,
        tags=list(dict.fromkeys(made for tag in workshop.tags if (made := slug(tag)))),
        authors=workshop.authors,
        source=source,
        steps=[step.id for step in workshop.steps],
        chapters=workshop.chapters,
        variables=workshop.variables,
    )
    files = {"workshop.yaml": manifest_yaml(manifest)}
    for step in workshop.steps:
        files |= _step_files(step)
    files |= {f"assets/{name}": tree.read_bytes(path) for name, path in workshop.assets.items()}
    return dict(sorted(files.items()))


def _title(title: str, fallback: str) -> str:
    return " ".join(title.split())[:_MAX_TITLE] or " ".join(fallback.replace("-", " ").split()).capitalize() or "Workshop"


def _step_files(step: ImportedStep) -> dict[str, bytes]:
    folder = f"steps/{step.id}"
    check = StepCheck() if step.check is not None else None
    manifest = StepManifest(title=_title(step.title, step.id), duration=step.duration, check=check)
    texts = {
        "content.md": step.content, "hints.md": step.hints, "explain.md": step.explain, "solve.md": step.solve,
        "check.sh": step.check, "setup.sh": step.setup,
    }  # fmt: skip
    source_map = SourceMap(file=step.source, runs=step.runs)
    return {
        f"{folder}/step.yaml": manifest_yaml(manifest),
        f"{folder}/source-map.json": source_map.model_dump_json().encode() + b"\n",
        **{f"{folder}/{name}": text.encode("utf-8", "replace") for name, text in texts.items() if text is not None},
        **{f"{folder}/{name}": data for name, data in step.files.items()},
    }


def write_folder(files: dict[str, bytes], out: Path, *, replace: bool = False) -> None:
    """Put a workshop in the place of `out`, whole.

    Args:
        files: The workshop's files by path.
        out: The folder.
        replace: Also in the place of files that were changed since the last conversion.

    Raises:
        OutputRefusedError: `out` holds something else than a previous conversion as it was written, or cannot be written.
        StorageFullError: The disk is full.
    """
    out = out.absolute()
    _refuse_foreign(out)
    if not replace:
        _refuse_changed(out, files)
    mark = secrets.token_hex(4)
    fresh, old = out.parent / f".{out.name}.{mark}.new", out.parent / f".{out.name}.{mark}.old"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        moment = time.time_ns()
        for path, data in files.items():
            write_file(fresh / path, path, data)
            os.utime(fresh / path, ns=(moment, moment))
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    except OSError as error:
        if old.exists() and not out.exists():
            old.rename(out)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"There is no space left to write the workshop to {out}.") from error
        raise OutputRefusedError(f"The workshop cannot be written to {out}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(out: Path) -> None:
    if not out.exists():
        return
    if out.is_symlink() or not out.is_dir():
        raise OutputRefusedError(f"{out} is not a folder. Name a folder that is not there yet.")
    names = {path.name for path in out.iterdir()}
    if names and "workshop.yaml" not in names:
        raise OutputRefusedError(f"{out} is not empty and holds no workshop. Name another folder, or empty this one.")
    foreign = sorted(names - _OWN)
    if foreign:
        raise OutputRefusedError(
            f"{out} holds a workshop and also {', '.join(foreign[:5])}, which would be deleted. Name another folder."
        )


def _refuse_changed(out: Path, files: dict[str, bytes]) -> None:
    """What a conversion writes is all of one moment; what is not, and would not be written as it is, somebody changed."""
    there = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file() or path.is_symlink()}
    moments = {name: path.lstat().st_mtime_ns for name, path in there.items()}
    common = max(Counter(moments.values()).items(), key=lambda row: row[1])[0] if moments else 0
    changed = sorted(name for name, moment in moments.items() if moment != common and not _holds(there[name], files.get(name)))
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise OutputRefusedError(
            f"{out} was changed after it was converted: {', '.join(changed[:3])}{more}. `workshop update` merges a newer source"
            " into it; to lose the changes say --replace, or name another folder."
        )


def _holds(path: Path, data: bytes | None) -> bool:
    try:
        return data is not None and not path.is_symlink() and path.read_bytes() == data
    except OSError:
        return False
