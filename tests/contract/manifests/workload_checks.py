"""What every workload of this repository holds to, whoever wrote it. Each check gives sentences about what is wrong."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from tests.contract.manifests.rendering import OWN_IMAGES, Object, Workload, image_name, of_kind, selects

Objects = tuple[Object, ...]
Check = Callable[[Workload, Objects], Iterator[str]]

ANSWER_SECONDS: Final = 180
"""LLM_TOTAL_SECONDS: how long an answer may take, and so the shortest grace of whatever passes one on."""

STREAMS_ANSWERS: Final = {"chat-agent", "ogx"}

_UNITS: Final = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)KEY($|_)|DATABASE_URL|JOBS_URL|ADMIN_URL")
_NAMES_A_FILE = re.compile(r"_FILE$|_DIR$|_PATH$|^RAG_PUBLIC_KEY$")
_URL_WITH_PASSWORD = re.compile(r"://[^/\s:@$]+:[^/\s@$]+@")


def resources_are_stated(workload: Workload, _: Objects) -> Iterator[str]:
    """Requests and limits of processor and memory, on every container."""
    for container in workload.containers:
        for side in ("requests", "limits"):
            stated = container.get("resources", {}).get(side, {})
            for what in ("cpu", "memory"):
                if what not in stated:
                    yield f"container {container['name']} states no {side} of {what}"


def probes_mean_something(workload: Workload, _: Objects) -> Iterator[str]:
    """Three probes; liveness asks the process alone, readiness whether it can do its work."""
    if not workload.serves:
        return
    for container in workload.pod["containers"]:
        ports = {port.get("name") for port in container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            if probe is None:
                yield f"container {container['name']} has no {kind}"
                continue
            port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
            if isinstance(port, str) and port not in ports:
                yield f"{kind} asks at port {port}, which container {container['name']} does not name"
        if image_name(container["image"]) in OWN_IMAGES:
            asked = {kind: container.get(kind, {}).get("httpGet", {}).get("path") for kind in ("readinessProbe", "livenessProbe")}
            if asked != {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}:
                yield f"container {container['name']} is probed at {asked}, not at /readyz and /healthz"


def pods_are_restricted(workload: Workload, _: Objects) -> Iterator[str]:
    """The standard `restricted`, and a root file system that nobody writes to."""
    pod = workload.pod
    whole = pod.get("securityContext", {})
    if whole.get("runAsNonRoot") is not True:
        yield "its pods may run as root: runAsNonRoot is not true"
    if whole.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "its pods' seccomp profile is not RuntimeDefault"
    if any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
        yield "its pods share the host's namespaces"
    yield from (f"volume {volume['name']} is the host's" for volume in pod.get("volumes", []) if "hostPath" in volume)
    for container in workload.containers:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"container {container['name']} may gain privileges"
        if own.get("capabilities", {}) != {"drop": ["ALL"]}:
            yield f"container {container['name']} does not drop all capabilities"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"container {container['name']} may write to its root file system"
        if own.get("privileged") or 0 in (own.get("runAsUser"), whole.get("runAsUser")):
            yield f"container {container['name']} is privileged or root"


def own_images_run_as_anybody(workload: Workload, _: Objects) -> Iterator[str]:
    """OpenShift gives a user id of its own; whoever names one is refused there."""
    contexts = [workload.pod.get("securityContext", {}), *(one.get("securityContext", {}) for one in workload.containers)]
    named = {key for context in contexts for key in ("runAsUser", "runAsGroup", "fsGroup") if key in context}
    if workload.ours and named:
        yield f"it names {sorted(named)}, which OpenShift refuses"


def accounts_are_its_own(workload: Workload, objects: Objects) -> Iterator[str]:
    """A ServiceAccount that no other workload has, and no token in the pod."""
    name = workload.pod.get("serviceAccountName", "default")
    if name == "default":
        yield "it runs as ServiceAccount default"
        return
    accounts = [one for one in of_kind(objects, "ServiceAccount") if _at(one) == (workload.namespace, name)]
    if not accounts:
        yield f"ServiceAccount {name} is not rendered"
    if any(account.get("automountServiceAccountToken") is not False for account in accounts):
        yield f"ServiceAccount {name} mounts its token"
    if workload.pod.get("automountServiceAccountToken") is not False:
        yield "its pods mount a token of the API server"


def settings_are_its_own(workload: Workload, _: Objects) -> Iterator[str]:
    """Kubernetes' variables for Services (CONSOLE_PORT=tcp://...) have the names of settings."""
    if workload.pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false: variables of Services would be taken for settings"


