"""Posted files: archives are unpacked in memory, within limits, and never outside themselves; each document gets its id."""

import hashlib
import io
import re
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from pydantic import TypeAdapter, ValidationError

from agents.rag.documents.formats import MAX_DOCUMENT_BYTES
from shared_services.contracts.base import RelativePath
from shared_services.contracts.rag import RefusedDocument
from shared_services.kit.errors import BadInputError, TooLargeError

MAX_ID = 63
_SUFFIX_DIGITS = 8
_PATH: Final[TypeAdapter[str]] = TypeAdapter(RelativePath)
_ARCHIVES = re.compile(r"\.(?:zip|tar\.gz|tgz)$", re.IGNORECASE)
_SYMLINK = 0o120000
_FORMAT_BITS = 0o170000


@dataclass(frozen=True)
class Limits:
    """How much one request may bring.

    Attributes:
        files: Documents, and members of archives.
        unpacked: Bytes of all documents together; of an archive, of all that comes out of it.
    """

    files: int = 2_000
    unpacked: int = 256 * 1024 * 1024


LIMITS: Final = Limits()


@dataclass(frozen=True)
class Posted:
    """A file as it came."""

    path: str
    raw: bytes


def is_archive(path: str) -> bool:
    """Whether a file's name says that others are packed in it."""
    return bool(_ARCHIVES.search(path))


def unpacked(files: Iterable[Posted], limits: Limits = LIMITS) -> tuple[list[Posted], list[RefusedDocument]]:
    """The documents in posted files and archives, by path, and what was left out.

    Hidden files of archives are passed over. Links, special files and paths that lead out of an archive are refused.

    Raises:
        BadInputError: A path comes twice, or an archive cannot be read.
        TooLargeError: A limit is passed.
    """
    taken: dict[str, Posted] = {}
    refused: list[RefusedDocument] = []
    total = 0
    for file in files:
        for member in _members(file, limits):
            if isinstance(member, RefusedDocument):
                refused.append(member)
                continue
            total += len(member.raw)
            if len(taken) >= limits.files or total > limits.unpacked:
                raise _too_large(member.path, limits)
            if member.path in taken:
                raise BadInputError(f"{member.path!r} comes twice. Post each document once.")
            taken[member.path] = member
    return [taken[path] for path in sorted(taken)], refused


def _members(file: Posted, limits: Limits) -> Iterator[Posted | RefusedDocument]:
    if not is_archive(file.path):
        yield _checked(file.path, file.raw)
        return
    read = _zip if file.path.lower().endswith(".zip") else _tar
    try:
        yield from read(file.raw, limits)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise BadInputError(f"{file.path[:200]!r} is damaged, or not the archive that its name says ({error}).") from error


def _checked(path: str, raw: bytes) -> Posted | RefusedDocument:
    if len(raw) > MAX_DOCUMENT_BYTES:
        return _refusal(path, f"It is larger than {MAX_DOCUMENT_BYTES >> 20} MiB. Split it.")
    try:
        return Posted(_PATH.validate_python(path.removeprefix("./")), raw)
    except ValidationError:
        return _refusal(path, "Its path is not relative, or leads out of its folder.")


def _refusal(path: str, detail: str) -> RefusedDocument:
    return RefusedDocument(file=path[:1024].encode("utf-8", "replace").decode(), detail=detail)


def _too_large(path: str, limits: Limits) -> TooLargeError:
    return TooLargeError(
        f"It is too much at {path[:200]!r}: at most {limits.files} files and {limits.unpacked >> 20} MiB, unpacked, at once. "
        "Post it in parts."
    )


def _hidden(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") and part not in (".", "..") for part in parts) or "__MACOSX" in parts


def _zip(archive: bytes, limits: Limits) -> Iterator[Posted | RefusedDocument]:
    left = limits.unpacked
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        members = opened.infolist()
        if len(members) > limits.files * 2:
            raise _too_large(members[limits.files].filename, limits)
        for member in members:
            if member.is_dir() or _hidden(member.filename):
                continue
            mode = (member.external_attr >> 16) & _FORMAT_BITS
            if mode == _SYMLINK:
                yield _refusal(member.filename, "It is a link; only plain files are taken.")
            elif member.flag_bits & 1:
                yield _refusal(member.filename, "It is encrypted.")
            else:
                with opened.open(member) as stream:
                    raw = stream.read(min(left, MAX_DOCUMENT_BYTES) + 1)
                left -= len(raw)
                if left < 0:
                    raise _too_large(member.filename, limits)
                yield _checked(member.filename, raw)


class _Limited(io.RawIOBase):
    """What comes out of a gzip stream, up to a limit."""

    def __init__(self, archive: bytes, limits: Limits) -> None:
        self._packed = io.BytesIO(archive)
        self._zlib = zlib.decompressobj(wbits=31)
        self._limits = limits
        self._left = limits.unpacked

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, none at the end."""
        wanted = size if size >= 0 else self._limits.unpacked
        while not self._zlib.eof:
            packed = self._zlib.unconsumed_tail or self._packed.read(64 * 1024)
            out = self._zlib.decompress(packed, max(wanted, 1))
            self._left -= len(out)
            if self._left < 0:
                raise _too_large("its archive", self._limits)
            if out:
                return out
            if not packed:
                raise EOFError("it ends too early")
        return b""


def _tar(archive: bytes, limits: Limits) -> Iterator[Posted | RefusedDocument]:
    count = 0
    stream = _Limited(archive, limits)
    with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as opened:
        for member in opened:
            count += 1
            if count > limits.files * 2:
                raise _too_large(member.name, limits)
            if member.isdir() or _hidden(member.name):
                continue
            if not member.isfile() or member.issparse():
                yield _refusal(member.name, "It is a link or special file; only plain files are taken.")
            elif member.size > MAX_DOCUMENT_BYTES:
                yield _refusal(member.name, f"It is larger than {MAX_DOCUMENT_BYTES >> 20} MiB. Split it.")
            else:
                content = opened.extractfile(member)
                yield _checked(member.name, content.read() if content else b"")
    while stream.read(64 * 1024):
        pass  # what stands behind the last member: the stream's own checksum


def ids_of(paths: Iterable[str], held: Mapping[str, str]) -> dict[str, str]:
    """The id of each path: its words as a slug, without the ending.

    A path that a document is `held` by (path -> id) keeps that document's id. Paths that would share an id get some digits
    of their own hash, so an id depends on nothing but the path and what it clashes with.
    """
    listed = sorted(set(paths))
    found = {path: held[path] for path in listed if path in held}
    short = {path: _slug(path) for path in listed if path not in found}
    counts = Counter([*found.values(), *short.values()])
    return found | {path: slug if counts[slug] == 1 else _with_digits(slug, path) for path, slug in short.items()}


def _slug(path: str) -> str:
    stem = re.sub(r"\.[^./]*\Z", "", path)
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    whole = slug and len(slug) <= MAX_ID and len(plain) >= len(stem)
    return slug if whole else _with_digits(slug, path)


def _with_digits(slug: str, path: str) -> str:
    digits = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:_SUFFIX_DIGITS]
    head = slug[: MAX_ID - _SUFFIX_DIGITS - 1].strip("-") or "document"
    return f"{head}-{digits}"
