"""Unpacking archives that nobody has vouched for: names are judged before a byte is written, sizes while they stream."""

import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast

from agents.template_converter.errors import BadAddressError, HostileSourceError, SourceTooLargeError
from agents.template_converter.listing import LFS_POINTER_BYTES, is_lfs_pointer, page_problem, path_problem, skipped
from agents.template_converter.settings import ConverterSettings
from shared_services.kit.errors import StorageFullError

_CHUNK = 1 << 16
_MEMBERS = 500_000
_MOST_HEADER = 1 << 20
_LONG_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError,
    RuntimeError, ValueError, OverflowError, MemoryError,
)  # fmt: skip


@dataclass
class Unpacked:
    """Paths written with their sizes, and what was left out with the reason."""

    files: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    total: int = 0


def unpack(archive: Path, folder: Path, settings: ConverterSettings, tick: Callable[[], object] = lambda: None) -> Unpacked:
    """Unpack a `.zip`, `.tar.gz` or `.tgz` into an empty `folder`.

    Args:
        archive: The archive.
        folder: Where it goes.
        settings: The limits.
        tick: Called for each member; raises where the time for the source is over.

    Raises:
        HostileSourceError: A member would leave the folder, or is encrypted.
        SourceTooLargeError: A limit is passed.
        BadAddressError: Not an archive of that kind.
    """
    out = Unpacked()
    try:
        members = _zip_members(archive) if archive.name.lower().endswith(".zip") else _tar_members(archive, settings, tick)
        for count, (name, kind, stream) in enumerate(members):
            tick()
            if count > _MEMBERS:
                raise SourceTooLargeError(f"{archive.name} has more than {_MEMBERS} members.")
            _take(name, kind, stream, folder, settings, out)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"There is no space left to unpack {archive.name}.") from error
        raise BadAddressError(f"{archive.name} cannot be unpacked: {error or type(error).__name__}.") from error
    return out


def _take(name: str, kind: str, stream: IO[bytes] | None, folder: Path, settings: ConverterSettings, out: Unpacked) -> None:
    if name.startswith("/") or ".." in PurePosixPath(name.replace("\\", "/")).parts or (len(name) > 1 and name[1] == ":"):
        raise HostileSourceError(f"The archive's member {name!r} points outside of the archive.")
    path = PurePosixPath(name).as_posix()
    if kind == "folder" or skipped(path):
        return
    problem = (
        "it is a link, which is not followed" if kind == "link" else "it is not a file" if stream is None else path_problem(path)
    )
    if problem or stream is None:
        out.absent[path] = problem or ""
        return
    if len(out.files) >= settings.max_files:
        raise SourceTooLargeError(f"The archive has more than {settings.max_files} files (CONVERTER_MAX_FILES).")
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        opened = target.open("wb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        out.absent[path] = "a file and a folder of the archive have the same name"
        return
    written = 0
    with stream, opened as file:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > settings.max_file_bytes:
                break
            if out.total + written > settings.max_source_bytes:
                raise SourceTooLargeError(
                    f"The archive unpacks to more than {settings.max_source_bytes >> 20} MiB (CONVERTER_MAX_SOURCE_BYTES)."
                )
            file.write(chunk)
    out.total += written
    if written > settings.max_file_bytes:
        target.unlink()
        out.files.pop(path, None)
        out.absent[path] = f"it is larger than {settings.max_file_bytes >> 20} MiB"
        return
    problem = page_problem(path, written, settings)
    if problem is None and written < LFS_POINTER_BYTES and is_lfs_pointer(target):
        problem = "it is a Git LFS pointer; the file itself is not in the archive"
    if problem:
        target.unlink()
        out.files.pop(path, None)
        out.absent[path] = problem
        return
    out.files[path] = written


def _zip_members(archive: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.flag_bits & 0x1:
                raise HostileSourceError(f"{archive.name} is encrypted ({info.filename!r}). Give it without a password.")
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                yield info.filename, "link", None
            elif info.is_dir():
                yield info.filename, "folder", None
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield info.filename, "special", None
            else:
                yield info.filename, "file", opened.open(info)


class _Member(tarfile.TarInfo):
    """A member whose headers are of a size that headers have: the library reads them whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        found = super().frombuf(buf, encoding, errors)
        if found.type in _LONG_HEADERS and found.size > _MOST_HEADER:
            raise HostileSourceError(f"The archive holds a header of {found.size >> 20} MiB.")
        return found


class _Counted(io.RawIOBase):
    """What a compressed stream unpacks to, as far as a limit: passing over a member unpacks it too."""

    def __init__(self, stream: gzip.GzipFile, most: int, tick: Callable[[], object]) -> None:
        super().__init__()
        self._stream, self._left, self._tick = stream, most, tick

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        self._tick()
        if self._left < 0:
            raise SourceTooLargeError(
                "The archive unpacks to several times more than CONVERTER_MAX_SOURCE_BYTES, in members that are left out too."
            )
        return data


def _tar_members(
    archive: Path, settings: ConverterSettings, tick: Callable[[], object]
) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    with (
        gzip.open(archive) as unzipped,
        tarfile.open(
            fileobj=cast("IO[bytes]", _Counted(unzipped, 4 * settings.max_source_bytes + (1 << 24), tick)),
            mode="r|", tarinfo=_Member, bufsize=_CHUNK,
        ) as opened,
    ):  # fmt: skip
        for info in opened:
            if info.issym() or info.islnk():
                yield info.name, "link", None
            elif info.isdir():
                yield info.name, "folder", None
            elif not info.isfile():
                yield info.name, "special", None
            else:
                yield info.name, "file", opened.extractfile(info)


def single_top(paths: list[str]) -> str:
    """The one folder that all `paths` lie in; empty when there is none."""
    tops = {path.partition("/")[0] for path in paths}
    return tops.pop() if len(tops) == 1 and all("/" in path for path in paths) else ""
