"""Fits the curve behind the confidence of a search by keywords alone, as `benchmarks.confidence_fit` does the other one.

`python -m benchmarks.keyword_confidence_fit [--corpus FILE --questions FILE]`; prints JSON. The same examples, searched without
an embedding model; none is loaded. The workshops in `examples` are in no fit.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import yaml

from agents.rag.confidence import FEWEST_CHUNKS, Evidence
from agents.rag.documents.shelf import Shelf
from agents.rag.embedder import Vector
from agents.rag.keyword_confidence import CURRENT, KeywordWeights, keyword_score
from agents.rag.scope import Scope
from agents.rag.search import Found, Searcher
from benchmarks.confidence_fit import READ_BY_CHAT, ROOT, SHARES, SHOWN, THRESHOLD, Body, Example, Kind, calibration, examples
from benchmarks.confidence_fit import judgement as judged_by_size
from benchmarks.indexed import Bench, open_bench, say
from benchmarks.measures import Floats, fit_logistic, logistic
from benchmarks.questions import SetError, read_passages, read_questions, step_of, tenants_of, workshop_of
from benchmarks.retrieval import take_files
from shared_services.contracts.rag import SearchRequest
from shared_services.library.form import read_folder


class NoModel:
    """Stands where a model would; its vectors are all alike and are not searched."""

    model_id = "none@000000000000"
    dimension = 2
    ready = True

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """The same vector for each text."""
        return [np.array([1.0, 0.0], dtype=np.float32) for _ in texts]

    def warm(self) -> None:
        """There is nothing to load."""

    def close(self) -> None:
        """There is nothing to end."""


class KeywordSearcher(Searcher):
    """Searches by keywords alone, whatever it is asked."""

    def search(
        self,
        scope: Scope,
        collection: str,
        request: SearchRequest,
        shelf: Shelf | None = None,
        *,
        keywords_only: bool = True,
    ) -> Found:
        """As the product does for an index of another model."""
        return super().search(scope, collection, request, shelf, keywords_only=True)


def features(given: Sequence[Evidence]) -> Floats:
    """Shape (examples, 4): what the curve's weights are multiplied by, in the order of `KeywordWeights`."""
    rows = [(each.share, each.named, each.unknown, np.log(max(each.chunks, FEWEST_CHUNKS))) for each in given]
    return np.array(rows, dtype=np.float64)


def fit(given: Sequence[Example]) -> KeywordWeights:
    """The curve's weights for some examples; each kind in each size of pool weighs its share, however many there are."""
    groups: dict[tuple[Kind, int], int] = {}
    for each in given:
        groups[each.kind, each.size] = groups.get((each.kind, each.size), 0) + 1
    weights = np.array([SHARES[each.kind] / groups[each.kind, each.size] for each in given])
    answered = np.array([float(each.kind == "answered") for each in given])
    found = fit_logistic(features([each.evidence for each in given]), answered, weights)
    return KeywordWeights(*(float(value) for value in found))


def chances(given: Sequence[Evidence], curve: KeywordWeights) -> list[float]:
    """The curve's chance for each piece of evidence."""
    return [float(value) for value in logistic(np.array([keyword_score(each, curve) for each in given]))]


def crossed(given: Sequence[Example]) -> tuple[list[KeywordWeights], list[tuple[Example, float]]]:
    """The curves of the two halves of the tenants, and every example with its chance by the curve that did not see it."""
    names = sorted({each.tenant for each in given})
    halves = [names[::2], names[1::2]]
    curves, judged = [], []
    for fitted, unseen in (halves, halves[::-1]):
        curve = fit([each for each in given if each.tenant in fitted])
        rest = [each for each in given if each.tenant in unseen]
        curves.append(curve)
        judged += list(zip(rest, chances([each.evidence for each in rest], curve), strict=True))
    return curves, judged


