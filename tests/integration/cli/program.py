"""The command `workshop` as a process of its own, as a user starts it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 240.0
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without settings of ours, and with nothing that a proxy would get."""
    ours = ("WORKSHOP_", "LLM_", "LLAMA_STACK", "RAG_", "CHAT_", "JOBS_", "OIDC_", "LOG_LEVEL", "COLUMNS", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "RAG_ENGINE": "reference",
        "WORKSHOP_CHOICES": os.environ["WORKSHOP_CHOICES"],
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "*",
        **extra,
    }


def heeds_ctrl_c() -> None:
    # A shell has what it starts in the background ignore Ctrl-C, and so whatever that starts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*args: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command; its output is text in pipes."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(), "preexec_fn": heeds_ctrl_c, **options}
    return subprocess.Popen([sys.executable, "-m", "workshop_cli.main", *map(str, args)], text=True, **options)


def run(*args: str | Path, env: dict[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "workshop_cli.main", *map(str, args)],
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        env=environment(**(env or {})),
        **options,
    )


def failed(done: subprocess.CompletedProcess[str], status: int, *words: str) -> str:
    """What was said on stderr by a command that had to fail: one sentence or a few in one line, and no traceback."""
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("workshop"), done.stderr
    for word in words:
        assert word in lines[-1], (word, lines[-1])
    return lines[-1]


def wait_until[T](look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """What `look` gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return found


class Server:
    """A running `workshop up`, its output gathered as it comes."""

    def __init__(self, data: Path, *args: str, examples: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.data = data
        more = {"WORKSHOP_EXAMPLES": str(examples)} if examples else {"WORKSHOP_EXAMPLES": str(data / "no-examples")}
        self.began = time.monotonic()
        self.process = start("up", "--data", data, "--port", "0", *args, env=environment(**more, **(env or {})))
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        lines.extend(line for line in iter(stream.readline, ""))

    def ready(self) -> "Server":
        """Wait for the address and the link."""
        wait_until(lambda: any("Sign in" in line for line in self.out) or self.process.poll() is not None, "the address")
        assert self.process.poll() is None, self.err
        return self

    def said(self, words: str) -> bool:
        """Whether stderr has shown it."""
        return any(words in line for line in list(self.err))

    @property
    def url(self) -> str:
        """The printed address."""
        return next(line.split()[-1] for line in self.out if line.startswith("Workshop Assistant"))

    @property
    def sign_in(self) -> str:
        """The printed link."""
        return next(line.split()[-1] for line in self.out if line.startswith("Sign in"))

    def end(self, number: int = signal.SIGINT, seconds: float = PATIENCE) -> int:
        """Send a signal and wait; gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return status


@contextmanager
def serving(data: Path, *args: str, **options: Any) -> Iterator[Server]:
    """A server for the length of the block, ready."""
    server = Server(data, *args, **options)
    try:
        yield server.ready()
    finally:
        server.end(signal.SIGTERM)


def one_json(text: str) -> Any:
    """What a command with `--json` wrote on stdout: one document and nothing else."""
    return json.loads(text)
