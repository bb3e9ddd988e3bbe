"""The core of a cluster as it is deployed, on one machine: PostgreSQL, and each service as a process of its own."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared_services.kit.tokens import TokenIssuer
from tests.integration.cluster.databases import Databases
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
START_SECONDS = 120


@dataclass
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one line on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Core:
    """Processes, each with the environment that its manifest gives it."""

    databases: Databases
    folder: Path
    stack: ExitStack
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = Ed25519PrivateKey.generate()
        (self.folder / "private.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self.folder / "public.pem").write_bytes(TokenIssuer(key).public_pem())
        (self.folder / "examples").symlink_to(ROOT / "examples")
        self.issuer = TokenIssuer(key)

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def base(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
            "LOG_JSON": "false",
            "CORE_PUBLIC_KEY_FILE": str(self.folder / "public.pem"),
            "CORE_ENDPOINT": self.address("console"),
            "RAG_ENDPOINT": self.address("rag"),
            "CONVERTER_ENDPOINT": self.address("template-converter"),
        }

    @property
    def console_env(self) -> dict[str, str]:
        """The console's, and so that of `operate`, which runs in its pod."""
        core = self.databases.core_env()
        return self.base | {
            "CONSOLE_PORT": str(self.port("console")),
            "CONSOLE_DATABASE_URL": core["CORE_DATABASE_URL"],
            "CONSOLE_JOBS_URL": core["CORE_JOBS_URL"],
            "CORE_PRIVATE_KEY_FILE": str(self.folder / "private.pem"),
            "JOBS_EXECUTOR_ID": "console-0",
        }

    def start(self, name: str, env: dict[str, str], service: str | None = None) -> None:
        """A service as a process; it answers when this returns."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", "workshop_cli.service", service or name], cwd=ROOT, env=env, stdout=log, stderr=log
        )
        self.processes[name] = process
        self.stack.callback(self.end, name)
        until = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, self.log(name)
            assert time.monotonic() < until, self.log(name)
            try:
                if httpx.get(f"{self.address(name)}/healthz", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def end(self, name: str, *, kill: bool = False) -> None:
        process = self.processes.pop(name, None)
        if process is not None and process.poll() is None:
            (process.kill if kill else process.terminate)()
            process.wait(30)

    def start_console(self) -> None:
        self.start("console", self.console_env)

    def start_converter(self) -> None:
        core = self.databases.core_env()
        own = {
            "CONVERTER_PORT": str(self.port("template-converter")),
            "CONVERTER_DATABASE_URL": core["CORE_DATABASE_URL"],
            "CONVERTER_JOBS_URL": core["CONVERTER_JOBS_URL"],
            "WORKSHOP_CREDENTIAL_FILE": core["CONVERTER_CREDENTIAL_FILE"],
            "JOBS_EXECUTOR_ID": "template-converter-agent-0",
        }
        self.start("template-converter", self.base | own)

    def start_rag(self) -> None:
        core = self.databases.core_env()
        own = {
            "RAG_PORT": str(self.port("rag")),
            "RAG_DATA": str(self.folder / "rag"),
            "RAG_DATABASE_URL": core["RAG_DATABASE_URL"],
            "RAG_JOBS_URL": core["RAG_JOBS_URL"],
            "RAG_ENGINE": "reference",
            "WORKSHOP_CREDENTIAL_FILE": core["RAG_CREDENTIAL_FILE"],
            "JOBS_EXECUTOR_ID": "rag-agent-0",
        }
        self.start("rag", self.base | own)

    def start_chat(self, name: str) -> None:
        """A workshop's chat agent; its role and credential are there already."""
        env = self.databases.workshop_env(name)
        own = {key: env[key] for key in ("DATABASE_URL", "WORKSHOP_NAME", "WORKSHOP_CREDENTIAL_FILE", "JOIN_CODE_FILE")}
        own |= {
            "CHAT_PORT": str(self.port(name)),
            "LIBRARY_ENDPOINT": self.address("console"),
            "WORKSHOP_ACCESS": "code",
            "PARTICIPANT_KEY_FILE": self.databases.file(f"{name}.key", "k" * 40),
        }
        self.start(name, self.base | own, "chat")

    def begin(self, *arguments: str, stdin: int = subprocess.DEVNULL, **env: str) -> subprocess.Popen[bytes]:
        """`workshop-service operate ...` as it runs in a console's pod."""
        return subprocess.Popen(
            [sys.executable, "-m", "workshop_cli.service", "operate", *arguments],
            cwd=self.folder,
            env=self.console_env | env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def operate(self, *arguments: str, stdin: bytes | None = None, **env: str) -> Done:
        """Run it to its end."""
        process = self.begin(*arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, **env)
        out, err = process.communicate(stdin, timeout=180)
        return Done(process.returncode, out.decode(), err.decode())

    def migrate(self, what: str, env: dict[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "workshop_cli.service", "migrate", what],
            env=self.base | env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