def replicas(workload: Workload, objects: Objects) -> int:
    """How many pods it has at least."""
    kind, name = workload.item["kind"], workload.item["metadata"]["name"]
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        if (scaler["metadata"]["namespace"], target["kind"], target["name"]) == (workload.namespace, kind, name):
            least: int = scaler["spec"]["minReplicas"]
            return least
    count: int = workload.item["spec"].get("replicas", 1)
    return count


def keeps_state(workload: Workload) -> bool:
    """Whether it has a volume of its own that outlives its pods, which a second replica would not share."""
    claims = [volume for volume in workload.pod.get("volumes", []) if "persistentVolumeClaim" in volume]
    return bool(claims or workload.item["spec"].get("volumeClaimTemplates"))


def outlives_a_node(workload: Workload, objects: Objects) -> Iterator[str]:
    """Two replicas on different nodes, one of which may go at a time, unless its state is on a volume."""
    if not workload.serves or keeps_state(workload) or workload.item["kind"] == "DaemonSet":
        return
    count = replicas(workload, objects)
    if count < 2:
        yield f"it has {count} replica, and no volume that would be the reason"
    keys = {spread["topologyKey"] for spread in workload.pod.get("topologySpreadConstraints", [])}
    if "kubernetes.io/hostname" not in keys:
        yield "its replicas are not spread over nodes"
    for spread in workload.pod.get("topologySpreadConstraints", []):
        if not selects(spread.get("labelSelector"), workload.labels):
            yield f"its spread over {spread['topologyKey']} counts other pods than its own"
    budgets = [
        budget
        for budget in of_kind(objects, "PodDisruptionBudget")
        if budget["metadata"]["namespace"] == workload.namespace and selects(budget["spec"]["selector"], workload.labels)
    ]
    if len(budgets) != 1:
        yield f"{len(budgets)} PodDisruptionBudgets select its pods, not one"
    for budget in budgets:
        spec = budget["spec"]
        if not (spec.get("maxUnavailable", 0) or 0 < spec.get("minAvailable", 0) < count):
            yield f"its PodDisruptionBudget {budget['metadata']['name']} would hold up every drain"


def leaves_gracefully(workload: Workload, _: Objects) -> Iterator[str]:
    """Services forget it before it ends, and what it streams may finish."""
    if not workload.serves:
        return
    grace = workload.pod.get("terminationGracePeriodSeconds", 30)
    least = 0
    for container in workload.pod["containers"]:
        stop = container.get("lifecycle", {}).get("preStop", {})
        if not keeps_state(workload) and not stop:
            yield f"container {container['name']} has no preStop: it would refuse what Services still send"
        least = max(least, stop.get("sleep", {}).get("seconds", 0))
    if workload.labels.get("app.kubernetes.io/name") in STREAMS_ANSWERS:
        least += ANSWER_SECONDS
    if grace <= least:
        yield f"its grace period of {grace} s ends with or before what runs ({least} s)"


def secrets_are_references(workload: Workload, _: Objects) -> Iterator[str]:
    """No value of a variable is a secret."""
    for container in workload.containers:
        for variable in container.get("env", []):
            name, value = variable["name"], variable.get("value")
            if value is None:
                continue
            if _SECRET_WORDS.search(name.upper()) and not _NAMES_A_FILE.search(name.upper()) and not value.startswith("/"):
                yield f"container {container['name']} is given {name} as plain text"
            if _URL_WITH_PASSWORD.search(value):
                yield f"container {container['name']} is given a password in {name}"


def images_are_pinned(workload: Workload, _: Objects) -> Iterator[str]:
    """A tag that is not `latest`, or a digest."""
    for container in workload.containers:
        image = container["image"]
        tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in {"", "latest"}:
            yield f"container {container['name']} runs {image}, whose content changes"


