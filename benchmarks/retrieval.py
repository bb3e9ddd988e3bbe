"""Measures the product's search on a retrieval set, beside BM25 alone, dense alone and plain fusion on the same chunks.

`python -m benchmarks.retrieval --corpus FILE --questions FILE [--json]`. Each tenant is indexed as a workshop by the RAG
agent itself; each question is asked with the turns before it. The three rankings beside it read the last turn as it
stands. Recall, nDCG and MRR are means over the questions that have relevant passages; AUROC is the chance that an
answerable question scores higher than an unanswerable one (`auroc`), or than the same kind of question asked with its
relevant passages hidden (`auroc_hidden`, the product's confidence alone).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from agents.rag.embedder import Embedder
from agents.rag.errors import ModelUnavailableError
from agents.rag.search import CANDIDATES, MOST_TERMS, Searcher, question_forms, question_terms, windows
from agents.rag.store import Hit
from benchmarks.indexed import Bench, Indexed, Part, log_to_stderr, open_bench, say
from benchmarks.measures import Interval, auroc, mean_of, ndcg, paired_interval, recall, reciprocal_rank, reciprocal_rank_fusion
from benchmarks.questions import DEFAULT_SET, Question, SetError, read_passages, read_questions, step_of, tenants_of, workshop_of
from benchmarks.vectors import VectorsError

METHODS = ("product", "bm25", "dense", "fusion")
DEEPEST = 50
SHOWN_ANSWER = 8

Measures = dict[str, float | None]


@dataclass(frozen=True)
class Asked:
    """What the methods answered to one question.

    Attributes:
        rankings: Passage ids by method, best first.
        scores: By method: confidence, or the best BM25 score, cosine or fused score.
        hidden: Confidence with the question's relevant passages hidden; None where it has none.
    """

    question: Question
    rankings: dict[str, list[str]]
    scores: dict[str, float]
    hidden: float | None


@dataclass(frozen=True)
class Body:
    """An indexed tenant; `ids` are its passages' ids by step."""

    indexed: Indexed
    ids: dict[str, str]

    def passages(self, steps: Iterable[str]) -> list[str]:
        """Passage ids of steps, each once, in order."""
        return list(dict.fromkeys(self.ids[step] for step in steps))

    def ordinals(self, passages: frozenset[str]) -> set[int]:
        """The chunks of some passages."""
        return {number for step, held in self.indexed.step_rows.items() if self.ids[step] in passages for number in held}


MEASURES: dict[str, Callable[[list[str], frozenset[str]], float]] = {
    "recall_at_5": lambda ranking, relevant: recall(ranking, relevant, 5),
    "ndcg_at_5": lambda ranking, relevant: ndcg(ranking, relevant, 5),
    "ndcg_at_10": lambda ranking, relevant: ndcg(ranking, relevant, 10),
    "mrr_at_10": lambda ranking, relevant: reciprocal_rank(ranking, relevant, 10),
}


def measures(asked: Sequence[Asked], method: str) -> Measures:
    """All measures of one method over some questions; None where there is nothing to measure on."""
    ranked = [each for each in asked if each.question.ranked]
    found: Measures = {}
    for name, measure in MEASURES.items():
        found[name] = mean_of([measure(each.rankings[method], each.question.relevant) for each in ranked])
    answerable = [each for each in asked if each.question.answerability == "ANSWERABLE"]
    unanswerable = [each for each in asked if each.question.answerability == "UNANSWERABLE"]
    found["auroc"] = auroc([each.scores[method] for each in answerable], [each.scores[method] for each in unanswerable])
    if method == "product":
        hidden = [each for each in answerable if each.hidden is not None]
        found["auroc_hidden"] = auroc(
            [each.scores[method] for each in hidden], [each.hidden for each in hidden if each.hidden is not None]
        )
    return found


def table(asked: Sequence[Asked]) -> dict[str, Measures]:
    """Measures by method."""
    return {method: measures(asked, method) for method in METHODS}


def gains(asked: Sequence[Asked]) -> dict[str, dict[str, Interval]]:
    """What the product gains over each other method, with the 95 % interval over whole conversations."""
    ranked = [each for each in asked if each.question.ranked]
    found: dict[str, dict[str, Interval]] = {}
    for method in METHODS[1:]:
        for name in ("recall_at_5", "ndcg_at_10"):
            differences: dict[str, list[float]] = {}
            for each in ranked:
                own, other = (MEASURES[name](each.rankings[one], each.question.relevant) for one in ("product", method))
                differences.setdefault(each.question.conversation, []).append(own - other)
            if differences:
                found.setdefault(method, {})[name] = paired_interval(differences)
    return found


def report(asked: Sequence[Asked]) -> dict[str, Any]:
    """Everything that `--json` prints."""
    sources = sorted({each.question.source for each in asked})
    tenants = sorted({each.question.tenant for each in asked})
    return {
        **table(asked),
        "by_source": {one: table([each for each in asked if each.question.source == one]) for one in sources},
        "by_tenant": {one: table([each for each in asked if each.question.tenant == one]) for one in tenants},
        "gains": {method: {name: vars(interval) for name, interval in rows.items()} for method, rows in gains(asked).items()},
        "questions": len(asked),
        "ranked": sum(each.question.ranked for each in asked),
    }


