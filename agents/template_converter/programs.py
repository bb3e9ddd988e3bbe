"""Which files of a workshop are programs, and the mode that says so."""

import re
from pathlib import Path

_TESTS = re.compile(r"(?:^|/)workshop/examiner/tests/[^/]+$")


def is_program(path: str, data: bytes) -> bool:
    """Whether a file is there to be run: a shell script, what names its interpreter, an examiner test.

    Rust's inner attributes (`#![...]`) begin like a script.
    """
    begins = data.startswith(b"#!") and not data.startswith(b"#![")
    return begins or path.endswith(".sh") or _TESTS.search(path) is not None


def write_file(target: Path, path: str, data: bytes) -> None:
    """Write a file, with the executable bit for all who may read it where it is a program.

    Raises:
        OSError: It cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    if is_program(path, data):
        mode = target.stat().st_mode
        target.chmod(mode | (mode & 0o444) >> 2)
