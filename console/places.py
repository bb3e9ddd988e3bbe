"""Where things stand: from a line of the author's repository to the step and line made of it, and to its page on the web.

A conversion keeps no files of the source; the source maps that lie beside the steps are what leads back and forth.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import SourceMap, WorkshopSource
from shared_services.kit.errors import NotFoundError
from shared_services.library.service import LibraryService

_BLOB = {"github.com": "blob", "gitlab.com": "-/blob", "codeberg.org": "src/commit"}
_LONG = 1_000_000


@dataclass(frozen=True)
class StepLine:
    """A line (from 1) of a step's `content.md`."""

    step: str
    line: int


async def read_file(library: LibraryService, version: WorkshopVersion, path: str) -> bytes:
    """A file of a version.

    Raises:
        NotFoundError: The version has no file of this path.
    """
    found = next((file for file in version.files if file.path == path), None)
    if found is None:
        raise NotFoundError(f"The workshop has no file {path}.")
    return await library.file(version.workshop, found.sha256)


async def read_map(library: LibraryService, version: WorkshopVersion, step: str) -> SourceMap | None:
    """The source map of a step; None where it has none, as a workshop that was written by hand."""
    path = f"steps/{step}/source-map.json"
    if all(file.path != path for file in version.files):
        return None
    return SourceMap.model_validate_json(await read_file(library, version, path))


async def read_maps(library: LibraryService, version: WorkshopVersion) -> dict[str, SourceMap]:
    """The source maps of all steps that have one, by step, in the order of the steps."""
    steps = version.manifest.steps
    found = await asyncio.gather(*(read_map(library, version, step) for step in steps))
    return {step: source_map for step, source_map in zip(steps, found, strict=True) if source_map is not None}


def find_line(maps: Mapping[str, SourceMap], file: str, line: int) -> StepLine | None:
    """The content line that is nearest to a line of the source.

    Args:
        maps: Source maps by step.
        file: Path in the author's repository.
        line: From 1; 0 for the file as a whole.

    Returns:
        The line made from it; else the one made from the nearest line of the file; None when no step has anything of the file.
    """
    nearest: tuple[int, StepLine] | None = None
    for step, source_map in maps.items():
        if not source_map.runs and source_map.file == file:
            return StepLine(step, 1)
        ends = [run[0] for run in source_map.runs[1:]] + [_LONG]
        for (start, run_file, source_line), end in zip(source_map.runs, ends, strict=True):
            if run_file != file or source_line == 0 or end <= start:
                continue
            last = source_line + end - start - 1
            inside = min(max(line, source_line), last)
            found = (abs(line - inside), StepLine(step, start + inside - source_line))
            nearest = found if nearest is None or found[0] < nearest[0] else nearest
    return nearest[1] if nearest else None


def web_address(source: WorkshopSource | None, file: str, line: int) -> str | None:
    """The page on GitHub, GitLab or Codeberg that shows a line of the source at the converted commit; None elsewhere."""
    if source is None or not source.repository or not source.commit or not file:
        return None
    parts = urlsplit(source.repository)
    if parts.scheme != "https" or parts.netloc not in _BLOB:
        return None
    repository = f"https://{parts.netloc}{quote(parts.path.rstrip('/').removesuffix('.git'))}"
    mark = f"#L{line}" if line else ""
    return f"{repository}/{_BLOB[parts.netloc]}/{quote(source.commit)}/{quote(file)}{mark}"
