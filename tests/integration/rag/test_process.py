"""The RAG agent as a process of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared_services.kit.tokens import TokenIssuer

ROOT = Path(__file__).parents[3]


def _environment(folder: Path, port: int) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": ".",
        "RAG_DATA": str(folder / "rag"),
        "RAG_DATABASE_URL": f"sqlite:///{folder}/rag.sqlite3",
        "RAG_PUBLIC_KEY": str(folder / "public.pem"),
        "RAG_LIBRARY_URL": "http://127.0.0.1:9",
        "RAG_PORT": str(port),
    }


def test_it_starts_answers_and_ends(tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(TokenIssuer(Ed25519PrivateKey.generate()).public_pem())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.rag"], cwd=ROOT, env=_environment(tmp_path, port), stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        assert answer.json() == {"status": "ok"}
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).json()["checks"]["store"] is None
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 0 or process.returncode == -15


def test_without_a_key_it_says_so(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "agents.rag"], cwd=ROOT, env=_environment(tmp_path, 1), capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "RAG_PUBLIC_KEY" in ended.stderr


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
