"""`kubectl` on one cluster, for tests: every call names its kubeconfig, and a failure carries what kubectl said."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]


class KubectlError(AssertionError):
    """A command that failed, with what it said."""


@dataclass(frozen=True)
class Kubectl:
    """The command on the cluster of `kubeconfig`."""

    kubeconfig: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `kubectl` and the deploy script find this cluster and no other."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def run(self, *arguments: str, text: str | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        return subprocess.run(
            ["kubectl", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
        )

    def __call__(self, *arguments: str, text: str | None = None, timeout: float = 120) -> str:
        """Run a command; gives its standard output.

        Raises:
            KubectlError: It failed.
        """
        done = self.run(*arguments, text=text, timeout=timeout)
        if done.returncode:
            raise KubectlError(
                f"`kubectl {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        return done.stdout

    def get(self, *arguments: str) -> Object:
        """`kubectl get ... -o json`."""
        found: Object = json.loads(self("get", *arguments, "-o", "json"))
        return found

    def names(self, *arguments: str) -> list[str]:
        """The names that `kubectl get ...` lists."""
        return [item["metadata"]["name"] for item in self.get(*arguments)["items"]]

    def exec(self, namespace: str, target: str, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command inside a pod (`pod`, `deploy/NAME`, `statefulset/NAME`), whatever comes of it."""
        return self.run("exec", "-n", namespace, target, "--", *command, timeout=timeout)


def wait_until(true: Callable[[], bool], what: str, seconds: float, every: float = 0.5) -> float:
    """Block until `true()`; gives the seconds it took.

    Raises:
        AssertionError: It did not become true in time.
    """
    begin = time.monotonic()
    while not true():
        if time.monotonic() - begin > seconds:
            raise AssertionError(f"not after {seconds:g} s: {what}")
        time.sleep(every)
    return time.monotonic() - begin
