"""A real OGX server between us and a scripted upstream, from an environment of its own.

OGX shares too many dependencies with us to live in our environment. The environment is made once, under `build/ogx-venv`, from the pinned
`tests/ogx-requirements.txt`, and made again when that file or the interpreter changes.

    with ScriptedUpstream() as upstream, ogx_server(upstream.url, tmp_path) as address:
        ...  # address + "/v1/models" lists `scripted/<name>`
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENTS = Path(__file__).with_name("ogx-requirements.txt")
_START_SECONDS = 90.0

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
    prompts: {{table_name: prompts, backend: sql_default}}
    connectors: {{table_name: connectors, backend: sql_default}}
registered_resources: {{models: []}}
server: {{host: 127.0.0.1, port: {port}}}
"""


def ogx_environment() -> Path:
    """The virtual environment's folder with OGX in it; made when it is not there, by one process at a time."""
    folder = _ROOT / "build" / "ogx-venv"
    folder.parent.mkdir(exist_ok=True)
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode() + str(folder).encode()).hexdigest()
    stamp = folder / "made-from"
    with (folder.parent / "ogx-venv.lock").open("w") as lock:
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
            str(_REQUIREMENTS),
        ]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"OGX could not be installed:\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return folder


@contextmanager
def ogx_server(upstream: str, folder: Path) -> Iterator[str]:
    """Run OGX in front of the server at `upstream`, its files in `folder`; gives its address, without `/v1`."""
    command = ogx_environment() / "bin" / "ogx"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "ogx.yaml"
    config.write_text(_CONFIG.format(upstream=upstream, folder=folder, port=port))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HF_HUB_OFFLINE": "1",
        "OTEL_SDK_DISABLED": "true",
        # Its coloured tracebacks hold the server up for 20 seconds at each error.
        "OGX_LOG_FORMAT": "json",
        "NO_PROXY": "*",
    }
    address = f"http://127.0.0.1:{port}"
    with (folder / "ogx.log").open("w") as log:
        process = subprocess.Popen(
            [str(command), "run", str(config), "--insecure", "--port", str(port)],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )
        try:
            _wait_until_healthy(address, process, folder / "ogx.log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(15)
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
    raise RuntimeError(f"OGX did not come up:\n{log.read_text()[-3000:]}")
