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
