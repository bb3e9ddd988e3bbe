"""The clusters that the other tests stand on do what those tests take for granted."""

from tests.cluster.clusters import Cluster
from tests.cluster.kubectl import Kubectl, wait_until
from tests.cluster.processes import restart_api_server

_NAMESPACE = "harness"


def test_pods_become_ready_on_fake_nodes(fake_cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nobody/nothing", "--replicas=2")
    try:
        kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=180s")
        assert kubectl.run("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}").stdout == "2"
    finally:
        kubectl("delete", "deployment", "web")


def test_the_api_server_comes_back_with_its_objects(fake_cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("create", "namespace", _NAMESPACE)
    try:
        restart_api_server(fake_cluster.kubeconfig.parent)
        wait_until(lambda: kubectl.run("get", "--raw", "/readyz").returncode == 0, "the API server is ready", 60)
        assert _NAMESPACE in kubectl.names("namespaces")
    finally:
        kubectl("delete", "namespace", _NAMESPACE)
