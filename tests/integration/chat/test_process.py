"""A chat agent as a process of its own: small, quick, and clear about what it is not given."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared_services.kit.tokens import TokenIssuer
from tests.ports import free_port

MOST_MEGABYTES = 120
HEAVY = ("torch", "numpy", "pymilvus", "milvus_lite", "sentence_transformers", "dbos", "pypandoc", "llama_stack_client")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "core.pem").write_bytes(TokenIssuer(Ed25519PrivateKey.generate()).public_pem())
    (tmp_path / "credential").write_text("c" * 43)
    port = free_port()
    return {
        "PATH": os.environ["PATH"],
        "WORKSHOP_NAME": "harbor",
        "CORE_PUBLIC_KEY_FILE": f"{tmp_path}/core.pem",
        "WORKSHOP_CREDENTIAL_FILE": f"{tmp_path}/credential",
        "PARTICIPANT_KEY_FILE": f"{tmp_path}/participant.key",
        "DATABASE_URL": f"sqlite:///{tmp_path}/chat.db",
        "LIBRARY_ENDPOINT": "http://127.0.0.1:9",
        "CHAT_PORT": str(port),
    }


@contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The process, and the seconds until it answered."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "workshop_chat"], env=environment, stderr=subprocess.PIPE)
    try:
        while True:
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() - begun < 60
            try:
                httpx.get(f"http://127.0.0.1:{environment['CHAT_PORT']}/healthz", timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.02)
        yield process, time.monotonic() - begun
    finally:
        process.terminate()
        process.communicate(timeout=60)


def resident_megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def test_it_is_small_and_says_what_it_waits_for(environment: dict[str, str]):
    with running(environment) as (process, seconds):
        ready = httpx.get(f"http://127.0.0.1:{environment['CHAT_PORT']}/readyz", timeout=10)
        megabytes = resident_megabytes(process.pid)
        process.terminate()
        assert process.wait(60) in {0, -15}
    assert ready.status_code == 503
    checks = ready.json()["checks"]
    assert "http://127.0.0.1:9 does not answer" in checks["tokens"]
    assert "library does not answer" in checks["workshop"]
    key = Path(environment["PARTICIPANT_KEY_FILE"])
    assert (len(key.read_bytes()), key.stat().st_mode & 0o777) == (32, 0o600)
    sys.stdout.write(f"resident {megabytes:.0f} MB, answering after {seconds:.1f} s\n")
    assert megabytes <= MOST_MEGABYTES


def test_nothing_heavy_is_imported(environment: dict[str, str]):
    program = (
        "import sys; from workshop_chat.__main__ import build; from workshop_chat.settings import ChatSettings;"
        "from shared_services.llm.settings import LlmSettings; build(ChatSettings.model_validate({}), LlmSettings());"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"WORKSHOP_NAME": ""}, "WORKSHOP_NAME"),
        ({"WORKSHOP_NAME": "Not A Slug"}, "WORKSHOP_NAME"),
        ({"CORE_PUBLIC_KEY_FILE": ""}, "CORE_PUBLIC_KEY_FILE is not set"),
        ({"CORE_PUBLIC_KEY_FILE": "/nowhere"}, "cannot be read"),
        ({"WORKSHOP_CREDENTIAL_FILE": ""}, "WORKSHOP_CREDENTIAL_FILE is not set"),
        ({"WORKSHOP_ACCESS": "code"}, "join code"),
        ({"WORKSHOP_CONTEXT": "sprng-boot"}, "no context 'sprng-boot'"),
        ({"WORKSHOP_TEMPLATE_FILE": "/nowhere"}, "WORKSHOP_TEMPLATE_FILE"),
        ({"SHARED_AGENTS_ENDPOINT": "http://rag-agent:8080"}, "{agent} where an agent's name goes"),
        ({"RAG_CONTEXT_FILTER": "Java EE"}, "RAG_CONTEXT_FILTER"),
        ({"SAFETY_MODEL": "llama-guard"}, "set SAFETY_ENDPOINT or LLAMA_STACK_ENDPOINT"),
        ({"SAFETY_MODEL": "llama-guard", "SAFETY_ENDPOINT": "guard:80"}, "SAFETY_ENDPOINT"),
    ],
)
def test_what_is_missing_is_said_in_one_line(environment: dict[str, str], change: dict[str, str], sentence: str):
    run = subprocess.run(
        [sys.executable, "-m", "workshop_chat"],
        env={**environment, **change},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr


def test_the_namespace_stands_in_every_line_of_the_log(environment: dict[str, str]):
    with running({**environment, "WORKSHOP_NAMESPACE": "workshop-harbor"}) as (process, _):
        ready = httpx.get(f"http://127.0.0.1:{environment['CHAT_PORT']}/readyz", timeout=10).json()
        process.terminate()
        assert process.stderr is not None
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert ready["facts"]["namespace"] == "workshop-harbor"
    assert lines
    assert {line.get("namespace") for line in lines} == {"workshop-harbor"}
