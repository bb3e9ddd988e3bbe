"""Chooses what the rankings weigh in the fusion on half of the tenants, and measures the choice on the other half.

`python -m benchmarks.fusion_fit [--corpus FILE --questions FILE --vectors FILE] [--json]`. Every way to halve the tenants is
tried, both halves of it in turn, so that each question is measured as often as there are ways, always by weights that
were chosen without its tenant. The choice starts from equal weights and changes one after the other while that gains
`LEAST_GAIN`. The last row of weights is chosen on all tenants: what `agents.rag.ranking` may take. What identifiers and
phrases add is not chosen here, as people's questions about prose hold few of them: tests/integration/rag/test_exactness.py
asks for it. A row says what is found without.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from agents.rag.embedder import Embedder, Vector
from agents.rag.errors import ModelUnavailableError
from agents.rag.ranking import FUSION, FusionWeights
from agents.rag.scope import ReadScope
from agents.rag.search import Searcher
from agents.rag.store import Hit, StoredChunk
from benchmarks.indexed import Bench, Indexed, Part, log_to_stderr, open_bench, say
from benchmarks.measures import Interval, ndcg, paired_interval, recall, reciprocal_rank_fusion
from benchmarks.questions import Question, SetError, read_passages, read_questions, step_of, tenants_of, workshop_of
from benchmarks.retrieval import read_texts, take_files
from benchmarks.vectors import VectorsError
from shared_services.contracts.rag import ChunkKind

DEPTH = 20
LEAST_GAIN = 0.0005
GAINS = [
    ("unseen", "reciprocal ranks"),
    ("unseen", "shipped"),
    ("shipped", "reciprocal ranks"),
    ("shipped", "nothing literal"),
]
MOST_WAYS = 10


@dataclass(frozen=True)
class Choice:
    """The parameters that `FusionWeights.of` takes; those of literal finds are not chosen."""

    dense: float = 0.5
    identifiers: float = 0.5
    phrases: float = 0.05
    joined: float = 0.5

    @property
    def weights(self) -> FusionWeights:
        """What the search takes."""
        return FusionWeights.of(**asdict(self))


VALUES: dict[str, tuple[float, ...]] = {
    "dense": (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8),
    "joined": (0.4, 0.5, 0.55, 0.6, 0.7),
}


def shipped() -> Choice:
    """The product's weights as a choice."""
    both = FUSION.dense + FUSION.keyword
    found = [FUSION.dense / both, FUSION.identifiers / both, FUSION.phrases / both, FUSION.joined]
    return Choice(*(round(value, 6) for value in found))


class Remembered:
    """A part that ranks each question once, since the fusion changes nothing of the rankings."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._found: dict[tuple[bytes, tuple[tuple[str, ...], ...]], tuple[list[list[Hit]], list[list[Hit]]]] = {}
        self.last: list[list[Hit]] = []

    def search(
        self,
        scope: ReadScope,
        collection: str,
        vectors: Sequence[Vector],
        queries: Sequence[Sequence[str]],
        limit: int,
        kinds: Iterable[ChunkKind] | None,
    ) -> tuple[list[list[Hit]], list[list[Hit]]]:
        """The nearest chunks to each vector, and the best for each query by BM25."""
        key = b"".join(vector.tobytes() for vector in vectors), tuple(tuple(query) for query in queries)
        if key not in self._found:
            self._found[key] = self._part.search(scope, collection, vectors, queries, limit, kinds)
        dense, keyword = self._found[key]
        self.last = [*dense, *keyword]
        return dense, keyword

    def read(self, scope: ReadScope, collection: str) -> Iterator[tuple[StoredChunk, list[str]]]:
        """Every chunk, with its terms."""
        return self._part.read(scope, collection)


@dataclass(frozen=True)
class Body:
    """An indexed tenant, its passages' ids by step, and its questions that have relevant passages."""

    indexed: Indexed
    remembered: Remembered
    ids: dict[str, str]
    questions: list[Question]


Measured = list[tuple[float, float]]
"""Recall@5 and nDCG@10 of each question, in the order of `Ranker.questions`."""


