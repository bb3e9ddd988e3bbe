"""Unpacking archives that nobody has vouched for: names are judged before a byte is written, sizes while they stream."""

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from agents.template_converter.errors import BadAddressError, HostileSourceError, SourceTooLargeError
from agents.template_converter.listing import path_problem, skipped
from agents.template_converter.settings import ConverterSettings

_CHUNK = 1 << 16
_MEMBERS = 500_000


@dataclass
class Unpacked:
    """Paths written with their sizes, and what was left out with the reason."""

    files: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    total: int = 0


def unpack(archive: Path, folder: Path, settings: ConverterSettings) -> Unpacked:
    """Unpack a `.zip`, `.tar.gz` or `.tgz` into an empty `folder`.

    Raises:
        HostileSourceError: A member would leave the folder, or is encrypted.
        SourceTooLargeError: A limit is passed.
        BadAddressError: Not an archive of that kind.
    """
    out = Unpacked()
    try:
        members = _zip_members(archive) if archive.name.lower().endswith(".zip") else _tar_members(archive)
        for count, (name, kind, stream) in enumerate(members):
            if count > _MEMBERS:
                raise SourceTooLargeError(f"{archive.name} has more than {_MEMBERS} members.")
            _take(name, kind, stream, folder, settings, out)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadAddressError(f"{archive.name} cannot be unpacked: {error}.") from error
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
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with stream, target.open("xb" if path not in out.files else "wb") as file:
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
        out.absent[path] = f"it is larger than {settings.max_file_bytes >> 20} MiB"
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


def _tar_members(archive: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    with tarfile.open(archive, "r|gz") as opened:
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
