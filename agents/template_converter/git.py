"""Git as a fetcher and reader of objects, never as a writer of work trees.

Nothing of a repository is ever checked out: no hooks, filters, attributes or submodules can take part, because blobs are
read with `git cat-file --batch` (`objects.py`) and written by us. Clones are bare and shallow, without templates.
"""

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agents.template_converter.errors import SourceTooLargeError, UnreachableSourceError
from agents.template_converter.settings import git_environment

Progress = Callable[[str, int, int | None, str], None]
TICK_SECONDS = 0.5
"""`(stage, done, total or None, message)`."""

SAFE = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.attributesFile=/dev/null",
        "core.symlinks=false",
        "protocol.ext.allow=never",
        "credential.helper=",
        "safe.directory=*",
        "submodule.recurse=false",
        "gc.auto=0",
        "maintenance.auto=false",
        "uploadpack.packObjectsHook=",
    )
    for word in ("-c", setting)
)
_PROGRESS = re.compile(r"^(?:remote: )?([A-Za-z ]+):\s+\d+% \((\d+)/(\d+)\)")
REMOTE_PROTOCOLS = "https:http:ssh:git"
NO_PROTOCOLS = "none"


@dataclass
class Deadline:
    """When fetching must be over, by the monotonic clock."""

    seconds: float
    start: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """A deadline `seconds` from now."""
        return cls(seconds, time.monotonic())

    def left(self) -> float:
        """Seconds left.

        Raises:
            SourceTooLargeError: None are.
        """
        left = self.start + self.seconds - time.monotonic()
        if left <= 0:
            raise SourceTooLargeError(
                f"Fetching and reading the source took longer than {self.seconds:.0f} seconds. "
                "Raise CONVERTER_MAX_SECONDS, or give the part that matters."
            )
        return left


def run(
    arguments: list[str],
    *,
    git_dir: Path | None,
    deadline: Deadline,
    protocols: str = NO_PROTOCOLS,
    meanwhile: Callable[[], None] = lambda: None,
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end and return what it said; a failure is the caller's to judge by `returncode`.

    `meanwhile` is called now and then while git is at work, and ends it by raising.
    """
    command = ["git", *SAFE, *([f"--git-dir={git_dir}"] if git_dir else []), *arguments]
    try:
        with subprocess.Popen(  # noqa: S603 - a list of arguments, addresses after `--`
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=git_environment(protocols=protocols),
        ) as process:
            try:
                stdout, stderr = _communicate(process, deadline, meanwhile)
            except BaseException:
                process.kill()
                raise
            return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
    except FileNotFoundError as error:
        raise UnreachableSourceError(
            "git is not installed on this machine. Install it, or give a folder or an archive."
        ) from error


def _communicate(process: "subprocess.Popen[bytes]", deadline: Deadline, meanwhile: Callable[[], None]) -> tuple[bytes, bytes]:
    while True:
        try:
            return process.communicate(timeout=min(TICK_SECONDS, deadline.left()))
        except subprocess.TimeoutExpired:
            meanwhile()


def fetch(
    arguments: list[str], *, git_dir: Path, deadline: Deadline, max_bytes: int, progress: Progress, waiting: str
) -> tuple[int, str]:
    """Run a fetching git command into `git_dir`, reporting its progress; returns its exit status and what it complained of.

    Progress is told again and again while git says nothing new, so that a callback which raises can end the wait.

    Args:
        arguments: Of git.
        git_dir: Where it fetches to.
        deadline: For all of it.
        max_bytes: That may arrive.
        progress: Called in the caller's own thread.
        waiting: What is told until git tells something.

    Raises:
        SourceTooLargeError: More than `max_bytes` arrived, or time ran out.
    """
    command = ["git", *SAFE, f"--git-dir={git_dir}", *arguments]
    said: list[str] = []
    newest: list[tuple[str, int, int | None, str]] = [("checkout", 0, None, waiting)]

    def note(stage: str, done: int, total: int | None, message: str) -> None:
        newest[0] = (stage, done, total, message)

    with (
        tempfile.TemporaryFile() as nowhere,
        subprocess.Popen(  # noqa: S603 - as above
            command,
            stdin=subprocess.DEVNULL,
            stdout=nowhere,
            stderr=subprocess.PIPE,
            env=git_environment(protocols=REMOTE_PROTOCOLS),
        ) as process,
    ):
        assert process.stderr is not None
        reader = threading.Thread(target=_read_progress, args=(process.stderr, said, note), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    process.wait(timeout=min(TICK_SECONDS, deadline.left()))
                    break
                except subprocess.TimeoutExpired:
                    progress(*newest[0])
                    if _folder_bytes(git_dir) > max_bytes:
                        raise SourceTooLargeError(
                            f"The repository is larger than {max_bytes >> 20} MiB. "
                            "Raise CONVERTER_MAX_SOURCE_BYTES, or give an archive of the part that matters."
                        ) from None
        finally:
            if process.poll() is None:
                process.kill()
        reader.join(timeout=5)
    return process.returncode, "\n".join(said)


def _read_progress(stream: IO[bytes], said: list[str], progress: Progress) -> None:
    buffer = b""
    while chunk := stream.read1(4096):  # type: ignore[attr-defined]
        *lines, buffer = re.split(rb"[\r\n]", buffer + chunk)
        for raw in lines:
            _progress_line(raw.decode("utf-8", "replace").strip(), said, progress)
    _progress_line(buffer.decode("utf-8", "replace").strip(), said, progress)


def _progress_line(line: str, said: list[str], progress: Progress) -> None:
    match = _PROGRESS.match(line)
    if match:
        progress("checkout", int(match[2]), int(match[3]), match[1].strip())
    elif line and not line.startswith("remote: ") and len(said) < 200:
        said.append(line)


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # git renames its temporary packs while we look
            continue
    return total


def last_line(stderr: bytes) -> str:
    """What git said last."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "git gave no reason"
