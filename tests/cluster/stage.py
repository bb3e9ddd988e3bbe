"""What stands around the platform in a test: the model's server behind the gateway, and a door for people.

Both are pods in namespaces of their own, so that the platform's own network policies stay as they are: the gateway's default
model server is the scripted one (`vllm` in `models`), and the door's namespace has the label of a cluster's ingress.
"""

import contextlib
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.cluster.clusters import Cluster
from tests.cluster.kubectl import Kubectl

_CODE = Path(__file__).parent / "pods"
_RELAY_PORT = 3128
MODELS, ENTRANCE = "models", "entrance"

_NAMESPACES = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {MODELS}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {ENTRANCE}, labels: {{workshop-assistant/ingress: allowed}}}}
"""

_POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      enableServiceLinks: false
      terminationGracePeriodSeconds: 1
      securityContext: {{runAsNonRoot: true, runAsUser: 12345}}
      containers:
        - name: {name}
          image: {image}
          command: [python, -B, /code/{file}]
          resources: {{requests: {{cpu: 10m, memory: 64Mi}}}}
          ports: [{{containerPort: {port}}}]
          readinessProbe: {{tcpSocket: {{port: {port}}}, periodSeconds: 1}}
          volumeMounts: [{{name: code, mountPath: /code}}]
      volumes: [{{name: code, configMap: {{name: {name}}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: {port}}}]}}
"""


@dataclass
class Door:
    """Ways from this machine to Services inside the cluster, by the relay's pod."""

    relay: tuple[str, int]
    _local: dict[tuple[str, int], socket.socket] = field(default_factory=dict)

    def address(self, host: str, port: int) -> str:
        """A local address that leads to `host:port` as the cluster's DNS knows it; each connection is looked up anew."""
        place = (host, port)
        if place not in self._local:
            listener = socket.create_server(("127.0.0.1", 0))
            self._local[place] = listener
            threading.Thread(target=self._accept, args=(listener, f"{host} {port}\n".encode()), daemon=True).start()
        return f"http://127.0.0.1:{self._local[place].getsockname()[1]}"

    def close(self) -> None:
        """Close every way."""
        for listener in self._local.values():
            # Wakes the thread that waits in accept.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, opening: bytes) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.relay, timeout=10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            far.sendall(opening)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@dataclass(frozen=True)
class ScriptedModel:
    """The model's server in the cluster."""

    address: str

    def say(self, text: str | list[str], **how: Any) -> None:
        """Say this from now on; `how` is `upstream.Say`'s: `gap`, `wait`, `piece`."""
        self._put({"text": text, **how})

    def fail(self, status: int) -> None:
        """Answer with this status from now on."""
        self._put({"fail": {"status": status}})

    def _put(self, script: dict[str, Any]) -> None:
        httpx.put(f"{self.address}/script", content=json.dumps(script), timeout=10, trust_env=False).raise_for_status()

    @property
    def asked(self) -> int:
        """How many answers it was asked for."""
        return int(httpx.get(f"{self.address}/script", timeout=10, trust_env=False).json()["asked"])


@dataclass(frozen=True)
class Stage:
    """The surroundings, ready."""

    door: Door
    model: ScriptedModel


@contextmanager
def stage(cluster: Cluster, image: str) -> Iterator[Stage]:
    """Put both pods up; `image` is one with Python and uvicorn."""
    kubectl = Kubectl(cluster.kubeconfig)
    kubectl("apply", "-f", "-", text=_NAMESPACES)
    upstream = Path(__file__).parent.parent / "upstream.py"
    for namespace, name, port, files in (
        (MODELS, "vllm", 8000, [_CODE / "scripted_model.py", upstream]),
        (ENTRANCE, "relay", _RELAY_PORT, [_CODE / "relay.py"]),
    ):
        made = kubectl(
            "create",
            "configmap",
            name,
            "-n",
            namespace,
            "--dry-run=client",
            "-o",
            "yaml",
            *(f"--from-file={file}" for file in files),
        )
        kubectl("apply", "-f", "-", text=made)
        kubectl("apply", "-f", "-", text=_POD.format(name=name, namespace=namespace, image=image, port=port, file=files[0].name))
    for namespace, name in ((MODELS, "vllm"), (ENTRANCE, "relay")):
        kubectl("rollout", "status", "-n", namespace, f"deployment/{name}", "--timeout=180s", timeout=200)
    with _relay_address(cluster, kubectl) as relay:
        door = Door(relay)
        try:
            yield Stage(door, ScriptedModel(door.address(f"vllm.{MODELS}.svc", 8000)))
        finally:
            door.close()


@contextmanager
def _relay_address(cluster: Cluster, kubectl: Kubectl) -> Iterator[tuple[str, int]]:
    if cluster.folder is not None:
        pods = kubectl.get("pods", "-n", ENTRANCE, "-l", "app=relay")["items"]
        yield next(pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP")), _RELAY_PORT
        return
    # Elsewhere pods' addresses lead nowhere from here.
    command = ["kubectl", "port-forward", "-n", ENTRANCE, "deployment/relay", f":{_RELAY_PORT}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl.environment) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found, "kubectl port-forward named no port"
            yield "127.0.0.1", int(found[1])
        finally:
            process.terminate()
