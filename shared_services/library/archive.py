"""A workshop as a gzipped tar: how it travels between processes. Reading one never touches the disk."""

import gzip
import io
import tarfile
import zlib

from shared_services.kit.errors import TooLargeError
from shared_services.library.form import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_WORKSHOP_BYTES,
    InvalidWorkshopError,
    WorkshopFiles,
    validate_files,
)


def pack(files: dict[str, bytes]) -> bytes:
    """A gzipped tar of `files`; the same files give the same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as tar,
    ):
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            tar.addfile(entry, io.BytesIO(files[path]))
    return buffer.getvalue()


def unpack(archive: bytes) -> WorkshopFiles:
    """The workshop in a gzipped tar; links and special files in it are refused.

    Raises:
        InvalidWorkshopError: Not such an archive, or not a valid workshop.
        TooLargeError: Over the limits of a workshop.
    """
    return validate_files(unpack_files(archive))


def unpack_files(archive: bytes) -> dict[str, bytes]:
    """The files in a gzipped tar by path; links and special files in it are refused.

    Raises:
        InvalidWorkshopError: Not such an archive.
        TooLargeError: Over the limits of a workshop.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|gz") as tar:
            for member in tar:
                if member.isdir():
                    continue
                if not member.isfile():
                    raise InvalidWorkshopError(
                        f"{member.name!r} in the archive is a link or special file; only plain files are taken."
                    )
                total += member.size
                if member.size > MAX_FILE_BYTES or total > MAX_WORKSHOP_BYTES or len(files) >= MAX_FILES:
                    raise TooLargeError(
                        f"The archive is too large at {member.name!r}: at most {MAX_FILES} files, "
                        f"{MAX_FILE_BYTES >> 20} MiB each, {MAX_WORKSHOP_BYTES >> 20} MiB together."
                    )
                content = tar.extractfile(member)
                files[member.name.removeprefix("./")] = content.read() if content else b""
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise InvalidWorkshopError(f"The upload is not a gzipped tar archive ({error}).") from error
    return files
