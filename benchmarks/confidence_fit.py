"""Fits the curve behind `confidence`, and measures it on tenants that it was not fitted on.

`python -m benchmarks.confidence_fit [--corpus FILE --questions FILE] [--json]`. Every tenant is searched whole and in random
parts of a few chunks, since a workshop is small and the best of many chunks is nearer by chance than the best of few.
A question counts as answered where it is marked so and its passages are in the part. It counts as not answered when it is
marked so, when its own passages are hidden, and when it is asked of another tenant. The curve is fitted on every second
tenant and measured on the others, then the other way round; the figures are of all unseen examples together. The last
row of weights is fitted on everything: what `agents.rag.confidence` may take. The workshops in `examples` are in no fit.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import anyio
import anyio.to_thread
import numpy as np
import yaml

from agents.rag.confidence import CURRENT, FEWEST_CHUNKS, Evidence, Weights, score
from agents.rag.embedder import Embedder
from agents.rag.errors import ModelUnavailableError
from agents.rag.search import Searcher
from benchmarks.indexed import Bench, Indexed, Part, log_to_stderr, open_bench, say
from benchmarks.measures import Floats, auroc, fit_logistic, logistic
from benchmarks.questions import Question, SetError, read_passages, read_questions, step_of, tenants_of, workshop_of
from benchmarks.retrieval import read_texts, take_files
from benchmarks.vectors import VectorsError
from shared_services.contracts.rag import ChunkKind, SearchRequest
from shared_services.library.form import read_folder

Kind = Literal["answered", "unanswerable", "hidden", "foreign"]

SIZES = (8, 25, 80, 300)
SHOWN = 8
THRESHOLD = 0.4
"""The chat agent answers from here on."""

SHARES: dict[Kind, float] = {"answered": 0.5, "unanswerable": 0.2, "hidden": 0.1, "foreign": 0.2}
"""What each kind weighs in a fit, whatever the set holds of it: `hidden` least, since nobody judged what is left there."""

ROOT = Path(__file__).parents[1]
READ_BY_CHAT: list[ChunkKind] = ["prose", "command", "code", "output", "hint", "explain", "solve"]


@dataclass(frozen=True)
class Example:
    """What a search found for one question in one pool; `size` is 0 for the whole tenant."""

    tenant: str
    kind: Kind
    size: int
    evidence: Evidence


@dataclass(frozen=True)
class Body:
    """An indexed tenant with its questions, and the chunks of each passage."""

    name: str
    indexed: Indexed
    questions: list[Question]
    chunks: dict[str, list[int]]

    def holding(self, question: Question) -> set[int]:
        """The chunks of a question's relevant passages."""
        return {number for passage in question.relevant for number in self.chunks.get(passage, [])}


def examples(bench: Bench, body: Body, other: Body | None, seed: int, searcher: type[Searcher] = Searcher) -> Iterator[Example]:
    """Every question of a tenant in parts of every size: answered or not, its passages hidden, and asked of another tenant."""
    draws = np.random.default_rng(seed)
    every = np.arange(len(body.indexed.rows))
    whole = searcher(Part(body.indexed, every.tolist()), bench.embedder)
    away = searcher(Part(other.indexed, range(len(other.indexed.rows))), bench.embedder) if other else None

    def part(body: Body, ordinals: list[int]) -> Searcher:
        return searcher(Part(body.indexed, ordinals), bench.embedder)

    def found(kind: Kind, size: int, searched: Indexed, searcher: Searcher, question: Question) -> Example:
        outcome = searcher.search(searched.scope, searched.collection, question.request(SHOWN))
        return Example(body.name, kind, size, outcome.evidence)

    for question in body.questions:
        own = body.holding(question)
        rest = np.setdiff1d(every, np.fromiter(own, dtype=np.int64))
        if question.answerability == "UNANSWERABLE":
            yield found("unanswerable", 0, body.indexed, whole, question)
            for size in SIZES:
                yield found("unanswerable", size, body.indexed, part(body, _drawn(draws, every, size)), question)
        if question.answerability != "ANSWERABLE" or not own:
            continue
        yield found("answered", 0, body.indexed, whole, question)
        yield found("hidden", 0, body.indexed, part(body, rest.tolist()), question)
        for size in SIZES:
            around = _drawn(draws, rest, max(size - len(own), 0))
            yield found("answered", size, body.indexed, part(body, [*own, *around]), question)
            yield found("hidden", size, body.indexed, part(body, _drawn(draws, rest, size)), question)
        if other and away:
            yield found("foreign", 0, other.indexed, away, question)
            for size in SIZES:
                chosen = _drawn(draws, np.arange(len(other.indexed.rows)), size)
                yield found("foreign", size, other.indexed, part(other, chosen), question)


def _drawn(draws: np.random.Generator, pool: np.ndarray[Any, np.dtype[np.int64]], size: int) -> list[int]:
    return [int(number) for number in draws.choice(pool, min(size, len(pool)), replace=False)]