class Ranker:
    """Measures choices on every question; a choice is measured once."""

    def __init__(self, bench: Bench, bodies: Sequence[Body]) -> None:
        self._bench = bench
        self._bodies = bodies
        self._known: dict[Choice, Measured] = {}
        self.questions = [question for body in bodies for question in body.questions]

    def measured(self, choice: Choice) -> Measured:
        """What the product's search finds with these weights."""
        if choice not in self._known:
            self._known[choice] = [_measures(ranking, question) for question, ranking in self._rankings(choice)]
            say(f"{len(self._known)} choices measured: {choice}")
        return self._known[choice]

    def plain(self) -> Measured:
        """What reciprocal rank fusion of the same rankings finds."""
        found: Measured = []
        for body in self._bodies:
            searcher = Searcher(body.remembered, self._bench.embedder)
            for question in body.questions:
                searcher.search(body.indexed.scope, body.indexed.collection, question.request(DEPTH))
                fused = reciprocal_rank_fusion([[hit.ordinal for hit in ranking] for ranking in body.remembered.last])
                order = sorted(fused, key=lambda number: (-fused[number], number))
                steps = [body.indexed.rows[number][0].step for number in order]
                found.append(_measures(list(dict.fromkeys(body.ids[step] for step in steps)), question))
        return found

    def _rankings(self, choice: Choice) -> Iterator[tuple[Question, list[str]]]:
        for body in self._bodies:
            searcher = Searcher(body.remembered, self._bench.embedder, choice.weights)
            for question in body.questions:
                found = searcher.search(body.indexed.scope, body.indexed.collection, question.request(DEPTH))
                yield question, list(dict.fromkeys(body.ids[each.chunk.step] for each in found.candidates))


def _measures(ranking: list[str], question: Question) -> tuple[float, float]:
    return recall(ranking, question.relevant, 5), ndcg(ranking, question.relevant, 10)


def merit(measured: Measured, questions: Sequence[Question], tenants: Iterable[str]) -> float:
    """What is made as large as possible: the mean of both measures over some tenants, each source counting alike."""
    chosen = set(tenants)
    by: dict[str, list[float]] = {}
    for question, (found, gained) in zip(questions, measured, strict=True):
        if question.tenant in chosen:
            by.setdefault(question.source, []).append((found + gained) / 2)
    return sum(sum(values) / len(values) for values in by.values()) / len(by) if by else 0.0


def chosen(ranker: Ranker, tenants: Sequence[str]) -> Choice:
    """The choice for some tenants: one weight after the other, until none gains."""
    best = Choice()
    while True:
        before = best
        for name, values in VALUES.items():
            reached = merit(ranker.measured(best), ranker.questions, tenants)
            tried = [replace(best, **{name: value}) for value in values]
            top = max(tried, key=lambda each: merit(ranker.measured(each), ranker.questions, tenants))
            if merit(ranker.measured(top), ranker.questions, tenants) >= reached + LEAST_GAIN:
                best = top
        if best == before:
            return best