async def measure(corpus: Path, questions: Path, embedder: Embedder | None = None, vectors: Path | None = None) -> list[Asked]:
    """Index every tenant and ask every question; `embedder` and `vectors` as for `open_bench`.

    Raises:
        VectorsError: `vectors` is another model's file, or none of vectors.
        SetError: A file is not a retrieval set, or a question's tenant has no passages.
        OSError: A file cannot be read.
        ModelUnavailableError: The model cannot be loaded.
    """
    tenants, wanted = tenants_of(read_passages(corpus)), read_questions(questions)
    strangers = {question.tenant for question in wanted} - set(tenants)
    if strangers:
        raise SetError(f"{corpus} has no passages of {', '.join(sorted(strangers))}, which {questions} asks")
    asked: list[Asked] = []
    async with open_bench(embedder, vectors) as bench:
        for number, (tenant, passages) in enumerate(tenants.items(), start=1):
            indexed = await bench.index(tenant, workshop_of(f"tenant-{number}", passages))
            body = Body(indexed, {step_of(place): passage.passage_id for place, passage in enumerate(passages)})
            own = [question for question in wanted if question.tenant == tenant]
            await anyio.to_thread.run_sync(bench.embedder.encode, [text for each in own for text in read_texts(each)])
            asked += [await ask(bench, body, each) for each in own]
            say(f"{tenant}: {len(own)} questions asked of {len(indexed.rows)} chunks")
    return asked


def read_texts(question: Question) -> list[str]:
    """What the model reads of a question, in every form."""
    return [window for form in question_forms(question.text, question.turns) for window in windows(form)]


async def ask(bench: Bench, body: Body, question: Question) -> Asked:
    """Ask one question of the product, and rank its tenant's passages in the three plain ways."""
    response = await bench.service.search(body.indexed.scope, question.request(DEEPEST))
    dense, keyword = await anyio.to_thread.run_sync(plain, bench, body, question)
    fused = reciprocal_rank_fusion([[hit.ordinal for hit in ranking] for ranking in (dense, keyword)])
    fusion = [Hit(number, score) for number, score in sorted(fused.items(), key=lambda row: (-row[1], row[0]))]
    plainly = {"bm25": keyword, "dense": dense, "fusion": fusion}
    steps = {name: [body.indexed.rows[hit.ordinal][0].step for hit in hits] for name, hits in plainly.items()}
    return Asked(
        question,
        {"product": body.passages(each.step for each in response.passages if each.step)}
        | {name: body.passages(found) for name, found in steps.items()},
        {"product": response.confidence} | {name: hits[0].score if hits else 0.0 for name, hits in plainly.items()},
        await anyio.to_thread.run_sync(without_own_passages, bench, body, question),
    )


def plain(bench: Bench, body: Body, question: Question) -> tuple[list[Hit], list[Hit]]:
    """The dense and the keyword ranking of the last turn, from the product's store."""
    scope, collection = body.indexed.scope, body.indexed.collection
    vector = bench.embedder.encode(windows(question.text.strip())[:1])
    asked = list(dict.fromkeys(question_terms(question.text)))[:MOST_TERMS]
    (dense,) = bench.store.search_dense(scope, collection, vector, CANDIDATES, None)
    (keyword,) = bench.store.search_terms(scope, collection, [asked], CANDIDATES, None)
    return dense, keyword


def without_own_passages(bench: Bench, body: Body, question: Question) -> float | None:
    """The product's confidence when a question's relevant passages are not there; None where it has none, or nothing is left."""
    if question.answerability != "ANSWERABLE" or not question.relevant:
        return None
    left = set(range(len(body.indexed.rows))) - body.ordinals(question.relevant)
    if not left:
        return None
    searcher = Searcher(Part(body.indexed, left), bench.embedder)
    return round(searcher.search(body.indexed.scope, body.indexed.collection, question.request(SHOWN_ANSWER)).confidence, 4)


def printed(found: dict[str, Any]) -> str:
    """The report as tables."""
    names = [*MEASURES, "auroc", "auroc_hidden"]
    lines = [f"{found['questions']} questions, {found['ranked']} with relevant passages"]
    parts = {"all": found} | {f"source {name}": part for name, part in found["by_source"].items()}
    parts |= {f"tenant {name}": part for name, part in found["by_tenant"].items()}
    for title, part in parts.items():
        lines += ["", f"{title:20}" + "".join(f"{name:>14}" for name in names)]
        for method in METHODS:
            values = [part[method].get(name) for name in names]
            lines.append(f"{method:20}" + "".join(f"{'' if value is None else f'{value:.3f}':>14}" for value in values))
    lines += ["", "The product's gain, with its 95 % interval over whole conversations:"]
    for method, rows in found["gains"].items():
        for name, row in rows.items():
            lines.append(f"over {method:7} {name:12} {row['mean']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]")
    return "\n".join(lines)


def take_files(arguments: argparse.ArgumentParser) -> None:
    """Add the arguments that name a retrieval set."""
    arguments.add_argument("--corpus", type=Path, default=DEFAULT_SET / "corpus.jsonl", help="passages, JSON lines")
    arguments.add_argument("--questions", type=Path, default=DEFAULT_SET / "questions.jsonl", help="questions, JSON lines")
    arguments.add_argument("--vectors", type=Path, help="a file that keeps vectors from one measurement to the next")


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    take_files(arguments)
    arguments.add_argument("--json", action="store_true", help="print JSON in place of tables")
    options = arguments.parse_args()
    log_to_stderr()
    started = time.perf_counter()
    try:
        asked = anyio.run(measure, options.corpus, options.questions, None, options.vectors)
    except (SetError, VectorsError, OSError, ModelUnavailableError) as error:
        sys.exit(f"{arguments.prog}: {error}")
    found = report(asked)
    print(json.dumps(found, indent=2) if options.json else printed(found))
    say(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
