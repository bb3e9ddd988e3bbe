"""Each shared part dies under running conversations: what is said, what is kept, and that it goes on afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest

from shared_services.contracts.chat import Answer, StoredTurn
from tests.cluster.clusters import Cluster
from tests.cluster.deployment import CORE, Platform, Workshop
from tests.cluster.kubectl import wait_until
from tests.cluster.participant import Participant, Reading, until_words
from tests.cluster.processes import kill_kubelet, revive_kubelet
from tests.cluster.stage import Stage

QUESTION = "What does it mean that a column has an AUC of 1.000?"
SLOW = [f"Sentence {n} of an answer that takes its time. [1]\n\n" for n in range(1, 11)]
GAP_SECONDS = 1.5
STORED_WITHIN_SECONDS = 60


@contextmanager
def gone(platform: Platform, kind: str, name: str) -> Iterator[None]:
    """Kill the pods of a workload after a second and keep it away; back and ready afterwards."""
    kubectl = platform.kubectl
    workload = f"{kind}/{name}"
    kubectl("scale", "-n", CORE, workload, "--replicas=0")
    # Not `--force`: that takes the pod from the API while its processes may live on for some seconds.
    kubectl("delete", "pod", "-n", CORE, "-l", f"app.kubernetes.io/name={name}", "--grace-period=1", "--wait=false")
    wait_until(lambda: not kubectl.names("pods", "-n", CORE, "-l", f"app.kubernetes.io/name={name}"), f"{name} is gone", 60)
    try:
        yield
    finally:
        kubectl("scale", "-n", CORE, workload, "--replicas=1")
        kubectl("rollout", "status", "-n", CORE, workload, "--timeout=240s", timeout=260)


@dataclass
class Running:
    """A conversation whose answer is being written."""

    who: Participant
    conversation: str
    reading: Reading
    stream: "asyncio.Task[None]"


@asynccontextmanager
async def answering(workshop: Workshop, scene: Stage) -> AsyncIterator[Running]:
    """An answer that has begun and takes 15 seconds."""
    scene.model.say(SLOW, gap=GAP_SECONDS)
    async with workshop.participant() as kim:
        conversation, reading = await kim.conversation(), Reading()
        stream = asyncio.create_task(kim.read(QUESTION, conversation, reading))
        await until_words(reading, 1)
        yield Running(kim, conversation, reading, stream)
        stream.cancel()


async def stored(running: Running, seconds: float) -> list[StoredTurn]:
    """The conversation's turns, once the database gives them and none is being answered."""
    end = time.monotonic() + seconds
    last = "nothing came"
    while time.monotonic() < end:
        try:
            turns = await running.who.turns(running.conversation)
            last = repr([(turn.number, turn.state) for turn in turns])
            if turns and all(turn.state == "done" for turn in turns):
                return turns
        except Exception as error:
            last = repr(error)
        await asyncio.sleep(0.5)
    raise AssertionError(f"not stored within {seconds:g} s: {last}")


def assert_whole(running: Running) -> None:
    assert running.reading.error is None, running.reading.error
    assert running.reading.done is not None
    assert running.reading.text.split() == "".join(SLOW).split()


def assert_kept_once(turns: list[StoredTurn], running: Running) -> None:
    assert [(turn.number, turn.question, turn.state) for turn in turns] == [(1, QUESTION, "done")]
    assert turns[0].answer is not None
    assert running.reading.done is not None
    assert turns[0].answer.answer == running.reading.done.answer


@pytest.fixture(scope="module")
def clinic(workshops: list[Workshop]) -> Workshop:
    return workshops[0]


async def test_without_the_rag_agent_running_answers_end_well_and_new_ones_cannot_be_looked_up(
    platform: Platform, clinic: Workshop, scene: Stage
) -> None:
    async with answering(clinic, scene) as running:
        with gone(platform, "statefulset", "rag-agent"):
            scene.model.say("A short one. [1]")
            refused = await running.who.ask(QUESTION, other := await running.who.conversation())
            assert refused.error is not None
            assert "look it up" in refused.error
            await running.stream
        assert_whole(running)
        assert_kept_once(await stored(running, 10), running)
        # The same turn is answered now, as the page's button asks for it; no second one is made.
        answer = await asyncio.wait_for(_retried(running.who, other, refused.number), 60)
        assert answer.citations
        assert [(turn.number, turn.question, turn.state) for turn in await running.who.turns(other)] == [(1, QUESTION, "done")]


async def _retried(who: Participant, conversation: str, number: int) -> Answer:
    while True:
        response = await who.http.post(
            f"/api/v1/conversations/{conversation}/turns/{number}/retry", headers={"accept": "application/json"}
        )
        if response.status_code == 200:
            return Answer.model_validate(response.json())
        assert response.status_code == 503, response.text
        await asyncio.sleep(2)


async def test_without_the_gateway_answers_are_in_the_sources_own_words(
    platform: Platform, clinic: Workshop, scene: Stage
) -> None:
    async with answering(clinic, scene) as running:
        with gone(platform, "deployment", "ogx"):
            await running.stream
            assert running.reading.error is None, running.reading.error
            assert running.reading.done is not None
            fresh = await running.who.ask(QUESTION)
            assert fresh.error is None, fresh.error
            assert fresh.done is not None
            assert fresh.done.written_by == "extractive"
            assert fresh.done.citations
        assert_kept_once(await stored(running, 10), running)
        scene.model.say("A short one. [1]")
        end = time.monotonic() + 90
        while True:
            again = await running.who.ask(QUESTION)
            assert again.done is not None
            if again.done.written_by == "model" or time.monotonic() > end:
                break
            await asyncio.sleep(3)
        assert again.done.written_by == "model"


async def test_without_postgresql_an_answer_ends_and_is_stored_after_its_return(
    platform: Platform, clinic: Workshop, scene: Stage
) -> None:
    async with answering(clinic, scene) as running:
        with gone(platform, "statefulset", "postgres"):
            await running.stream
            # Long enough for pools to have noticed.
            await asyncio.sleep(5)
        turns = await stored(running, STORED_WITHIN_SECONDS)
        assert_whole(running)
        assert_kept_once(turns, running)
        second = await running.who.ask(QUESTION, running.conversation)
        assert second.error is None, second.error
        assert [turn.number for turn in await running.who.turns(running.conversation)] == [1, 2]


async def test_a_killed_kubelet_changes_nothing_for_who_is_asking(
    platform: Platform, clinic: Workshop, scene: Stage, real_cluster: Cluster
) -> None:
    if real_cluster.folder is None:
        pytest.skip("needs the real node of CLUSTER_TOOL, whose kubelet may be killed")
    async with answering(clinic, scene) as running:
        kill_kubelet(real_cluster.folder, stays_dead=True)
        try:
            await running.stream
            scene.model.say("A short one. [1]")
            fresh = await running.who.ask(QUESTION)
            assert fresh.error is None, fresh.error
        finally:
            revive_kubelet(real_cluster.folder)
        assert_whole(running)
        assert_kept_once(await stored(running, 10), running)
        heartbeat = time.time()
        wait_until(lambda: _beat_since(platform, heartbeat), "the kubelet reports again", 60)
        pods = platform.kubectl.get("pods", "-n", clinic.namespace)["items"]
        assert all(row["restartCount"] == 0 for pod in pods for row in pod["status"]["containerStatuses"])


def _beat_since(platform: Platform, moment: float) -> bool:
    lease = platform.kubectl.get("lease", "-n", "kube-node-lease", "real")
    renewed = lease["spec"]["renewTime"].split(".")[0].rstrip("Z")
    return time.mktime(time.strptime(renewed + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone > moment