async def gather(corpus: Path, questions: Path) -> tuple[list[Example], list[tuple[bool, Evidence]]]:
    """Index the set and the example workshops, and search by keywords.

    Args:
        corpus: Passages, at least two tenants'.
        questions: Questions about them.

    Raises:
        SetError: A file is not a retrieval set, or has fewer than two tenants.
        OSError: A file cannot be read.
    """
    tenants, asked = tenants_of(read_passages(corpus)), read_questions(questions)
    if len(tenants) < 2:
        raise SetError(f"{corpus} has one tenant; a curve is fitted on some and measured on others")
    async with open_bench(NoModel()) as bench:
        bodies = []
        for number, (name, passages) in enumerate(tenants.items(), start=1):
            indexed = await bench.index(name, workshop_of(f"tenant-{number}", passages))
            chunks = {passage.passage_id: indexed.step_rows.get(step_of(at), []) for at, passage in enumerate(passages)}
            bodies.append(Body(name, indexed, [each for each in asked if each.tenant == name], chunks))
        found: list[Example] = []
        for place, body in enumerate(bodies):
            # of the same half of the tenants, so that nothing unseen is fitted on
            other = next((each for at, each in enumerate(bodies) if at != place and at % 2 == place % 2), None)
            found += await anyio.to_thread.run_sync(
                lambda b, o, s: list(examples(bench, b, o, s, KeywordSearcher)), body, other, place
            )
            say(f"{body.name}: {len(found)} examples so far")
        return found, await _examples_of_our_own(bench)


async def _examples_of_our_own(bench: Bench) -> list[tuple[bool, Evidence]]:
    listed = yaml.safe_load((ROOT / "tests/integration/examples/questions.yaml").read_text(encoding="utf-8"))
    found: list[tuple[bool, Evidence]] = []
    for name, rows in listed.items():
        indexed = await bench.index(name, read_folder(ROOT / "examples" / name))
        searcher = KeywordSearcher(bench.store, bench.embedder)
        for label in ("answerable", "unanswerable"):
            for row in rows[label]:
                request = SearchRequest(query=row["question"], limit=SHOWN, kinds=READ_BY_CHAT)
                outcome = await anyio.to_thread.run_sync(searcher.search, indexed.scope, indexed.collection, request)
                found.append((label == "answerable", outcome.evidence))
    return found


def own_examples(found: Sequence[tuple[bool, Evidence]], curve: KeywordWeights) -> dict[str, float]:
    """How many questions about the example workshops would be treated rightly."""
    chance = np.array(chances([evidence for _, evidence in found], curve))
    right = np.array([answerable for answerable, _ in found])
    return {
        "answerable": float(right.sum()),
        "answered": float((chance[right] >= THRESHOLD).sum()),
        "unanswerable": float((~right).sum()),
        "refused": float((chance[~right] < THRESHOLD).sum()),
    }


def report(given: Sequence[Example], own: Sequence[tuple[bool, Evidence]]) -> dict[str, Any]:
    """Everything that is printed."""
    curves, judged = crossed(given)
    everything = fit(given)
    current = list(zip(given, chances([each.evidence for each in given], CURRENT), strict=True))
    named = {"half 1": curves[0], "half 2": curves[1], "all": everything, "current": CURRENT}
    return {
        "weights": {name: asdict(curve) for name, curve in named.items()},
        "unseen": judged_by_size(judged),
        "current": judged_by_size(current),
        "calibration_unseen": calibration(judged),
        "calibration_current": calibration(current),
        "examples": {"fitted": own_examples(own, everything), "current": own_examples(own, CURRENT)},
    }


def main() -> None:
    """Fit, measure, print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.keyword_confidence_fit", description=__doc__)
    take_files(arguments)
    options = arguments.parse_args()
    started = time.perf_counter()
    try:
        given, own = anyio.run(gather, options.corpus, options.questions)
    except (SetError, OSError) as error:
        sys.exit(f"{arguments.prog}: {error}")
    print(json.dumps(report(given, own), indent=2))
    say(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
