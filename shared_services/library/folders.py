"""A workshop in a folder that is its author's: only files that changed are written, and nothing else in the folder is touched."""

import errno
import secrets
from collections.abc import Mapping
from pathlib import Path

from shared_services.kit.errors import BadInputError, StorageFullError

MANIFEST = "workshop.yaml"


class FolderRefusedError(BadInputError):
    """Files of a folder cannot be changed safely."""

    slug = "folder-refused"
    title = "The folder cannot be changed"


def change_folder(folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Turn the workshop `before`, which the folder holds, into `after`.

    Killed anywhere, the folder holds a valid workshop: the manifest is written after everything that it names, and what it no
    longer names is removed last. Doing the same again does the rest.

    Returns:
        The paths that were written or removed.

    Raises:
        FolderRefusedError: A path leads through a link or to something that is not `before`'s, or cannot be written. Where a
            link is met, nothing was changed.
        StorageFullError: The disk is full.
    """
    written = sorted(
        (path for path, data in after.items() if before.get(path) != data), key=lambda path: (path == MANIFEST, path)
    )
    removed = sorted(set(before) - set(after))
    for path in [*written, *removed]:
        _refuse_unsafe(folder, path, known=path in before)
    try:
        for path in written:
            _write(folder / path, after[path])
        for path in removed:
            (folder / path).unlink(missing_ok=True)
            _remove_empty((folder / path).parent, folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"There is no space left to write the workshop to {folder}.") from error
        raise FolderRefusedError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}. Once that is mended, do the same again."
        ) from error
    return [*written, *removed]


def _refuse_unsafe(folder: Path, path: str, *, known: bool) -> None:
    target = folder / path
    for part in (target, *target.parents):
        if part == folder:
            break
        if part.is_symlink():
            raise FolderRefusedError(f"{part} is a symbolic link, which is not followed. Replace it by what it leads to.")
    if not known and target.exists():
        raise FolderRefusedError(f"{target} is in the way of a new file of that name. Move it away.")


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(data)
        if mode is not None:
            draft.chmod(mode)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