def features(given: Sequence[Example]) -> Floats:
    """Shape (examples, 7): what the curve's weights are multiplied by, in the order of `Weights`."""
    names = ("cosine", "share", "named", "unknown", "lead")
    found = np.array([[getattr(each.evidence, name) for name in names] for each in given], dtype=np.float64)
    size = np.log([max(each.evidence.chunks, FEWEST_CHUNKS) for each in given])
    return np.column_stack([found, found[:, -1] * size, size])


def _weights(given: Sequence[Example]) -> list[float]:
    """What each example counts: its kind's share, in each size of pool, however many there are."""
    groups = Counter((each.kind, each.size) for each in given)
    return [SHARES[each.kind] / groups[each.kind, each.size] for each in given]


def fit(given: Sequence[Example]) -> Weights:
    """The curve's weights for some examples; each kind in each size of pool weighs its share, however many there are."""
    weights = np.array(_weights(given))
    answered = np.array([float(each.kind == "answered") for each in given])
    return Weights(*(float(value) for value in fit_logistic(features(given), answered, weights)))


def crossed(given: Sequence[Example]) -> tuple[list[Weights], list[tuple[Example, float]]]:
    """The curves of the two halves of the tenants, and every example with its chance by the curve that did not see it."""
    names = sorted({each.tenant for each in given})
    halves = [names[::2], names[1::2]]
    curves, judged = [], []
    for fitted, unseen in (halves, halves[::-1]):
        curve = fit([each for each in given if each.tenant in fitted])
        rest = [each for each in given if each.tenant in unseen]
        curves.append(curve)
        judged += list(zip(rest, chances(rest, curve), strict=True))
    return curves, judged


def chances(given: Sequence[Example], curve: Weights) -> list[float]:
    """The curve's chance for each example."""
    return [float(value) for value in logistic(np.array([score(each.evidence, curve) for each in given]))]


def judgement(judged: Sequence[tuple[Example, float]]) -> list[dict[str, Any]]:
    """By size of pool: AUROC against each kind that is not answered, and the share of each kind that would be answered."""
    rows: list[dict[str, Any]] = []
    for size in sorted({each.size for each, _ in judged}, key=lambda size: size or 10**9):
        by: dict[Kind, list[float]] = {
            kind: [chance for each, chance in judged if (each.kind, each.size) == (kind, size)] for kind in get_args(Kind)
        }
        row: dict[str, Any] = {"pool": size or "whole"}
        for kind, values in by.items():
            if kind != "answered":
                row[f"auroc_{kind}"] = auroc(by["answered"], values)
            row[f"answers_{kind}"] = sum(value >= THRESHOLD for value in values) / len(values) if values else None
        rows.append(row)
    return rows


def calibration(judged: Sequence[tuple[Example, float]], bins: int = 10) -> list[dict[str, float]]:
    """By tenth of the estimate: how many examples (weighed), the mean estimate, the share that is answered."""
    table: dict[int, list[float]] = {}
    for (each, chance), weight in zip(judged, _weights([each for each, _ in judged]), strict=True):
        row = table.setdefault(min(int(chance * bins), bins - 1), [0.0, 0.0, 0.0])
        row[0] += weight
        row[1] += weight * chance
        row[2] += weight * (each.kind == "answered")
    total = sum(row[0] for row in table.values())
    return [
        {"from": place / bins, "share": row[0] / total, "expected": row[1] / row[0], "observed": row[2] / row[0]}
        for place, row in sorted(table.items())
    ]


def errors(judged: Sequence[tuple[Example, float]]) -> dict[str, float]:
    """How far estimates are from what is: `brier`, the mean square, and `calibration`, the mean distance in tenths; 0 is best."""
    weights = _weights([each for each, _ in judged])
    squares = [weight * (chance - (each.kind == "answered")) ** 2 for (each, chance), weight in zip(judged, weights, strict=True)]
    return {
        "brier": sum(squares) / sum(weights),
        "calibration": sum(row["share"] * abs(row["expected"] - row["observed"]) for row in calibration(judged)),
    }


