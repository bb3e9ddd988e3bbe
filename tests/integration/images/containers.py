"""Builds the images once a run and runs containers from them as a cluster does: any user, group 0, nothing writable but two folders."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BASE = "docker.io/library/python:3.12-slim"
TAG = "test"
SLIM = f"localhost/workshop-assistant:{TAG}"
RAG = f"localhost/workshop-assistant-rag:{TAG}"
USER = 1_000_660_000
"""Of the range that OpenShift gives; no such user is in the image."""

_CLUSTER_LIKE = (
    f"--user={USER}:0",
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp:mode=1777",
    "--tmpfs=/data:mode=1777",
    "--network=none",
)
_GET = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], data=sys.argv[3].encode() if sys.argv[3:] else None)
if sys.argv[2:]:
    request.add_header("Authorization", "Bearer " + sys.argv[2])
    request.add_header("Content-Type", "application/json")
try:
    print(urllib.request.urlopen(request, timeout=120).read().decode())
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"{error}")
"""


def missing() -> str:
    """Why images cannot be built and run here; empty when they can."""
    for program in ("buildah", "podman"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if os.geteuid():
        return "images are built and run by root here"
    here = subprocess.run(["buildah", "inspect", "--type", "image", BASE], capture_output=True, check=False)
    if here.returncode:
        pulled = subprocess.run(["buildah", "pull", "--quiet", BASE], capture_output=True, text=True, timeout=120, check=False)
        if pulled.returncode:
            return f"{BASE} is not on this machine and cannot be pulled: {pulled.stderr.strip()[-200:]}"
    return ""


def build() -> None:
    """Build both images; unchanged steps come from the cache."""
    environment = {**os.environ, "BUILDER": "buildah"}
    done = subprocess.run(["scripts/build-images", TAG], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def settings(folder: Path) -> Path:
    """podman's configuration for machines where it may not raise its own limits."""
    path = folder / "containers.conf"
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    path.write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:20000", "nproc=30000:30000"]\n'
        f'[engine]\n{runtime}cgroup_manager = "cgroupfs"\n'
    )
    return path


@dataclass(frozen=True)
class Said:
    """What a program that ended left.

    Attributes:
        status: Its exit status.
        out: Its output.
        err: Its error output.
    """

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Podman:
    """podman with a configuration of its own."""

    config: Path

    def __call__(self, *arguments: str) -> Said:
        """Run a command of podman's."""
        environment = {**os.environ, "CONTAINERS_CONF": str(self.config)}
        done = subprocess.run(["podman", *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    def run(self, image: str, *arguments: str, entrypoint: str = "") -> Said:
        """Run a container until it ends."""
        instead = (f"--entrypoint={entrypoint}",) if entrypoint else ()
        return self("run", "--rm", *_CLUSTER_LIKE, *instead, image, *arguments)

    def python(self, image: str, program: str, *arguments: str) -> str:
        """What a program prints that the image's Python runs."""
        said = self.run(image, "-c", program, *arguments, entrypoint="python")
        assert said.status == 0, said.err
        return said.out

    @contextmanager
    def serving(self, image: str, service: str, port: int, keys: Path, environment: Mapping[str, str]) -> Iterator["Serving"]:
        """A container that serves, removed at the end."""
        name = f"workshop-image-test-{uuid.uuid4().hex[:12]}"
        given = [f"--env={key}={value}" for key, value in environment.items()]
        started = self("run", "--detach", f"--name={name}", *_CLUSTER_LIKE, f"--volume={keys}:/keys:ro", *given, image, service)
        assert started.status == 0, started.err
        try:
            yield Serving(self, name, port)
        finally:
            self("rm", "--force", "--time=0", name)


@dataclass(frozen=True)
class Serving:
    """A container that serves."""

    podman: Podman
    name: str
    port: int

    def wait_until_healthy(self, seconds: float = 120) -> None:
        """Until `/healthz` answers; an error with the container's log where it ends or does not answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._state()["Running"]:
            if self._asked("/healthz").status == 0:
                return
            time.sleep(0.3)
        raise AssertionError(f"{self._state()}\n{self.log()}")

    def post(self, path: str, token: str, body: object) -> dict[str, object]:
        """The answer to a request with a body."""
        said = self._asked(path, token, json.dumps(body))
        assert said.status == 0, said.err + self.log()
        found: dict[str, object] = json.loads(said.out)
        return found

    def execute(self, *command: str) -> Said:
        """Run a command in the container."""
        return self.podman("exec", self.name, *command)

    def end(self) -> tuple[int, float]:
        """Send SIGTERM; the exit status and the seconds until the end. 137 is a container that had to be killed."""
        started = time.monotonic()
        self.podman("stop", "--time=40", self.name)
        return int(str(self._state()["ExitCode"])), time.monotonic() - started

    def log(self) -> str:
        """What it wrote."""
        said = self.podman("logs", self.name)
        return (said.out + said.err)[-4000:]

    def _asked(self, path: str, *more: str) -> Said:
        return self.execute("python", "-c", _GET, f"http://127.0.0.1:{self.port}{path}", *more)

    def _state(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.podman("inspect", "--format", "{{json .State}}", self.name).out)
        return found
