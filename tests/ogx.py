"""A real OGX or Llama Stack server between us and a scripted upstream, from an environment of its own.

They share too many dependencies with us to live in our environment. An environment is made once, under `build/NAME-venv`, from the
pinned `tests/NAME-requirements.txt`, and made again when that file or the interpreter changes.

    with ScriptedUpstream() as upstream, model_server(OGX, upstream.url, tmp_path) as address:
        ...  # address + "/v1/models" lists `scripted/<name>`
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 90.0
_NO_NETWORK = "after connection broken by"
"""What pip says of a registry that it cannot reach."""

_CONFIG = """\
version: 2
distro_name: scripted
apis: [inference]
providers:
  inference:
  - provider_id: scripted
    provider_type: remote::vllm
    config:
      base_url: {upstream}/v1
      max_tokens: 4096
      api_token: not-needed
storage:
  backends:
    kv_default: {{type: kv_sqlite, db_path: {folder}/kv.db}}
    sql_default: {{type: sql_sqlite, db_path: {folder}/sql.db}}
  stores:
    metadata: {{namespace: registry, backend: kv_default}}
    inference: {{table_name: inference_store, backend: sql_default}}
    conversations: {{table_name: conversations, backend: sql_default}}
    prompts: {{{stored_as}: prompts, backend: {backend}}}
    connectors: {{{stored_as}: connectors, backend: {backend}}}
registered_resources: {{models: []}}
server: {{host: 127.0.0.1, port: {port}}}
"""


@dataclass(frozen=True)
class ModelServer:
    """A kind of server.

    Attributes:
        name: Says where its environment is and from what it is made.
        start: What runs a configuration.
        stored_as: How its configuration names what it keeps prompts and connectors in, and in which backend that is.
    """

    name: str
    start: tuple[str, ...]
    stored_as: tuple[str, str]


OGX = ModelServer("ogx", ("ogx", "run", "{config}", "--insecure", "--port", "{port}"), ("table_name", "sql_default"))
LLAMA_STACK = ModelServer("llama-stack", ("llama", "stack", "run", "{config}", "--port", "{port}"), ("namespace", "kv_default"))
MODEL_SERVERS = (OGX, LLAMA_STACK)


def environment_of(server: ModelServer) -> Path:
    """The virtual environment's folder with the server in it; made when it is not there, by one process at a time.

    The test is skipped where the package registry cannot be reached; whatever else goes wrong is an error.
    """
    folder = _ROOT / "build" / f"{server.name}-venv"
    requirements = Path(__file__).with_name(f"{server.name}-requirements.txt")
    folder.parent.mkdir(exist_ok=True)
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode() + str(folder).encode()).hexdigest()
    stamp = folder / "made-from"
    with (folder.parent / f"{server.name}-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        ]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            if _NO_NETWORK in done.stderr:
                pytest.skip(f"{server.name} cannot be installed: the package registry cannot be reached")
            raise RuntimeError(f"{server.name} could not be installed:\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return folder


@contextmanager
def model_server(server: ModelServer, upstream: str, folder: Path) -> Iterator[str]:
    """Run a server in front of the one at `upstream`, its files in `folder`; gives its address, without `/v1`."""
    commands = environment_of(server) / "bin"
    port = free_port()
    config, written = folder / "server.yaml", folder / "server.log"
    stored_as, backend = server.stored_as
    config.write_text(_CONFIG.format(upstream=upstream, folder=folder, port=port, stored_as=stored_as, backend=backend))
    program, *arguments = (part.format(config=config, port=port) for part in server.start)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HF_HUB_OFFLINE": "1",
        "OTEL_SDK_DISABLED": "true",
        # Their coloured tracebacks hold the server up for 20 seconds at each error.
        "OGX_LOG_FORMAT": "json",
        "LLAMA_STACK_LOG_FORMAT": "json",
        "NO_PROXY": "*",
    }
    address = f"http://127.0.0.1:{port}"
    with written.open("w") as log:
        process = subprocess.Popen(
            [str(commands / program), *arguments], stdout=log, stderr=subprocess.STDOUT, cwd=folder, env=environment
        )
        try:
            _wait_until_healthy(address, process, written)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/v1/health", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()[-3000:]}")
