"""From inside one workshop's pod nothing of another is reached. What must be shut is shown open from where it may be."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.deployment import CORE, Platform, Workshop
from tests.cluster.kubectl import Kubectl
from tests.cluster.probes import ASK_HTTP, CONNECT, QUERY, outcome
from tests.cluster.stage import ENTRANCE

METADATA = "169.254.169.254:80"
OWN_WAYS = [
    f"console.{CORE}.svc:8080",
    f"rag-agent.{CORE}.svc:8080",
    f"postgres.{CORE}.svc:5432",
    f"model-gateway.{CORE}.svc:8321",
]


def _all(places: list[str], what: str) -> dict[str, str]:
    return dict.fromkeys(places, what)


def _shut(found: dict[str, str]) -> bool:
    # A name that is not found would prove nothing about the way there.
    return set(found.values()) <= {"TimeoutError", "ConnectionRefusedError"}


def _from_entrance(kubectl: Kubectl, *places: str) -> dict[str, str]:
    return outcome(kubectl.exec(ENTRANCE, "deployment/relay", "python", "-c", CONNECT, *places))


@contextmanager
def _metadata_service(cluster: Cluster) -> Iterator[bool]:
    """A listener where clouds have theirs, outside the node; False where this machine cannot be that outside."""
    if cluster.folder is None:
        yield False
        return
    settings = dict(line.split("=", 1) for line in (cluster.folder / "controlplane.env").read_text().split())
    link = ("169.254.169.254/32", "dev", f"node{settings['NUMBER']}")
    subprocess.run(["ip", "address", "add", *link], check=True)
    try:
        with subprocess.Popen(
            ["python3", "-m", "http.server", "80", "--bind", "169.254.169.254", "--directory", str(cluster.folder / "pid")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(1)
            try:
                yield True
            finally:
                process.kill()
    finally:
        subprocess.run(["ip", "address", "delete", *link], check=True)


@pytest.fixture(scope="module")
def clinic(workshops: list[Workshop]) -> Workshop:
    return workshops[0]


@pytest.fixture(scope="module")
def shop(workshops: list[Workshop]) -> Workshop:
    return workshops[1]


def test_its_own_ways_are_open(clinic: Workshop) -> None:
    assert outcome(clinic.inside(CONNECT, *OWN_WAYS)) == _all(OWN_WAYS, "open")


def test_another_workshops_chat_agent_is_shut(platform: Platform, clinic: Workshop, shop: Workshop) -> None:
    pods = platform.kubectl.get("pods", "-n", shop.namespace, "-l", "app.kubernetes.io/name=chat-agent")["items"]
    places = [
        f"chat-agent.{shop.namespace}.svc:8080",
        *(f"{pod['status']['podIP']}:8080" for pod in pods if pod["status"].get("podIP")),
    ]
    assert len(places) >= 3
    assert _from_entrance(platform.kubectl, *places) == _all(places, "open")
    assert _shut(outcome(clinic.inside(CONNECT, *places)))


def test_milvus_is_shut(platform: Platform, clinic: Workshop) -> None:
    pod = platform.kubectl.get("pod", "milvus-0", "-n", CORE)
    places = [f"milvus.{CORE}.svc:19530", f"{pod['status']['podIP']}:19530"]
    assert outcome(platform.kubectl.exec(CORE, "rag-agent-0", "python", "-c", CONNECT, *places)) == _all(places, "open")
    assert _shut(outcome(clinic.inside(CONNECT, *places)))


def test_the_template_converter_and_the_models_server_are_shut(platform: Platform, clinic: Workshop) -> None:
    converter, model = f"template-converter-agent.{CORE}.svc:8080", "vllm.models.svc:8000"
    assert outcome(platform.kubectl.exec(CORE, "console-0", "python", "-c", CONNECT, converter)) == {converter: "open"}
    assert _from_entrance(platform.kubectl, model) == {model: "open"}
    assert _shut(outcome(clinic.inside(CONNECT, converter, model)))


def test_the_api_server_is_shut_and_no_token_for_it_is_there(platform: Platform, clinic: Workshop) -> None:
    slices = platform.kubectl.get("endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes")["items"]
    behind = [
        f"{address}:{part['ports'][0]['port']}" for part in slices for end in part["endpoints"] for address in end["addresses"]
    ]
    places = ["kubernetes.default.svc:443", *behind]
    assert len(places) >= 2
    assert _from_entrance(platform.kubectl, *places) == _all(places, "open")
    assert _shut(outcome(clinic.inside(CONNECT, *places)))
    listing = "import json, os; print(json.dumps({'there': os.path.exists('/var/run/secrets/kubernetes.io')}))"
    assert outcome(platform.kubectl.exec(ENTRANCE, "deployment/relay", "python", "-c", listing)) == {"there": True}
    assert outcome(clinic.inside(listing)) == {"there": False}


def test_the_machines_metadata_is_shut(real_cluster: Cluster, platform: Platform, clinic: Workshop) -> None:
    with _metadata_service(real_cluster) as there:
        if there:
            assert _from_entrance(platform.kubectl, METADATA) == {METADATA: "open"}
        assert _shut(outcome(clinic.inside(CONNECT, METADATA)))
        for pod in ("console-0", "rag-agent-0", "template-converter-agent-0"):
            assert _shut(outcome(platform.kubectl.exec(CORE, pod, "python", "-c", CONNECT, METADATA))), pod


def test_of_postgresql_only_its_own_schema_is_open(platform: Platform, clinic: Workshop, shop: Workshop) -> None:
    theirs = f'|SELECT * FROM "w_{shop.name}".chat_turns LIMIT 1'
    refused = [
        theirs,
        '|SELECT * FROM "core".credentials',
        '|SELECT * FROM "core".library_versions',
        '|SELECT * FROM "rag".rag_indexes',
        f'|SET ROLE "w_{shop.name}"',
        '|SET ROLE "core"',
        "|CREATE TABLE public.left_here (n int)",
        "|CREATE SCHEMA mine",
        "|CREATE TEMPORARY TABLE mine (n int)",
    ]
    elsewhere = [
        "core_console_jobs|SELECT 1",
        "core_converter_jobs|SELECT 1",
        "rag_jobs|SELECT 1",
        "postgres|SELECT 1",
        "template1|SELECT 1",
    ]
    found = outcome(clinic.inside(QUERY, "|SELECT 1 FROM chat_turns LIMIT 0", *refused, *elsewhere))
    assert found.pop("|SELECT 1 FROM chat_turns LIMIT 0") == "0 rows"
    assert set(found.values()) == {"InsufficientPrivilegeError"}, found
    # Each of what is refused is there, and open to whom it belongs.
    assert outcome(shop.inside(QUERY, theirs))[theirs].endswith("rows")
    for statement in (
        f'SELECT count(*) FROM "w_{shop.name}".chat_turns',
        'SELECT count(*) FROM "core".credentials',
        'SELECT count(*) FROM "rag".rag_indexes',
    ):
        assert platform.sql(statement)
    databases = {row[0] for row in platform.sql("SELECT datname FROM pg_database")}
    assert {place.partition("|")[0] for place in elsewhere} <= databases


def test_its_credential_opens_its_own_workshop_alone(clinic: Workshop, shop: Workshop) -> None:
    own, other = f"/api/v1/library/{clinic.name}", f"/api/v1/library/{shop.name}"
    found = json.loads(clinic.inside(ASK_HTTP, own, other).stdout.splitlines()[-1])
    assert found == {"exchange": 200, own: 200, other: 403}
    assert json.loads(shop.inside(ASK_HTTP, own, other).stdout.splitlines()[-1]) == {"exchange": 200, own: 403, other: 200}
