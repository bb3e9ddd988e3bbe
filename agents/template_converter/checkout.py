"""A source becomes a `Tree`: fetched, listed and laid out in a temporary folder, without running anything that came with it."""

import difflib
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from structlog import get_logger

from agents.template_converter import git
from agents.template_converter.archives import single_top, unpack
from agents.template_converter.errors import BadAddressError, MissingPathError, SourceTooLargeError
from agents.template_converter.listing import (
    LFS_HEAD,
    LFS_POINTER_BYTES,
    decode_path,
    list_folder,
    page_problem,
    path_problem,
    printable,
    skipped,
)
from agents.template_converter.long_lines import without_long_lines
from agents.template_converter.model import Tree
from agents.template_converter.objects import TreeEntry, blob_sizes, list_tree, read_blobs
from agents.template_converter.refs import clone, local_commit
from agents.template_converter.settings import ConverterSettings
from agents.template_converter.sources import Source, SourceKind, parse_source

log = get_logger()

_LINK = "120000"
_LINK_BYTES = 1000


@dataclass(frozen=True)
class Checkout:
    """A source, laid out.

    Attributes:
        source: What the address was judged to be.
        tree: Its files.
    """

    source: Source
    tree: Tree


@contextmanager
def checkout(text: str, ref: str | None, settings: ConverterSettings, progress: git.Progress) -> Iterator[Checkout]:
    """The files of a source at `ref`, for as long as the block lasts.

    Raises:
        SourceError: The source cannot be used; its subclass and sentence say why.
    """
    source = parse_source(text, allow_local=settings.allow_local_sources)
    if ref and source.kind is SourceKind.ARCHIVE:
        raise BadAddressError("An archive holds one state only, so --ref does not apply to it.")
    with tempfile.TemporaryDirectory(prefix="workshop-convert-") as temporary:
        folder = Path(temporary)
        tree = _lay_out(source, ref, folder, settings, progress)
        yield Checkout(source, without_long_lines(tree, settings.max_line_bytes))


def _lay_out(source: Source, ref: str | None, temporary: Path, settings: ConverterSettings, progress: git.Progress) -> Tree:
    deadline = git.Deadline.after(settings.max_seconds)
    files = temporary / "files"
    files.mkdir()
    if source.kind is SourceKind.REMOTE:
        git_dir = temporary / "repository.git"
        commit = clone(source.address, ref, git_dir, deadline=deadline, max_bytes=settings.max_source_bytes, progress=progress)
        return _write_commit(git_dir, commit, files, settings, deadline, progress)
    path = source.path
    assert path is not None
    if source.kind is SourceKind.ARCHIVE:
        return _unpacked(path, files, settings, deadline, progress)
    if source.kind is SourceKind.GIT_DIRECTORY:
        return _write_commit(path, local_commit(path, ref, deadline), files, settings, deadline, progress)
    git_dir_here = _git_directory_of(path)
    if ref:
        if git_dir_here is None:
            raise BadAddressError(f"{path} is not a git work tree, so --ref does not apply to it.")
        return _write_commit(git_dir_here, local_commit(git_dir_here, ref, deadline), files, settings, deadline, progress)
    progress("checkout", 0, None, f"Reading {path}")
    listed, absent = list_folder(path, settings)
    return Tree(path, listed, _head(git_dir_here, deadline), absent, deadline.left)


def _git_directory_of(folder: Path) -> Path | None:
    """The git directory of the work tree that `folder` lies in. A `.git` file (a linked work tree) is followed once."""
    for parent in (folder, *folder.parents):
        candidate = parent / ".git"
        if candidate.is_dir() and (candidate / "HEAD").is_file():
            return candidate
        if candidate.is_file():
            pointed = candidate.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip()
            target = (parent / pointed).resolve()
            return target if (target / "HEAD").is_file() else None
    return None


def _head(git_dir: Path | None, deadline: git.Deadline) -> str | None:
    """The commit that HEAD is at; None where there is no repository or nothing is committed."""
    if git_dir is None:
        return None
    done = git.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], git_dir=git_dir, deadline=deadline)
    return done.stdout.decode("ascii").strip() or None


def _unpacked(archive: Path, folder: Path, settings: ConverterSettings, deadline: git.Deadline, progress: git.Progress) -> Tree:
    progress("checkout", 0, None, f"Unpacking {archive.name}")
    out = unpack(archive, folder, settings, deadline.left)
    top = single_top([*out.files, *out.absent])
    cut = len(top) + 1 if top else 0
    root = folder / top if top else folder
    return Tree(
        root.resolve(),
        {path[cut:]: out.files[path] for path in sorted(out.files)},
        None,
        {printable(path[cut:]): why for path, why in out.absent.items()},
        deadline.left,
    )


