"""A new version of the chat agent is rolled out while answers are being written: no stream is cut, no answer lost."""

import asyncio

from tests.cluster.deployment import Workshop
from tests.cluster.kubectl import Kubectl
from tests.cluster.participant import Reading, until_words
from tests.cluster.stage import Stage

QUESTION = "What does it mean that a column has an AUC of 1.000?"
SLOW = [f"Sentence {n} of an answer that takes its time. [1]\n\n" for n in range(1, 21)]
GAP_SECONDS = 1.5
"""The whole answer takes 30 s: longer than the old pods are told to wait before they stop taking connections."""


def rollout_finished(kubectl: Kubectl, namespace: str) -> None:
    kubectl("rollout", "status", "-n", namespace, "deployment/chat-agent", "--timeout=300s", timeout=320)


async def test_a_rollout_in_mid_stream_cuts_nothing_and_loses_nothing(workshops: list[Workshop], scene: Stage) -> None:
    clinic = workshops[0]
    kubectl = clinic.platform.kubectl
    before = set(kubectl.names("pods", "-n", clinic.namespace))
    scene.model.say(SLOW, gap=GAP_SECONDS)
    async with clinic.participant("Ada") as ada, clinic.participant("Ben") as ben, clinic.participant("Cem") as cem:
        people = [ada, ben, cem]
        conversations = [(person, await person.conversation()) for person in people for _ in range(2)]
        readings = [Reading() for _ in conversations]
        streams = [
            asyncio.ensure_future(person.read(QUESTION, conversation, reading))
            for (person, conversation), reading in zip(conversations, readings, strict=True)
        ]
        for reading in readings:
            await until_words(reading, 1)
        kubectl("rollout", "restart", "-n", clinic.namespace, "deployment/chat-agent")
        # Somebody goes on asking all the time; what is asked during the rollout is answered too.
        scene.model.say("A short one. [1]")
        rollout = asyncio.ensure_future(asyncio.to_thread(rollout_finished, kubectl, clinic.namespace))
        async with clinic.participant("Dan") as dan:
            asked = 0
            while not rollout.done() or asked < 3:
                short = await dan.ask(QUESTION)
                assert short.error is None, short.error
                asked += 1
                await asyncio.sleep(3.5)
        await rollout
        await asyncio.gather(*streams)
        for reading in readings:
            assert reading.error is None, reading.error
            assert reading.done is not None
            assert reading.text.split() == "".join(SLOW).split()
        # By now another process answers; what is kept was handed over by the database alone.
        assert not before & set(
            kubectl.names("pods", "-n", clinic.namespace, "--field-selector=status.phase=Running")
        ) or await _ended(kubectl, clinic.namespace, before)
        for (person, conversation), reading in zip(conversations, readings, strict=True):
            turns = await person.turns(conversation)
            assert [(turn.number, turn.state) for turn in turns] == [(1, "done")]
            assert turns[0].answer is not None
            assert turns[0].answer.answer == reading.done.answer if reading.done else False


async def _ended(kubectl: Kubectl, namespace: str, pods: set[str]) -> bool:
    """Whether the old pods go, once their answers have ended."""
    for _ in range(120):
        if not pods & set(kubectl.names("pods", "-n", namespace)):
            return True
        await asyncio.sleep(1)
    return False
