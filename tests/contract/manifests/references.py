"""What objects say of each other: keys of Secrets and ConfigMaps, files, Services, policies, autoscalers."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.contract.manifests.rendering import CORE, Object, Workload, identity, of_kind, selects, workloads

Objects = tuple[Object, ...]

SECRETS: Final[dict[str, set[str]]] = {
    "core-keys": {"private.pem", "public.pem"},
    "core-database": {"url", "jobs-url", "converter-jobs-url"},
    "rag-database": {"url", "jobs-url"},
    "postgres-admin": {"password", "url"},
    "rag-credential": {"credential"},
    "template-converter-credential": {"credential"},
    "chat-agent": {"database-url", "credential", "join-code", "participant-key"},
}
"""The secrets that scripts/deploy-multi-workshop.sh makes where they are absent, and their keys."""

OF_A_WORKSHOP: Final = {"database-url", "credential", "join-code"}
"""The keys of Secret `workshop-NAME` in the core's namespace."""

CHOSEN_BY_OPS: Final[dict[str, set[str]]] = {
    "gitea": {"secret-key", "internal-token"},
    "model-provider": {"api-token"},
}
"""The secrets that a person makes who takes the component (docs/kubernetes.md)."""

MADE_CONFIG_MAPS: Final[dict[str, set[str]]] = {"core-public-key": {"public.pem"}}
"""ConfigMaps that the script makes beside the secrets."""


NOT_READ: Final[dict[tuple[str, ...], set[str]]] = {
    ("migrate", "workshop"): {"CORE_PUBLIC_KEY_FILE", "PARTICIPANT_KEY_FILE"},
}
"""Variables that come with the chat agent's settings to a process that does not read them, by its arguments."""


def keys_of_secret(name: str) -> set[str] | None:
    """The keys that a Secret has, or None where nobody makes such a one."""
    if name.startswith("workshop-"):
        return OF_A_WORKSHOP
    return (SECRETS | CHOSEN_BY_OPS).get(name)


