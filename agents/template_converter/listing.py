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
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


def skipped(path: str) -> bool:
    """Whether `path` lies in a folder that holds other people's or generated files."""
    return any(part in VENDORED for part in path.split("/")[:-1]) or path.rpartition("/")[2] == ".git"


def path_problem(path: str) -> str | None:
    """Why a path is not kept, or None."""
    parts = path.split("/")
    if not path or {"", ".", ".."} & set(parts):
        return "its path leaves the source"
    if any(part.casefold() in (".git", "git~1") for part in parts):
        return "it is git's own"
    if _UNSAFE.search(path) or any(0xD800 <= ord(char) <= 0xDFFF for char in path):
        return "its name holds control characters or a backslash"
    if len(path.encode()) > 1000 or any(len(part.encode()) > 255 for part in parts):
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

    def unreadable(error: OSError) -> None:
        absent[printable(Path(error.filename).relative_to(root).as_posix())] = "the folder may not be read"

    for folder, folders, names in os.walk(root, followlinks=False, onerror=unreadable):
        here = Path(folder)
        for name in [entry for entry in folders if entry in VENDORED or (here / entry).is_symlink()]:
            folders.remove(name)
            if (here / name).is_symlink():
                absent[printable((here / name).relative_to(root).as_posix())] = "it is a symbolic link, which is not followed"
        folders.sort()
        for name in names:
            path = here / name
            relative = path.relative_to(root).as_posix()
            problem = _file_problem(path, relative, settings)
            if problem:
                absent[printable(relative)] = problem
                continue
            size = path.stat().st_size
            total += size
            files[relative] = size
            if len(files) > settings.max_files or total > settings.max_source_bytes:
                raise SourceTooLargeError(
                    f"The folder holds more than {settings.max_files} files or {settings.max_source_bytes >> 20} MiB "
                    "(CONVERTER_MAX_FILES, CONVERTER_MAX_SOURCE_BYTES). Give the subfolder that matters."
                )
    return dict(sorted(files.items())), absent


def _file_problem(path: Path, relative: str, settings: ConverterSettings) -> str | None:
    if path.is_symlink():
        return "it is a symbolic link, which is not followed"
    if not path.is_file():
        return "it is not a regular file"
    if skipped(relative):
        return "it is git's own"
    if not os.access(path, os.R_OK):
        return "it may not be read"
    size = path.stat().st_size
    if size > settings.max_file_bytes:
        return f"it is larger than {settings.max_file_bytes >> 20} MiB"
    if size < LFS_POINTER_BYTES and is_lfs_pointer(path):
        return "it is a Git LFS pointer; the file itself is not in the repository"
    return page_problem(relative, size, settings) or path_problem(relative)


def page_problem(path: str, size: int, settings: ConverterSettings) -> str | None:
    """Why a page is not read, or None: a text that size is no page, and parsing it takes minutes."""
    if size > settings.max_page_bytes and path.lower().endswith(PAGES):
        return f"it is a page of more than {settings.max_page_bytes >> 10} KiB (CONVERTER_MAX_PAGE_BYTES)"
    return None


def is_lfs_pointer(path: Path) -> bool:
    """Whether a small file is a pointer to a file in Git LFS."""
    with path.open("rb") as file:
        return file.read(len(LFS_HEAD)) == LFS_HEAD


def printable(path: str) -> str:
    """`path` as it can stand in a report: control characters and undecodable bytes shown as `?`."""
    return "".join("?" if ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF else char for char in path)
