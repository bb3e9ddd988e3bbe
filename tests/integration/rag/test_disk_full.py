"""A disk that fills up while a version is indexed: a clear error, and what served before still serves.

The disk is a small one in memory, mounted for the test's own process alone.
"""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from shared_services.kit.errors import StorageFullError
from tests.integration.rag.conftest import open_room
from tests.integration.rag.test_indexing import SHOP, _version, _words

ROOT = Path(__file__).parents[3]
MOUNT = 'mount -t tmpfs -o size=16m tmpfs "$1" && shift && exec "$@"'


async def _fill(disk: Path, left: int) -> None:
    """Publish, leave `left` bytes, fail to publish more, find all in order; make room, and publish."""
    async with open_room(disk) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
        await room.service.activate(SHOP, "v1")
        state = os.statvfs(disk)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (state.f_bavail * state.f_frsize - left))
        for _ in range(2):
            with pytest.raises(StorageFullError, match="disk is full"):
                await room.service.index(SHOP, "v2", _version("beta", 400))
            assert await _words(room) == {"alpha"}
            assert len(room.store.collections()) == 1
            assert len(await room.indexes.built()) == 1
        ballast.unlink()
        await room.service.index(SHOP, "v2", _version("beta", 400))
        await room.service.activate(SHOP, "v2")
        assert await _words(room) == {"beta"}
        assert await _words(room, "v1") == {"alpha"}
        assert await room.service.recover() == []


def _own_mounts() -> list[str] | None:
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            if subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0:
                return command
        except FileNotFoundError:
            return None
    return None


# no room for the bookkeeping, for the first rows, for the last ones, for the finished collection
@pytest.mark.parametrize("left", [4_096, 60_000, 200_000, 400_000])
def test_a_full_disk_is_said_and_leaves_the_old_version(tmp_path: Path, left: int) -> None:
    own = _own_mounts()
    if own is None:
        pytest.skip("this user may not mount a file system of its own")
    ended = subprocess.run(
        [*own, "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable, "-m", __name__, str(tmp_path), str(left)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


if __name__ == "__main__":
    anyio.run(_fill, Path(sys.argv[1]), int(sys.argv[2]))