def is_labelled(workload: Workload, _: Objects) -> Iterator[str]:
    """The labels that people and policies find it by, on the object and on its pods."""
    for place, labels in (("it", workload.item["metadata"].get("labels", {})), ("its pods", workload.labels)):
        for label in ("app.kubernetes.io/name", "app.kubernetes.io/part-of"):
            if label not in labels:
                yield f"{label} is not on {place}"
    selector = workload.item["spec"].get("selector")
    if selector is not None and not selects(selector, workload.labels):
        yield "its selector does not select its own pods"


def jobs_end(workload: Workload, _: Objects) -> Iterator[str]:
    """A Job gives up in time, and leaves so that the next can be applied."""
    if workload.item["kind"] != "Job":
        return
    for field in ("activeDeadlineSeconds", "ttlSecondsAfterFinished", "backoffLimit"):
        if field not in workload.item["spec"]:
            yield f"{field} is not stated"


def has_headless_service(workload: Workload, objects: Objects) -> Iterator[str]:
    """What a StatefulSet names its pods by."""
    if workload.item["kind"] != "StatefulSet":
        return
    name = workload.item["spec"].get("serviceName")
    services = [one for one in of_kind(objects, "Service") if _at(one) == (workload.namespace, name)]
    if [one["spec"].get("clusterIP") for one in services] != ["None"]:
        yield f"its serviceName {name} is no headless Service"


def fits_its_namespace(workload: Workload, objects: Objects) -> Iterator[str]:
    """Its pods, and the one more that a rolling update starts, are within the namespace's quota and each container within its limits."""
    count = replicas(workload, objects) + (1 if workload.item["kind"] == "Deployment" else 0)
    for quota in _of_namespace(objects, "ResourceQuota", workload.namespace):
        hard = quota["spec"]["hard"]
        for side, what in ((side, what) for side in ("requests", "limits") for what in ("cpu", "memory")):
            asked = count * sum(quantity(c.get("resources", {}).get(side, {}).get(what, "0")) for c in workload.containers)
            if asked > quantity(hard.get(f"{side}.{what}", "1e18")):
                yield f"its {count} pods ask for more {side} of {what} than quota {quota['metadata']['name']} has"
        if count > quantity(hard.get("pods", "1e18")):
            yield f"quota {quota['metadata']['name']} has no room for {count} pods"
    for limits in _of_namespace(objects, "LimitRange", workload.namespace):
        for limit, container in (
            (one, c) for one in limits["spec"]["limits"] if one["type"] == "Container" for c in workload.containers
        ):
            for what, most in limit.get("max", {}).items():
                if quantity(container.get("resources", {}).get("limits", {}).get(what, "1e18")) > quantity(most):
                    yield f"container {container['name']} may use more {what} than LimitRange {limits['metadata']['name']} lets it"


def quantity(text: str | float) -> float:
    """A quantity of Kubernetes as a number: `100m` is 0.1, `1Ki` is 1024.

    Raises:
        ValueError: It is none.
    """
    number, unit = re.fullmatch(r"([0-9.]+(?:e[0-9]+)?)([a-zA-Z]*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def _of_namespace(objects: Objects, kind: str, namespace: str) -> list[Object]:
    return [one for one in of_kind(objects, kind) if one["metadata"].get("namespace") == namespace]


def _at(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


CHECKS: Final[tuple[Check, ...]] = (
    resources_are_stated,
    probes_mean_something,
    pods_are_restricted,
    own_images_run_as_anybody,
    accounts_are_its_own,
    settings_are_its_own,
    outlives_a_node,
    leaves_gracefully,
    secrets_are_references,
    images_are_pinned,
    is_labelled,
    jobs_end,
    has_headless_service,
    fits_its_namespace,
)


def shared_accounts(found: list[Workload]) -> list[str]:
    """Workloads of one rendering that run as the same ServiceAccount."""
    users: dict[tuple[str, str], list[str]] = {}
    for workload in found:
        users.setdefault((workload.namespace, workload.pod.get("serviceAccountName", "default")), []).append(workload.name)
    return [f"{' and '.join(names)} share ServiceAccount {account[1]}" for account, names in users.items() if len(names) > 1]
