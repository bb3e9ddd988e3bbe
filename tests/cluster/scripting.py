"""The deploy script on one cluster, and whoever runs it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.cluster.kubectl import Kubectl, Object

SCRIPT = Path(__file__).parents[2] / "scripts/deploy-multi-workshop.sh"


class Script:
    """The deploy script on one cluster."""

    def __init__(self, kubectl: Kubectl, folder: Path) -> None:
        # What a killed run leaves behind goes with the test.
        self.environment = kubectl.environment | {"TMPDIR": str(folder)}

    def __call__(self, *arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it to its end, whatever comes of it."""
        environment = {**self.environment, **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {})}
        return subprocess.run(
            [SCRIPT, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def deploy(self, name: str, *, shared: bool = False) -> subprocess.CompletedProcess[str]:
        """Deploy a workshop whose pods run nothing."""
        return self(name, "healthcare-ml", "50", str(shared).lower(), "--skip", "content,smoke", "--timeout", "180")

    def killed_after(self, seconds: float, *arguments: str) -> str:
        """Start it, kill it and its children after so long; what it said until then."""
        process = subprocess.Popen(
            [SCRIPT, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]


def access(kubectl: Kubectl, account: str, namespace: str) -> Object:
    """A kubeconfig of a ServiceAccount."""
    config: Object = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": kubectl("create", "token", account, "-n", namespace).strip()}
    return config
