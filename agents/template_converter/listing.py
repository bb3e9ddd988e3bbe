"""Which paths of a source are listed: vendored folders are passed over unread, names that cannot be kept safely are reported."""

import os
import re
from pathlib import Path

from agents.template_converter.errors import SourceTooLargeError
from agents.template_converter.settings import ConverterSettings

VENDORED = frozenset(
    {".git", "node_modules", "bower_components", ".venv", "venv", "__pycache__", "site-packages"}
    | {".tox", ".mypy_cache", ".pytest_cache", ".gradle", ".terraform"}
)
LFS_HEAD = b"version https://git-lfs.github.com/spec/"
LFS_POINTER_BYTES = 1024
PAGES = (".md", ".markdown", ".mdx", ".adoc", ".asciidoc", ".asc", ".rst")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_LEAVING = frozenset({"", ".", ".."})


def skipped(path: str) -> bool:
    """Whether `path` lies in a folder that holds other people's or generated files."""
    return any(part in VENDORED for part in path.split("/")[:-1]) or path.rpartition("/")[2] == ".git"


def path_problem(path: str) -> str | None:
    """Why a path is not kept, or None."""
    parts = path.split("/")
    if not path or not _LEAVING.isdisjoint(parts):
        return "its path leaves the source"
    if any(part.casefold() in (".git", "git~1") for part in parts):
        return "it is git's own"
    if _UNSAFE.search(path):
        return "its name holds control characters or a backslash"
    if len(path) > 60 and (len(path.encode()) > 1000 or any(len(part.encode()) > 255 for part in parts)):
        return "its name is too long"
    return None


def decode_path(raw: bytes) -> str:
    """A path of a repository as text: UTF-8, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def list_folder(root: Path, settings: ConverterSettings) -> tuple[dict[str, int], dict[str, str]]:
    """Files below `root` with sizes, and what is there but not read, with the reason. Symlinks are never followed.

    Raises:
        SourceTooLargeError: Too many files, or too many bytes.
    """
    files: dict[str, int] = {}
    absent: dict[str, str] = {}
    total = 0
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as found:
                entries = list(found)
        except OSError:
            absent[printable(folder)] = "the folder may not be read"
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in VENDORED:
                    waiting.append(path)
                continue
            if entry.name in VENDORED and entry.is_dir():
                continue
            size, problem = _judged(entry, path, settings)
            if problem:
                absent[printable(path)] = problem
                continue
            files[path] = size
            total += size
            if len(files) > settings.max_files or total > settings.max_source_bytes:
                raise SourceTooLargeError(
                    f"The folder holds more than {settings.max_files} files or {settings.max_source_bytes >> 20} MiB "
                    "(CONVERTER_MAX_FILES, CONVERTER_MAX_SOURCE_BYTES). Give the subfolder that matters."
                )
    return dict(sorted(files.items())), absent


def _judged(entry: os.DirEntry[str], path: str, settings: ConverterSettings) -> tuple[int, str | None]:
    """A file's size, and why it is not kept."""
    if entry.is_symlink():
        return 0, "it is a symbolic link, which is not followed"
    if not entry.is_file(follow_symlinks=False):
        return 0, "it is not a regular file"
    if entry.name == ".git":
        return 0, "it is git's own"
    if not os.access(entry.path, os.R_OK):
        return 0, "it may not be read"
    size = entry.stat(follow_symlinks=False).st_size
    if size > settings.max_file_bytes:
        return size, f"it is larger than {settings.max_file_bytes >> 20} MiB"
    if size < LFS_POINTER_BYTES and size > len(LFS_HEAD) and is_lfs_pointer(entry.path):
        return size, "it is a Git LFS pointer; the file itself is not in the repository"
    return size, page_problem(path, size, settings) or path_problem(path)


def page_problem(path: str, size: int, settings: ConverterSettings) -> str | None:
    """Why a page is not read, or None: a text that size is no page, and parsing it takes minutes."""
    if size > settings.max_page_bytes and path.lower().endswith(PAGES):
        return f"it is a page of more than {settings.max_page_bytes >> 10} KiB (CONVERTER_MAX_PAGE_BYTES)"
    return None


def is_lfs_pointer(path: str | Path) -> bool:
    """Whether a small file is a pointer to a file in Git LFS."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - asked of every small file, and a Path costs more than the file
        return file.read(len(LFS_HEAD)) == LFS_HEAD


def printable(path: str) -> str:
    """`path` as it can stand in a report: control characters and undecodable bytes shown as `?`."""
    return "".join("?" if ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF else char for char in path)
