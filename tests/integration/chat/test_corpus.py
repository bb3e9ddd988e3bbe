"""A corpus of conversations with what is to be decided in each turn, on the real retrieval, without a model."""

import pytest

from shared_services.contracts.chat import Answer, MessageRequest
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.corpus import CORPUS, Said


def test_the_corpus_is_large_enough() -> None:
    assert sum(len(turns) for turns in CORPUS.values()) >= 60


def decision_of(answer: Answer) -> str:
    if answer.refused:
        return "refuse"
    if answer.asks_back:
        return "ask"
    if answer.abstained:
        return "abstain"
    return "answer" if answer.citations else "small"


def faults(said: Said, answer: Answer) -> list[str]:
    """What is wrong with an answer that was decided rightly."""
    whole = answer.model_dump_json(exclude={"conversation"})
    findings = [f"{check.check}: {check.outcome}" for check in answer.checks if check.outcome != "passed"]
    checks = {
        f"{said.holds!r} is missing": said.holds not in answer.answer,
        f"{said.lacks!r} is given away": bool(said.lacks) and said.lacks in answer.answer,
        f"{said.cites} is not cited": bool(said.cites) and said.cites not in {each.file for each in answer.citations},
        f"{said.found} is not among {findings}": bool(said.found) and said.found not in findings,
        "a secret is left": bool(said.not_kept) and said.not_kept in whole,
        "the orchard's content is in it": "apple" in answer.answer.lower().replace("weighs apples", "") or "9292" in whole,
        "a nearest section has no place": any(not near.file.startswith("steps/") or near.line < 1 for near in answer.nearest),
    }
    return [fault for fault, there in checks.items() if there]


@pytest.mark.parametrize("name", list(CORPUS))
async def test_conversation(platform: Platform, name: str):
    decided, wrong = [], []
    async with platform.app("harbor") as app, browser(app) as http:
        conversation = (await http.post("/api/v1/conversations")).json()["id"]
        for said in CORPUS[name]:
            message = MessageRequest(text=said.text, step=said.step, mode=said.mode)
            response = await http.post(f"/api/v1/conversations/{conversation}/messages", json=message.model_dump())
            assert response.status_code == 200, response.text
            answer = Answer.model_validate_json(response.content)
            decided.append((said.text, decision_of(answer)))
            if decision_of(answer) == said.decision:
                wrong += [(said.text, fault, answer.answer) for fault in faults(said, answer)]
        kept = (await http.get(f"/api/v1/conversations/{conversation}")).text
    assert decided == [(said.text, said.decision) for said in CORPUS[name]]
    assert wrong == []
    assert not [said.not_kept for said in CORPUS[name] if said.not_kept and said.not_kept in kept]


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
