"""Manifests and code agree: every variable is a setting that the process reads, its value is one that it takes, and addresses lead somewhere."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from agents.template_converter.settings import ConverterSettings
from shared_services.jobs.settings import JobsSettings
from shared_services.llm.settings import LlmSettings
from tests.contract.manifests.references import variables
from tests.contract.manifests.rendering import (
    CORE,
    IN_A_WORKSHOP,
    IN_THE_CORE,
    NEEDS_KUBECTL,
    OWN_IMAGES,
    ROOT,
    Object,
    Workload,
    have_kubectl,
    image_name,
    of_kind,
    overlays,
    rendered,
    spare_bases,
    with_component,
    workloads,
)
from tests.contract.manifests.settings import read_by, refused, settings_classes
from tests.contract.manifests.workload_checks import ANSWER_SECONDS, quantity
from workshop_chat.settings import ChatSettings
from workshop_cli.cluster.content import MOST_ARCHIVE_BYTES, MOST_UNPACKED_BYTES
from workshop_cli.service import SERVICES, TOOLS

pytestmark = pytest.mark.skipif(not have_kubectl(), reason=NEEDS_KUBECTL)

EXAMPLE = "overlays/examples/spring-boot"


def own_containers() -> Iterator[tuple[Workload, Object, dict[str, str | None]]]:
    """Every container of this project's images, with its variables; with an address in the open too."""
    # The bare overlay of a workshop is the form of all others: its registration is given the settings by what stands on it.
    whole = [overlay for overlay in overlays() if overlay != IN_A_WORKSHOP.overlay]
    for objects in (
        *map(rendered, whole),
        *map(rendered, spare_bases()),
        *(with_component(None, place) for place in (IN_THE_CORE, IN_A_WORKSHOP)),
    ):
        for workload in workloads(objects):
            for container in workload.containers:
                if image_name(container["image"]) in OWN_IMAGES:
                    yield workload, container, variables(workload, container, objects)


def test_every_entry_point_exists():
    started = {container["args"][0] for _, container, _ in own_containers()}
    assert started <= SERVICES.keys() | TOOLS.keys()
    assert started >= {"chat", "console", "rag", "template-converter", "migrate"}


def test_every_variable_is_a_setting_that_the_process_reads():
    foreign = {
        f"{workload.name}: {name}"
        for workload, container, given in own_containers()
        for name in given
        if not any(name in one.variables() for one in read_by(tuple(container["args"])))
    }
    assert sorted(foreign) == []


def test_every_setting_is_named_by_a_manifest_or_a_document():
    in_manifests = {name for _, _, given in own_containers() for name in given}
    in_documents = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))))
    known = {name for one in settings_classes() for name in one.variables()}
    assert sorted(known - in_manifests - in_documents) == []


def test_every_value_is_one_that_the_process_takes():
    wrong = {
        f"{workload.name}: {sentence}"
        for workload, container, given in own_containers()
        for one in read_by(tuple(container["args"]))
        for sentence in refused(one, {name: value for name, value in given.items() if value is not None})
    }
    assert sorted(wrong) == []


def test_a_value_that_is_not_taken_is_seen():
    assert refused(ChatSettings, {"WORKSHOP_NAME": "Not A Slug"})
    assert refused(ChatSettings, {"SHARED_AGENTS_ENDPOINT": "http://console:8080"})
    assert refused(ChatSettings, {"WORKSHOP_NAME": "garden"}) == []


def test_every_required_setting_is_given():
    lacking = {
        f"{workload.name}: {' or '.join(names)}"
        for workload, container, given in own_containers()
        for one in read_by(tuple(container["args"]))
        for info in one.model_fields.values()
        if info.is_required()
        for names in [[str(choice) for choice in getattr(info.validation_alias, "choices", [info.validation_alias])]]
        if not set(names) & set(given)
    }
    assert sorted(lacking) == []


