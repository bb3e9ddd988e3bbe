"""How fast each engine encodes, how long it takes to start, and its memory: `python -m benchmarks.encode [--rounds N] [--json]`.

Each engine is started in a process of its own, and then encodes the same passages in rounds, one engine after the other
within a round, so that a busy machine slows them alike. Figures are medians; speed-ups are medians over rounds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

from agents.rag.embedder import Embedder
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.model_check import sample
from agents.rag.model_export import export
from agents.rag.reference_embedder import SentenceTransformerEmbedder

REFERENCE = "sentence-transformers"


def engines(exports: Path, batch: int) -> dict[str, Callable[[], Embedder]]:
    """How to make each engine, by name."""
    return {
        REFERENCE: lambda: SentenceTransformerEmbedder(batch=batch),
        "openvino fp32": lambda: ExportingEmbedder(exports=exports, batch=batch, precision="fp32"),
        "openvino auto": lambda: ExportingEmbedder(exports=exports, batch=batch),
    }


def start(name: str, exports: Path, batch: int) -> dict[str, float]:
    """Seconds from a fresh process to the first vector, and the process's resident memory then, in MB."""
    command = [sys.executable, "-m", "benchmarks.encode", "--start", name, "--exports", str(exports), "--batch", str(batch)]
    started = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    return {"start_s": time.perf_counter() - started, "rss_mb": float(said)}


def rounds(loaded: dict[str, Embedder], texts: Sequence[str], count: int, call: int) -> dict[str, list[float]]:
    """Passages per second of each engine in each round; `call` passages are handed over at once."""
    found: dict[str, list[float]] = {name: [] for name in loaded}
    for _ in range(count):
        for name, engine in loaded.items():
            started = time.perf_counter()
            for first in range(0, len(texts), call):
                engine.encode(texts[first : first + call])
            found[name].append(len(texts) / (time.perf_counter() - started))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passages", type=int, default=200)
    parser.add_argument("--call", type=int, default=8, help="passages handed over at once, as an ingest does")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--exports", type=Path, help="folder of exported models; a fresh one where none is named")
    parser.add_argument("--start", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.start:
        with closing(engines(given.exports, given.batch)[given.start]()) as engine:
            engine.encode(["first"])
            print(_resident_mb())
        return
    with ExitStack() as stack:
        exports = given.exports or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        export("", exports)
        made = engines(exports, given.batch)
        starts = {name: [start(name, exports, given.batch) for _ in range(3)] for name in made}
        loaded: dict[str, Embedder] = {name: stack.enter_context(closing(make())) for name, make in made.items()}
        texts = [passage for passage in sample().passages if passage.strip()][: given.passages]
        rounds(loaded, texts[:16], 1, given.call)
        speeds = rounds(loaded, texts, given.rounds, given.call)
    report = {
        name: {
            "passages_per_s": round(median(speeds[name]), 1),
            "times_the_reference": round(median(a / b for a, b in zip(speeds[name], speeds[REFERENCE], strict=True)), 2),
            "start_s": round(median(each["start_s"] for each in starts[name]), 2),
            "rss_mb": round(median(each["rss_mb"] for each in starts[name])),
        }
        for name in made
    }
    if given.json:
        print(json.dumps(report))
        return
    for name, figures in report.items():
        print(name, *(f"{what}={value}" for what, value in figures.items()), sep="  ")


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    main()
