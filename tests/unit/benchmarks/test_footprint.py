from decimal import Decimal
from typing import Any

import pytest

from benchmarks.footprint import MILVUS, MODEL, Requests, compare, of_objects, of_pod, quantity, saving, total


def container(cpu: str, memory: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}


def workload(name: str, pod: dict[str, Any], replicas: int | None = None, kind: str = "Deployment") -> dict[str, Any]:
    spec: dict[str, Any] = {"template": {"spec": pod}}
    return {"kind": kind, "metadata": {"name": name}, "spec": spec if replicas is None else {**spec, "replicas": replicas}}


@pytest.mark.parametrize(
    ("text", "number"),
    [("100m", "0.1"), ("2", "2"), (2, "2"), (0.5, "0.5"), ("128Mi", "134217728"), ("6G", "6000000000"), ("1Gi", "1073741824")],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str | int | float, number: str):
    assert quantity(text) == Decimal(number)


def test_what_is_no_quantity_is_refused():
    with pytest.raises(ValueError, match="no quantity"):
        quantity("many")


def test_a_pod_asks_for_its_containers_together_or_its_largest_initial_one():
    pod = {"containers": [container("100m", "64Mi"), container("50m", "64Mi")], "initContainers": [container("1", "32Mi")]}
    assert of_pod(pod) == Requests(Decimal(1), Decimal(128 * 1024**2), 1)


def test_a_container_without_requests_is_an_error():
    with pytest.raises(ValueError, match="requests no"):
        of_pod({"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]})


def test_replicas_count_and_an_autoscaled_agent_counts_with_the_least():
    pod = {"containers": [container("100m", "128Mi")]}
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "spec": {"minReplicas": 2, "scaleTargetRef": {"kind": "StatefulSet", "name": "rag"}},
    }
    found = of_objects(
        [workload("chat", pod, 3), workload("rag", pod, kind="StatefulSet"), workload("end", pod, kind="Job"), scaler]
    )
    assert {name: (float(each.cores), each.pods) for name, each in found.items()} == {"chat": (0.3, 3), "rag": (0.2, 2)}


def test_a_dedicated_workshop_has_all_of_its_own():
    core = {"console": Requests(Decimal(2), Decimal(4 * 1024**3), 4), MILVUS: Requests(Decimal(4), Decimal(8 * 1024**3), 1)}
    workshop = {"chat-agent": Requests(Decimal("0.2"), Decimal(1024**3), 2)}
    found = compare(core, workshop, 3)
    assert found["shared"] == {"cores": 2.6, "gib": 7.0, "pods": 10}
    assert found["dedicated"] == {"cores": 6.6, "gib": 15.0, "pods": 18}
    assert found["saving"] == round(1 - 7 / 15, 3)
    assert found["ceiling"] == 0.667
    apart = found["with_milvus_and_model"]
    assert apart["shared"]["cores"] == 2.6 + 4 + float(MODEL.cores)
    assert apart["dedicated"]["cores"] == pytest.approx(6.6 + 3 * (4 + float(MODEL.cores)))
    assert compare(core, workshop, 1)["saving"] == 0.0


@pytest.mark.parametrize("workshops", [1, 3, 10, 100])
def test_no_saving_passes_its_ceiling(workshops: int):
    core = {"console": Requests(Decimal(2), Decimal(10), 4)}
    found = compare(core, {"chat-agent": Requests(Decimal("0.0001"), Decimal(1), 2)}, workshops)
    assert 0 <= found["saving"] <= found["ceiling"]


def test_the_saving_is_the_smaller_of_cores_and_memory():
    assert saving(Requests(Decimal(1), Decimal(3), 1), Requests(Decimal(4), Decimal(4), 2)) == 0.25
    assert total({"a": Requests(Decimal(1), Decimal(1), 1), "b": Requests(Decimal(2), Decimal(2), 1)}, without=["a"]).pods == 1
