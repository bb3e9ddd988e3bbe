"""Which cluster is taken, and what is said where there is none."""

from pathlib import Path

import pytest

from tests.cluster.clusters import ClusterMissingError, Source, choose, require_real_node


def installed(*names: str):
    return lambda name: f"/usr/bin/{name}" if name in names else None


ALL = ("kubectl", "kind", "k3d", "docker")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file"


def test_kubeconfig_comes_before_everything(file: Path) -> None:
    assert choose({"KUBECONFIG": str(file), "CLUSTER_TOOL": str(file)}, installed(*ALL)) == Source("given", file)


@pytest.mark.parametrize(
    ("programs", "kind"),
    [(ALL, "kind"), (("kubectl", "k3d", "docker"), "k3d"), (("kubectl",), "tool"), (("kubectl", "kind"), "tool")],
)
def test_installed_tools_come_before_the_named_one(file: Path, programs: tuple[str, ...], kind: str) -> None:
    assert choose({"CLUSTER_TOOL": str(file)}, installed(*programs)).kind == kind


def test_without_any_cluster_the_message_names_each_way_to_one() -> None:
    with pytest.raises(ClusterMissingError) as raised:
        choose({}, installed("kubectl"))
    assert all(word in str(raised.value) for word in ("KUBECONFIG", "kind", "k3d", "CLUSTER_TOOL"))


def test_without_kubectl_nothing_else_is_asked_for(file: Path) -> None:
    with pytest.raises(ClusterMissingError, match="kubectl is missing"):
        choose({"KUBECONFIG": str(file)}, installed())


@pytest.mark.parametrize("setting", ["KUBECONFIG", "CLUSTER_TOOL"])
def test_a_named_file_that_is_not_there_is_an_error(setting: str) -> None:
    with pytest.raises(ClusterMissingError, match=setting):
        choose({setting: "/nowhere/at-all"}, installed("kubectl"))


def test_a_given_cluster_needs_a_registry_for_pods_that_run(file: Path) -> None:
    with pytest.raises(ClusterMissingError, match="CLUSTER_REGISTRY"):
        require_real_node(Source("given", file), {}, 1000, installed())
    require_real_node(Source("given", file), {"CLUSTER_REGISTRY": "127.0.0.1:5000"}, 1000, installed())


def test_a_real_node_needs_its_program_root_and_packages(file: Path) -> None:
    with pytest.raises(ClusterMissingError, match="realnode"):
        require_real_node(Source("tool", file), {}, 0, installed())
    file.with_name("realnode").touch()
    with pytest.raises(ClusterMissingError, match="root"):
        require_real_node(Source("tool", file), {}, 1000, installed())
    with pytest.raises(ClusterMissingError, match="containerd, runc"):
        require_real_node(Source("tool", file), {}, 0, installed("gcc"))
