"""The cluster's processes on this machine: real ones, as the image starts them, on one PostgreSQL with a role for each."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared_services.kit.tokens import TokenIssuer
from tests.integration.cluster.databases import Databases
from tests.ports import free_port
from workshop_cli.cluster.names import role_of

ROOT = Path(__file__).parents[3]
PASSED_ON = ("PATH", "HOME", "RAG_ENGINE")


def until(happened: Callable[[], Any], what: Callable[[], str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


class Service:
    """One process."""

    def __init__(self, name: str, argument: str, folder: Path, settings: dict[str, str], port: int) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        environment |= {"NO_PROXY": "*", "LOG_LEVEL": "info", **settings}
        with self.log.open("ab") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workshop_cli.service", argument],
                cwd=ROOT,
                env=environment,
                stdout=written,
                stderr=written,
            )
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def readiness(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.http.get("/readyz").json()
        except httpx.TransportError as error:
            return {"ready": False, "checks": {"process": type(error).__name__}}
        return found

    def alive(self) -> "Service":
        def answers() -> bool:
            assert self.process.poll() is None, f"{self.name} ended: {self.log.read_text()[-3000:]}"
            try:
                return self.http.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until(answers, lambda: f"{self.name} never answered: {self.log.read_text()[-3000:]}")
        return self

    def ready(self) -> "Service":
        self.alive()
        until(
            lambda: self.readiness()["ready"],
            lambda: f"{self.name}: {self.readiness()}, {self.log.read_text()[-3000:]}",
        )
        return self

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Its exit status, and the seconds that it took to end."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self.http.close()
        return status, time.monotonic() - began


class House:
    """All of them; `start` makes one, with the settings that the manifests give it."""

    def __init__(self, folder: Path, databases: Databases) -> None:
        self.folder = folder
        self.databases = databases
        key = Ed25519PrivateKey.generate()
        self.issuer = TokenIssuer(key)
        (folder / "private.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "public.pem").write_bytes(self.issuer.public_pem())
        self.ports: dict[str, int] = {}
        self.running: dict[str, Service] = {}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def migrate(self, what: str, workshop: str = "") -> None:
        """`workshop-service migrate`, as the Jobs run it."""
        core = self.databases.core_env()
        more = {"core": core, "workshop": self.databases.workshop_env(workshop), "remove": core | {"WORKSHOP_NAME": workshop}}[
            what
        ]
        environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ} | more
        subprocess.run([sys.executable, "-m", "workshop_cli.service", "migrate", what], cwd=ROOT, env=environment, check=True)

    def start(self, name: str, **more: str) -> Service:
        """`console-0`, `rag-0`, `converter-0` or `chat-WORKSHOP`."""
        kind, _, rest = name.partition("-")
        argument = "template-converter" if kind == "converter" else kind
        service = Service(name, argument, self.folder, self._settings(kind, name, rest) | more, self.port(name))
        self.running[name] = service
        return service

    def events(self, job_id: str) -> str:
        """What is stored of a job's events."""
        with psycopg.connect(self.databases.url("core")) as connection:
            rows = connection.execute("SELECT data FROM jobs_events WHERE job_id = %s ORDER BY number", (job_id,)).fetchall()
        return "\n".join(str(row[0]) for row in rows)

    def stop(self) -> None:
        for service in self.running.values():
            service.end(signal.SIGKILL)

    def _settings(self, kind: str, name: str, rest: str) -> dict[str, str]:
        core = self.databases.core_env()
        address = {f"{kind.upper()}_HOST": "127.0.0.1", f"{kind.upper()}_PORT": str(self.port(name))}
        common = address | {"CORE_ENDPOINT": self.url("console-0"), "CORE_PUBLIC_KEY_FILE": f"{self.folder}/public.pem"}
        if kind == "console":
            return address | {
                "CONSOLE_DATABASE_URL": core["CORE_DATABASE_URL"],
                "CONSOLE_JOBS_URL": core["CORE_JOBS_URL"],
                "CORE_PRIVATE_KEY_FILE": f"{self.folder}/private.pem",
                "RAG_ENDPOINT": self.url("rag-0"),
                "CONVERTER_ENDPOINT": self.url("converter-0"),
                "CONSOLE_WORKSHOP_URL": "https://{workshop}.example.org",
                "JOBS_EXECUTOR_ID": name,
            }
        if kind == "rag":
            return common | {
                "RAG_DATA": f"{self.folder}/rag",
                "RAG_DATABASE_URL": core["RAG_DATABASE_URL"],
                "RAG_JOBS_URL": core["RAG_JOBS_URL"],
                "WORKSHOP_CREDENTIAL_FILE": core["RAG_CREDENTIAL_FILE"],
                "JOBS_EXECUTOR_ID": name,
            }
        if kind == "converter":
            return common | {
                "CONVERTER_DATABASE_URL": core["CORE_DATABASE_URL"],
                "CONVERTER_JOBS_URL": core["CONVERTER_JOBS_URL"],
                "WORKSHOP_CREDENTIAL_FILE": core["CONVERTER_CREDENTIAL_FILE"],
                "JOBS_EXECUTOR_ID": name,
            }
        own = self.databases.workshop_env(rest)
        return common | {
            "WORKSHOP_NAME": rest,
            "DATABASE_URL": self.databases.url(role_of(rest)),
            "LIBRARY_ENDPOINT": self.url("console-0"),
            "RAG_ENDPOINT": self.url("rag-0"),
            "WORKSHOP_CREDENTIAL_FILE": own["WORKSHOP_CREDENTIAL_FILE"],
            "JOIN_CODE_FILE": own["JOIN_CODE_FILE"],
            "WORKSHOP_ACCESS": "code",
            "PARTICIPANT_KEY_FILE": f"{self.folder}/participant-{rest}.key",
        }
