"""Workshops on a cluster, by the script, and what tests look up about them."""

import base64
import json
import os
import signal
import subprocess
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl
from tests.cluster.participant import Participant, participant
from tests.cluster.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "deploy-multi-workshop.sh"
CORE = "workshop-core-system"
SCRIPT_SECONDS = 1200


@dataclass(frozen=True)
class Platform:
    """The cluster with its surroundings, on which workshops are deployed.

    Attributes:
        core: The overlay of the shared core.
    """

    kubectl: Kubectl
    stage: Stage
    core: Path

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the script, in a process group of its own."""
        return subprocess.Popen(
            [str(SCRIPT), *arguments, "--core", str(self.core), "--timeout", "600"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.kubectl.environment,
            start_new_session=True,
        )

    def script(self, *arguments: str) -> str:
        """Run the script to its end; gives what it wrote.

        Raises:
            AssertionError: It failed.
        """
        process = self.begin(*arguments)
        try:
            written, _ = process.communicate(timeout=SCRIPT_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 0, f"the script ended with {process.returncode}:\n{written[-6000:]}\n{self.troubles()}"
        return written

    def deploy(self, name: str, kind: str, *more: str, shared: bool = False) -> "Workshop":
        """Put a workshop on the cluster, by the script."""
        self.script(name, kind, "20", "true" if shared else "false", *more)
        return Workshop(self, name, kind)

    def operate(self, *arguments: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run `workshop-service operate ...` inside the console."""
        return self.kubectl.exec(CORE, "console-0", "workshop-service", "operate", *arguments, timeout=timeout)

    def sql(self, statement: str, database: str = "workshops") -> list[list[str]]:
        """Ask PostgreSQL as its administrator; gives rows."""
        command = (
            "psql",
            "-U",
            "postgres",
            "-h",
            "/var/run/postgresql",
            "-d",
            database,
            "-AtF",
            "\x1f",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
        )
        done = self.kubectl.exec(CORE, "postgres-0", *command)
        assert done.returncode == 0, done.stderr
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def troubles(self) -> str:
        """What somebody would look at first: pods that are not well, and the last words of those."""
        found: list[str] = []
        for pod in self.kubectl.get("pods", "-A")["items"]:
            conditions = {row["type"]: row["status"] for row in pod["status"].get("conditions", [])}
            if pod["status"].get("phase") == "Succeeded" or conditions.get("Ready") == "True":
                continue
            namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            states = json.dumps([row.get("state") for row in pod["status"].get("containerStatuses", [])])[:600]
            words = self.kubectl.run("logs", "-n", namespace, name, "--tail=15", "--all-containers").stdout
            before = self.kubectl.run("logs", "-n", namespace, name, "--tail=15", "--previous").stdout
            found.append(f"--- {namespace}/{name} {pod['status'].get('phase')} {states}\n{words}{before}")
        return "\n".join(found)


@dataclass(frozen=True)
class Workshop:
    """A workshop that was deployed."""

    platform: Platform
    name: str
    kind: str

    @property
    def namespace(self) -> str:
        """Where its chat agent is."""
        return f"{self.name}-workshop"

    @property
    def address(self) -> str:
        """A local way to its chat agent's Service."""
        return self.platform.stage.door.address(f"chat-agent.{self.namespace}.svc", 8080)

    def secret(self, key: str) -> str:
        """A value of its Secret."""
        data: dict[str, Any] = self.platform.kubectl.get("secret", "chat-agent", "-n", self.namespace)["data"]
        return base64.b64decode(data[key]).decode().strip()

    def participant(self, name: str = "Kim") -> AbstractAsyncContextManager[Participant]:
        """Somebody who joins it with its join code."""
        return participant(self.address, self.secret("join-code"), name)

    def inside(self, code: str, *arguments: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run Python inside one of its chat agent's pods."""
        return self.platform.kubectl.exec(
            self.namespace, "deployment/chat-agent", "python", "-c", code, *arguments, timeout=timeout
        )
