"""A corpus of conversations with what is to be decided in each turn, on the real retrieval, without a model."""

from dataclasses import dataclass

import pytest

from shared_services.contracts.chat import Answer, MessageRequest
from tests.integration.chat.conftest import Platform, browser


@dataclass(frozen=True)
class Said:
    """A scripted turn.

    Attributes:
        decision: `answer`, `abstain` or `small` (small talk).
        holds: What the answer must hold, where it is one.
        cites: A file that a citation must lead to.
    """

    text: str
    decision: str
    step: str | None = None
    holds: str = ""
    cites: str = ""


CORPUS = {
    "a whole visit": [
        Said("Hello!", "small"),
        Said(
            "How do I create my namespace?",
            "answer",
            "prepare",
            "kubectl create namespace harbor-lab",
            "steps/prepare/content.md",
        ),
        Said("What does AlreadyExists mean?", "answer", "prepare", "keep the namespace"),
        Said("How do I deploy the application?", "answer", "deploy", "kubectl apply -f harbor.yaml", "steps/deploy/content.md"),
        Said("Which port does the application listen on?", "answer", "deploy", "8081"),
        Said("My pod is in ImagePullBackOff", "answer", "deploy", "cannot fetch its image"),
        Said("thanks, that worked", "small"),
    ],
    "out of scope": [
        Said("Who won the football world cup in 2014?", "abstain"),
        Said("Write me a poem about the moon", "abstain"),
        Said("What is the capital of France?", "abstain"),
        Said("How do I bake sourdough bread?", "abstain"),
    ],
    "the other workshop's content": [
        Said("How many apples does a basket hold?", "abstain"),
        Said("How do I undo a bad rollout?", "answer", None, "kubectl rollout undo", "steps/scale/content.md"),
    ],
    "scaling and tidying": [
        Said("good morning", "small"),
        Said("How do I scale the deployment to three replicas?", "answer", "scale", "--replicas=3"),
        Said("Why do more replicas help?", "answer", "scale", "spreads requests"),
        Said("Hi, how do I delete the namespace and everything in it?", "answer", "tidy", "kubectl delete namespace harbor-lab"),
        Said("Why does deleting the namespace take a minute?", "answer", "tidy", "every object"),
        Said("what can you do?", "small"),
        Said("bye", "small"),
    ],
}


def decision_of(answer: Answer) -> str:
    if answer.abstained:
        return "abstain"
    return "answer" if answer.citations else "small"


@pytest.mark.parametrize("name", list(CORPUS))
async def test_conversation(platform: Platform, name: str):
    decided = []
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        for said in CORPUS[name]:
            message = MessageRequest(text=said.text, step=said.step)
            response = await http.post(f"/api/v1/conversations/{conversation}/messages", json=message.model_dump())
            assert response.status_code == 200, response.text
            answer = Answer.model_validate_json(response.content)
            decided.append((said.text, decision_of(answer)))
            if decision_of(answer) != said.decision:
                continue
            assert said.holds in answer.answer, (said.text, answer.answer)
            assert not said.cites or said.cites in {citation.file for citation in answer.citations}
            assert "apple" not in answer.answer.lower()
            assert "9292" not in answer.model_dump_json(exclude={"conversation"})
            if answer.abstained:
                assert all(section.file.startswith("steps/") and section.line >= 1 for section in answer.nearest)
    assert decided == [(said.text, said.decision) for said in CORPUS[name]]


async def test_citations_are_the_passages_byte_for_byte(platform: Platform):
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        text = {"text": "How do I wait until the pods are ready?", "step": "deploy"}
        answer = Answer.model_validate_json(
            (await http.post(f"/api/v1/conversations/{conversation}/messages", json=text)).content
        )
    assert [citation.n for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    version = await platform.library.current("harbor")
    by_path = {file.path: file.sha256 for file in version.files}
    for citation in answer.citations:
        content = (await platform.library.file("harbor", by_path[citation.file])).decode()
        lines = content.split("\n")[citation.first_line - 1 : citation.last_line]
        assert "\n".join(lines) == citation.text.rstrip("\n")
        assert f"[{citation.n}]" in answer.answer
        assert citation.workshop == "harbor"


async def test_without_anything_near_nothing_is_named(platform: Platform):
    async with platform.app("harbor", confidence_threshold=1.0) as app, browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        body = {"text": "How do I deploy the application?"}
        answer = (await http.post(f"/api/v1/conversations/{conversation}/messages", json=body)).json()
    assert answer["abstained"]
    assert answer["citations"] == []
    assert answer["nearest"][0]["step"] == "deploy"
