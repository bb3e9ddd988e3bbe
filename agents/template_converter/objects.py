"""The objects of a git repository, read as a stream: a commit's paths, and the sizes and bytes of its blobs.

A tree of a few kilobytes can name paths without end, so paths are counted while git still lists them. Blobs are asked for
ahead of their reading, since a question for each and a wait for its answer takes longer than the reading.
"""

import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.template_converter.errors import HostileSourceError, UnreachableSourceError
from agents.template_converter.git import SAFE, Deadline, last_line
from agents.template_converter.settings import git_environment

MOST_ENTRIES = 2_000_000
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a commit; `path` is as the repository has it."""

    mode: str
    kind: str
    oid: str
    path: bytes


@contextmanager
def _reading(git_dir: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A git process that reads objects; it ends with the block."""
    with subprocess.Popen(  # noqa: S603 - fixed arguments
        ["git", *SAFE, f"--git-dir={git_dir}", *arguments],  # noqa: S607
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=git_environment(protocols="none"),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def list_tree(git_dir: Path, commit: str, deadline: Deadline) -> Iterator[TreeEntry]:
    """Every path of `commit`, submodules and symlinks included.

    Raises:
        UnreachableSourceError: The commit's trees are not all there.
        HostileSourceError: There are more paths than any repository has.
    """
    with _reading(git_dir, "ls-tree", "-r", "-z", "--full-tree", commit) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.close()
        rest, count = b"", 0
        while chunk := process.stdout.read(_CHUNK):
            deadline.left()
            *rows, rest = (rest + chunk).split(b"\0")
            count += len(rows)
            if count > MOST_ENTRIES or len(rest) > _CHUNK:
                raise HostileSourceError(f"The commit names more than {MOST_ENTRIES} paths, or one that is endless.")
            for row in rows:
                meta, _, path = row.partition(b"\t")
                mode, kind, oid = meta.decode("ascii").split()
                yield TreeEntry(mode, kind, oid, path)
        said = process.stderr.read(_CHUNK)
        if process.wait():
            raise UnreachableSourceError(
                f"The repository lacks folders of commit {commit[:12]}: {last_line(said)}. Clone it whole and try again."
            )


def blob_sizes(git_dir: Path, oids: Iterable[str]) -> dict[str, int]:
    """Bytes of each blob that the repository has; what it lacks is not in the answer."""
    wanted = list(dict.fromkeys(oids))
    with _asked(git_dir, "--batch-check", wanted) as process:
        assert process.stdout is not None
        rows = (process.stdout.readline().split() for _ in wanted)
        return {oid: int(row[2]) for oid, row in zip(wanted, rows, strict=True) if len(row) == 3 and row[1] == b"blob"}


def read_blobs(git_dir: Path, oids: list[str]) -> Iterator[bytes]:
    """The bytes of blobs that are there, in order.

    Raises:
        UnreachableSourceError: One of them went away meanwhile.
    """
    with _asked(git_dir, "--batch", oids) as process:
        stdout = process.stdout
        assert stdout is not None
        for oid in oids:
            header = stdout.readline().split()
            if len(header) != 3 or header[1] != b"blob":
                raise UnreachableSourceError(f"The repository lost the object {oid} while it was read.")
            data = stdout.read(int(header[2]))
            stdout.read(1)
            yield data


@contextmanager
def _asked(git_dir: Path, question: str, oids: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`git cat-file` with every question asked, by a thread, since it answers before it has read them all."""
    with _reading(git_dir, "cat-file", question, "--buffer") as process:
        stdin = process.stdin
        assert stdin is not None

        def ask() -> None:
            try:
                for first in range(0, len(oids), 1000):
                    stdin.write("".join(f"{oid}\n" for oid in oids[first : first + 1000]).encode("ascii"))
                stdin.close()
            except (BrokenPipeError, ValueError):  # whoever read the answers has gone
                return

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield process
        finally:
            process.kill()
            thread.join(timeout=5)
