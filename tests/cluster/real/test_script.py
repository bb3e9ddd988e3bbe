"""The script on the real node: killed at random points it converges, and what it removes is gone while the others stay as they were."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.cluster.deployment import CORE, Platform, Workshop
from tests.cluster.probes import outcome
from tests.cluster.stage import Stage

NAME, KIND = "tidepool", "spring-boot"
"""A name that stands in nothing else, so that each trace of it can be looked for as text."""
KILLS = 10
QUESTION = "How do I write a test for the controller?"
DATABASES = ("workshops", "core_console_jobs", "core_converter_jobs", "rag_jobs")

_VECTORS = """
import importlib, json, os, sys
from agents.rag.store.without_pandas import without_pandas
client = without_pandas(lambda: importlib.import_module("pymilvus")).MilvusClient(os.environ["MILVUS_URI"])
found = 0
for collection in client.list_collections():
    client.load_collection(collection)
    rows = client.query(collection, filter=f'workshop_id == "{sys.argv[1]}"', output_fields=["count(*)"])
    found += rows[0]["count(*)"]
print(json.dumps({"collections": len(client.list_collections()), "rows": found}))
"""


def vectors(platform: Platform, name: str) -> int:
    """How many passages of a workshop the vector store holds."""
    found = outcome(platform.kubectl.exec(CORE, "rag-agent-0", "python", "-c", _VECTORS, name))
    assert int(found["collections"]) > 0
    return int(found["rows"])


def traces(platform: Platform, name: str) -> list[str]:
    """Lines of a whole dump of every database, roles included, that hold the name."""
    found = []
    dumps = [("pg_dump", "-U", "postgres", "-h", "/var/run/postgresql", "--inserts", database) for database in DATABASES]
    for command in (*dumps, ("pg_dumpall", "-U", "postgres", "-h", "/var/run/postgresql", "--globals-only")):
        done = platform.kubectl.exec(CORE, "postgres-0", *command)
        assert done.returncode == 0, done.stderr
        found += [f"{command[-1]}: {line[:300]}" for line in done.stdout.splitlines() if name in line]
    return found


def objects(platform: Platform, name: str) -> set[str]:
    """Every object that belongs to a workshop, in its namespace and the core's, its name replaced."""
    kinds = "deployments,services,configmaps,secrets,serviceaccounts,networkpolicies,resourcequotas,limitranges,poddisruptionbudgets,jobs"
    found = set()
    for namespace, selector in ((f"{name}-workshop", ""), (CORE, f"workshop-name={name}")):
        for item in platform.kubectl.get(kinds, "-n", namespace, "-l", selector)["items"]:
            if item["metadata"]["name"] not in ("kube-root-ca.crt", "default"):
                found.add(re.sub(rf"\b{name}\b", "NAME", f"{item['kind']}/{item['metadata']['name']}"))
    return found


@pytest.fixture(scope="module")
def killed_and_deployed(platform: Platform, workshops: list[Workshop]) -> Iterator[Workshop]:
    """One more workshop, whose script was killed again and again before it was let through."""
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    print(f"KILL_SEED={seed}")
    begin = time.monotonic()
    platform.script(NAME, KIND, "20", "false", "--dry-run")
    # Most of a run is waiting; a run that is killed early leaves more to do for the next.
    longest = 25.0
    kill = 0
    while kill < KILLS:
        process, started = platform.begin(NAME, KIND, "20", "false"), time.monotonic()
        wait = chance.uniform(0.3, longest)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
            os.killpg(process.pid, number)
            process.wait(60)
            kill += 1
            print(f"kill {kill}: {number.name} after {wait:.1f} s")
        else:
            # Through before it could be killed: the next ones are killed earlier, and find nothing that is there already.
            took = time.monotonic() - started
            longest = max(2.0, took * 0.9)
            platform.script(NAME, "--delete", "--yes")
            print(f"not killed: through in {took:.1f} s with {process.returncode}")
        finally:
            if process.stdout is not None:
                process.stdout.close()
    yield platform.deploy(NAME, KIND)
    platform.script(NAME, "--delete", "--yes")
    print(f"whole: {time.monotonic() - begin:.0f} s")


async def test_a_script_killed_at_random_points_converges(
    killed_and_deployed: Workshop, workshops: list[Workshop], scene: Stage
) -> None:
    platform = killed_and_deployed.platform
    assert objects(platform, NAME) == objects(platform, workshops[1].name)
    assert [row[0] for row in platform.sql(f"SELECT count(*) FROM core.credentials WHERE workshop = '{NAME}'")] == ["1"]
    # The same content as another workshop: as many passages, none of them twice.
    assert vectors(platform, NAME) == vectors(platform, workshops[1].name) > 0
    async with killed_and_deployed.participant() as kim:
        reading = await kim.ask(QUESTION)
    assert reading.error is None, reading.error
    assert reading.done is not None
    assert {citation.workshop for citation in reading.done.citations} == {NAME}


async def test_a_deleted_workshop_leaves_nothing_and_harms_no_other(
    killed_and_deployed: Workshop, workshops: list[Workshop], scene: Stage
) -> None:
    platform = killed_and_deployed.platform
    async with killed_and_deployed.participant() as kim:
        assert (await kim.ask(QUESTION)).error is None
    shop = workshops[1]
    async with shop.participant() as lee:
        conversation = await lee.conversation()
        assert (await lee.ask(QUESTION, conversation)).error is None
        assert traces(platform, NAME)
        assert vectors(platform, NAME) > 0
        before = [(vectors(platform, each.name), objects(platform, each.name), _pods(each)) for each in workshops]

        platform.script(NAME, "--delete", "--yes")

        assert platform.kubectl.run("get", "namespace", f"{NAME}-workshop").returncode != 0
        assert not objects(platform, NAME)
        assert vectors(platform, NAME) == 0
        assert traces(platform, NAME) == []
        assert [(vectors(platform, each.name), objects(platform, each.name), _pods(each)) for each in workshops] == before
        assert [turn.state for turn in await lee.turns(conversation)] == ["done"]
        for each in workshops:
            async with each.participant() as somebody:
                reading = await somebody.ask("What is this workshop about?")
                assert reading.error is None, reading.error


def _pods(workshop: Workshop) -> set[tuple[str, int]]:
    pods = workshop.platform.kubectl.get("pods", "-n", workshop.namespace)["items"]
    return {
        (pod["metadata"]["name"], sum(row["restartCount"] for row in pod["status"].get("containerStatuses", []))) for pod in pods
    }
