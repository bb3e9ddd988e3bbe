"""Alerts and dashboard speak of metrics that the code exports, with labels that it gives them."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

FOLDER = Path(__file__).parents[2] / "kubernetes" / "components" / "monitoring" / "core"
OTHERS = {
    # Prometheus itself, kube-state-metrics, cAdvisor.
    "up": {"job", "namespace", "pod"},
    "kube_deployment_status_replicas_available": {"namespace", "deployment"},
    "kube_statefulset_status_replicas_ready": {"namespace", "statefulset"},
    "kube_resourcequota": {"namespace", "resource", "type"},
    "container_memory_working_set_bytes": {"namespace", "container", "pod"},
    "container_cpu_usage_seconds_total": {"namespace", "container", "pod"},
}
ADDED = {"le", "namespace", "pod", "job"}
"""Labels that Prometheus adds to what it scrapes, and a histogram's buckets."""
ROOMS_WITH_METRICS = ("agents", "console", "shared_services", "workshop_chat")


def exported() -> dict[str, set[str]]:
    """The metrics' names as they are queried, with their labels, after every module that counts was imported."""
    for room in ROOMS_WITH_METRICS:
        for module in pkgutil.walk_packages([str(Path(__file__).parents[2] / room)], f"{room}."):
            source = Path(importlib.util.find_spec(module.name).origin)  # type: ignore[union-attr,arg-type]
            if "prometheus_client" in source.read_text():
                importlib.import_module(module.name)
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():
        for name in names:
            if name.startswith("workshop_"):
                found[name] = set(getattr(collector, "_labelnames", ()))
    return found


def rules() -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]["groups"][0]["rules"]


def queries() -> Iterator[tuple[str, str]]:
    """Where each query stands, and the query."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    dashboard = json.loads((FOLDER / "workshops.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if "definition" in variable:
            yield variable["name"], variable["definition"]


def metrics_of(query: str) -> dict[str, set[str]]:
    """The metrics that a query names, with the labels that it selects by."""
    found: dict[str, set[str]] = {}
    plain = re.sub(r'"[^"]*"', '""', query)
    for name, selectors in re.findall(r"\b((?:workshop|kube|container)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?", plain):
        found.setdefault(name, set()).update(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selectors))
    return found


def grouped_by(query: str) -> set[str]:
    return {label.strip() for group in re.findall(r"\bby\s*\(([^)]*)\)", query) for label in group.split(",")}


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_every_metric_is_exported_with_the_labels_that_are_asked_for(place: str, query: str):
    known = {**exported(), **OTHERS}
    named = metrics_of(query)
    assert named, f"{place} names no metric"
    for name, labels in named.items():
        assert name in known, f"{place}: nothing exports {name}"
        assert labels <= known[name] | ADDED, f"{place}: {name} has no label {labels - known[name] - ADDED}"
    possible = set().union(*(known[name] for name in named)) | ADDED
    assert grouped_by(query) <= possible, f"{place} groups by {grouped_by(query) - possible}"


def test_a_metric_that_nothing_exports_is_noticed():
    assert metrics_of("sum by (workshop) (rate(workshop_chat_answer_total[5m])) > 1") == {"workshop_chat_answer_total": set()}
    assert "workshop_chat_answer_total" not in exported()
    assert metrics_of('up{job="a"} == 0 or kube_resourcequota{type="used"}') == {"up": {"job"}, "kube_resourcequota": {"type"}}


def test_what_must_be_known_has_an_alert():
    alerts = {rule["alert"] for rule in rules()}
    assert alerts >= {
        "WorkshopAgentDown",
        "WorkshopAbstentionRate",
        "WorkshopModelErrors",
        "WorkshopQuotaNear",
        "WorkshopJobsFailing",
        "WorkshopDatabaseGone",
    }
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"]


def test_every_scraped_service_has_a_monitor():
    monitors = list(yaml.safe_load_all((FOLDER / "service-monitors.yaml").read_text()))
    kept = {rule["regex"] for each in monitors for rule in each["spec"]["endpoints"][0].get("relabelings", [])}
    assert {"matchLabels": {"app.kubernetes.io/part-of": "workshop-assistant", "workshop-part": "shared-agent"}} in [
        each["spec"]["selector"] for each in monitors
    ]
    # test_manifests.py holds that this label finds these Services.
    kept |= {"rag-agent", "template-converter-agent"}
    assert kept == {"console", "rag-agent", "template-converter-agent", "chat-agent", "milvus", "gitea"}
    jobs = set(re.findall(r'job=~"([^"]*)"', rules()[0]["expr"])[0].split("|"))
    assert jobs <= kept, "an alert looks at a job that nothing scrapes"
