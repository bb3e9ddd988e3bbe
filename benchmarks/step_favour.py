"""Measures how much the current step, and the steps beside it, may be favoured without hiding a better passage elsewhere.

`python -m benchmarks.step_favour [WORKSHOP_FOLDER ...] [--vectors FILE] [--json]`, of the workshops in `examples` and of any
other folder in the library's form. Two kinds of questions are made of each step's own text, so that the right step is known:
`vague` ones, the few words of a passage that the most other steps hold too (asked from its own step, which is right by being
the one that the participant is on), and `clear` ones, the first words of a passage (asked from its own step, the step beside
it, and the farthest one, where the favour can only do harm). A figure is the share of questions
whose first passage is the right step's.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.to_thread

from agents.rag.embedder import Embedder
from agents.rag.errors import ModelUnavailableError
from agents.rag.ranking import NEIGHBOUR_FAVOUR, STEP_FAVOUR, favour_step, ordered, step_order, steps_beside
from agents.rag.search import Searcher
from agents.rag.stemming import stem
from agents.rag.store import StoredChunk
from agents.rag.terms import STOP_WORDS, words
from benchmarks.indexed import Part, log_to_stderr, open_bench, say
from benchmarks.vectors import VectorsError
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.errors import PlatformError
from shared_services.library.form import read_folder

ROOT = Path(__file__).parents[1] / "examples"
FACTORS = (1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5)
NEAR = (1.0, 1.02, 1.05, 1.1)
VAGUE_WORDS = 3
CLEAR_WORDS = 10
DEPTH = 50

Kind = Literal["vague", "clear"]
Place = Literal["own", "beside", "far"]


@dataclass(frozen=True)
class Asked:
    """A question whose right step is known, and the step that it is asked from."""

    kind: Kind
    text: str
    right: str
    place: Place
    step: str


def asked_of(chunks: Sequence[StoredChunk]) -> Iterator[Asked]:
    """The questions of one workshop, made of its chunks."""
    order = list(dict.fromkeys(chunk.step for chunk in chunks))
    held: dict[str, Counter[str]] = {step: Counter() for step in order}
    for chunk in chunks:
        held[chunk.step].update(word for word in words(chunk.text) if len(word) > 2 and word not in STOP_WORDS and word.isalpha())
    if len(order) < 3:
        return
    for chunk in chunks:
        if chunk.kind in ("check", "hint", "explain", "solve"):
            continue
        at = order.index(chunk.step)
        beside = order[at + 1] if at + 1 < len(order) else order[at - 1]
        far = max(order, key=lambda step: abs(order.index(step) - at))
        places: list[tuple[Place, str]] = [("own", chunk.step), ("beside", beside), ("far", far)]
        vague = _vague(chunk, held)
        clear = " ".join(_opening(chunk.text))
        for place, step in places:
            if clear and (place == "own" or step != chunk.step):
                yield Asked("clear", clear, chunk.step, place, step)
            if vague and place == "own":
                yield Asked("vague", vague, chunk.step, place, step)


def _vague(chunk: StoredChunk, held: dict[str, Counter[str]]) -> str:
    """The words of a chunk that the most other steps hold as well."""
    own = [word for word in dict.fromkeys(words(chunk.text)) if held[chunk.step][word]]
    shared = {word: sum(1 for step, there in held.items() if step != chunk.step and there[word]) for word in own}
    most = sorted((word for word in own if shared[word]), key=lambda word: -shared[word])[:VAGUE_WORDS]
    return " ".join(most) if len({stem(word) for word in most}) == VAGUE_WORDS else ""


def _opening(text: str) -> list[str]:
    found = [word for line in text.splitlines() if not line.startswith(("```", "#", "|")) for word in line.split()]
    return found[:CLEAR_WORDS] if len(found) >= CLEAR_WORDS else []


def first_steps(searcher: Searcher, part: Part, chunks: Sequence[StoredChunk], each: Asked) -> dict[tuple[float, float], str]:
    """The first passage's step, for every pair of factors."""
    found = searcher.search(part.scope, part.collection, SearchRequest(query=each.text, limit=DEPTH)).candidates
    beside = steps_beside(step_order(chunks), each.step)
    return {
        (own, near): ordered(favour_step(found, each.step, beside, own, near))[0].chunk.step
        for own in FACTORS
        for near in NEAR
        if near <= own and found
    }


async def measure(folders: Sequence[Path], embedder: Embedder | None = None, vectors: Path | None = None) -> dict[str, Any]:
    """Index every workshop and ask: by kind and place the number of questions, and by factors the share that is right.

    Raises:
        PlatformError: A folder is not a workshop.
        VectorsError: `vectors` is another model's file, or none of vectors.
        ModelUnavailableError: The model cannot be loaded.
    """
    right: Counter[tuple[Kind, Place, tuple[float, float]]] = Counter()
    total: Counter[tuple[Kind, Place]] = Counter()
    async with open_bench(embedder, vectors) as bench:
        for folder in folders:
            indexed = await bench.index(folder.name, read_folder(folder))
            chunks = [chunk for chunk, _ in indexed.rows]
            questions = list(asked_of(chunks))
            part = Part(indexed, range(len(chunks)))
            searcher = Searcher(part, bench.embedder)
            await anyio.to_thread.run_sync(bench.embedder.encode, [each.text for each in questions])
            for each in questions:
                total[each.kind, each.place] += 1
                for favours, step in (await anyio.to_thread.run_sync(first_steps, searcher, part, chunks, each)).items():
                    right[each.kind, each.place, favours] += step == each.right
            say(f"{folder.name}: {len(questions)} questions asked of {len(chunks)} chunks")
    factors = sorted({key[2] for key in right})
    return {
        "questions": {f"{kind} {place}": count for (kind, place), count in sorted(total.items())},
        "shipped": {"own": STEP_FAVOUR, "beside": NEIGHBOUR_FAVOUR},
        "first": [
            {"own_step": own, "beside_step": near}
            | {f"{kind} {place}": right[kind, place, (own, near)] / count for (kind, place), count in sorted(total.items())}
            for own, near in factors
        ],
    }


def printed(found: dict[str, Any]) -> str:
    """The report as a table."""
    lines = [f"questions: {found['questions']}", f"shipped: {found['shipped']}", ""]
    names = list(found["first"][0]) if found["first"] else []
    lines.append("".join(name.rjust(14) for name in names))
    lines += ["".join(f"{row[name]:14.3f}" for name in names) for row in found["first"]]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.step_favour", description=__doc__)
    arguments.add_argument("folders", nargs="*", type=Path, help="workshops in the library's form, beside those in examples")
    arguments.add_argument("--vectors", type=Path, help="a file that keeps vectors from one measurement to the next")
    arguments.add_argument("--json", action="store_true", help="print JSON in place of tables")
    options = arguments.parse_args()
    log_to_stderr()
    folders = sorted(path.parent for path in ROOT.glob("*/workshop.yaml")) + options.folders
    try:
        found = anyio.run(measure, folders, None, options.vectors)
    except (PlatformError, VectorsError, ModelUnavailableError, OSError) as error:
        sys.exit(f"{arguments.prog}: {error}")
    print(json.dumps(found, indent=2) if options.json else printed(found))


if __name__ == "__main__":
    main()