async def gather(
    corpus: Path, questions: Path, embedder: Embedder | None = None, vectors: Path | None = None
) -> tuple[list[Example], list[tuple[bool, Evidence]]]:
    """Index the set and the example workshops, and search: the set's examples, and the evidence for each example question.

    Args:
        corpus: Passages, at least two tenants'.
        questions: Questions about them.
        embedder: In place of the product's own.
        vectors: A file that keeps vectors from one measurement to the next.

    Raises:
        VectorsError: `vectors` is another model's file, or none of vectors.
        SetError: A file is not a retrieval set, or has fewer than two tenants.
        OSError: A file cannot be read.
        ModelUnavailableError: The model cannot be loaded.
    """
    tenants, asked = tenants_of(read_passages(corpus)), read_questions(questions)
    if len(tenants) < 2:
        raise SetError(f"{corpus} has one tenant; a curve is fitted on some and measured on others")
    async with open_bench(embedder, vectors) as bench:
        bodies = []
        for number, (name, passages) in enumerate(tenants.items(), start=1):
            indexed = await bench.index(name, workshop_of(f"tenant-{number}", passages))
            chunks = {passage.passage_id: indexed.step_rows.get(step_of(at), []) for at, passage in enumerate(passages)}
            bodies.append(Body(name, indexed, [each for each in asked if each.tenant == name], chunks))
        await anyio.to_thread.run_sync(bench.embedder.encode, [text for each in asked for text in read_texts(each)])
        found: list[Example] = []
        for place, body in enumerate(bodies):
            # of the same half of the tenants, so that nothing unseen is fitted on
            other = next((each for at, each in enumerate(bodies) if at != place and at % 2 == place % 2), None)
            found += await anyio.to_thread.run_sync(lambda b, o, s: list(examples(bench, b, o, s)), body, other, place)
            say(f"{body.name}: {len(found)} examples so far")
        return found, await _examples_of_our_own(bench)


async def _examples_of_our_own(bench: Bench) -> list[tuple[bool, Evidence]]:
    listed = yaml.safe_load((ROOT / "tests/integration/examples/questions.yaml").read_text(encoding="utf-8"))
    found: list[tuple[bool, Evidence]] = []
    for name, rows in listed.items():
        indexed = await bench.index(name, read_folder(ROOT / "examples" / name))
        searcher = Searcher(bench.store, bench.embedder)
        for label in ("answerable", "unanswerable"):
            for row in rows[label]:
                request = SearchRequest(query=row["question"], limit=SHOWN, kinds=READ_BY_CHAT)
                outcome = await anyio.to_thread.run_sync(searcher.search, indexed.scope, indexed.collection, request)
                found.append((label == "answerable", outcome.evidence))
    return found


def own_examples(found: Sequence[tuple[bool, Evidence]], curve: Weights) -> dict[str, float]:
    """How many questions about the example workshops would be treated rightly, and how near to the threshold they come."""
    chance = logistic(np.array([score(evidence, curve) for _, evidence in found]))
    right = np.array([answerable for answerable, _ in found])
    return {
        "answerable": float(right.sum()),
        "answered": float((chance[right] >= THRESHOLD).sum()),
        "least": float(chance[right].min()),
        "unanswerable": float((~right).sum()),
        "refused": float((chance[~right] < THRESHOLD).sum()),
        "most": float(chance[~right].max()),
    }


def report(given: Sequence[Example], own: Sequence[tuple[bool, Evidence]]) -> dict[str, Any]:
    """Everything that `--json` prints."""
    curves, judged = crossed(given)
    current = list(zip(given, chances(given, CURRENT), strict=True))
    everything = fit(given)
    kinds = {kind: sum(each.kind == kind and each.size == 0 for each in given) for kind in get_args(Kind)}
    return {
        "questions": kinds,
        "weights": {
            "half 1": asdict(curves[0]),
            "half 2": asdict(curves[1]),
            "all": asdict(everything),
            "current": asdict(CURRENT),
        },
        "unseen": judgement(judged),
        "current": judgement(current),
        "errors": {"unseen": errors(judged), "current": errors(current)},
        "calibration_unseen": calibration(judged),
        "calibration_current": calibration(current),
        "examples": {"fitted": own_examples(own, everything), "current": own_examples(own, CURRENT)},
    }


def printed(found: dict[str, Any]) -> str:
    """The report as tables."""
    lines = ["questions: " + ", ".join(f"{count} {kind}" for kind, count in found["questions"].items()), ""]
    for title in ("weights", "examples", "errors"):
        lines += [f"{title}:", *_table([{"": name} | row for name, row in found[title].items()]), ""]
    lines += ["Curves on tenants that they were not fitted on:", *_table(found["unseen"]), ""]
    lines += ["The product's curve:", *_table(found["current"]), ""]
    lines += ["Calibration on unseen tenants:", *_table(found["calibration_unseen"]), ""]
    lines += ["Calibration of the product's curve:", *_table(found["calibration_current"])]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    names = list(rows[0])
    wide = [max(len(name), 8) + 2 for name in names]
    cells = [[f"{row[name]:.3f}" if isinstance(row[name], float) else str(row[name]) for name in names] for row in rows]
    return ["".join(text.rjust(size) for text, size in zip(row, wide, strict=True)) for row in [names, *cells]]


def main() -> None:
    """Fit, measure, print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.confidence_fit", description=__doc__)
    take_files(arguments)
    arguments.add_argument("--json", action="store_true", help="print JSON in place of tables")
    options = arguments.parse_args()
    log_to_stderr()
    started = time.perf_counter()
    try:
        given, own = anyio.run(gather, options.corpus, options.questions, None, options.vectors)
    except (SetError, VectorsError, OSError, ModelUnavailableError) as error:
        sys.exit(f"{arguments.prog}: {error}")
    found = report(given, own)
    print(json.dumps(found, indent=2) if options.json else printed(found))
    say(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