def halvings(tenants: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """The ways to halve some tenants, at most `MOST_WAYS`."""
    names = sorted(tenants)
    found = []
    for half in itertools.combinations(names, len(names) // 2):
        rest = [name for name in names if name not in half]
        if len(half) < len(rest) or names[0] in half:
            found.append((list(half), rest))
    return found[:MOST_WAYS]


def report(ranker: Ranker) -> dict[str, Any]:
    """Everything that `--json` prints."""
    tenants = sorted({question.tenant for question in ranker.questions})
    ways = halvings(tenants)
    weights: dict[str, dict[str, float]] = {}
    unseen: list[Measured] = []
    for halves in ways:
        rows: Measured = [(0.0, 0.0)] * len(ranker.questions)
        for seen, other in (halves, halves[::-1]):
            choice = chosen(ranker, seen)
            weights[f"chosen on {', '.join(seen)}"] = asdict(choice)
            measured = ranker.measured(choice)
            rows = [measured[at] if each.tenant in other else rows[at] for at, each in enumerate(ranker.questions)]
        unseen.append(rows)
    everything = chosen(ranker, tenants)
    weights |= {"chosen on all": asdict(everything), "shipped": asdict(shipped())}
    together = [
        (sum(row[0] for row in rows) / len(ways), sum(row[1] for row in rows) / len(ways)) for rows in zip(*unseen, strict=True)
    ]
    tables = {
        "unseen": together,
        "shipped": ranker.measured(shipped()),
        "nothing literal": ranker.measured(replace(shipped(), identifiers=0.0, phrases=0.0)),
        "reciprocal ranks": ranker.plain(),
    }
    sources = sorted({question.source for question in ranker.questions})
    return {
        "questions": len(ranker.questions),
        "weights": weights,
        "figures": {
            name: {source: _means(rows, ranker.questions, source) for source in sources} for name, rows in tables.items()
        },
        "gains": {
            f"{one} over {other}": {source: _gain(tables[one], tables[other], ranker.questions, source) for source in sources}
            for one, other in GAINS
        },
    }


def _means(measured: Measured, questions: Sequence[Question], source: str) -> dict[str, float]:
    rows = [row for row, question in zip(measured, questions, strict=True) if question.source == source]
    return {
        "recall_at_5": sum(row[0] for row in rows) / len(rows),
        "ndcg_at_10": sum(row[1] for row in rows) / len(rows),
    }


def _gain(one: Measured, other: Measured, questions: Sequence[Question], source: str) -> dict[str, dict[str, float]]:
    found: dict[str, Interval] = {}
    for place, name in enumerate(("recall_at_5", "ndcg_at_10")):
        differences: dict[str, list[float]] = {}
        for mine, theirs, question in zip(one, other, questions, strict=True):
            if question.source == source:
                differences.setdefault(question.conversation, []).append(mine[place] - theirs[place])
        found[name] = paired_interval(differences)
    return {name: asdict(interval) for name, interval in found.items()}


async def measure(corpus: Path, questions: Path, embedder: Embedder | None = None, vectors: Path | None = None) -> dict[str, Any]:
    """Index every tenant, choose and measure; `embedder` and `vectors` as for `open_bench`.

    Raises:
        VectorsError: `vectors` is another model's file, or none of vectors.
        SetError: A file is not a retrieval set, or has fewer than two tenants with questions that can be ranked.
        OSError: A file cannot be read.
        ModelUnavailableError: The model cannot be loaded.
    """
    tenants = tenants_of(read_passages(corpus))
    asked = [question for question in read_questions(questions) if question.ranked]
    if len({question.tenant for question in asked} & set(tenants)) < 2:
        raise SetError(f"{questions} asks fewer than two tenants of {corpus}; weights are chosen on some and measured on others")
    async with open_bench(embedder, vectors) as bench:
        bodies = []
        for number, (tenant, passages) in enumerate(tenants.items(), start=1):
            own = [question for question in asked if question.tenant == tenant]
            if not own:
                continue
            indexed = await bench.index(tenant, workshop_of(f"tenant-{number}", passages))
            await anyio.to_thread.run_sync(bench.embedder.encode, [text for each in own for text in read_texts(each)])
            ids = {step_of(place): passage.passage_id for place, passage in enumerate(passages)}
            bodies.append(Body(indexed, Remembered(Part(indexed, range(len(indexed.rows)))), ids, own))
        return await anyio.to_thread.run_sync(report, Ranker(bench, bodies))


def printed(found: dict[str, Any]) -> str:
    """The report as tables."""
    lines = [f"{found['questions']} questions with relevant passages", "", "Weights:"]
    for name, row in found["weights"].items():
        lines.append(f"{name:36}" + "  ".join(f"{key} {value:.2f}" for key, value in row.items()))
    lines.append("")
    for name, row in found["figures"].items():
        cells = [f"{source}: R@5 {one['recall_at_5']:.3f} nDCG@10 {one['ndcg_at_10']:.3f}" for source, one in row.items()]
        lines.append(f"{name:20}" + "   ".join(cells))
    lines += ["", "Gains, with their 95 % intervals over whole conversations:"]
    for name, row in found["gains"].items():
        for source, one in row.items():
            cells = [f"{key} {each['mean']:+.3f} [{each['low']:+.3f}, {each['high']:+.3f}]" for key, each in one.items()]
            lines.append(f"{name:32}{source:12}" + "   ".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Choose, measure, print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.fusion_fit", description=__doc__)
    take_files(arguments)
    arguments.add_argument("--json", action="store_true", help="print JSON in place of tables")
    options = arguments.parse_args()
    log_to_stderr()
    started = time.perf_counter()
    try:
        found = anyio.run(measure, options.corpus, options.questions, None, options.vectors)
    except (SetError, VectorsError, OSError, ModelUnavailableError) as error:
        sys.exit(f"{arguments.prog}: {error}")
    print(json.dumps(found, indent=2) if options.json else printed(found))
    say(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
