"""Who reaches whom in the cluster: everything that is not written here is closed."""

import copy
from itertools import product

import pytest

from tests.contract.manifests.reach import Cluster, End, peers, pods
from tests.contract.manifests.rendering import (
    CORE,
    IN_THE_CORE,
    NEEDS_KUBECTL,
    Object,
    components,
    have_kubectl,
    identity,
    kustomizations,
    of_kind,
    rendered,
    selects,
    with_component,
    workloads,
)

pytestmark = pytest.mark.skipif(not have_kubectl(), reason=NEEDS_KUBECTL)

ONE, OTHER = "spring-boot-workshop", "k8s-security-workshop"
GITEA = "kubernetes/components/gitea"

OUTSIDE = {
    "8.8.8.8": "the internet",
    "2606:4700::1111": "the internet",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "fd00:ec2::254": "metadata",
    "100.100.100.200": "metadata",
    "192.0.0.192": "metadata",
    "168.63.129.16": "metadata",
    "10.96.0.1": "the API server, by its Service",
    "172.20.0.1": "a private network",
    "192.168.1.1": "a private network",
    "127.0.0.1": "the node",
    "fe80::1": "a private network",
    "fd12::1": "a private network",
    "::ffff:10.0.0.1": "a private network",
}

PORTS = {
    "console": 8080,
    "rag-agent": 8080,
    "template-converter-agent": 8080,
    "chat-agent": 8080,
    "postgres": 5432,
    "milvus": 19530,
    "ogx": 8321,
    "gitea": 3000,
}

OPEN = {
    ("console", "rag-agent"),
    ("console", "template-converter-agent"),
    ("console", "postgres"),
    ("console", ONE),
    ("console", OTHER),
    ("rag-agent", "console"),
    ("rag-agent", "postgres"),
    ("rag-agent", "milvus"),
    ("template-converter-agent", "console"),
    ("template-converter-agent", "postgres"),
    ("template-converter-agent", "gitea"),
    ("core-migrate", "postgres"),
    ("register-spring-boot", "postgres"),
    ("register-k8s-security", "postgres"),
    *product((ONE, OTHER), ("console", "rag-agent", "postgres", "ogx")),
}
"""Every connection between pods; a workshop's chat agent has its namespace's name."""


def everything(component: str = GITEA) -> tuple[Object, ...]:
    """The core with Gitea or another component, and two workshops."""
    return (
        *with_component(component, IN_THE_CORE),
        *rendered("overlays/examples/spring-boot"),
        *rendered("overlays/examples/k8s-security"),
    )


def cluster(objects: tuple[Object, ...] | None = None) -> Cluster:
    return Cluster.of(
        everything() if objects is None else objects,
        kube_system={},
        ingress_nginx={},
        openshift_ingress={"policy-group.network.openshift.io/ingress": ""},
        traefik_of_ours={"workshop-assistant/ingress": "allowed"},
        default={},
        openshift_dns={},
    )


def short(end: End) -> str:
    return end.namespace if end.name.endswith("/chat-agent") else end.name.partition("/")[2]


def connections(objects: tuple[Object, ...]) -> set[tuple[str, str]]:
    ends, there = list(pods(objects)), cluster(objects)
    found = set()
    for source, target in product(ends, ends):
        port = PORTS.get(target.labels["app.kubernetes.io/name"])
        if source != target and port is not None and there.allows(source, target, port):
            found.add((short(source), short(target)))
    return found


def test_pods_reach_whom_they_must_and_nobody_else():
    assert connections(everything()) == OPEN


def test_a_way_in_is_seen_once_both_ends_are_open():
    dropped = {"default-deny", "milvus"}
    objects = copy.deepcopy(
        tuple(item for item in everything() if item["kind"] != "NetworkPolicy" or item["metadata"]["name"] not in dropped)
    )
    assert connections(objects) == OPEN  # the chat agents' own policy still holds
    way_out = next(item for item in of_kind(objects, "NetworkPolicy") if item["metadata"]["name"] == "chat-agent-egress")
    way_out["spec"]["egress"].append({})
    assert connections(objects) == OPEN | {(way_out["metadata"]["namespace"], "milvus")}


def test_no_port_but_its_own_is_open():
    there, ends = cluster(), list(pods(everything()))
    others = [22, 80, 2379, 9091, 10250, 53]
    open_ports = {
        (short(source), short(target), port)
        for source, target, port in product(ends, ends, others)
        if source != target and there.allows(source, target, port)
    }
    assert open_ports == set()


def test_everybody_asks_the_clusters_names_and_nothing_else_there():
    dns = End("dns", "kube-system", {"k8s-app": "kube-dns"})
    other = End("other", "kube-system", {"app": "kube-apiserver"})
    openshift = End("dns", "openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"})
    there = cluster()
    for pod in pods(everything()):
        assert there.allows(pod, dns, 53, "UDP"), pod.name
        assert there.allows(pod, dns, 53), pod.name
        assert there.allows(pod, openshift, 5353, "UDP"), pod.name
        assert not there.allows(pod, other, 53, "UDP"), pod.name
        assert not there.allows(pod, dns, 443), pod.name


@pytest.mark.parametrize("port", [80, 443, 22, 6443, 5432])
def test_only_the_converter_reaches_the_internet_and_nobody_a_private_address(port: int):
    there = cluster()
    reached = {
        (short(pod), OUTSIDE[address])
        for pod in pods(everything())
        for address in OUTSIDE
        if there.allows(pod, End(address, address=address), port)
    }
    assert reached == ({("template-converter-agent", "the internet")} if port in {80, 443, 22} else set())


