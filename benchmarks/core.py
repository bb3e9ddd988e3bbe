"""What the parts of the shared core hold with what they request: `python -m benchmarks.core [--json]`. Needs root.

Console, RAG agent and template converter run as their processes do in a pod (`workshop-service NAME`), each under a hard quota
of its request (`benchmarks.limits`), on a PostgreSQL that `workshop-service migrate core` has prepared, and on the server that
comes with Milvus Lite in Milvus' place. Two made workshops of 500 passages are published through them; then each part works
alone:

- `rag-agent` answers searches of both workshops at a rate, and indexes a third workshop;
- `console` answers what chat agents read of the library and exchanges credentials for tokens at a rate;
- `template-converter` converts a tutorial of 200 Markdown files.

- `ready_s`: from the process's making to `/readyz`. `at_rest_mb`: memory that cannot be given back, before any work; `peak_mb`:
  with it.
- `p50_ms`, `p95_ms`: of what is answered at the rate. A rate is held where nothing fails and p95 is at most 250 ms.
- `postgres`: connections and the resident memory of the whole server at the end, its shared memory once (`Pss`).
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.chat_streams import part
from benchmarks.limits import Limits, limits
from benchmarks.made_workshops import Maker, slug_of
from shared_services.clients.converter import ConverterClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.identity import Role
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.rag import SearchRequest
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.kit.tokens import TokenIssuer, TokenSource
from shared_services.library.archive import pack
from shared_services.library.form import manifest_yaml
from tests.postgres import throwaway_postgres

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"console": (0.2, 256), "rag-agent": (0.5, 768), "template-converter-agent": (0.1, 256)}
"""Cores and MiB of one replica, as in the manifests."""
SERVICE = {"console": "console", "rag-agent": "rag", "template-converter-agent": "template-converter"}
CHUNKS = 500
FILES = 200
RATES = {"rag-agent": (60, 120, 240), "console": (120, 600)}
SECONDS = 30.0
GOAL_MS = 250
READY_SECONDS = 180.0
CREDENTIALS = {"rag": "r" * 43, "converter": "c" * 43}


@dataclass
class Part:
    """A part as a process under limits."""

    process: "subprocess.Popen[bytes]"
    url: str
    given: Limits
    began: float
    peak: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)

    def processor_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until_ready(self) -> float:
        """Seconds until `/readyz` said yes.

        Raises:
            RuntimeError: It ended, or took too long.
        """
        said = ""
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as http:
            while time.perf_counter() - self.began < READY_SECONDS:
                if self.process.poll() is not None:
                    raise RuntimeError(f"it ended with {self.process.returncode}")
                try:
                    answer = http.get("/readyz")
                    said = answer.text
                    if answer.status_code == 200:
                        return time.perf_counter() - self.began
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise RuntimeError(f"not ready after {READY_SECONDS:g} s: {said}")

    async def watch(self) -> None:
        """Note the greatest memory until cancelled."""
        while True:
            self.peak = max(self.peak, self.given.anonymous_mb())
            await asyncio.sleep(0.25)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Core:
    """The whole core on one machine.

    Args:
        folder: For keys, logs and data.
        admin_url: PostgreSQL's administrator.
        exports: Ready exports of the embedding model, as in the image; without them it is exported at the first start.
    """

    def __init__(self, folder: Path, admin_url: str, exports: Path | None = None) -> None:
        self._folder = folder
        self._exports = exports
        self.key = Ed25519PrivateKey.generate()
        self.issuer = TokenIssuer(self.key)
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "private.pem").write_bytes(private)
        (folder / "public.pem").write_bytes(self.issuer.public_pem())
        for name, credential in CREDENTIALS.items():
            (folder / f"{name}.credential").write_text(credential)
        server = urlsplit(admin_url)
        place = f"{server.hostname}:{server.port}"
        self.admin_url = admin_url
        self.urls = {
            "CORE_DATABASE_URL": f"postgresql://core:one@{place}/workshops",
            "CORE_JOBS_URL": f"postgresql://core:one@{place}/core_console_jobs",
            "CONVERTER_JOBS_URL": f"postgresql://core:one@{place}/core_converter_jobs",
            "RAG_DATABASE_URL": f"postgresql://rag:two@{place}/workshops",
            "RAG_JOBS_URL": f"postgresql://rag:two@{place}/rag_jobs",
        }
        self.ports = {name: free_port() for name in PARTS}
        self.milvus_port = free_port()

    def url(self, name: str) -> str:
        """A part's address."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def environment(self, name: str) -> dict[str, str]:
        """What a part reads, as the manifests set it."""
        inherited = {each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ}
        common = inherited | {
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
            "LOG_LEVEL": "warning",
            "CORE_ENDPOINT": self.url("console"),
            "CORE_PUBLIC_KEY_FILE": str(self._folder / "public.pem"),
            "JOBS_EXECUTOR_ID": f"{name}-0",
        }
        own = {
            "console": {
                "CONSOLE_PORT": str(self.ports["console"]),
                "CONSOLE_DATABASE_URL": self.urls["CORE_DATABASE_URL"],
                "CONSOLE_JOBS_URL": self.urls["CORE_JOBS_URL"],
                "CORE_PRIVATE_KEY_FILE": str(self._folder / "private.pem"),
                "RAG_ENDPOINT": self.url("rag-agent"),
                "CONVERTER_ENDPOINT": self.url("template-converter-agent"),
            },
            "rag-agent": {
                "RAG_PORT": str(self.ports["rag-agent"]),
                "RAG_DATA": str(self._folder / "rag"),
                "RAG_DATABASE_URL": self.urls["RAG_DATABASE_URL"],
                "RAG_JOBS_URL": self.urls["RAG_JOBS_URL"],
                "RAG_LIBRARY_URL": self.url("console"),
                "MILVUS_URI": f"http://127.0.0.1:{self.milvus_port}",
                "WORKSHOP_CREDENTIAL_FILE": str(self._folder / "rag.credential"),
            },
            "template-converter-agent": {
                "CONVERTER_PORT": str(self.ports["template-converter-agent"]),
                "CONVERTER_DATABASE_URL": self.urls["CORE_DATABASE_URL"],
                "CONVERTER_JOBS_URL": self.urls["CONVERTER_JOBS_URL"],
                "CONVERTER_ALLOW_LOCAL_SOURCES": "true",
                "WORKSHOP_CREDENTIAL_FILE": str(self._folder / "converter.credential"),
            },
        }
        if self._exports is not None:
            own["rag-agent"]["RAG_EXPORTS"] = str(self._exports)
        return common | own[name]

    def migrate(self) -> None:
        """`workshop-service migrate core`."""
        files = {f"{name.upper()}_CREDENTIAL_FILE": str(self._folder / f"{name}.credential") for name in CREDENTIALS}
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "POSTGRES_ADMIN_URL": self.admin_url}
        command = [sys.executable, "-m", "workshop_cli.service", "migrate", "core"]
        subprocess.run(command, env=environment | self.urls | files, check=True, cwd=self._folder, stderr=subprocess.DEVNULL)

    @contextmanager
    def milvus(self) -> Iterator[None]:
        """Milvus Lite's server."""
        command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self._folder / "milvus.db")]
        address = ("127.0.0.1", self.milvus_port)
        with self._started([*command, "--host", address[0], "--port", str(address[1])], dict(os.environ), "milvus") as process:
            began = time.monotonic()
            while True:
                try:
                    socket.create_connection(address, timeout=1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() - began > READY_SECONDS:
                        raise RuntimeError("the server does not listen") from None
                    time.sleep(0.1)
            yield

    @contextmanager
    def part(self, name: str, cpu: float, memory_mb: int) -> Iterator[Part]:
        """One part under limits; 0 for none."""
        with limits(cpu, memory_mb) as given:
            command = [*given.within, sys.executable, "-m", "workshop_cli.service", SERVICE[name]]
            began = time.perf_counter()
            with self._started(command, self.environment(name), name) as process:
                yield Part(process, self.url(name), given, began)

    @contextmanager
    def _started(self, command: Sequence[str], environment: Mapping[str, str], name: str) -> Iterator["subprocess.Popen[bytes]"]:
        log = self._folder / f"{name}.log"
        with log.open("ab") as written:
            process = subprocess.Popen(command, env=environment, stdout=written, stderr=written, cwd=self._folder)
        try:
            yield process
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}; its log: {log.read_text()[-2000:]}") from error
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client of a part."""
        async with httpx.AsyncClient(base_url=self.url(name), timeout=120, trust_env=False) as http:
            yield http

    def token(self, workshop: str | None = None) -> TokenSource:
        """Tokens of an administrator, or of a workshop's chat agent."""
        roles = frozenset({Role.PARTICIPANT if workshop else Role.ADMIN})
        return self.issuer.source("service:measured", roles=roles, workshop=workshop)


