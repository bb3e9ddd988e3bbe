"""The deploy script where people reach workshops by an Ingress, by the Gateway API's HTTPRoute, or by OpenShift's Route.

The API server takes objects of these kinds for as long as the tests run, without schemas and without controllers; what a controller
would answer is written by the test. The core is a console that runs nothing, and what the script reads of it. The tests go on from
each other.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.fake_pods import moving_pods
from tests.cluster.kubectl import Kubectl, Object, wait_until
from tests.cluster.scripting import Script, access

CORE, NAME, HOME = "workshop-core-system", "reached", "reached-workshop"
PARTS = {"app.kubernetes.io/part-of": "workshop-assistant"}
DEPLOY = (NAME, "spring-boot", "5", "false", "--skip", "content,smoke", "--timeout", "180")
GATEWAY_API = {"gateways": "Gateway", "httproutes": "HTTPRoute"}
pytestmark = pytest.mark.timeout(900)


def kind_of(group: str, plural: str, kind: str, scope: str = "Namespaced") -> Object:
    """What makes the API server take a kind, whatever its objects say."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "labels": {"test": "addresses"},
            # Groups below k8s.io are Kubernetes' own, and this is how one says that a kind is none of theirs.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests alone"},
        },
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [version],
        },
    }


def stand_in_core() -> list[Object]:
    """What the script reads of a core, and a console whose pod runs nothing."""
    pod = {"containers": [{"name": "console", "image": "registry.example/workshop-assistant:7"}]}
    labels = {"app.kubernetes.io/name": "console"}
    place = {"namespace": CORE}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": CORE, "labels": PARTS | {"workshop-role": "shared-infrastructure"}},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": place | {"name": "console"},
            "spec": {
                "replicas": 1,
                "serviceName": "console",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": place | {"name": "core-database"},
            "stringData": {"url": "postgresql://core:none@postgres.example/workshops"},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": place | {"name": "core-keys"}, "stringData": {"public.pem": "none"}},
    ]


def apply(kubectl: Kubectl, *items: Object) -> None:
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def offer(kubectl: Kubectl, *kinds: Object) -> None:
    """The API server serves these kinds from now on."""
    apply(kubectl, *kinds)
    for kind in kinds:
        kubectl("wait", "--for=condition=Established", f"crd/{kind['metadata']['name']}", "--timeout=60s")
    # What it serves is listed a little later than it is served.
    groups = {kind["spec"]["group"] for kind in kinds}
    wait_until(lambda: all(f"{group}/v1" in kubectl("api-versions").split() for group in groups), "the groups are listed", 60)
    for kind in kinds:
        name = kind["metadata"]["name"]
        wait_until(lambda name=name: kubectl.run("get", name, "-A").returncode == 0, f"{name} are served", 60)


