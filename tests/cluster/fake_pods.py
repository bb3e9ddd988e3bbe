"""Moves pods of fake nodes along at once: started, finished where they belong to a Job, gone when deleted.

kwok does the same, but on an API server whose etcd is older than 3.4.25 its watches break off, and it sees what happened only
when it lists again, up to half a minute later; meanwhile nodes are taken for dead. This watches pods by itself and tells of the
nodes' health, so that a hundred workshops take minutes.
"""

import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

Object = dict[str, Any]
_HEARTBEAT_SECONDS = 8
_PATCH = {"Content-Type": "application/strategic-merge-patch+json"}


def next_status(pod: Object, now: str) -> Object | None:
    """The status that a node would report for a pod that it got; None where it has nothing to say."""
    if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ("Succeeded", "Failed"):
        return None
    ends = any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))
    ready = {condition["type"]: condition["status"] for condition in pod["status"].get("conditions", [])}.get("Ready")
    if not ends and ready == "True":
        return None
    state = (
        {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
        if ends
        else {"running": {"startedAt": now}}
    )
    word = "False" if ends else "True"
    return {
        "phase": "Succeeded" if ends else "Running",
        "startTime": now,
        "podIP": "10.76.0.9",
        "conditions": [
            {"type": kind, "status": word, "lastTransitionTime": now} for kind in ("Initialized", "Ready", "ContainersReady")
        ],
        "containerStatuses": [
            {
                "name": box["name"],
                "image": box["image"],
                "imageID": "",
                "ready": not ends,
                "started": not ends,
                "restartCount": 0,
                "state": state,
            }
            for box in pod["spec"]["containers"]
        ],
    }


class FakePods:
    """One thread that watches pods and one that keeps nodes alive, until `stop`."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        tls = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        self._http = httpx.Client(
            base_url=cluster["server"],
            headers={"Authorization": f"Bearer {user['token']}"},
            verify=tls,
            timeout=10,
            trust_env=False,
        )
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._watch, self._beat)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=15)
        self._http.close()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            # The API server may be restarted meanwhile; then it all begins again.
            with (
                suppress(httpx.HTTPError, json.JSONDecodeError),
                self._http.stream("GET", "/api/v1/pods", params={"watch": "1", "timeoutSeconds": "5"}) as stream,
            ):
                for line in stream.iter_lines():
                    event = json.loads(line)
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self._move(event["object"])
                    if self._stopped.is_set():
                        return
            self._stopped.wait(0.2)

    def _move(self, pod: Object) -> None:
        meta = pod["metadata"]
        address = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self._http.request("DELETE", address, json={"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}})
        elif status := next_status(pod, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")):
            self._http.patch(f"{address}/status", content=json.dumps({"status": status}), headers=_PATCH)

    def _beat(self) -> None:
        while not self._stopped.is_set():
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            ready = {"type": "Ready", "status": "True", "reason": "Fake", "message": "", "lastHeartbeatTime": now}
            with suppress(httpx.HTTPError):
                nodes = self._http.get("/api/v1/nodes", params={"labelSelector": "type=kwok"}).json().get("items", [])
                for node in nodes:
                    self._http.patch(
                        f"/api/v1/nodes/{node['metadata']['name']}/status",
                        content=json.dumps({"status": {"conditions": [ready]}}),
                        headers=_PATCH,
                    )
            self._stopped.wait(_HEARTBEAT_SECONDS)


@contextmanager
def moving_pods(kubeconfig: Path) -> Iterator[None]:
    """Pods of fake nodes move along for the length of a block."""
    moving = FakePods(kubeconfig)
    try:
        yield
    finally:
        moving.stop()