def config_maps(objects: Objects) -> dict[tuple[str, str], Object]:
    """ConfigMaps by namespace and name."""
    return {(item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in of_kind(objects, "ConfigMap")}


def keys_of_config_map(namespace: str, name: str, objects: Objects) -> set[str] | None:
    """The keys that a ConfigMap has, or None where nobody makes such a one."""
    found = config_maps(objects).get((namespace, name))
    if found is not None:
        return set(found.get("data") or {}) | set(found.get("binaryData") or {})
    return MADE_CONFIG_MAPS.get(name)


def broken_references(workload: Workload, objects: Objects) -> Iterator[str]:
    """Keys that a workload asks of Secrets and ConfigMaps that do not have them."""
    for kind, name, key, optional in _references(workload):
        keys = keys_of_secret(name) if kind == "Secret" else keys_of_config_map(workload.namespace, name, objects)
        if keys is None:
            if not optional:
                yield f"{kind} {name} is neither rendered nor made by the script"
        elif key is not None and key not in keys:
            yield f"{kind} {name} has no key {key}, but {sorted(keys)}"


def _references(workload: Workload) -> Iterator[tuple[str, str, str | None, bool]]:
    for container in workload.containers:
        for source in container.get("envFrom", []):
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if reference := source.get(field):
                    yield kind, reference["name"], None, reference.get("optional", False)
        for variable in container.get("env", []):
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if reference := variable.get("valueFrom", {}).get(field):
                    yield kind, reference["name"], reference["key"], reference.get("optional", False)
    for volume in workload.pod.get("volumes", []):
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            yield from _volume_references(source)


def _volume_references(source: Object) -> Iterator[tuple[str, str, str | None, bool]]:
    for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
        if reference := source.get(field):
            name = reference.get("secretName") or reference["name"]
            for item in reference.get("items") or [{"key": None}]:
                yield kind, name, item["key"], reference.get("optional", False)


def variables(workload: Workload, container: Object, objects: Objects) -> dict[str, str | None]:
    """A container's environment; None for what is known only in the cluster."""
    found: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        if reference := source.get("configMapRef"):
            found |= config_maps(objects).get((workload.namespace, reference["name"]), {}).get("data") or {}
    return found | {variable["name"]: variable.get("value") for variable in container.get("env", [])}


def missing_files(workload: Workload, objects: Objects) -> Iterator[str]:
    """Variables that name a file which no volume of the pod puts there."""
    for container in workload.containers:
        mounts = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
        unread = NOT_READ.get(tuple(container.get("args", [])), set())
        for name, value in variables(workload, container, objects).items():
            if name not in unread and value and value.startswith("/run/secrets/"):
                path = PurePosixPath(value)
                volume = mounts.get(str(path.parent))
                if volume is None or path.name not in _files(volume, workload, objects):
                    yield f"{name} names {value}, which no volume of container {container['name']} holds"


def _files(volume_name: str, workload: Workload, objects: Objects) -> set[str]:
    volume = next(one for one in workload.pod["volumes"] if one["name"] == volume_name)
    if source := volume.get("secret"):
        keys = keys_of_secret(source["secretName"])
    elif source := volume.get("configMap"):
        keys = keys_of_config_map(workload.namespace, source["name"], objects)
    else:
        return set()
    return {item["path"] for item in source["items"]} if source.get("items") else keys or set()


def services_without_pods(objects: Objects) -> list[str]:
    """Services that select no workload, or a port that it does not have."""
    found = []
    for service in of_kind(objects, "Service"):
        meta, spec = service["metadata"], service["spec"]
        chosen = [
            workload
            for workload in workloads(objects)
            if workload.namespace == meta.get("namespace") and selects({"matchLabels": spec["selector"]}, workload.labels)
        ]
        if not chosen:
            found.append(f"{identity(service)} selects no pods")
        for port in spec["ports"]:
            target = port.get("targetPort", port["port"])
            found += [
                f"{identity(service)}: {workload.name} has no port {target}"
                for workload in chosen
                if not any(
                    target in (one.get("name"), one["containerPort"]) for c in workload.containers for one in c.get("ports", [])
                )
            ]
    return found


def idle_scalers_and_budgets(objects: Objects) -> list[str]:
    """Autoscalers and budgets of workloads that are not there."""
    there = {(one.namespace, one.item["kind"], one.item["metadata"]["name"]) for one in workloads(objects)}
    found = [
        f"{identity(scaler)} scales nothing"
        for scaler in of_kind(objects, "HorizontalPodAutoscaler")
        for target in [scaler["spec"]["scaleTargetRef"]]
        if (scaler["metadata"]["namespace"], target["kind"], target["name"]) not in there
    ]
    return found + [
        f"{identity(budget)} selects no pods"
        for budget in of_kind(objects, "PodDisruptionBudget")
        if not any(
            one.namespace == budget["metadata"]["namespace"] and selects(budget["spec"]["selector"], one.labels)
            for one in workloads(objects)
        )
    ]


def unfit_namespaces(objects: Objects) -> list[str]:
    """Namespaces that do not hold their pods to `restricted` or do not say what they are."""
    found = []
    for namespace in of_kind(objects, "Namespace"):
        labels = namespace["metadata"].get("labels", {})
        found += [
            f"{identity(namespace)} does not {mode} the standard `restricted`"
            for mode in ("enforce", "audit", "warn")
            if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted"
        ]
        role = "shared-infrastructure" if namespace["metadata"]["name"] == CORE else "dedicated-instance"
        if labels.get("workshop-role") != role:
            found.append(f"{identity(namespace)} is not labelled workshop-role={role}")
    return found


def monitors_without_services(objects: Objects) -> list[str]:
    """ServiceMonitors that find no Service of the core, or a port that it does not have; chat agents' are in other renderings."""
    found = []
    for monitor in of_kind(objects, "ServiceMonitor"):
        if "namespaceSelector" in monitor["spec"]:
            continue
        services = [
            one for one in of_kind(objects, "Service") if selects(monitor["spec"]["selector"], one["metadata"].get("labels", {}))
        ]
        ports = {port["name"] for service in services for port in service["spec"]["ports"]}
        found += [
            f"{identity(monitor)} finds no port {end['port']}" for end in monitor["spec"]["endpoints"] if end["port"] not in ports
        ]
    return found