@pytest.fixture(scope="module")
def script(fake_cluster: Cluster, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    assert not kubectl.run("get", "namespace", CORE).stdout, "another test has left its core"
    with moving_pods(fake_cluster.kubeconfig):
        try:
            apply(kubectl, *stand_in_core())
            yield Script(kubectl, tmp_path_factory.mktemp("script"))
        finally:
            kubectl.run("delete", "crd", "-l", "test=addresses")
            # Without pods a namespace ends at once.
            kubectl.run("delete", "statefulset", "console", "-n", CORE, "--cascade=foreground", "--timeout=120s")
            kubectl.run("delete", "namespace", HOME, CORE, "--ignore-not-found", "--timeout=300s")


@pytest.fixture(scope="module")
def deployer(script: Script, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of somebody with the role that ships."""
    kubectl("apply", "-k", str(Path(__file__).parents[2] / "overlays/workshop-deployer"))
    kubectl("create", "serviceaccount", "addresses", "-n", "default")
    kubectl("create", "clusterrolebinding", "addresses", "--clusterrole=workshop-deployer", "--serviceaccount=default:addresses")
    try:
        kubeconfig = tmp_path_factory.mktemp("deployer") / "kubeconfig"
        kubeconfig.write_text(json.dumps(access(kubectl, "addresses", "default")))
        yield kubeconfig
    finally:
        kubectl("delete", "clusterrolebinding/addresses", "clusterrole/workshop-deployer")
        kubectl("delete", "serviceaccount", "addresses", "-n", "default")


def addresses(kubectl: Kubectl, *kinds: str) -> list[str]:
    return sorted(f"{item['kind']} {item['metadata']['name']}" for item in kubectl.get(",".join(kinds), "-n", HOME)["items"])


def test_by_an_ingress(script: Script, deployer: Path, kubectl: Kubectl) -> None:
    ingress_class = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "addresses"},
        "spec": {"controller": "example.org/none"},
    }
    apply(kubectl, ingress_class)
    try:
        done = script(*DEPLOY, "--host", "first.example.net", kubeconfig=deployer)
    finally:
        kubectl("delete", "ingressclass", "addresses")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "url            https://first.example.net/ by an Ingress of class addresses" in done.stdout
    spec = kubectl.get("ingresses.networking.k8s.io", "chat-agent", "-n", HOME)["spec"]
    # It is not the default, so whoever does not name it is not served.
    assert spec["ingressClassName"] == "addresses"
    assert (spec["rules"][0]["host"], spec["tls"][0]["hosts"]) == ("first.example.net", ["first.example.net"])


def test_by_a_gateway(script: Script, deployer: Path, kubectl: Kubectl) -> None:
    offer(kubectl, *(kind_of("gateway.networking.k8s.io", plural, kind) for plural, kind in GATEWAY_API.items()))
    for name in ("inner", "public"):
        apply(
            kubectl,
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {},
            },
        )
    several = script(*DEPLOY, "--host", "me.example.net", kubeconfig=deployer)
    assert several.returncode == 1
    assert "the cluster has several Gateways: default/inner, default/public." in several.stderr
    assert addresses(kubectl, "httproutes.gateway.networking.k8s.io") == []

    done = script(*DEPLOY, "--host", "me.example.net", "--gateway", "default/public", kubeconfig=deployer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "url            https://me.example.net/ by an HTTPRoute of Gateway default/public" in done.stdout
    assert "HTTPRoute: its controller has not answered yet" in done.stdout
    assert "removed ingress.networking.k8s.io/chat-agent of an earlier run" in done.stdout
    assert addresses(kubectl, "httproutes.gateway.networking.k8s.io", "ingresses.networking.k8s.io") == ["HTTPRoute chat-agent"]
    spec = kubectl.get("httproutes.gateway.networking.k8s.io", "chat-agent", "-n", HOME)["spec"]
    assert spec["hostnames"] == ["me.example.net"]
    assert [(to["namespace"], to["name"]) for to in spec["parentRefs"]] == [("default", "public")]
    assert spec["rules"][0]["backendRefs"][0]["name"] == "chat-agent"


def test_what_its_gateway_says_is_told(script: Script, kubectl: Kubectl) -> None:
    conditions = [
        {"type": "Accepted", "status": "False", "message": "no listener\nallows it"},
        {"type": "ResolvedRefs", "status": "True"},
    ]
    answer = json.dumps({"status": {"parents": [{"conditions": conditions}]}})
    kubectl("patch", "httproutes.gateway.networking.k8s.io", "chat-agent", "-n", HOME, "--type=merge", "-p", answer)
    said = script(NAME, "--status", "--skip", "content").stdout
    assert "url            https://me.example.net\n" in said
    assert 'address        HTTPRoute: refused, Accepted=False "no listener\\nallows it"' in said


def test_by_openshift_s_router(script: Script, deployer: Path, kubectl: Kubectl) -> None:
    offer(
        kubectl,
        kind_of("route.openshift.io", "routes", "Route"),
        kind_of("config.openshift.io", "ingresses", "Ingress", "Cluster"),
    )
    domain = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "cluster"},
        "spec": {"domain": "apps.example.org"},
    }
    apply(kubectl, domain)
    compared = script(*DEPLOY, "--diff", kubeconfig=deployer)
    assert "removed would be httproute.gateway.networking.k8s.io/chat-agent" in compared.stdout

    done = script(*DEPLOY, kubeconfig=deployer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"url            https://{NAME}.apps.example.org/ by a Route" in done.stdout
    kinds = ("routes.route.openshift.io", "httproutes.gateway.networking.k8s.io", "ingresses.networking.k8s.io")
    assert addresses(kubectl, *kinds) == ["Route chat-agent"]
    spec = kubectl.get("routes.route.openshift.io", "chat-agent", "-n", HOME)["spec"]
    assert (spec["host"], spec["to"]["name"], spec["tls"]["termination"]) == (f"{NAME}.apps.example.org", "chat-agent", "edge")

    admitted = json.dumps({"status": {"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]}})
    kubectl("patch", "routes.route.openshift.io", "chat-agent", "-n", HOME, "--type=merge", "-p", admitted)
    assert "address        Route: taken" in script(NAME, "--status", "--skip", "content").stdout


def test_a_second_run_finds_nothing_to_change(script: Script, kubectl: Kubectl) -> None:
    compared = script(*DEPLOY, "--diff")
    assert "nothing would be changed" in compared.stdout, compared.stdout + compared.stderr
    before = kubectl.names("pods", "-n", HOME)
    assert script(*DEPLOY).returncode == 0
    assert kubectl.names("pods", "-n", HOME) == before


def test_it_goes_with_its_address(script: Script, deployer: Path, kubectl: Kubectl) -> None:
    gone = script(NAME, "--delete", "--yes", "--skip", "content", "--timeout", "180", kubeconfig=deployer)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert kubectl.names("routes.route.openshift.io", "-A") == []
    assert kubectl.run("get", "namespace", HOME).returncode == 1
