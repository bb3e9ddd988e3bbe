"""Merges and comparisons of versions that the library holds. Pictures and large files are told apart by their hashes alone."""

import asyncio
from collections.abc import Mapping

from anyio import to_thread

from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.merging import Decision, MergeRequest
from shared_services.kit.errors import ConflictError
from shared_services.library.differences import diff_workshops
from shared_services.library.form import WorkshopFiles, validate_files
from shared_services.library.merging import Merged, merge_workshops
from shared_services.library.merging.files import opaque
from shared_services.library.service import LibraryService

_MARK = b"\0sha256:"
_AT_ONCE = 8


class UndecidedError(ConflictError):
    """A merge has conflicts that nobody has decided; `conflicts` holds them."""

    slug = "merge-undecided"
    title = "Please decide what both sides changed"


async def read_version(library: LibraryService, workshop: str, version: str) -> WorkshopFiles:
    """A version's files; pictures and large ones are stood for by their hashes.

    Raises:
        WorkshopNotFoundError: There is no such version.
    """
    found = await library.version(workshop, version)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def content(path: str, sha256: str, size: int) -> bytes:
        if opaque(path, size):
            return _MARK + sha256.encode()
        async with gate:
            return await library.file(workshop, sha256)

    contents = await asyncio.gather(*(content(file.path, file.sha256, file.size) for file in found.files))
    return validate_files({file.path: data for file, data in zip(found.files, contents, strict=True)})


async def merge_of(
    library: LibraryService, workshop: str, *, base: str, mine: str, theirs: str, decisions: Mapping[str, Decision]
) -> Merged:
    """Merge three versions, and keep nothing.

    Raises:
        InvalidWorkshopError: The result would not be valid.
        WorkshopNotFoundError: There is no such version.
    """
    was, own, new = await asyncio.gather(*(read_version(library, workshop, version) for version in (base, mine, theirs)))
    return await to_thread.run_sync(merge_workshops, was, own, new, decisions)


async def merge_versions(library: LibraryService, workshop: str, request: MergeRequest) -> tuple[Merged, WorkshopVersion]:
    """Merge three versions and keep the result as a draft, with the pages of the newer commit beside it.

    Raises:
        InvalidWorkshopError: The result would not be valid.
        UndecidedError: A conflict is undecided, and the request is strict.
        WorkshopNotFoundError: There is no such version.
    """
    merged = await merge_of(
        library, workshop, base=request.base, mine=request.mine, theirs=request.theirs, decisions=request.decisions
    )
    if request.strict and merged.undecided:
        rows = [row.model_dump(mode="json") for row in merged.undecided]
        raise UndecidedError(f"{len(rows)} of {len(merged.conflicts)} conflicts are undecided.", conflicts=rows)
    draft = await library.draft(await _whole(library, workshop, merged.workshop))
    await library.copy_sources(workshop, request.theirs, draft.version)
    return merged, draft


async def diff_versions(library: LibraryService, workshop: str, old: str, new: str) -> WorkshopDiff:
    """What differs between two versions.

    Raises:
        WorkshopNotFoundError: There is no such version.
    """
    one, other = await asyncio.gather(*(read_version(library, workshop, version) for version in (old, new)))
    return await to_thread.run_sync(diff_workshops, one, other)


async def _whole(library: LibraryService, workshop: str, merged: WorkshopFiles) -> WorkshopFiles:
    """The same workshop with every file's own bytes."""
    files = dict(merged.files)
    for path, data in merged.files.items():
        if data.startswith(_MARK):
            files[path] = await library.file(workshop, data.removeprefix(_MARK).decode())
    return WorkshopFiles(merged.manifest, merged.steps, files)
