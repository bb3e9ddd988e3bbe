"""The data folder: held by one process at a time, of a known format, with the address of the server that holds it.

The lock is the kernel's (`flock`): it goes with the process however the process ends.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared_services.kit.errors import ConflictError, NewerDataError, PlatformError, StorageFullError

FORMAT = 1
_PROBE_BYTES = 1024 * 1024
_LOCK_TRIES = 10
_LOCK_SECONDS = 0.05


class DataHeldError(ConflictError):
    """Another process holds the data folder."""

    slug = "data-held"
    title = "The data folder is in use"


class DataFolderError(PlatformError):
    """The data folder cannot be used."""

    slug = "data-folder"
    title = "The data folder cannot be used"


@dataclass(frozen=True)
class Holder:
    """Who holds a data folder. `pid` is 0 where that is not known, `url` is there once it serves."""

    pid: int
    command: str
    url: str | None = None

    @property
    def who(self) -> str:
        """The holder, for people."""
        return f"process {self.pid} (workshop {self.command})" if self.pid else "another process"


class DataFolder:
    """A data folder that this process holds."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def database_url(self) -> str:
        """The relational store."""
        return f"sqlite:///{self.root / 'workshop.db'}"

    @property
    def jobs_url(self) -> str:
        """The durable jobs' own store."""
        return f"sqlite:///{self.root / 'jobs.db'}"

    @property
    def rag(self) -> Path:
        """The RAG agent's folder."""
        return self.root / "rag"

    @property
    def core_key(self) -> Path:
        """The private key that signs tokens."""
        return self.root / "keys" / "core.pem"

    @property
    def participant_key(self) -> Path:
        """The secret that chat agents' own cookies are derived from."""
        return self.root / "keys" / "participants"

    @property
    def log_file(self) -> Path:
        """Where `workshop up` writes its log."""
        return self.root / "logs" / "workshop.log"

    def announce(self, holder: Holder) -> None:
        """Tell other commands who holds the folder and where it serves."""
        draft = self.root / "holder.new"
        draft.write_text(json.dumps(vars(holder)))
        draft.replace(self.root / "holder.json")


def holder_of(root: Path) -> Holder | None:
    """Who holds the folder; None when nobody does.

    Raises:
        DataFolderError: The folder cannot be read.
    """
    try:
        with (root / "lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_holder(root)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"The data folder {root} cannot be read: {error.strerror}. Choose another with --data.") from error
    return None


def _read_holder(root: Path) -> Holder:
    try:
        return Holder(**json.loads((root / "holder.json").read_text()))
    except (OSError, ValueError, TypeError):
        return Holder(pid=0, command="workshop")


@contextmanager
def hold(root: Path, command: str) -> Iterator[DataFolder]:
    """Hold the data folder until the block ends; it is made when it is not there.

    Raises:
        DataHeldError: Another process holds it.
        NewerDataError: A newer version of the program wrote it.
        StorageFullError: There is no room for a megabyte.
        DataFolderError: It cannot be written.
    """
    root = root.expanduser().resolve()
    if "?" in str(root):
        raise DataFolderError(f"The data folder {root} cannot have a '?' in its path: database addresses end at one.")
    with ExitStack() as stack:
        try:
            root.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((root / "lock").open("ab"))
            _lock(root, lock)
            _check_format(root)
            _probe(root)
            folder = DataFolder(root)
            folder.announce(Holder(pid=os.getpid(), command=command))
        except OSError as error:
            raise storage_error(root, error) from error
        stack.callback((root / "holder.json").unlink, missing_ok=True)
        yield folder


def storage_error(root: Path, error: OSError) -> PlatformError:
    """What an operating system's error means for whoever uses the folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFullError(
            f"The disk of {root} is full. Free some space and start again; nothing that was confirmed is lost."
        )
    name = f" ({error.filename})" if error.filename else ""
    return DataFolderError(f"The data folder {root} cannot be used: {error.strerror or error}{name}. Choose another with --data.")


def _lock(root: Path, lock: IO[bytes]) -> None:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Perhaps only `holder_of` of another command, which looks for an instant.
            time.sleep(_LOCK_SECONDS)
        else:
            return
    raise _held(root)


def _held(root: Path) -> DataHeldError:
    return DataHeldError(
        f"The data folder {root} is held by {_read_holder(root).who}. Stop it first, or choose another folder with --data."
    )


def _check_format(root: Path) -> None:
    path = root / "format.json"
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({"format": FORMAT}))
        draft.replace(path)
        return
    try:
        found = int(json.loads(path.read_text())["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataFolderError(
            f"{path} is damaged, so the data's format is not known. Restore it from a backup, "
            "or choose another folder with --data."
        ) from error
    if found > FORMAT:
        raise NewerDataError(
            f"The data folder {root} was written by a newer version (format {found}, this one knows {FORMAT}). "
            "Start that version, or choose another folder with --data."
        )


def _probe(root: Path) -> None:
    probe = root / "probe"
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * _PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)
