"""What is wrong with a workshop: what publishing would refuse, and what its participants would stumble over.

Where `form` refuses with everything at once, this says the line of each, and goes on to what is valid and still not right.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import yaml
from pydantic import TypeAdapter, ValidationError

from shared_services.contracts.base import RelativePath
from shared_services.contracts.checking import CheckReport, Finding, Severity
from shared_services.contracts.workshop import SourceMap, StepManifest, WorkshopManifest
from shared_services.library.check_texts import check_text
from shared_services.library.form import STEP_TEXTS, InvalidWorkshopError, parse_yaml
from shared_services.library.yaml_places import Places

MANIFEST = "workshop.yaml"
_PATH: TypeAdapter[str] = TypeAdapter(RelativePath)
_QUIZ = "quiz.yaml"


def check_workshop(files: Mapping[str, bytes]) -> CheckReport:
    """Check a workshop's files (path inside the workshop -> bytes)."""
    findings = [*_paths(files)]
    manifest: WorkshopManifest | None = None
    if MANIFEST not in files:
        findings.append(_error("no-manifest", MANIFEST, 0, "There is no workshop.yaml. `workshop convert` makes one."))
    else:
        manifest, found = read_manifest(WorkshopManifest, MANIFEST, files[MANIFEST])
        findings += found
    steps: dict[str, StepManifest] = {}
    listed = (
        manifest.steps
        if manifest
        else sorted({path.split("/")[1] for path in files if path.count("/") > 1 and path.startswith("steps/")})
    )
    for step in listed:
        found_manifest, found = _step(step, files)
        findings += found
        if found_manifest:
            steps[step] = found_manifest
    if manifest:
        findings += _unlisted(manifest, files)
        findings += _unused(files)
    variables = {row.name for row in manifest.variables} if manifest else None
    for step in listed:
        findings += _texts(step, listed, files, variables)
    ordered = sorted({_placed(row, files) for row in findings}, key=lambda row: (row.file, row.line, row.kind, row.detail))
    return CheckReport(title=manifest.title if manifest else None, steps=len(steps), findings=ordered)


def _folders(files: Mapping[str, bytes]) -> list[str]:
    """Steps by their folders."""
    return sorted({path.split("/")[1] for path in files if path.startswith("steps/") and path.count("/") > 1})


def _error(kind: str, file: str, line: int, detail: str) -> Finding:
    return Finding(severity=Severity.ERROR, kind=kind, file=file, line=line, detail=detail)


def _warning(kind: str, file: str, line: int, detail: str) -> Finding:
    return Finding(severity=Severity.WARNING, kind=kind, file=file, line=line, detail=detail)


def _paths(files: Mapping[str, bytes]) -> Iterator[Finding]:
    for path in files:
        try:
            _PATH.validate_python(path)
        except ValidationError:
            yield _error("bad-path", path, 0, "This is not a path inside the workshop. Rename the file.")


def read_manifest[M: (WorkshopManifest, StepManifest)](model: type[M], path: str, raw: bytes) -> tuple[M | None, list[Finding]]:
    """A manifest, or None; and what is wrong with it, each with its line."""
    try:
        values = parse_yaml(raw, path)
    except InvalidWorkshopError as error:
        return None, [_error("bad-yaml", path, _yaml_line(raw), error.detail)]
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        places = Places(raw)
        return None, [_refused(path, places, row["loc"], row["msg"], row["type"]) for row in error.errors()]


def _refused(path: str, places: Places, place: tuple[int | str, ...], message: str, kind: str) -> Finding:
    line = places.line(place or _named_in(message))
    return _error("bad-field", path, line, _field_sentence(place, message, kind))


def _named_in(message: str) -> tuple[str, ...]:
    """The field that a sentence about the whole manifest begins with."""
    word = message.removeprefix("Value error, ").split(" ")[0]
    return (word,) if word in WorkshopManifest.model_fields else ()


def _field_sentence(place: Sequence[int | str], message: str, kind: str) -> str:
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    if kind == "extra_forbidden":
        return f"`{name}` is no field that is known here. Correct its name, or take it out."
    if kind == "missing":
        return f"`{name}` is missing."
    said = message.removeprefix("Value error, ")
    return f"`{name}`: {said}." if name else f"{said[:1].upper()}{said[1:]}."


