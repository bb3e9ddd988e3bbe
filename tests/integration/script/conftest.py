"""The deploy script beside a `kubectl` that only pretends."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/deploy-multi-workshop.sh"
PROGRAMS = [
    "bash",
    "awk",
    "basename",
    "cat",
    "cut",
    "dirname",
    "env",
    "grep",
    "gzip",
    "head",
    "mkdir",
    "mktemp",
    "mv",
    "openssl",
    "rm",
    "sed",
    "sleep",
    "sort",
    "tail",
    "tar",
    "tee",
    "tr",
]
CORE = "workshop-core-system|Active|shared-infrastructure||workshop-assistant|\n"
CORE_WORKLOADS = "W|StatefulSet|console|2|2|registry.example/workshop-assistant:7|console-abc\nR|2|200m|256Mi\n"
MANIFEST = "\n---\n".join(
    f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n"
    "      - resources:\n          requests:\n            cpu: 100m\n            memory: 128Mi\n        name: it"
    if kind == "Deployment"
    else f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}"
    for kind, name in (
        ("Namespace", "x-workshop"),
        ("ConfigMap", "chat-agent"),
        ("Job", "register-x"),
        ("Deployment", "chat-agent"),
    )
)
Rule = tuple[str, str, str, int | str, int | None]


def rule(pattern: str, text: str = "", *, error: str = "", status: int | str = 0, times: int | None = None) -> Rule:
    """What the pretended `kubectl` says to calls that match."""
    return (pattern, text, error, status, times)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


HEALTHY = [
    rule("get namespace/", CORE),
    rule("api-versions", "v1\napps/v1\n"),
    rule("get ingressclasses"),
    rule("get ingresses.networking"),
    rule("get statefulsets,deployments", CORE_WORKLOADS),
    rule("create --validate=false -f - -o go-template"),
    rule("get nodes", "|4|8Gi\n"),
    rule("get pods -A", "1 100m 128Mi\n"),
    rule("kustomize", MANIFEST),
    rule("get secret core-database", encoded("postgresql://core:PW@db.example:5432/workshops?sslmode=require")),
    rule("get secret core-keys", '"-----BEGIN PUBLIC KEY-----\\n"'),
    rule("get job", "Complete |0|0"),
    rule("apply --server-side"),
    rule("get deployment chat-agent", "2|2|2|2|1|1"),
    rule("get namespaces -l", "x-workshop\n"),
    rule("exec .* operate"),
]


@dataclass
class Deploying:
    """The script, what it finds on PATH, and what came of it."""

    folder: Path
    rules: list[Rule] = field(default_factory=lambda: list(HEALTHY))
    client: str = "kubectl"

    def prepare(self) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name in PROGRAMS:
            if not (programs / name).exists():
                (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not installed"))
        if self.client:
            fake = programs / self.client
            fake.write_text(f"#!{sys.executable} -IS\n" + Path(__file__).with_name("fake_kubectl.py").read_text())
            fake.chmod(0o755)
        (programs / "rules.json").write_text(json.dumps(self.rules))
        return {"PATH": str(programs), "TMPDIR": str(self.folder), "HOME": str(self.folder)}

    def __call__(self, *arguments: str, timeout: float = 60, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, *arguments],
            env=self.prepare(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )

    def answering(self, *rules: Rule) -> None:
        """Put rules before the others."""
        self.rules[:0] = rules

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Arguments and standard input of each call so far."""
        file = self.folder / "bin/calls.jsonl"
        return [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def changed(self) -> list[str]:
        """The calls that change something."""
        verbs = ("apply", "patch", "delete", "annotate", "exec")
        return [
            words for words, text in self.calls if any(f" {verb} " in f" {words} " for verb in verbs) or "kind: Secret" in text
        ]

    @property
    def secrets(self) -> dict[str, dict[str, str]]:
        file = self.folder / "bin/secrets.json"
        found: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.exists() else {}
        return found

    @property
    def left_behind(self) -> list[str]:
        return [path.name for path in self.folder.glob("deploy-workshop.*")]


@pytest.fixture
def deploying(tmp_path: Path) -> Deploying:
    return Deploying(tmp_path)


@pytest.fixture
def group() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that lead a group of their own; the groups are ended afterwards."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
