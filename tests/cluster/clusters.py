"""Which cluster the tests run on, and throw-away ones that are gone afterwards.

`choose` decides from the environment: `KUBECONFIG` where that is set, else kind, else k3d, else the tool that `CLUSTER_TOOL`
names. The tool is a program that starts a control plane (`up`, `nodes N`, `down`) with fake nodes, whose pods become ready
and run nothing, and beside it `realnode`, whose pods run.

    python -m tests.cluster.clusters      says which cluster it would be, or what is missing (exit status 1)
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.cluster.processes import supervised_home

CLUSTER_NAME = "workshop-test"
FAKE_NODES = 3
_UP_SECONDS = 1800
"""The tool's first start on a machine compiles Kubernetes."""
_REAL_NODE_PROGRAMS = ("containerd", "runc", "gcc", "socat", "nft", "nsenter", "docker-registry", "skopeo", "buildah")
_REAL_NODE_PACKAGES = "containerd runc containernetworking-plugins gcc libc6-dev socat nftables docker-registry skopeo buildah"

Which = Callable[[str], str | None]


class ClusterMissingError(Exception):
    """There is no cluster to test on, or something that its kind needs is missing; the message says what and what to do."""


@dataclass(frozen=True)
class Source:
    """Where a cluster comes from.

    Attributes:
        kind: `given` (KUBECONFIG), `kind`, `k3d`, or `tool` (CLUSTER_TOOL).
        path: The kubeconfig or the program.
    """

    kind: Literal["given", "kind", "k3d", "tool"]
    path: Path

    def __str__(self) -> str:
        return f"the cluster of {self.path}" if self.kind == "given" else f"a throw-away cluster by {self.path}"


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        source: Where it comes from.
        kubeconfig: Its administrator's access.
        runs_pods: Whether pods really run there.
        registry: The address that images are pushed to; empty where they are loaded some other way.
    """

    source: Source
    kubeconfig: Path
    runs_pods: bool
    registry: str = ""

    @property
    def folder(self) -> Path | None:
        """The folder of a control plane that the tool started, by whomever; None for another cluster."""
        beside = self.kubeconfig.parent
        return beside if (beside / "controlplane.env").exists() else None


def choose(environment: Mapping[str, str], which: Which = shutil.which) -> Source:
    """Decide on what the tests run.

    Raises:
        ClusterMissingError: There is none, or what was named is not there.
    """
    if not which("kubectl"):
        raise ClusterMissingError("kubectl is missing: install it (https://kubernetes.io/docs/tasks/tools/) and run this again.")
    if given := environment.get("KUBECONFIG"):
        return Source("given", _existing(given, "KUBECONFIG"))
    for name in ("kind", "k3d"):
        if (program := which(name)) and which("docker"):
            return Source(name, Path(program))  # type: ignore[arg-type]
    if tool := environment.get("CLUSTER_TOOL"):
        return Source("tool", _existing(tool, "CLUSTER_TOOL"))
    raise ClusterMissingError(
        "No cluster: KUBECONFIG is not set, neither kind nor k3d is installed with docker, and CLUSTER_TOOL names no program. "
        "Do one of these: set KUBECONFIG to a cluster where namespaces may be made and deleted; install kind "
        "(https://kind.sigs.k8s.io) and docker; set CLUSTER_TOOL to a program that starts a control plane, "
        "such as ../shared/tools/controlplane/controlplane."
    )


def _existing(value: str, setting: str) -> Path:
    path = Path(value.split(os.pathsep)[0]).expanduser()
    if not path.is_file():
        raise ClusterMissingError(f"{setting} names {path}, and there is no such file: set it to one that exists, or unset it.")
    return path.resolve()


def require_real_node(source: Source, environment: Mapping[str, str], uid: int, which: Which = shutil.which) -> None:
    """Check that pods can really run there, with images made here.

    Raises:
        ClusterMissingError: Something is missing.
    """
    if source.kind == "given":
        if not environment.get("CLUSTER_REGISTRY"):
            raise ClusterMissingError(
                "KUBECONFIG is set and CLUSTER_REGISTRY is not: set it to the address (host:port) of a registry that is pushed "
                "to from here and pulled from by the cluster's nodes, so that pods get the images built here."
            )
        return
    if source.kind in ("kind", "k3d"):
        return
    if not (source.path.parent / "realnode").is_file():
        raise ClusterMissingError(f"No program `realnode` beside {source.path}: pods that really run need it.")
    if uid:
        raise ClusterMissingError("A real node needs root: run `sudo make cluster-test`, or set KUBECONFIG to a cluster.")
    if absent := [program for program in _REAL_NODE_PROGRAMS if not which(program)]:
        raise ClusterMissingError(f"A real node needs {', '.join(absent)}: apt-get install {_REAL_NODE_PACKAGES}")


@contextmanager
def started(source: Source, folder: Path, registry: str = "", *, real: bool) -> Iterator[Cluster]:
    """A running cluster for the length of a block; one that was given stays, one that was started goes.

    Args:
        source: What `choose` gave.
        folder: For its files; empty.
        registry: The local registry's address (host:port), for nodes to pull from.
        real: Whether pods must really run.

    Raises:
        ClusterMissingError: It did not start; the message ends with what its program said.
    """
    if source.kind == "given":
        yield Cluster(source, source.path, runs_pods=True, registry=registry)
        return
    kubeconfig = folder / "kubeconfig"
    begin = {"kind": _start_kind, "k3d": _start_k3d, "tool": _start_tool}[source.kind]
    end = {"kind": _end_kind, "k3d": _end_k3d, "tool": _end_tool}[source.kind]
    try:
        begin(source.path, kubeconfig, registry, real)
        # kind's and k3d's images are loaded, not pulled.
        yield Cluster(source, kubeconfig, source.kind != "tool" or real, registry if source.kind == "tool" else "")
    finally:
        end(source.path, kubeconfig)


def _start_kind(program: Path, kubeconfig: Path, _registry: str, _real: bool) -> None:
    _run([program, "create", "cluster", "--name", CLUSTER_NAME, "--kubeconfig", kubeconfig, "--wait", "300s"])


def _end_kind(program: Path, kubeconfig: Path) -> None:
    _run([program, "delete", "cluster", "--name", CLUSTER_NAME, "--kubeconfig", kubeconfig])


def _start_k3d(program: Path, kubeconfig: Path, _registry: str, _real: bool) -> None:
    _run([program, "cluster", "create", CLUSTER_NAME, "--wait", "--kubeconfig-update-default=false"])
    kubeconfig.write_text(_run([program, "kubeconfig", "get", CLUSTER_NAME]))


def _end_k3d(program: Path, _kubeconfig: Path) -> None:
    _run([program, "cluster", "delete", CLUSTER_NAME])


def _start_tool(program: Path, kubeconfig: Path, registry: str, real: bool) -> None:
    _run([program, "up", "--dir", kubeconfig.parent])
    if real:
        realnode = program.parent / "realnode"
        _run([realnode, "build"])
        home = supervised_home(kubeconfig.parent)
        pulls = ["--registry", registry] if registry else []
        _run([realnode, "up", "--dir", kubeconfig.parent, *pulls], {"CONTROLPLANE_HOME": str(home)})
    else:
        _run([program, "nodes", str(FAKE_NODES), "--dir", kubeconfig.parent])


def _end_tool(program: Path, kubeconfig: Path) -> None:
    if (kubeconfig.parent / "controlplane.env").exists():
        _run([program, "down", "--dir", kubeconfig.parent])


def _run(command: list[str | Path], environment: Mapping[str, str] | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=_UP_SECONDS, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        raise ClusterMissingError(f"`{' '.join(words)}` failed:\n{done.stderr[-3000:]}")
    return done.stdout


def main() -> int:
    """Say on what the tests would run, or what is missing."""
    try:
        source = choose(os.environ)
        require_real_node(source, os.environ, os.geteuid())
    except ClusterMissingError as error:
        print(f"make cluster-test: {error}", file=sys.stderr)
        return 1
    print(f"Tests run on {source}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