def _yaml_line(raw: bytes) -> int:
    try:
        for _ in yaml.parse(raw, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return mark.line + 1 if mark else 1
    except (yaml.YAMLError, ValueError, RecursionError):
        return 1
    return 1


def _step(step: str, files: Mapping[str, bytes]) -> tuple[StepManifest | None, list[Finding]]:
    folder = f"steps/{step}"
    findings: list[Finding] = []
    if f"{folder}/content.md" not in files:
        findings.append(
            _error("no-content", f"{folder}/content.md", 0, "The step has no content.md, though workshop.yaml lists it.")
        )
    if f"{folder}/source-map.json" in files:
        try:
            SourceMap.model_validate_json(files[f"{folder}/source-map.json"])
        except ValidationError:
            detail = "This is no source map. Delete it, or convert the source again."
            findings.append(_error("bad-source-map", f"{folder}/source-map.json", 0, detail))
    if f"{folder}/{_QUIZ}" in files:
        try:
            parse_yaml(files[f"{folder}/{_QUIZ}"], f"{folder}/{_QUIZ}")
        except InvalidWorkshopError as error:
            raw = files[f"{folder}/{_QUIZ}"]
            findings.append(_error("bad-yaml", f"{folder}/{_QUIZ}", _yaml_line(raw), error.detail))
    path = f"{folder}/step.yaml"
    if path not in files:
        findings.append(_error("no-manifest", path, 0, "The step has no step.yaml; it holds at least `title:`."))
        return None, findings
    manifest, found = read_manifest(StepManifest, path, files[path])
    findings += found
    if manifest is None:
        return None, findings
    if manifest.check and f"{folder}/{manifest.check.script}" not in files:
        line = Places(files[path]).line(("check", "script"))
        findings.append(_error("no-check", path, line, f"It names the check `{manifest.check.script}`, which is not there."))
    if manifest.check is None and f"{folder}/check.sh" in files:
        detail = "Nothing runs this check: step.yaml has no `check:`."
        findings.append(_warning("unused-check", f"{folder}/check.sh", 0, detail))
    return manifest, findings


def _unlisted(manifest: WorkshopManifest, files: Mapping[str, bytes]) -> Iterator[Finding]:
    for folder in _folders(files):
        if folder not in manifest.steps:
            detail = "workshop.yaml does not list this step, so nobody sees it. List it, or take the folder away."
            yield _warning("unlisted-step", f"steps/{folder}", 0, detail)


def _unused(files: Mapping[str, bytes]) -> Iterator[Finding]:
    said = "\n".join(data.decode("utf-8", "replace") for path, data in files.items() if path.endswith((".md", ".yaml")))
    for path in files:
        if path.startswith("assets/") and path.rpartition("/")[2] not in said and _quoted(path) not in said:
            yield _warning("unused-asset", path, 0, "No text refers to this file.")


def _quoted(path: str) -> str:
    return quote(path.rpartition("/")[2])


def _texts(step: str, steps: Sequence[str], files: Mapping[str, bytes], variables: set[str] | None) -> Iterator[Finding]:
    for name in STEP_TEXTS:
        path = f"steps/{step}/{name}"
        if path not in files:
            continue
        try:
            text = files[path].decode("utf-8")
        except UnicodeDecodeError as error:
            line = files[path].count(b"\n", 0, error.start) + 1
            yield _error("not-utf-8", path, line, "This line is not UTF-8. Save the file as UTF-8.")
            continue
        yield from check_text(path, text, steps, files, variables)


def _placed(finding: Finding, files: Mapping[str, bytes]) -> Finding:
    """The finding with its place in the author's repository, where the step's source map knows it."""
    raw = files.get(f"{finding.file.rpartition('/')[0]}/source-map.json")
    if not finding.line or raw is None or not finding.file.endswith("/content.md"):
        return finding
    try:
        return finding.model_copy(update={"source": SourceMap.model_validate_json(raw).locate(finding.line)})
    except ValidationError:
        return finding
