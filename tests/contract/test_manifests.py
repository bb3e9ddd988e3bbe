"""What Kubernetes is told: every kustomization renders without a warning, and every object and workload holds to the same rules."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
import pytest

from tests.contract.manifests import references
from tests.contract.manifests.reach import Cluster, pods
from tests.contract.manifests.rendering import (
    CORE,
    CUSTOM,
    IN_THE_CORE,
    NEEDS_KUBECTL,
    ROOT,
    Object,
    Workload,
    bases,
    have_kubectl,
    identity,
    image_name,
    of_kind,
    overlays,
    place_of,
    rendered,
    selects,
    spare_bases,
    spare_components,
    with_component,
    with_resource,
    workloads,
)
from tests.contract.manifests.workload_checks import ANSWER_SECONDS, CHECKS, replicas, shared_accounts

pytestmark = pytest.mark.skipif(not have_kubectl(), reason=NEEDS_KUBECTL)

KUBERNETES = "1.34"
SHARED = "overlays/shared-infrastructure"
EXAMPLE = "overlays/examples/spring-boot"


def renderings() -> Iterator[tuple[str, tuple[Object, ...]]]:
    """Every overlay, every component that no overlay takes where it belongs, and what the script applies by itself."""
    for overlay in overlays():
        yield overlay, rendered(overlay)
    for component in spare_components():
        yield component, with_component(component, place_of(component))
    for base in spare_bases():
        yield base, rendered(base)


def every_workload() -> Iterator[tuple[str, Workload, tuple[Object, ...]]]:
    for name, objects in renderings():
        for workload in workloads(objects):
            yield name, workload, objects


def problems(workload: Workload, objects: tuple[Object, ...]) -> list[str]:
    found = [sentence for check in CHECKS for sentence in check(workload, objects)]
    found += references.broken_references(workload, objects)
    return found + list(references.missing_files(workload, objects))


@pytest.mark.parametrize("folder", [*bases(), *overlays()])
def test_it_renders_without_a_warning(folder: str):
    assert rendered(folder)


@pytest.mark.parametrize("component", spare_components())
def test_a_component_renders_where_it_belongs(component: str):
    place = place_of(component)
    assert with_component(component, place) != with_component(None, place)


def test_every_object_is_what_the_api_takes():
    wrong, seen = [], set()
    for name, objects in renderings():
        for item in objects:
            text = json.dumps(item, sort_keys=True)
            if item["kind"] in CUSTOM or text in seen:
                continue
            seen.add(text)
            try:
                kubernetes_validate.validate(item, KUBERNETES, strict=True)
            except kubernetes_validate.SchemaNotFoundError as error:
                wrong.append(f"{name}: {identity(item)}: {error.message}")
            except kubernetes_validate.ValidationError as error:
                wrong.append(f"{name}: {identity(item)}: {'.'.join(map(str, error.path))}: {error.message}")
    assert seen
    assert wrong == []


def test_every_workload_holds_to_the_rules():
    found = {
        f"{name}: {workload.name}: {problem}"
        for name, workload, objects in every_workload()
        for problem in problems(workload, objects)
    }
    assert sorted(found) == []


def test_every_workload_runs_as_itself():
    assert [problem for _, objects in renderings() for problem in shared_accounts(list(workloads(objects)))] == []


def test_services_scalers_budgets_and_namespaces_fit_what_they_are_for():
    found = set()
    for name, objects in renderings():
        for check in (references.services_without_pods, references.idle_scalers_and_budgets, references.unfit_namespaces):
            found |= {f"{name}: {problem}" for problem in check(objects)}
    assert sorted(found) == []


def test_prometheus_finds_every_service_of_the_core_and_no_pod_twice():
    objects = with_component("kubernetes/components/monitoring/core", IN_THE_CORE)
    gitea = [item for item in of_kind(objects, "ServiceMonitor") if item["metadata"]["name"] != "gitea"]
    assert references.monitors_without_services((*gitea, *of_kind(objects, "Service"))) == []
    agents = next(item for item in gitea if item["metadata"]["name"] == "shared-agents")
    found = [
        one["metadata"]["name"]
        for one in of_kind(objects, "Service")
        if selects(agents["spec"]["selector"], one["metadata"]["labels"])
    ]
    assert sorted(found) == ["rag-agent", "template-converter-agent"]


def test_no_secret_is_in_git():
    assert [identity(item) for _, objects in renderings() for item in of_kind(objects, "Secret")] == []


def test_every_object_says_to_what_it_belongs():
    labels = ("app.kubernetes.io/part-of", "app.kubernetes.io/name")
    without = {
        f"{name}: {identity(item)}"
        for name, objects in renderings()
        for item in objects
        if item["metadata"].get("labels", {}).get(labels[0]) != "workshop-assistant"
        or labels[1] not in item["metadata"]["labels"]
    }
    assert sorted(without) == []


def test_the_core_is_in_its_namespace():
    outside = [
        identity(item) for item in rendered(SHARED) if item["kind"] != "Namespace" and item["metadata"].get("namespace") != CORE
    ]
    assert outside == []


def test_two_replicas_of_everything_shared_and_room_for_more_where_agents_are_shared():
    shared = rendered(SHARED)
    scaled = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in of_kind(shared, "HorizontalPodAutoscaler")}
    agents = {one.item["metadata"]["name"] for one in workloads(shared) if one.labels.get("workshop-part") == "shared-agent"}
    assert scaled == agents == {"rag-agent", "template-converter-agent"}
    assert {replicas(one, shared) for one in workloads(shared) if one.ours and one.serves} == {2}


def test_an_apply_does_not_take_replicas_back_from_an_autoscaler():
    shared = rendered(SHARED)
    scaled = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in of_kind(shared, "HorizontalPodAutoscaler")}
    assert [
        one.name for one in workloads(shared) if one.item["metadata"]["name"] in scaled and "replicas" in one.item["spec"]
    ] == []


def test_only_the_console_signs():
    users = {
        one.item["metadata"]["name"]
        for one in workloads(rendered(SHARED))
        for volume in one.pod.get("volumes", [])
        if volume.get("secret", {}).get("secretName") == "core-keys"
    }
    assert users == {"console"}


def test_the_administrator_of_postgres_is_known_to_jobs_and_to_itself_alone():
    knowing = {
        one.item["metadata"]["name"]
        for _, one, _ in every_workload()
        if "postgres-admin" in str(one.pod) and one.item["kind"] != "Job"
    }
    assert knowing == {"postgres"}


def test_images_have_the_version_of_the_code():
    version = next(line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("version ="))
    tags = {
        container["image"].rpartition(":")[2]
        for _, one, _ in every_workload()
        for container in one.containers
        if image_name(container["image"]) in {"workshop-assistant", "workshop-assistant-rag"}
    }
    assert tags == {version.split('"')[1]}


def test_a_new_agent_is_one_folder_and_one_line(tmp_path: Path):
    """As kubernetes/README.md tells it: nothing else is changed, and the agent is asked by the console and held to every rule."""
    folder = tmp_path / "quiz-agent"
    folder.mkdir()
    for file in (ROOT / "kubernetes/base/template-converter-agent").iterdir():
        text = (
            file.read_text()
            .replace("template-converter-agent", "quiz-agent")
            .replace("args: [template-converter]", "args: [quiz]")
        )
        (folder / file.name).write_text(text.replace('  labels:\n    workshop-scaled: "true"\n', ""))
    objects = with_resource(folder, SHARED)
    agent = next(one for one in workloads(objects) if one.item["metadata"]["name"] == "quiz-agent")
    assert problems(agent, objects) == []
    ends = {end.labels["app.kubernetes.io/name"]: end for end in pods(objects)}
    there = Cluster.of(objects)
    assert there.allows(ends["console"], ends["quiz-agent"], 8080)
    assert there.allows(ends["quiz-agent"], ends["postgres"], 5432)
    assert not there.allows(ends["quiz-agent"], ends["milvus"], 19530)


# What follows breaks a sound workload in one place and wants that seen: a check that never fails holds nothing.


def sound() -> tuple[Workload, tuple[Object, ...]]:
    shared = rendered(SHARED)
    item = next(one.item for one in workloads(shared) if one.item["metadata"]["name"] == "console")
    return Workload(copy.deepcopy(item)), shared


def container(workload: Workload) -> Object:
    return workload.pod["containers"][0]


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda w: container(w)["resources"]["limits"].pop("memory"), "limits of memory"),
        (lambda w: container(w)["resources"].pop("requests"), "requests of cpu"),
        (lambda w: container(w).pop("startupProbe"), "no startupProbe"),
        (lambda w: container(w)["readinessProbe"]["httpGet"].update(path="/healthz"), "is probed at"),
        (lambda w: container(w)["livenessProbe"]["httpGet"].update(port="other"), "at port other"),
        (lambda w: w.pod["securityContext"].pop("runAsNonRoot"), "run as root"),
        (lambda w: w.pod["securityContext"].pop("seccompProfile"), "seccomp"),
        (lambda w: w.pod["securityContext"].update(runAsUser=1000), "OpenShift refuses"),
        (lambda w: w.pod.update(hostNetwork=True), "host's namespaces"),
        (lambda w: w.pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "is the host's"),
        (lambda w: container(w)["securityContext"].update(allowPrivilegeEscalation=True), "gain privileges"),
        (lambda w: container(w)["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}), "capabilities"),
        (lambda w: container(w)["securityContext"].pop("readOnlyRootFilesystem"), "root file system"),
        (lambda w: container(w)["securityContext"].update(runAsUser=0), "or root"),
        (lambda w: w.pod.pop("serviceAccountName"), "ServiceAccount default"),
        (lambda w: w.pod.update(serviceAccountName="another"), "not rendered"),
        (lambda w: w.pod.pop("automountServiceAccountToken"), "token of the API server"),
        (lambda w: w.pod.pop("enableServiceLinks"), "taken for settings"),
        (lambda w: w.item["spec"].update(replicas=1), "1 replica"),
        (lambda w: w.pod.pop("topologySpreadConstraints"), "not spread"),
        (lambda w: w.pod["topologySpreadConstraints"][0].update(labelSelector={"matchLabels": {"a": "b"}}), "other pods"),
        (lambda w: w.labels.update({"app.kubernetes.io/name": "another"}), "0 PodDisruptionBudgets"),
        (lambda w: container(w).pop("lifecycle"), "no preStop"),
        (lambda w: w.pod.update(terminationGracePeriodSeconds=5), "grace period of 5 s"),
        (lambda w: container(w)["env"].append({"name": "LLM_API_KEY", "value": "abc"}), "LLM_API_KEY as plain text"),
        (lambda w: container(w)["env"].append({"name": "X", "value": "postgresql://core:pw@postgres/x"}), "a password in X"),
        (lambda w: container(w).update(image="workshop-assistant"), "content changes"),
        (lambda w: container(w).update(image="registry:5000/workshop-assistant:latest"), "content changes"),
        (lambda w: w.item["metadata"]["labels"].clear(), "is not on it"),
        (lambda w: w.item["spec"].update(serviceName="console"), "no headless Service"),
        (
            lambda w: container(w)["env"].append({"name": "X", "valueFrom": {"secretKeyRef": {"name": "core-keys", "key": "x"}}}),
            "no key x",
        ),
        (lambda w: container(w)["envFrom"].append({"configMapRef": {"name": "nobody"}}), "ConfigMap nobody is neither"),
        (
            lambda w: container(w)["env"].append({"name": "X_FILE", "value": "/run/secrets/keys/other.pem"}),
            "/run/secrets/keys/other.pem",
        ),
    ],
)
def test_a_workload_that_breaks_a_rule_is_named(spoil, seen):
    workload, objects = sound()
    assert problems(workload, objects) == []
    spoil(workload)
    assert seen in "\n".join(problems(workload, objects))


def test_a_grace_shorter_than_an_answer_is_named():
    objects = rendered(EXAMPLE)
    workload = Workload(copy.deepcopy(next(one.item for one in workloads(objects) if one.serves)))
    assert problems(workload, objects) == []
    workload.pod["terminationGracePeriodSeconds"] = ANSWER_SECONDS
    assert "grace period" in "\n".join(problems(workload, objects))


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda w: w.item["spec"].update(replicas=9), "no room for 10 pods"),
        (lambda w: container(w)["resources"]["requests"].update(memory="1Gi"), "requests of memory"),
        (lambda w: container(w)["resources"]["limits"].update(cpu="1500m"), "may use more cpu"),
    ],
)
def test_a_chat_agent_that_its_namespace_has_no_room_for_is_named(spoil, seen):
    objects = rendered(EXAMPLE)
    workload = Workload(copy.deepcopy(next(one.item for one in workloads(objects) if one.serves)))
    spoil(workload)
    assert seen in "\n".join(problems(workload, objects))


def test_a_job_that_would_stay_is_named():
    objects = rendered(SHARED)
    workload = Workload(copy.deepcopy(next(one.item for one in workloads(objects) if not one.serves)))
    assert problems(workload, objects) == []
    del workload.item["spec"]["ttlSecondsAfterFinished"]
    assert problems(workload, objects) == ["ttlSecondsAfterFinished is not stated"]
