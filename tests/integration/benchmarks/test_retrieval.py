"""The benchmark on Milvus Lite and a small set of its own: what it measures is what the product does."""

import json
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

from agents.rag.search import question_terms
from benchmarks import fusion_fit, step_favour
from benchmarks.indexed import Part, open_bench
from benchmarks.questions import read_passages, tenants_of, workshop_of
from benchmarks.retrieval import gains, measure, printed, report
from tests.unit.rag.fakes import FakeEmbedder

TEXTS = {
    "scale": "Scale the shop with kubectl scale when the queue of orders grows in the evening.",
    "logs": "Read what a container printed before it died with kubectl logs and the flag --previous.",
    "route": "A route makes the shop reachable from outside; TLS ends at the router.",
    "metrics": "Prometheus scrapes the shop every thirty seconds; the counter of orders grows.",
    "dough": "The dough rests for two hours in a warm place before it is baked.",
    "salt": "Salt slows the yeast down, which is why it is added after the first hour.",
}
TENANTS = {"cluster": ["scale", "logs", "route", "metrics"], "bread": ["dough", "salt"]}
QUESTIONS = [
    ("cluster", "How do I scale the shop?", "ANSWERABLE", ["scale"]),
    ("cluster", "Where does TLS end?", "ANSWERABLE", ["route"]),
    ("cluster", "Which violin did Paganini play?", "UNANSWERABLE", []),
    ("bread", "How long does the dough rest?", "ANSWERABLE", ["dough"]),
]


@pytest.fixture
def small_set(tmp_path: Path) -> tuple[Path, Path]:
    corpus, questions = tmp_path / "corpus.jsonl", tmp_path / "questions.jsonl"
    rows = [
        {"tenant": tenant, "passage_id": one, "title": "", "text": TEXTS[one]} for tenant, own in TENANTS.items() for one in own
    ]
    corpus.write_text("\n".join(map(json.dumps, rows)))
    asked = [
        {"tenant": tenant, "id": str(at), "question": text, "answerability": label, "relevant_passage_ids": relevant}
        for at, (tenant, text, label, relevant) in enumerate(QUESTIONS)
    ]
    questions.write_text("\n".join(map(json.dumps, asked)))
    return corpus, questions


async def test_a_small_set_is_indexed_asked_and_measured(small_set: tuple[Path, Path]) -> None:
    asked = await measure(*small_set, embedder=FakeEmbedder())
    assert [each.rankings["product"][0] for each in asked if each.question.ranked] == ["dough", "scale", "route"]
    for each in asked:
        assert each.hidden is None or each.hidden < each.scores["product"]
    found = report(asked)
    assert found["product"]["recall_at_5"] == found["product"]["mrr_at_10"] == 1.0
    assert found["product"]["auroc"] == 1.0
    assert set(found["by_tenant"]) == {"bread", "cluster"}
    assert found["by_tenant"]["bread"]["bm25"]["auroc"] is None
    assert set(gains(asked)) == {"bm25", "dense", "fusion"}
    assert "tenant bread" in printed(json.loads(json.dumps(found)))


async def test_a_part_scores_as_the_engine_does(small_set: tuple[Path, Path]) -> None:
    passages = tenants_of(read_passages(small_set[0]))["cluster"]
    async with open_bench(FakeEmbedder()) as bench:
        indexed = await bench.index("cluster", workshop_of("cluster", passages))
        part = Part(indexed, range(len(indexed.rows)))
        queries = [question_terms(text) for _, text, *_ in QUESTIONS] + [question_terms("kubectl shop orders grows")]
        vectors = await anyio.to_thread.run_sync(bench.embedder.encode, [text for _, text, *_ in QUESTIONS])
        for one, other in (
            (part.search_terms, bench.store.search_terms),
            (part.search_dense, bench.store.search_dense),
        ):
            data = queries if one == part.search_terms else vectors
            ours = one(indexed.scope, indexed.collection, data, 10, None)  # type: ignore[arg-type]
            theirs = await anyio.to_thread.run_sync(other, indexed.scope, indexed.collection, data, 10, None)  # type: ignore[arg-type]
            scores = [[{hit.ordinal: hit.score for hit in hits} for hits in rankings] for rankings in (ours, theirs)]
            for mine, engines in zip(*scores, strict=True):
                assert mine.keys() == engines.keys()
                assert [mine[number] for number in engines] == pytest.approx(list(engines.values()), rel=1e-4)
        assert np.allclose(np.linalg.norm(indexed.vectors, axis=1), 1, atol=1e-5)


async def test_fusion_weights_are_chosen_and_measured_on_a_small_set(small_set: tuple[Path, Path]) -> None:
    found = await fusion_fit.measure(*small_set, embedder=FakeEmbedder())
    assert list(found["weights"]) == ["chosen on bread", "chosen on cluster", "chosen on all", "shipped"]
    assert found["figures"]["shipped"]["all"]["recall_at_5"] == 1.0
    assert found["gains"]["unseen over shipped"]["all"]["ndcg_at_10"]["low"] <= 0
    assert "reciprocal ranks" in fusion_fit.printed(json.loads(json.dumps(found)))


async def test_the_favour_of_steps_is_measured_on_a_workshop() -> None:
    folder = Path(__file__).parents[3] / "examples" / "k8s-security"
    found = await step_favour.measure([folder], embedder=FakeEmbedder())
    assert found["questions"]["clear own"] > 10
    assert {row["own_step"] for row in found["first"]} == set(step_favour.FACTORS)
    plain, most = found["first"][0], found["first"][-1]
    assert most["vague own"] >= plain["vague own"]
    assert most["clear far"] <= plain["clear far"]
    assert "clear far" in step_favour.printed(json.loads(json.dumps(found)))
