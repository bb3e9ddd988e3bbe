"""Many workshops by the deploy script on a real control plane, whose nodes run nothing: `--skip content,smoke`.

CLUSTER_WORKSHOPS says how many (100). The tests go on from each other: the first starts from an empty cluster.
"""

import base64
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.fake_pods import moving_pods
from tests.cluster.kubectl import Kubectl, Object, wait_until
from tests.cluster.processes import restart_api_server
from tests.cluster.scripting import Script, access

ROOT = Path(__file__).parents[2]
CORE = "workshop-core-system"
WORKSHOPS = int(os.environ.get("CLUSTER_WORKSHOPS") or "100")
AT_ONCE = 5
KILLS = 10
QUICK = ("healthcare-ml", "50", "true", "--skip", "content,smoke", "--timeout", "180")
pytestmark = pytest.mark.timeout(1800)
KINDS = (
    "namespaces,resourcequotas,limitranges,serviceaccounts,secrets,configmaps,services,deployments,statefulsets,replicasets,pods,"
    "poddisruptionbudgets,jobs,networkpolicies,horizontalpodautoscalers,roles,rolebindings,persistentvolumeclaims"
)
NAMES = [f"class-{number}" for number in range(1, WORKSHOPS + 1)]


@pytest.fixture(scope="module")
def script(fake_cluster: Cluster, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": volumes(8)}))
    with moving_pods(fake_cluster.kubeconfig):
        yield Script(kubectl, tmp_path_factory.mktemp("script"))
        for name in kubectl.names("namespaces", "-l", "app.kubernetes.io/part-of=workshop-assistant"):
            kubectl("delete", "namespace", name, "--wait=false")
        wait_until(
            lambda: not kubectl.names("namespaces", "-l", "app.kubernetes.io/part-of=workshop-assistant"),
            "the workshops' namespaces are gone", 300, every=2,
        )  # fmt: skip
        kubectl("delete", "persistentvolumes", "-l", "test=many-workshops", "--wait=false")


def volumes(count: int) -> list[Object]:
    """What a cluster's storage would give to PostgreSQL and Milvus."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"many-workshops-{number}", "labels": {"test": "many-workshops"}},
            "spec": {
                "capacity": {"storage": "1Ti"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": f"/nowhere/{number}"},
            },
        }
        for number in range(count)
    ]  # fmt: skip


def secret(kubectl: Kubectl, namespace: str, name: str) -> dict[str, str]:
    data: dict[str, str] = kubectl.get("secret", name, "-n", namespace)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def converged(kubectl: Kubectl, name: str) -> None:
    """Assert that a workshop is whole, and once."""
    home = f"{name}-workshop"
    own, registered = secret(kubectl, home, "chat-agent"), secret(kubectl, CORE, f"workshop-{name}")
    assert {key: own[key] for key in registered} == registered
    assert len(own["participant-key"]) >= 32
    deployment = kubectl.get("deployment", "chat-agent", "-n", home)
    assert deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"] == 2
    job = kubectl.get("job", f"register-{name}", "-n", CORE)
    assert job["status"]["succeeded"] == 1
    core_key = secret(kubectl, CORE, "core-keys")["public.pem"]
    assert kubectl.get("configmap", "core-public-key", "-n", home)["data"]["public.pem"] == core_key


def test_killed_at_random_points_it_converges(script: Script, kubectl: Kubectl) -> None:
    seed = random.randrange(10**6)
    points = random.Random(seed)
    half = KILLS // 2
    # From an empty cluster: mostly while it deploys the core.
    said = [script.killed_after(points.uniform(0.5, 20), "killed", *QUICK) for _ in range(half)]
    done = script("killed", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    converged(kubectl, "killed")
    assert "workshop-assistant/deploying" not in kubectl.get("namespace", CORE)["metadata"].get("annotations", {})

    # On a core that is ready: anywhere.
    begin = time.monotonic()
    assert script("measured", *QUICK).returncode == 0
    whole = time.monotonic() - begin
    said += [script.killed_after(points.uniform(0.3, whole), "killed-too", *QUICK) for _ in range(KILLS - half)]
    done = script("killed-too", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    converged(kubectl, "killed-too")
    print(f"seed {seed}; a whole run {whole:.1f} s; steps begun before each kill: {[text.count('[') for text in said]}")


def test_as_many_as_there_are(script: Script, kubectl: Kubectl, fake_cluster: Cluster) -> None:
    begin = time.monotonic()
    done_so_far = threading.Semaphore(0)

    def deploy(name: str) -> tuple[float, int]:
        start = time.monotonic()
        # One that the restart of the API server ends goes on when it is run again.
        for attempt in (1, 2):
            done = script.deploy(name)
            if done.returncode == 0:
                break
            print(f"{name}, attempt {attempt}:\n{done.stdout}{done.stderr}")
        done_so_far.release()
        assert done.returncode == 0
        return time.monotonic() - start, attempt

    def restart() -> None:
        for _ in range(WORKSHOPS // 3):
            done_so_far.acquire()
        restart_api_server(fake_cluster.kubeconfig.parent, down_seconds=2)

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        restarted = pool.submit(restart)
        took = list(pool.map(deploy, NAMES))
        restarted.result()
    seconds = time.monotonic() - begin
    print(f"{WORKSHOPS} workshops in {seconds:.0f} s, {AT_ONCE} at once; run again: {sum(attempt - 1 for _, attempt in took)}")

    ready = {
        item["metadata"]["namespace"]
        for item in kubectl.get("deployments", "-A", "-l", "app.kubernetes.io/name=chat-agent")["items"]
        if item["status"].get("readyReplicas") == 2
    }
    assert ready >= {f"{name}-workshop" for name in NAMES}
    credentials = [
        item["data"]["credential"] for item in kubectl.get("secrets", "-n", CORE, "-l", "workshop-name")["items"]
    ]  # fmt: skip
    assert len(credentials) == len(set(credentials)) >= WORKSHOPS
    for name in (NAMES[0], NAMES[-1]):
        converged(kubectl, name)


def test_a_second_run_starts_nothing_anew(script: Script, kubectl: Kubectl) -> None:
    home = f"{NAMES[0]}-workshop"
    before = kubectl.names("pods", "-n", home)
    begin = time.monotonic()
    done = script.deploy(NAMES[0])
    print(f"a run that finds everything: {time.monotonic() - begin:.1f} s")
    assert done.returncode == 0
    assert kubectl.names("pods", "-n", home) == before
    changed = script(NAMES[0], "healthcare-ml", "51", "false", "--skip", "content,smoke", "--timeout", "180")
    assert changed.returncode == 0, changed.stderr
    assert not set(kubectl.names("pods", "-n", home)) & set(before), "a new limit reaches the pods"
    assert kubectl.get("configmap", f"workshop-{NAMES[0]}", "-n", CORE)["data"]["PARTICIPANT_LIMIT"] == "51"


def test_whoever_has_rights_in_one_namespace_alone_is_refused(script: Script, kubectl: Kubectl, tmp_path: Path) -> None:
    home = f"{NAMES[0]}-workshop"
    kubectl("create", "serviceaccount", "ops", "-n", home)
    kubectl("create", "rolebinding", "ops", "-n", home, "--clusterrole=admin", f"--serviceaccount={home}:ops")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(access(kubectl, "ops", home)))
    before = objects(kubectl)
    for name in (NAMES[0], NAMES[1]):
        done = script(name, "healthcare-ml", "50", "false", "--skip", "content,smoke", kubeconfig=kubeconfig)
        assert done.returncode == 1
        assert "Step 1 (Check tools, rights, names and room) failed: you may not: " in done.stderr
        assert f"create secrets in {CORE}" in done.stderr
        # In the namespace where it may, nothing is missing.
        assert f"create deployments in {home}" not in done.stderr
    removal = script(NAMES[1], "--delete", "--yes", "--skip", "content", kubeconfig=kubeconfig)
    assert removal.returncode == 1
    assert f"delete secrets in {CORE}" in removal.stderr
    assert objects(kubectl) == before


def test_the_role_that_ships_is_enough(script: Script, kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("apply", "-k", str(ROOT / "overlays/workshop-deployer"))
    kubectl("create", "serviceaccount", "deployer", "-n", "default")
    kubectl("create", "clusterrolebinding", "deployer", "--clusterrole=workshop-deployer", "--serviceaccount=default:deployer")
    try:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(access(kubectl, "deployer", "default")))
        done = script("by-role", "spring-boot", "5", "true", "--skip", "content,smoke", "--timeout", "180", kubeconfig=kubeconfig)
        assert done.returncode == 0, done.stderr
        assert "not checked" not in done.stderr
        gone = script("by-role", "--delete", "--yes", "--skip", "content", "--timeout", "180", kubeconfig=kubeconfig)
        assert gone.returncode == 0, gone.stderr
    finally:
        kubectl("delete", "clusterrolebinding/deployer", "clusterrole/workshop-deployer")
        kubectl("delete", "serviceaccount", "deployer", "-n", "default")


def test_the_namespace_holds_no_more_than_its_share(kubectl: Kubectl, script: Script) -> None:
    home = f"{NAMES[0]}-workshop"
    kubectl("scale", "deployment/chat-agent", "-n", home, "--replicas=12")
    try:
        wait_until(
            lambda: any("exceeded quota" in item["message"] for item in kubectl.get("events", "-n", home)["items"]),
            "the quota refuses a pod", 60,
        )  # fmt: skip
        running = [pod for pod in kubectl.get("pods", "-n", home)["items"] if not pod["metadata"].get("deletionTimestamp")]
        assert len(running) <= 6
    finally:
        kubectl("scale", "deployment/chat-agent", "-n", home, "--replicas=2")
    greedy = kubectl.run("run", "greedy", "-n", home, "--image=nobody/nothing", "--overrides", json.dumps(pod(memory="4Gi")))
    assert "maximum memory usage per Container is" in greedy.stderr
    root = kubectl.run("run", "root", "-n", home, "--image=nobody/nothing", "--overrides", json.dumps(pod(root=True)))
    assert "violates PodSecurity" in root.stderr
    opened = kubectl.run("create", "service", "loadbalancer", "door", "-n", home, "--tcp=80:8080")
    assert "exceeded quota" in opened.stderr
    wait_until(lambda: len(kubectl.names("pods", "-n", home)) == 2, "two pods again", 60)


def pod(*, memory: str = "64Mi", root: bool = False) -> Object:
    security = {"allowPrivilegeEscalation": root, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": not root}
    box = {
        "name": "it",
        "image": "nobody/nothing",
        "securityContext": security | {"seccompProfile": {"type": "RuntimeDefault"}},
        "resources": {"limits": {"memory": memory}},
    }
    return {"spec": {"containers": [box]}}


def test_a_full_cluster_is_said_before_anything_is_made(script: Script, kubectl: Kubectl) -> None:
    kubectl("cordon", "-l", "type=kwok")
    try:
        done = script.deploy("too-many")
    finally:
        kubectl("uncordon", "-l", "type=kwok")
    assert done.returncode == 1
    assert "there is no room: 0.30 cores and 0.38 GiB are needed; the nodes have 0.00 cores" in done.stderr
    assert kubectl.run("get", "namespace", "too-many-workshop").returncode == 1


def test_somebody_elses_namespace_is_left_alone(script: Script, kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "theirs-workshop")
    try:
        before = objects(kubectl)
        for arguments in (("theirs", "spring-boot", "5", "false", "--skip", "content,smoke"), ("theirs", "--delete", "--yes")):
            done = script(*arguments)
            assert done.returncode == 1
            assert "it is somebody else's" in done.stderr
        assert objects(kubectl) == before
    finally:
        kubectl("delete", "namespace", "theirs-workshop")


def objects(kubectl: Kubectl) -> dict[tuple[str, str, str], Object]:
    """Everything that matters, by kind, namespace and name, without what the control plane itself changes meanwhile.

    Jobs that are done are left out: the control plane removes them when their time is over.
    """
    found = {}
    for item in kubectl.get(KINDS, "-A")["items"]:
        meta = item["metadata"]
        if item["kind"] == "Job" and "completionTime" in item.get("status", {}):
            continue
        item.pop("status", None)
        for volatile in ("managedFields", "resourceVersion"):
            meta.pop(volatile, None)
        found[item["kind"], meta.get("namespace", ""), meta["name"]] = item
    return found


def test_removing_one_leaves_the_others_untouched(script: Script, kubectl: Kubectl) -> None:
    gone, kept = NAMES[-1], NAMES[0]
    before = objects(kubectl)
    done = script(gone, "--delete", "--yes", "--skip", "content", "--timeout", "180")
    assert done.returncode == 0, done.stdout + done.stderr
    after = objects(kubectl)

    def of_it(key: tuple[str, str, str], item: Object) -> bool:
        names = {key[1], key[2], item["metadata"].get("labels", {}).get("workshop-name")}
        return bool(names & {gone, f"{gone}-workshop"})

    assert [key for key, item in after.items() if of_it(key, item)] == []
    assert [key for key, item in before.items() if of_it(key, item)], "there was something to remove"
    assert after == {key: item for key, item in before.items() if not of_it(key, item)}
    converged(kubectl, kept)
    # Again, it finds nothing to do and says so by its status.
    assert script(gone, "--delete", "--yes", "--skip", "content").returncode == 0
    assert script(gone, "--status").returncode == 1
