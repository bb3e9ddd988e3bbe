"""A process under the limits that a container has, and what it made of them: control groups, version 1 or 2. Needs root.

The quota is given in periods of 100 ms, as the kubelet gives it: 0.1 of a core is 10 ms in each, and then a pause. What a process
holds under a quota of its request it holds on a node that is full; what the machine does besides matters little.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
_REMOVAL_SECONDS = 5.0


@dataclass(frozen=True)
class Limits:
    """Groups with limits; `within` goes before a command."""

    cpu: Path
    memory: Path
    second: bool

    @property
    def within(self) -> list[str]:
        """The beginning of a command whose process, from its first moment, is inside."""
        groups = " ".join(f"{folder}/cgroup.procs" for folder in dict.fromkeys((self.cpu, self.memory)))
        return ["/bin/sh", "-c", f'for group in {groups}; do echo $$ > "$group"; done; exec "$@"', "sh"]

    def throttled(self) -> tuple[int, int]:
        """Periods with work so far, and those of them in which the quota ran out."""
        told = dict(line.split() for line in (self.cpu / "cpu.stat").read_text().splitlines())
        return int(told["nr_periods"]), int(told["nr_throttled"])

    def anonymous_mb(self) -> float:
        """Memory that cannot be given back, in MB of 1,048,576 bytes: what a container is killed for."""
        told = dict(line.split() for line in (self.memory / "memory.stat").read_text().splitlines())
        return int(told["anon" if self.second else "rss"]) / 2**20

    def peak_mb(self) -> float:
        """The most memory so far, with the file pages that were kept only because there was room."""
        return int((self.memory / ("memory.peak" if self.second else "memory.max_usage_in_bytes")).read_text()) / 2**20

    def refused(self) -> int:
        """How often the memory's limit stood in the way; file pages were given back, or a process was killed."""
        if self.second:
            told = dict(line.split() for line in (self.memory / "memory.events").read_text().splitlines())
            return int(told["max"])
        return int((self.memory / "memory.failcnt").read_text())


@contextmanager
def limits(cpu: float, memory_mb: int) -> Iterator[Limits]:
    """Groups for so many cores and so much memory; 0 for no limit.

    Raises:
        PermissionError: Not root.
    """
    name = f"benchmark-{os.getpid()}-{time.monotonic_ns()}"
    second = (ROOT / "cgroup.controllers").exists()
    made = (
        Limits(*(ROOT / name,) * 2, second=True) if second else Limits(ROOT / "cpu" / name, ROOT / "memory" / name, second=False)
    )
    folders = list(dict.fromkeys((made.cpu, made.memory)))
    for folder in folders:
        folder.mkdir()
    try:
        quota = round(cpu * PERIOD)
        if second:
            (made.cpu / "cpu.max").write_text(f"{quota or 'max'} {PERIOD}")
            (made.memory / "memory.max").write_text(str(memory_mb * 2**20) if memory_mb else "max")
        else:
            (made.cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
            (made.cpu / "cpu.cfs_quota_us").write_text(str(quota or -1))
            if memory_mb:
                (made.memory / "memory.limit_in_bytes").write_text(str(memory_mb * 2**20))
        yield made
    finally:
        end = time.monotonic() + _REMOVAL_SECONDS
        for folder in folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
