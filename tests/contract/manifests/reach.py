"""Who reaches whom by the NetworkPolicies of a set of objects, as a cluster that enforces them decides."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.contract.manifests.rendering import Object, of_kind, selects, workloads


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod by its labels and namespace, or an address outside the cluster."""

    name: str
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    address: str = ""
    ports: dict[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Cluster:
    """Namespaces' labels and policies."""

    namespaces: dict[str, dict[str, str]]
    policies: list[Object]

    @classmethod
    def of(cls, objects: tuple[Object, ...], **others: dict[str, str]) -> "Cluster":
        """The cluster that these objects make, and namespaces that are there besides."""
        named = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in of_kind(objects, "Namespace")}
        there = {name.replace("_", "-"): labels for name, labels in others.items()} | named
        return cls(
            {name: {"kubernetes.io/metadata.name": name, **labels} for name, labels in there.items()},
            of_kind(objects, "NetworkPolicy"),
        )

    def allows(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection comes about: the source may go out and the target may be entered."""
        return self._side(source, target, port, protocol, "egress") and self._side(target, source, port, protocol, "ingress")

    def _side(self, here: End, there: End, port: int, protocol: str, direction: str) -> bool:
        if here.address:
            return True  # what stands outside has no policies of ours
        deciding = [
            policy
            for policy in self.policies
            if policy["metadata"]["namespace"] == here.namespace
            and selects(policy["spec"].get("podSelector", {}), here.labels)
            and direction.capitalize() in _types(policy["spec"])
        ]
        if not deciding:
            return True
        return any(
            self._rule(rule.get("to" if direction == "egress" else "from"), there, here.namespace)
            and _port(rule.get("ports"), port, protocol, (there if direction == "egress" else here).ports)
            for policy in deciding
            for rule in policy["spec"].get(direction) or []
        )

    def _rule(self, peers: list[Object] | None, there: End, namespace: str) -> bool:
        return not peers or any(self._peer(peer, there, namespace) for peer in peers)

    def _peer(self, peer: Object, there: End, namespace: str) -> bool:
        if block := peer.get("ipBlock"):
            return bool(there.address) and _inside(there.address, block)
        if there.address:
            return False
        if "namespaceSelector" in peer:
            near = selects(peer["namespaceSelector"], self.namespaces.get(there.namespace, {}))
        else:
            near = there.namespace == namespace
        return near and selects(peer.get("podSelector", {}), there.labels)


def pods(objects: tuple[Object, ...]) -> Iterator[End]:
    """One pod of each workload."""
    for workload in workloads(objects):
        ports = {
            port["name"]: port["containerPort"] for one in workload.containers for port in one.get("ports", []) if "name" in port
        }
        yield End(f"{workload.namespace}/{workload.item['metadata']['name']}", workload.namespace, workload.labels, ports=ports)


def _types(spec: Object) -> list[str]:
    types: list[str] = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return types


def _port(ports: list[dict[str, Any]] | None, port: int, protocol: str, named: dict[str, int]) -> bool:
    """Whether a rule is for this port; a name is that of the pod which is entered."""
    return not ports or any(_is(one, port, named) and one.get("protocol", "TCP") == protocol for one in ports)


def _is(one: dict[str, Any], port: int, named: dict[str, int]) -> bool:
    stated = one.get("port")
    if stated is None:
        return True
    if isinstance(stated, str):
        return named.get(stated) == port
    last: int = one.get("endPort", stated)
    return bool(stated <= port <= last)


def _inside(address: str, block: Object) -> bool:
    found = ipaddress.ip_address(address)
    return found in ipaddress.ip_network(block["cidr"]) and not any(
        found in ipaddress.ip_network(one) for one in block.get("except", [])
    )


def peers(policy: Object) -> Iterator[Object]:
    """Every peer that a policy names."""
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction) or []:
            yield from rule.get(side) or []
