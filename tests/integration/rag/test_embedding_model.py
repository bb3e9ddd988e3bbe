"""The real model on real questions."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agents.rag.confidence import ANSWER_FROM
from agents.rag.errors import ModelUnavailableError
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from shared_services.contracts.rag import SearchRequest, SearchResponse, Turn
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

BREAD = {
    "dough": """# Dough

Mix 500 g of rye flour with 400 g of water and 100 g of sourdough starter. Let the dough rest for four hours at 26 degrees.

## Salt

Add 10 g of salt only after the first hour, since salt slows the yeast.
""",
    "bake": """# Bake

Heat the oven to 250 degrees with a tray of water on its floor. Steam keeps the crust soft while the loaf rises.

Bake for ten minutes, take the water out, and bake for 45 minutes more at 200 degrees. The loaf is done when it sounds hollow.
""",
}
SHOP = scope_of("shop")


@pytest.fixture
async def room(tmp_path: Path, model: SentenceTransformerEmbedder) -> AsyncIterator[Room]:
    async with open_room(tmp_path, model) as opened:
        for slug, steps in (("shop", CLUSTER_STEPS), ("bread", BREAD)):
            await opened.service.index(scope_of(slug), "v1", workshop(slug, steps))
            await opened.service.activate(scope_of(slug), "v1")
        yield opened


async def _ask(room: Room, query: str, slug: str = "shop", history: list[Turn] | None = None, limit: int = 8) -> SearchResponse:
    return await room.service.search(scope_of(slug), SearchRequest(query=query, history=history or [], limit=limit))


ANSWERABLE = [
    ("shop", "How do I get three replicas?", "--replicas=3"),
    ("shop", "--replicas=3", "--replicas=3"),
    ("shop", "CrashLoopBackOff", "CrashLoopBackOff"),
    ("shop", "What does exit code 137 mean?", "137"),
    ("shop", "How do I see the logs of a crashed container?", "--previous"),
    ("shop", "how is the service made reachable from outside the cluster", "route"),
    ("shop", "Do I have to renew the certificate myself?", "certificate"),
    ("shop", "when does the ShopSlow alert fire?", "ShopSlow"),
    ("shop", "shop/deployment.yaml", "shop/deployment.yaml"),
    ("bread", "How much salt goes in?", "salt"),
    ("bread", "How long does the loaf stay in the oven?", "45 minutes"),
    ("bread", "why is there water in the oven", "Steam"),
]
UNANSWERABLE = [
    ("shop", "How much rye flour do I need?"),
    ("shop", "What temperature should the oven have?"),
    ("shop", "Who won the football world cup in 1990?"),
    ("shop", "How do I cancel my gym membership?"),
    ("bread", "How do I scale a deployment to three replicas?"),
    ("bread", "What is the capital of Mongolia?"),
    ("bread", "kubectl logs --previous"),
    ("bread", "CrashLoopBackOff"),
]


async def test_questions_are_answered_by_the_right_passage_first(room: Room) -> None:
    for slug, query, expected in ANSWERABLE:
        found = await _ask(room, query, slug)
        assert expected in found.passages[0].text, query


async def test_confidence_parts_what_is_held_from_what_is_not(room: Room) -> None:
    held = [(await _ask(room, query, slug)).confidence for slug, query, _ in ANSWERABLE]
    not_held = [(await _ask(room, query, slug)).confidence for slug, query in UNANSWERABLE]
    assert max(not_held) < ANSWER_FROM, list(zip(UNANSWERABLE, not_held, strict=True))
    assert sum(value >= ANSWER_FROM for value in held) >= len(held) - 2, list(zip(ANSWERABLE, held, strict=True))


async def test_a_follow_up_uses_the_turn_before(room: Room) -> None:
    history = [
        Turn(speaker="user", text="What does the alert ShopSlow watch?"),
        Turn(speaker="assistant", text="The response time."),
    ]
    alone = await _ask(room, "and after how many minutes does it fire?")
    followed = await _ask(room, "and after how many minutes does it fire?", history=history)
    assert "ShopSlow" in followed.passages[0].text
    assert followed.confidence > alone.confidence


async def test_a_change_of_subject_is_not_held_back_by_the_turn_before(room: Room) -> None:
    history = [
        Turn(speaker="user", text="What does the alert ShopSlow watch?"),
        Turn(speaker="assistant", text="The response time."),
    ]
    found = await _ask(room, "What does exit code 137 mean?", history=history)
    assert "137" in found.passages[0].text


@pytest.mark.parametrize("query", ["", "   \n\t", "\x00"])
async def test_an_empty_question_finds_nothing_to_trust(room: Room, query: str) -> None:
    found = await _ask(room, query)
    assert found.confidence < 0.1
    assert query.strip() or found.passages == []


@pytest.mark.parametrize("query", ["the of and", "what is it?", "?!", "🦉"])
async def test_stop_words_and_signs_alone_are_not_trusted(room: Room, query: str) -> None:
    assert (await _ask(room, query)).confidence < ANSWER_FROM


async def test_one_word_finds_its_passage(room: Room) -> None:
    assert "Prometheus" in (await _ask(room, "prometheus")).passages[0].text


async def test_five_thousand_words_are_searched_by_what_is_rare_in_them(room: Room) -> None:
    log = " ".join(["the pod said hello to the world and nothing else happened today"] * 415)
    found = await _ask(room, f"{log} Exit code 137 CrashLoopBackOff, why?")
    assert any("137" in passage.text for passage in found.passages[:2])


async def test_another_language_is_answered_without_false_confidence(room: Room) -> None:
    found = await _ask(room, "Wie viele Replicas hat das Deployment shop am Abend?")
    assert found.passages
    assert (await _ask(room, "Wo kaufe ich am besten einen Kinderwagen?")).confidence < ANSWER_FROM


async def test_code_alone_finds_the_same_code(room: Room) -> None:
    found = await _ask(room, "```\nkubectl logs deployment/shop --previous\n```")
    assert "kubectl logs deployment/shop --previous" in found.passages[0].text
    assert found.confidence >= ANSWER_FROM


async def test_scores_say_where_they_come_from(room: Room) -> None:
    best = (await _ask(room, "scale the deployment to three replicas")).passages[0].scores
    assert best.dense is not None
    assert 0.2 < best.dense <= 1
    assert best.bm25 is not None
    assert best.bm25 > 0
    assert 0 < best.fused < 1


def test_vectors_have_length_one_and_the_id_names_the_weights(model: SentenceTransformerEmbedder) -> None:
    vectors = model.encode(["one", "two"])
    assert model.model_id == "all-MiniLM-L6-v2@53aa51172d14"
    assert model.dimension == 384
    assert [vector.dtype for vector in vectors] == [np.float32, np.float32]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert model.encode([]) == []


def test_exchanged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr("agents.rag.model_files._packaged_folder", lambda: tmp_path / "model")
    embedder = SentenceTransformerEmbedder()
    with pytest.raises(ModelUnavailableError, match="not the expected 53aa51"):
        embedder.warm()
    embedder.close()


@pytest.mark.parametrize("make", [lambda folder: "", lambda folder: "no-such-model-anywhere"])
def test_a_model_that_is_not_on_this_machine_is_a_clear_error(tmp_path: Path, make) -> None:
    embedder = SentenceTransformerEmbedder(make(tmp_path) or str(tmp_path))
    with pytest.raises(ModelUnavailableError, match="RAG_MODEL"):
        embedder.warm()
    embedder.close()
