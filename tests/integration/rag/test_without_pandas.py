"""The store opens without importing pandas, and leaves it whole for everybody else."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_store_works_without_pandas_and_pandas_is_left_whole(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path

import anyio

from tests.integration.rag.conftest import open_room, scope_of
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop
from shared_services.contracts.rag import SearchRequest

async def work():
    for _ in range(2):
        async with open_room(Path(sys.argv[1])) as room:
            await room.service.index(scope_of("shop"), "v1", workshop("shop", CLUSTER_STEPS))
            await room.service.activate(scope_of("shop"), "v1")
            found = await room.service.search(scope_of("shop"), SearchRequest(query="CrashLoopBackOff"))
            print(len(found.passages) > 0, "pandas" in sys.modules, file=sys.stderr)

anyio.run(work)
import pandas
print(pandas.DataFrame({"a": [1, 2]}).shape, file=sys.stderr)
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True)
    assert ended.stderr.splitlines() == ["True False", "True False", "(2, 1)"]


def test_a_library_that_wants_more_of_pandas_gets_it(tmp_path: Path) -> None:
    (tmp_path / "pymilvus").mkdir()
    (tmp_path / "pymilvus" / "__init__.py").write_text("from pymilvus.inner import shape\n")
    (tmp_path / "pymilvus" / "inner.py").write_text("import pandas\nshape = pandas.RangeIndex(3).shape\n")
    program = """
from agents.rag.store.without_pandas import without_pandas

def load():
    import pymilvus
    return pymilvus.shape

print(without_pandas(load))
"""
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}."}
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (ended.stdout.strip(), ended.stderr) == ("(3,)", "")