async def ended(jobs: JobsClient, job: Job) -> Job:
    """A job's end.

    Raises:
        RuntimeError: It failed.
    """
    done = await jobs.wait(job.id)
    if done.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"{job.kind} {done.state}: {done.error}")
    return done


async def publish(core: Core, number: int) -> float:
    """Publish a made workshop; seconds."""
    made = Maker().workshop(number, CHUNKS)
    manifests: dict[str, WorkshopManifest | StepManifest] = {"workshop.yaml": made.manifest}
    manifests |= {f"steps/{step}/step.yaml": manifest for step, manifest in made.steps.items()}
    files = made.files | {path: manifest_yaml(manifest) for path, manifest in manifests.items()}
    began = time.perf_counter()
    async with core.client("console") as http:
        library, jobs = LibraryClient(http, core.token()), JobsClient(http, core.token())
        draft = await library.draft(pack(files))
        await ended(jobs, await library.publish(draft.workshop, draft.version))
    return time.perf_counter() - began


async def at_rate(part_: Part, rate: int, act: Callable[[int], Awaitable[object]]) -> dict[str, Any]:
    """Do something so many times a minute, whether or not the last one is done."""
    number = round(rate * SECONDS / 60)
    taken: list[float] = []
    failed: list[str] = []

    async def one(each: int) -> None:
        began = time.perf_counter()
        try:
            await act(each)
            taken.append(time.perf_counter() - began)
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}"[:200])

    began, used, before = time.perf_counter(), part_.processor_seconds(), part_.given.throttled()
    running = []
    for each in range(number):
        await asyncio.sleep(max(0.0, began + each * 60 / rate - time.perf_counter()))
        running.append(asyncio.create_task(one(each)))
    await asyncio.gather(*running)
    seconds, after = time.perf_counter() - began, part_.given.throttled()
    p95 = part(taken, 0.95) * 1000
    return {
        "a_minute": rate,
        "p50_ms": round(part(taken, 0.5) * 1000) if taken else None,
        "p95_ms": round(p95) if taken else None,
        "failed": len(failed),
        "cores": round((part_.processor_seconds() - used) / seconds, 3),
        "throttled": round((after[1] - before[1]) / max(1, after[0] - before[0]), 2),
        "held": not failed and p95 <= GOAL_MS,
        "problems": sorted(set(failed))[:2],
    }


