"""A disk that fills up while shared documents are indexed: a clear error, and what was read before still is."""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from shared_services.kit.errors import StorageFullError
from tests.integration.rag.libraries import Library, open_library
from tests.integration.rag.test_disk_full import MOUNT, ROOT, _own_mounts


def _files(word: str, sections: int) -> dict[str, str | bytes]:
    text = "".join(
        f"## Part {number}\n\nIt is {word}, and this is part {number} of it. {'More words. ' * 30}\n\n"
        for number in range(sections)
    )
    return {"a.md": f"# A\n\n{text}", "b.md": f"# B\n\n{text}"}


async def _words(library: Library) -> set[str]:
    return {word for text in await library.texts("java") for word in ("alpha", "beta") if word in text}


async def _fill(disk: Path, left: int) -> None:
    """Post, leave `left` bytes, fail to post more, find all in order; make room, and post."""
    async with open_library(disk) as library:
        await library.post(_files("alpha", 3))
        state = os.statvfs(disk)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (state.f_bavail * state.f_frsize - left))
        for _ in range(2):
            with pytest.raises(StorageFullError, match="disk is full"):
                await library.post(_files("beta", 300))
            assert await _words(library) == {"alpha"}
        ballast.unlink()
        await library.recover()
        report = await library.post(_files("beta", 300))
        assert await _words(library) == {"beta"}
        [collection] = library.store.collections()
        assert len(library.raw_numbers(collection)) == len(report.indexed) == 2


# no room for the bookkeeping, for the first rows, for the last ones
@pytest.mark.parametrize("left", [4_096, 200_000, 900_000])
def test_a_full_disk_is_said_and_leaves_the_old_documents(tmp_path: Path, left: int) -> None:
    own = _own_mounts()
    if own is None:
        pytest.skip("this user may not mount a file system of its own")
    ended = subprocess.run(
        [*own, "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable, "-m", __name__, str(tmp_path), str(left)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


if __name__ == "__main__":
    anyio.run(_fill, Path(sys.argv[1]), int(sys.argv[2]))
