"""The neutral form on disk: reading a folder into manifests, judging it, writing manifests out.

Reading refuses what is not valid; it never repairs. YAML is read with the safe loader alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from shared_services.contracts.base import RelativePath
from shared_services.contracts.workshop import SourceMap, SourcePlace, StepManifest, WorkshopManifest
from shared_services.kit.errors import BadInputError

MAX_FILES = 5_000
MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_WORKSHOP_BYTES = 500 * 1024 * 1024
STEP_TEXTS = ("content.md", "hints.md", "explain.md", "solve.md")

_PATH: TypeAdapter[str] = TypeAdapter(RelativePath)


class InvalidWorkshopError(BadInputError):
    """A folder that is not a valid workshop; `findings` holds every reason, each naming its file."""

    slug = "invalid-workshop"
    title = "This is not a valid workshop"


@dataclass(frozen=True)
class WorkshopFiles:
    """A workshop held in memory: its manifests and every file by path inside the workshop."""

    manifest: WorkshopManifest
    steps: dict[str, StepManifest]
    files: dict[str, bytes]

    def text(self, path: str) -> str | None:
        """A file's text, or None where there is no such file."""
        raw = self.files.get(path)
        return None if raw is None else raw.decode("utf-8")


def parse_yaml(raw: bytes, path: str) -> dict[str, Any]:
    """A YAML mapping.

    Raises:
        InvalidWorkshopError: Not YAML, or not a mapping.
    """
    if raw.count(b"&") and raw.count(b"*"):
        _refuse_aliases(raw, path)
    try:
        value = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidWorkshopError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(value, dict):
        raise InvalidWorkshopError(f"{path} must hold a mapping of names to values.")
    return value


def _refuse_aliases(raw: bytes, path: str) -> None:
    try:
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(raw, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidWorkshopError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    if aliases:
        raise InvalidWorkshopError(f"{path} uses YAML aliases (`*name`), which are not taken. Write the values out.")


def source_place(files: dict[str, bytes], file: str, line: int) -> SourcePlace:
    """Where line `line` (from 1) of the workshop's `file` came from in the author's repository; itself where there is no map."""
    raw = files.get(f"{file.rpartition('/')[0]}/source-map.json") if file.endswith("/content.md") else None
    return SourceMap.model_validate_json(raw).locate(line) if raw else SourcePlace(file=file, line=line)


def validate_files(files: dict[str, bytes]) -> WorkshopFiles:
    """The workshop that `files` (path inside the workshop -> bytes) hold.

    Raises:
        InvalidWorkshopError: With every finding at once.
    """
    findings: list[str] = []
    for path in files:
        try:
            _PATH.validate_python(path)
        except ValidationError:
            findings.append(f"{path!r} is not a path inside the workshop.")
    if "workshop.yaml" not in files:
        raise InvalidWorkshopError("There is no workshop.yaml, so this is not a workshop. `workshop convert` makes one.")
    manifest = _read(WorkshopManifest, "workshop.yaml", files, findings)
    steps: dict[str, StepManifest] = {}
    for step in manifest.steps if manifest else []:
        read = _read_step(step, files, findings)
        if read:
            steps[step] = read
    if findings or manifest is None:
        raise InvalidWorkshopError(_sentence(findings), findings=findings)
    return WorkshopFiles(manifest, steps, files)


def _read_step(step: str, files: dict[str, bytes], findings: list[str]) -> StepManifest | None:
    folder = f"steps/{step}"
    if f"{folder}/content.md" not in files:
        findings.append(f"{folder}/content.md is missing, though workshop.yaml lists the step.")
    for name in STEP_TEXTS:
        try:
            files.get(f"{folder}/{name}", b"").decode("utf-8")
        except UnicodeDecodeError as error:
            findings.append(f"{folder}/{name} is not UTF-8 (byte {error.start}).")
    if f"{folder}/source-map.json" in files:
        try:
            SourceMap.model_validate_json(files[f"{folder}/source-map.json"])
        except ValidationError:
            findings.append(f"{folder}/source-map.json is not a source map. Delete it, or convert the source again.")
    if f"{folder}/step.yaml" not in files:
        findings.append(f"{folder}/step.yaml is missing; it holds at least `title:`.")
        return None
    manifest = _read(StepManifest, f"{folder}/step.yaml", files, findings)
    if manifest and manifest.check and f"{folder}/{manifest.check.script}" not in files:
        findings.append(f"{folder}/step.yaml names the check {manifest.check.script}, which is not there.")
    return manifest


def _read[M: (WorkshopManifest, StepManifest)](
    model: type[M], path: str, files: dict[str, bytes], findings: list[str]
) -> M | None:
    try:
        return model.model_validate(parse_yaml(files[path], path))
    except InvalidWorkshopError as error:
        findings.append(error.detail)
    except ValidationError as error:
        findings.extend(f"{path}: {'.'.join(map(str, row['loc'])) or 'the file'}: {row['msg']}." for row in error.errors())
    return None


def _sentence(findings: list[str]) -> str:
    shown = " ".join(findings[:5])
    return shown + (f" And {len(findings) - 5} more." if len(findings) > 5 else "")


def with_slug(workshop: WorkshopFiles, slug: str) -> WorkshopFiles:
    """The same workshop under another slug; itself where it has that one."""
    if workshop.manifest.slug == slug:
        return workshop
    manifest = workshop.manifest.model_copy(update={"slug": slug})
    return WorkshopFiles(manifest, workshop.steps, workshop.files | {"workshop.yaml": manifest_yaml(manifest)})


def read_folder(folder: Path) -> WorkshopFiles:
    """Read and judge a workshop folder. Hidden files and symlinks are left out.

    Raises:
        InvalidWorkshopError: Not a valid workshop, or over the limits.
    """
    if not folder.is_dir():
        raise InvalidWorkshopError(f"{folder} is not a folder.")
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        size = path.stat().st_size
        total += size
        if size > MAX_FILE_BYTES or total > MAX_WORKSHOP_BYTES or len(files) >= MAX_FILES:
            raise InvalidWorkshopError(
                f"{folder} is too large: at most {MAX_FILES} files, {MAX_FILE_BYTES >> 20} MiB each, "
                f"{MAX_WORKSHOP_BYTES >> 20} MiB together ({name} passes that)."
            )
        files[name] = path.read_bytes()
    return validate_files(files)


def manifest_yaml(manifest: WorkshopManifest | StepManifest) -> bytes:
    """A manifest as YAML, defaults left out, keys in the model's order."""
    data = json.loads(manifest.model_dump_json(by_alias=True, exclude_defaults=True))
    if isinstance(manifest, WorkshopManifest):
        data = {"apiVersion": manifest.api_version, **data}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120).encode()