def test_processes_listen_where_services_and_probes_ask():
    wrong = {
        f"{workload.name}: {name}={value}"
        for workload, container, given in own_containers()
        if workload.serves
        for name, value in given.items()
        if (name.endswith("_HOST") and value != "0.0.0.0")
        or (name.endswith("_PORT") and [value] != [str(port["containerPort"]) for port in container["ports"]])
    }
    assert sorted(wrong) == []
    deaf = [
        workload.name
        for workload, _, given in own_containers()
        if workload.serves and not any(name.endswith("_PORT") for name in given)
    ]
    assert deaf == []


def test_every_address_in_the_cluster_is_a_service_there():
    services = {
        (service["metadata"]["name"], port["port"])
        for service in of_kind(rendered(IN_THE_CORE.overlay), "Service")
        for port in service["spec"]["ports"]
    }
    dead = set()
    for workload, _, given in own_containers():
        for name, value in given.items():
            for address in (value.replace("{agent}", agent) for agent in ("rag", "library")) if value and "://" in value else ():
                parts = urlsplit(address)
                host, _, domain = (parts.hostname or "").partition(".")
                near = domain == "" and workload.namespace == CORE
                if domain.endswith("example.org"):
                    continue
                if not (near or domain.startswith(f"{CORE}.svc")) or (host, parts.port) not in services:
                    dead.add(f"{workload.name}: {name}={address}")
    assert sorted(dead) == []


def test_an_answer_may_be_finished_before_the_pod_ends():
    assert LlmSettings.model_fields["total_seconds"].default == ANSWER_SECONDS
    for workload, container, given in own_containers():
        if container["args"] == ["chat"]:
            answer, drain = float(given.get("LLM_TOTAL_SECONDS") or ANSWER_SECONDS), float(given["CHAT_DRAIN_SECONDS"] or 0)
            before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert answer <= drain < workload.pod["terminationGracePeriodSeconds"] - before


def test_every_replica_owns_its_jobs_by_its_own_name():
    owners = {
        workload.item["metadata"]["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"]
        for workload, container, _ in own_containers()
        for variable in container.get("env", [])
        if variable["name"] == "JOBS_EXECUTOR_ID"
    }
    assert owners == dict.fromkeys(("console", "rag-agent", "template-converter-agent"), "metadata.name")
    kinds = {workload.item["kind"] for workload, _, given in own_containers() if "JOBS_EXECUTOR_ID" in given}
    assert kinds == {"StatefulSet"}


def test_the_model_computes_on_no_more_threads_than_its_limit_has_cores():
    asked = [
        (int(given["RAG_WORKERS"] or 0) * int(given["RAG_THREADS"] or 0), quantity(container["resources"]["limits"]["cpu"]))
        for _, container, given in own_containers()
        if container["args"] == ["rag"]
    ]
    assert asked
    assert all(0 < threads <= cores for threads, cores in asked)


def room(workload: Workload, path: str) -> float:
    """Bytes that a pod's folder may hold."""
    mount = next(one for one in workload.containers[0]["volumeMounts"] if one["mountPath"] == path)
    return quantity(next(one for one in workload.pod["volumes"] if one["name"] == mount["name"])["emptyDir"]["sizeLimit"])


def test_temporary_folders_hold_what_is_put_there():
    shared = {one.item["metadata"]["name"]: one for one in workloads(rendered(IN_THE_CORE.overlay))}
    # An archive, what it holds, and what is made of that.
    assert room(shared["console"], "/tmp") >= MOST_ARCHIVE_BYTES + 2 * MOST_UNPACKED_BYTES
    conversions = JobsSettings.model_fields["concurrency"].default
    source = ConverterSettings.model_fields["max_source_bytes"].default
    assert room(shared["template-converter-agent"], "/tmp") >= conversions * 2 * source
    for workload in shared.values():
        if workload.ours and workload.serves:
            disk = quantity(workload.containers[0]["resources"]["limits"]["ephemeral-storage"])
            assert disk > room(workload, "/tmp") + room(workload, "/data"), workload.name
