"""A disk that is full or may not be written: a sentence, status 1, and everything that was confirmed is still there."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import MakeFolder
from tests.integration.cli.program import failed, run, serving

Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small disk of memory with the options given; unmounts it at the end."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    place = tmp_path / "disk"

    def make(options: str) -> Path:
        place.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no disk of memory can be mounted here: {done.stderr.strip()}")
        return place

    yield make
    while place.is_mount():
        subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Write until `leave` bytes are free."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with ballast.open("wb") as file:
        for _ in range(max(0, free - leave) // 65536):
            file.write(b"\1" * 65536)
    return ballast


@pytest.mark.parametrize("command", [("up", "--port", "0"), ("list",)])
def test_a_full_disk_at_the_start_is_one_sentence(mount: Mount, command: tuple[str, ...]) -> None:
    disk = mount("size=4m")
    fill(disk, leave=100_000)
    assert failed(run(*command, "--data", disk / "data"), 1, "full", "Free some space")


def test_a_disk_that_may_not_be_written_is_one_sentence(mount: Mount) -> None:
    disk = mount("ro,size=4m")
    assert failed(run("up", "--port", "0", "--data", disk / "data"), 1, "Read-only", "--data")


def test_a_disk_that_fills_up_in_a_publication_loses_nothing(mount: Mount, data: Path, folder: MakeFolder) -> None:
    disk = mount("size=24m")
    shutil.copytree(data, disk / "data")
    big = folder("big", steps={f"s{number}": f"# Step {number}\n\nWords.\n" for number in range(3)})
    (big / "assets").mkdir()
    (big / "assets" / "noise.bin").write_bytes(os.urandom(6_000_000))
    with serving(disk / "data") as server:
        ballast = fill(disk, leave=1_500_000)
        assert failed(run("publish", big, "--data", disk / "data"), 1, "full")
        names = {row["workshop"] for row in json.loads(run("list", "--json", "--data", disk / "data").stdout)}
        assert names == {"garden", "bread"}
        ballast.unlink()
        done = run("publish", big, "--data", disk / "data")
        assert done.returncode == 0, done.stderr
        assert server.process.poll() is None
    assert "big" in run("list", "--data", disk / "data").stdout
