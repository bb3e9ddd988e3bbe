"""Clusters for tests, one of each kind for the whole run, and gone afterwards.

- `kubeconfig`: a cluster's access; on a throw-away control plane pods become ready on fake nodes and run nothing.
- `kubectl`: the command on it.
- `fake_cluster`: the same, for tests that need the control plane's own processes; skipped on other clusters.
- `real_cluster`: one whose pods run.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster, ClusterMissingError, Source, choose, require_real_node, started
from tests.cluster.kubectl import Kubectl
from tests.cluster.registry import local_registry


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    # Not pytest's own: paths of sockets must be short, and folders that it keeps would hold images.
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster_source() -> Source:
    """Where clusters come from."""
    try:
        return choose(os.environ)
    except ClusterMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def any_cluster(cluster_source: Source) -> Iterator[Cluster]:
    """A cluster that takes objects."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder("fake"))
        try:
            cluster = stack.enter_context(started(cluster_source, folder, real=False))
        except ClusterMissingError as error:
            pytest.fail(str(error), pytrace=False)
        yield cluster


@pytest.fixture(scope="session")
def kubeconfig(any_cluster: Cluster) -> Path:
    """Access to a cluster that takes objects; whether its pods run anything is open."""
    return any_cluster.kubeconfig


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path) -> Kubectl:
    """`kubectl` on that cluster."""
    return Kubectl(kubeconfig)


@pytest.fixture(scope="session")
def fake_cluster(any_cluster: Cluster) -> Cluster:
    """That cluster where it is a throw-away control plane with fake nodes, whose processes tests may end."""
    if any_cluster.source.kind != "tool":
        pytest.skip("needs fake nodes: unset KUBECONFIG and name a control plane's program by CLUSTER_TOOL")
    return any_cluster


@pytest.fixture(scope="session")
def real_cluster(cluster_source: Source) -> Iterator[Cluster]:
    """A cluster whose pods run, with a registry that its nodes pull from."""
    try:
        require_real_node(cluster_source, os.environ, os.geteuid())
    except ClusterMissingError as error:
        pytest.fail(str(error), pytrace=False)
    with ExitStack() as stack:
        folder = stack.enter_context(_folder("real"))
        registry = os.environ.get("CLUSTER_REGISTRY", "")
        if cluster_source.kind == "tool":
            registry = stack.enter_context(local_registry(stack.enter_context(_folder("registry"))))
        try:
            cluster = stack.enter_context(started(cluster_source, folder, registry, real=True))
        except ClusterMissingError as error:
            pytest.fail(str(error), pytrace=False)
        yield cluster