async def work_of_rag(core: Core, found: Part) -> None:
    """Searches at each rate, then a third workshop is indexed."""
    maker = Maker()
    async with core.client("rag-agent") as http:
        clients = [RagClient(http, core.token(slug_of(number))) for number in (1, 2)]
        asked = [maker.questions(number, max(RATES["rag-agent"])) for number in (1, 2)]

        async def search(each: int) -> None:
            await clients[each % 2].search(SearchRequest(query=asked[each % 2][each // 2]))

        for each in range(4):
            await search(each)
        found.figures["searches"] = [await at_rate(found, rate, search) for rate in RATES["rag-agent"]]
    seconds = await publish(core, 3)
    found.figures["indexed"] = {"passages": CHUNKS, "seconds": round(seconds, 1)}


async def work_of_console(core: Core, found: Part) -> None:
    """What a chat agent asks of it, at each rate: the current version, and one token in ten requests."""
    async with core.client("console") as http:
        library = LibraryClient(http, core.token(slug_of(1)))

        async def read(each: int) -> None:
            if each % 10:
                await library.current(slug_of(1))
                return
            answer = await http.post(
                "/api/v1/tokens", json={"audience": "library"}, headers={"authorization": f"Bearer {CREDENTIALS['rag']}"}
            )
            answer.raise_for_status()

        await read(1)
        found.figures["requests"] = [await at_rate(found, rate, read) for rate in RATES["console"]]


async def work_of_converter(core: Core, found: Part, folder: Path) -> None:
    """One conversion."""
    source = folder / "tutorial"
    source.mkdir()
    for number in range(1, FILES + 1):
        text = "".join(
            f"## Part {each}\n\nRun it, look at what it prints, and go on.\n\n```bash\nmake part-{number}-{each}\n```\n\n"
            for each in range(1, 11)
        )
        (source / f"{number:03}-step.md").write_text(f"# Step {number}\n\n{text}")
    began = time.perf_counter()
    async with core.client("template-converter-agent") as http:
        converter, jobs = ConverterClient(http, core.token()), JobsClient(http, core.token())
        await ended(jobs, await converter.convert(ConvertRequest(source=str(source))))
    found.figures["converted"] = {"files": FILES, "seconds": round(time.perf_counter() - began, 1)}


def postgres_memory(admin_url: str) -> dict[str, Any]:
    """Of every process of the server that listens on this port: memory, shared pages divided among them, and how many clients."""
    port = str(urlsplit(admin_url).port)
    parents = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "postgres" in command.split(" ")[0] and f"-p {port} " in f"{command} ".replace('"', ""):
            parents.append(folder.name)
    kilobytes, clients = 0, 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if folder.name not in parents and status[1] not in parents:
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
            title = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        clients += b"127.0.0.1(" in title
    return {"clients": clients, "pss_mb": round(kilobytes / 1024)}


async def measure(sizes: Mapping[str, tuple[float, int]], only: Sequence[str], exports: Path | None) -> dict[str, Any]:
    """Everything: once without limits, for tables, the exported model and two workshops; then each part under its own."""
    with throwaway_postgres() as admin_url, tempfile.TemporaryDirectory(prefix="core-") as made:
        folder = Path(made)
        core = Core(folder, admin_url, exports)
        core.migrate()
        with core.milvus():
            with ExitStack() as stack:
                for name in PARTS:
                    await asyncio.to_thread(stack.enter_context(core.part(name, 0, 0)).until_ready)
                for number in (1, 2):
                    await publish(core, number)
            found: dict[str, Any] = {}
            for name in only:
                with ExitStack() as stack:
                    parts = {
                        each: stack.enter_context(core.part(each, *(sizes[each] if each == name else (0.0, 0)))) for each in PARTS
                    }
                    for each in parts.values():
                        each.figures["ready_s"] = round(await asyncio.to_thread(each.until_ready), 1)
                    await asyncio.sleep(3)
                    found[name] = await _one(core, name, parts[name], folder)
                    found["postgres"] = postgres_memory(admin_url)
    return found


async def _one(core: Core, name: str, measured: Part, folder: Path) -> dict[str, Any]:
    rest = measured.given.anonymous_mb()
    watching = asyncio.create_task(measured.watch())
    refused = measured.given.refused()
    if name == "rag-agent":
        await work_of_rag(core, measured)
    elif name == "console":
        await work_of_console(core, measured)
    else:
        await work_of_converter(core, measured, folder)
    watching.cancel()
    return {
        **measured.figures,
        "at_rest_mb": round(rest),
        "peak_mb": round(max(measured.peak, rest)),
        "refused": measured.given.refused() - refused,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, (cpu, memory) in PARTS.items():
        parser.add_argument(f"--{name}", type=float, nargs=2, default=(cpu, memory), metavar=("CORES", "MIB"))
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts that are measured")
    parser.add_argument("--exports", type=Path, help="ready exports of the model, as the image has them (RAG_EXPORTS)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if os.geteuid():
        sys.exit("benchmarks.core makes control groups, which root alone may.")
    sizes = {name: (float(size[0]), int(size[1])) for name in PARTS for size in [getattr(given, name.replace("-", "_"))]}
    found = {"limits": sizes, **asyncio.run(measure(sizes, given.only, given.exports)), "load_before": os.getloadavg()[2]}
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(name)
        for figure, value in figures.items() if isinstance(figures, dict) else [("", figures)]:
            for line in value if isinstance(value, list) else [value]:
                print(f"  {figure:14} {line}")


if __name__ == "__main__":
    main()
