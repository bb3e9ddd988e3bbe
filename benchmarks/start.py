"""How long the RAG agent takes until it is ready, and its memory: `python -m benchmarks.start [--starts N] [--json]`.

It is started as it is in a cluster, `python -m agents.rag`, on a folder that holds an exported model and an index: what a
second start finds. Seconds run from the making of the process until `/readyz` answers 200; beside them stands the
processor time that the process used until then, which other programs on the machine stretch less.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import anyio
import anyio.to_thread
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.model_check import sample
from agents.rag.model_export import export
from agents.rag.repository import MIGRATIONS, IndexRepository
from agents.rag.scope import Scope
from agents.rag.service import RagService
from agents.rag.store.lite import MilvusLiteStore
from benchmarks.indexed import BATCH, VERSION, say
from benchmarks.token_giver import giving_tokens
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.tokens import Claims, TokenIssuer
from shared_services.library.form import WorkshopFiles

WORKSHOP = "measured"
READY_SECONDS = 120.0
SEARCHES = 100
PAUSE = 0.02
_SECTIONS_A_STEP = 50


@dataclass(frozen=True)
class Started:
    """One start of the agent: seconds and processor seconds until it was ready, resident MB then and after the searches."""

    ready_s: float
    ready_cpu_s: float
    rest_mb: float
    searched_mb: float
    search_ms: float


def made_workshop(sections: int) -> WorkshopFiles:
    """A workshop of that many sections, each of other words; it is cut into about as many chunks."""
    passages = [passage for passage in sample().passages if len(passage.split()) > 40]
    words = random.Random(4)
    steps: dict[str, StepManifest] = {}
    files: dict[str, bytes] = {}
    for first in range(0, sections, _SECTIONS_A_STEP):
        step = f"step-{first // _SECTIONS_A_STEP}"
        steps[step] = StepManifest(title=step)
        texts = []
        for number in range(first, min(first + _SECTIONS_A_STEP, sections)):
            chosen = words.choice(passages).split()[:90]
            words.shuffle(chosen)
            texts.append(f"## Section {number}\n\n{' '.join(word.strip('`*#>|') for word in chosen)}.\n")
        files[f"steps/{step}/content.md"] = "\n".join(texts).encode()
    return WorkshopFiles(WorkshopManifest(slug=WORKSHOP, title="Measured", steps=list(steps)), steps, files)


async def prepare(data: Path, database: str, sections: int) -> int:
    """Export the model, index a workshop in `data`; the number of its chunks."""
    export("", data / "models")
    say("the model is exported")
    engine = create_engine(database)
    store = MilvusLiteStore(data)
    scope = Scope.of(Claims("service:benchmark", "rag", 0, workshop=WORKSHOP))

    async def progress(done: int, total: int) -> None:
        if done == total or done % (32 * BATCH) == 0:
            say(f"{done} of {total} chunks indexed")

    with closing(ExportingEmbedder(exports=data / "models", batch=BATCH)) as embedder:
        try:
            await migrate(engine, MIGRATIONS)
            await anyio.to_thread.run_sync(store.open)
            service = RagService(store, embedder, IndexRepository(session_factory(engine)), batch=BATCH)
            status = await service.index(scope, VERSION, made_workshop(sections), progress)
            await service.activate(scope, VERSION)
            return status.chunks
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(store.close)
                await engine.dispose()


@contextmanager
def agent(folder: Path, key: bytes, core: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The agent as a process of its own on `folder`, with the core at an address; gives its own address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "public.pem").write_bytes(key)
    (folder / "credential").write_text("measured")
    environment = os.environ | {
        "RAG_DATA": str(folder / "rag"),
        "RAG_DATABASE_URL": _database(folder),
        "CORE_PUBLIC_KEY_FILE": str(folder / "public.pem"),
        "WORKSHOP_CREDENTIAL_FILE": str(folder / "credential"),
        "CORE_ENDPOINT": core,
        "RAG_PORT": str(port),
        "RAG_ENGINE": "auto",
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "agents.rag"], env=environment, stderr=log, stdout=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def start(folder: Path, issuer: TokenIssuer, queries: Sequence[str]) -> Started:
    """Start the agent once, search, and end it.

    Raises:
        TimeoutError: It was not ready in two minutes.
        httpx.HTTPStatusError: A search failed.
    """
    began = time.perf_counter()
    with (
        giving_tokens(issuer) as core,
        agent(folder, issuer.public_pem(), core) as (process, url),
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        _until_ready(http, process)
        ready, used = time.perf_counter() - began, _processor_seconds(process.pid)
        rest = _resident_mb(process.pid)
        headers = {"authorization": f"Bearer {issuer.issue('service:benchmark', 'rag', workshop=WORKSHOP)}"}
        taken = []
        for query in queries:
            sent = time.perf_counter()
            http.post("/api/v1/search", json={"query": query}, headers=headers).raise_for_status()
            taken.append(time.perf_counter() - sent)
        return Started(ready, used, rest, _resident_mb(process.pid), median(taken) * 1000)


def _until_ready(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + READY_SECONDS
    while time.monotonic() < last:
        if process.poll() is not None:
            raise RuntimeError(f"the agent ended with {process.returncode}")
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(PAUSE)
    raise TimeoutError(f"the agent was not ready in {READY_SECONDS:g} s")


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/rag.sqlite3"


def measured(folder: Path, sections: int, starts: int) -> dict[str, float]:
    """Medians over some starts; a folder that was prepared before is used as it is."""
    (folder / "rag").mkdir(parents=True, exist_ok=True)
    kept = folder / "chunks"
    if not kept.exists():
        kept.write_text(str(anyio.run(prepare, folder / "rag", _database(folder), sections)))
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    queries = [sample().questions[number % len(sample().questions)] or "?" for number in range(SEARCHES)]
    runs = []
    for number in range(starts):
        runs.append(start(folder, issuer, queries))
        say(f"start {number + 1}: {runs[-1]}")
    return {
        "chunks": int(kept.read_text()),
        "starts": starts,
        "ready_s": round(median(run.ready_s for run in runs), 2),
        "ready_worst_s": round(max(run.ready_s for run in runs), 2),
        "ready_cpu_s": round(median(run.ready_cpu_s for run in runs), 2),
        "rss_rest_mb": round(median(run.rest_mb for run in runs), 1),
        "rss_searched_mb": round(median(run.searched_mb for run in runs), 1),
        "search_ms": round(median(run.search_ms for run in runs), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=3000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="prepared here once and used again; a fresh one where none is named")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.folder:
        found = measured(given.folder.absolute(), given.chunks, given.starts)
    else:
        with tempfile.TemporaryDirectory(prefix="rag-start-") as folder:
            found = measured(Path(folder), given.chunks, given.starts)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['chunks']} chunks; medians over {found['starts']} starts of `python -m agents.rag`")
    print(f"ready after           {found['ready_s']:8.2f} s (worst {found['ready_worst_s']:.2f} s)")
    print(f"processor time till then {found['ready_cpu_s']:5.2f} s")
    print(f"resident at rest      {found['rss_rest_mb']:8.1f} MB")
    print(f"resident after {SEARCHES} searches {found['rss_searched_mb']:.1f} MB")
    print(f"search over HTTP      {found['search_ms']:8.1f} ms (median)")


if __name__ == "__main__":
    main()