def test_nothing_from_outside_comes_in_by_its_address():
    there = cluster()
    entered = {
        pod.name
        for pod in pods(everything())
        for address in OUTSIDE
        if there.allows(End(address, address=address), pod, PORTS.get(pod.labels["app.kubernetes.io/name"], 8080))
    }
    assert entered == set()


@pytest.mark.parametrize("namespace", ["ingress-nginx", "openshift-ingress", "traefik-of-ours"])
def test_controllers_bring_people_to_pages_alone(namespace: str):
    there, source = cluster(), End("controller", namespace, {"app": "controller"})
    entered = {
        short(pod)
        for pod in pods(everything())
        if there.allows(source, pod, PORTS.get(pod.labels["app.kubernetes.io/name"], 8080))
    }
    assert entered - {"gitea"} == {"console", ONE, OTHER}


@pytest.mark.parametrize(
    ("namespace", "labels"), [("default", {}), ("kube-system", {"app": "x"}), (CORE, {"app": "x"}), (ONE, {"app": "x"})]
)
def test_any_other_pod_reaches_nothing(namespace: str, labels: dict[str, str]):
    there, source = cluster(), End("other", namespace, labels)
    assert [
        pod.name for pod in pods(everything()) if there.allows(source, pod, PORTS.get(pod.labels["app.kubernetes.io/name"], 8080))
    ] == []


def test_a_pod_that_calls_itself_a_chat_agent_elsewhere_reaches_nothing():
    there, source = (
        cluster(),
        End("liar", "default", {"app.kubernetes.io/name": "chat-agent", "workshop-reaches-postgres": "true"}),
    )
    assert [
        pod.name for pod in pods(everything()) if there.allows(source, pod, PORTS.get(pod.labels["app.kubernetes.io/name"], 8080))
    ] == []


@pytest.mark.parametrize(
    ("namespace", "labels", "inside"),
    [
        ("monitoring", {"app.kubernetes.io/name": "prometheus"}, True),
        ("ours", {}, True),
        ("monitoring", {"app.kubernetes.io/name": "grafana"}, False),
        ("default", {"app.kubernetes.io/name": "prometheus"}, False),
    ],
)
def test_prometheus_reads_metrics_where_there_is_monitoring(namespace: str, labels: dict[str, str], inside: bool):
    objects = everything("kubernetes/components/monitoring/core")
    there = Cluster.of(objects, monitoring={}, default={}, ours={"workshop-assistant/monitoring": "allowed"})
    source, metrics = End("prometheus", namespace, labels), {"milvus": 9091}
    entered = {short(pod) for pod in pods(objects) if there.allows(source, pod, metrics.get(short(pod), 8080))}
    assert entered == ({"console", "rag-agent", "template-converter-agent", "milvus"} if inside else set())
    assert not any(there.allows(source, pod, port) for pod in pods(objects) for port in (5432, 19530, 22))


def test_every_policy_is_for_pods_that_there_are():
    objects = everything()
    idle = [
        identity(policy)
        for policy in of_kind(objects, "NetworkPolicy")
        if not any(
            one.namespace == policy["metadata"]["namespace"] and selects(policy["spec"].get("podSelector", {}), one.labels)
            for one in workloads(objects)
        )
    ]
    assert idle == []


def test_every_pod_that_a_policy_names_in_its_own_namespace_is_there():
    objects = everything()
    nobody = [
        f"{identity(policy)}: {peer}"
        for policy in of_kind(objects, "NetworkPolicy")
        for peer in peers(policy)
        if "podSelector" in peer
        and "namespaceSelector" not in peer
        and not any(
            one.namespace == policy["metadata"]["namespace"] and selects(peer["podSelector"], one.labels)
            for one in workloads(objects)
        )
    ]
    assert nobody == []


def test_every_namespace_closes_both_ways_first():
    for namespace in of_kind(everything(), "Namespace"):
        name = namespace["metadata"]["name"]
        closing = [
            policy
            for policy in of_kind(everything(), "NetworkPolicy")
            if policy["metadata"]["namespace"] == name
            and policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        ]
        assert len(closing) == 1, name


def test_every_opening_names_ports():
    open_to_all = [
        identity(policy)
        for policy in of_kind(everything(), "NetworkPolicy")
        for direction, side in (("ingress", "from"), ("egress", "to"))
        for rule in policy["spec"].get(direction) or []
        if not rule.get(side) or (not rule.get("ports") and policy["metadata"]["name"] != "ogx-reaches-models")
    ]
    assert open_to_all == []


def test_a_hole_is_seen():
    objects = copy.deepcopy(everything())
    internet = next(item for item in of_kind(objects, "NetworkPolicy") if item["metadata"]["name"] == "reaches-internet")
    block = internet["spec"]["egress"][0]["to"][0]["ipBlock"]
    block["except"].remove("169.254.0.0/16")
    converter = next(pod for pod in pods(objects) if short(pod) == "template-converter-agent")
    assert cluster(objects).allows(converter, End("metadata", address="169.254.169.254"), 80)
    assert not cluster().allows(converter, End("metadata", address="169.254.169.254"), 80)


def test_network_policies_are_where_they_are_looked_for():
    assert "kubernetes/components/network-policy" in components()
    assert kustomizations("kubernetes/components/network-policy") == ["kubernetes/components/network-policy"]