def _write_commit(
    git_dir: Path, commit: str, folder: Path, settings: ConverterSettings, deadline: git.Deadline, progress: git.Progress
) -> Tree:
    """Write the blobs of `commit` into `folder`; what cannot be had is named, the rest is kept."""
    files: dict[str, int] = {}
    absent: dict[str, str] = {}
    entries = _counted_entries(git_dir, commit, settings, deadline)
    sizes = blob_sizes(git_dir, [entry.oid for entry in entries if entry.kind == "blob"])
    wanted: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    total = 0
    for entry in entries:
        path = decode_path(entry.path)
        size = sizes.get(entry.oid)
        problem = _entry_problem(entry, path, size, settings)
        if entry.mode == _LINK and size is not None and size <= _LINK_BYTES:
            links.append((path, entry.oid))
        if problem or size is None:
            absent[printable(path)] = problem or ""
            continue
        wanted.append((path, entry.oid))
        total += size
        if total > settings.max_source_bytes:
            raise SourceTooLargeError(
                f"The repository's files are more than {settings.max_source_bytes >> 20} MiB (CONVERTER_MAX_SOURCE_BYTES)."
            )
    total += _follow(git_dir, links, wanted, sizes, absent)
    if total > settings.max_source_bytes:
        raise SourceTooLargeError(
            f"The repository's files are more than {settings.max_source_bytes >> 20} MiB (CONVERTER_MAX_SOURCE_BYTES)."
        )
    made: set[Path] = set()
    for done, ((path, _), data) in enumerate(zip(wanted, read_blobs(git_dir, [oid for _, oid in wanted]), strict=True)):
        if done % 200 == 0:
            deadline.left()
            progress("checkout", done, len(wanted), "Writing files")
        if len(data) < LFS_POINTER_BYTES and data.startswith(LFS_HEAD):
            absent[path] = "it is a Git LFS pointer; the file itself is not in the repository"
        elif _written(folder / path, data, made):
            files[path] = len(data)
        else:
            absent[path] = "a file and a folder of the commit have the same name"
    log.info("source_checked_out", commit=commit, files=len(files), absent=len(absent), bytes=total)
    return Tree(folder.resolve(), dict(sorted(files.items())), commit, absent, deadline.left)


def _follow(
    git_dir: Path,
    links: list[tuple[str, str]],
    wanted: list[tuple[str, str]],
    sizes: Mapping[str, int | None],
    absent: dict[str, str],
) -> int:
    """Add to `wanted` a copy of what each link to a file of the same commit names; returns the bytes that are added.

    A link is followed once, within the commit and by its text alone: no link is ever written to the disk.
    """
    files = dict(wanted)
    added = 0
    for (path, _), data in zip(links, read_blobs(git_dir, [oid for _, oid in links]), strict=True):
        target = decode_path(data)
        named = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if not target.startswith("/") and named in files and not path_problem(path):
            wanted.append((path, files[named]))
            added += sizes.get(files[named]) or 0
            absent.pop(printable(path), None)
    return added


def _counted_entries(git_dir: Path, commit: str, settings: ConverterSettings, deadline: git.Deadline) -> list[TreeEntry]:
    entries, blobs = [], 0
    for entry in list_tree(git_dir, commit, deadline):
        if skipped(decode_path(entry.path)):
            continue
        entries.append(entry)
        blobs += entry.kind == "blob"
        if blobs > settings.max_files or len(entries) > 2 * settings.max_files + 1000:
            raise SourceTooLargeError(
                f"The repository has more than {settings.max_files} files (CONVERTER_MAX_FILES). "
                "Give an archive of the part that matters."
            )
    return entries


def _written(target: Path, data: bytes, made: set[Path]) -> bool:
    """Write a file, and its folders where they are not `made` yet; False where a folder or a file is in its way."""
    try:
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return False
    return True


def _entry_problem(entry: TreeEntry, path: str, size: int | None, settings: ConverterSettings) -> str | None:
    if entry.kind == "commit":
        return "it is a submodule, which is not fetched"
    if entry.mode == _LINK:
        return "it is a symbolic link, which is not followed"
    if size is None:
        return "the repository lacks the object"
    if size > settings.max_file_bytes:
        return f"it is larger than {settings.max_file_bytes >> 20} MiB"
    return page_problem(path, size, settings) or path_problem(path)


def subtree(tree: Tree, folder: str) -> Tree:
    """The part of `tree` below `folder`, as if it were the whole.

    Raises:
        MissingPathError: There is no such folder.
    """
    folder = folder.strip("/")
    if folder in ("", "."):
        return tree
    prefix = f"{folder}/"
    files = {path.removeprefix(prefix): size for path, size in tree.files.items() if path.startswith(prefix)}
    if not files or {"..", "", "."} & set(folder.split("/")):
        folders = sorted({path.rpartition("/")[0] for path in tree.files if "/" in path})
        near = difflib.get_close_matches(folder, folders, n=3, cutoff=0.5)
        raise MissingPathError(
            f"The source has no folder `{folder}`."
            + (f" Near to it are {', '.join(f'`{name}`' for name in near)}." if near else ""),
            near=near,
        )
    return Tree(
        tree.root / folder,
        files,
        tree.commit,
        {path.removeprefix(prefix): why for path, why in tree.absent.items() if path.startswith(prefix)},
        tree.tick,
    )
