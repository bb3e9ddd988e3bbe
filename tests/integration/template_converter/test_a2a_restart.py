"""A2A tasks and the end of the process that did them: killed in the middle, what they say afterwards is true."""

import io
import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest
from a2a.client import Client
from a2a.types import CancelTaskRequest, GetTaskRequest, SubscribeToTaskRequest, Task, TaskNotFoundError, TaskState

from shared_services.contracts.conversion import ConversionResult
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer, load_key
from tests.a2a import client, data_of, message, state_of, text_of
from tests.integration.cli.program import PATIENCE, Server
from tests.integration.template_converter.conftest import _GitHandler
from tests.tutorials import make_repository
from tests.tutorials import pages as lab

UNDER_WAY = {"SUBMITTED", "WORKING"}

pytestmark = pytest.mark.timeout(900)  # each starts the whole program twice


@dataclass
class SlowHost:
    """A git server that says nothing until it is let go."""

    address: Callable[[Path], str]
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowHost]:
    host = SlowHost(lambda repository: f"http://127.0.0.1:{server.server_address[1]}/{repository.relative_to(tmp_path)}/.git")

    class Handler(_GitHandler):
        root = tmp_path

        def _serve(self, body: bytes) -> None:
            host.asked.set()
            host.let_go.wait()
            with suppress(OSError):  # who asked may have been killed
                super()._serve(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield host
    host.let_go.set()
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Program:
    """`workshop up` on a data folder: killed and started again at will."""

    data: Path
    server: Server | None = None

    def start(self) -> None:
        self.server = Server(self.data).ready()

    def kill(self) -> None:
        assert self.server is not None
        assert self.server.end(signal.SIGKILL) == -signal.SIGKILL

    def stop(self) -> None:
        assert self.server is not None
        assert self.server.end(signal.SIGTERM) == 0

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"{self.server.url}/agents/template-converter"

    def token(self, subject: str = "ann") -> str:
        keys = (path for path in self.data.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()[:64])
        return TokenIssuer(load_key(next(keys))).issue(subject, "template-converter", roles=frozenset({Role.ADMIN}))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path / "data")
    made.start()
    yield made
    if made.server is not None:
        made.server.end(signal.SIGTERM)


async def begun(program: Program, wanted: dict[str, object]) -> Task:
    """A task that is answered for at once."""
    async with client(program.url, program.token()) as opened:
        [event] = [event async for event in opened.send_message(message(data=wanted, at_once=True))]
    return event.task


async def now(program: Program, task: str) -> Task:
    async with client(program.url, program.token()) as opened:
        return await opened.get_task(GetTaskRequest(id=task))


async def ended(program: Program, task: str) -> Task:
    """The task once it has ended; until then it says that it is under way."""
    with anyio.fail_after(PATIENCE):
        while state_of(found := await now(program, task)) in UNDER_WAY:  # noqa: ASYNC110  another process does it
            await anyio.sleep(0.1)
    return found


async def converted(program: Program, source: str) -> ConversionResult:
    task = await ended(program, (await begun(program, {"source": source})).id)
    assert state_of(task) == "COMPLETED", task.status
    return ConversionResult.model_validate(data_of(task.artifacts[0].parts))


async def follow(opened: Client, task: str, first: anyio.Event) -> list[str]:
    """States that a subscriber hears of until the end."""
    heard: list[str] = []
    async for event in opened.subscribe(SubscribeToTaskRequest(id=task)):
        if event.HasField("task"):
            heard.append(state_of(event.task))
        elif event.HasField("status_update"):
            heard.append(TaskState.Name(event.status_update.status.state).removeprefix("TASK_STATE_"))
        elif event.HasField("artifact_update"):
            heard.append(event.artifact_update.artifact.name)
        first.set()
    return heard


async def test_killed_in_the_middle_of_tasks_the_next_process_tells_the_truth_and_goes_on(
    program: Program, slow: SlowHost, tmp_path: Path
):
    make_repository(tmp_path / "boats", lab(["rig", "sail"]))
    boats = slow.address(tmp_path / "boats")
    two = make_repository(tmp_path / "two", {**lab(["rig", "sail"], "alpha/"), **lab(["bake", "eat"], "beta/")})
    async with client(program.url, program.token()) as opened:
        [event] = [event async for event in opened.send_message(message(data={"source": two, "ref": "main"}))]
    question = event.task
    assert state_of(question) == "INPUT_REQUIRED"
    going, cancelled = await begun(program, {"source": boats}), await begun(program, {"source": boats})
    lost = await begun(program, {"skill": "classify", "source": boats})
    assert await anyio.to_thread.run_sync(slow.asked.wait, PATIENCE)
    job = data_of((await now(program, going.id)).status.message.parts)["job"]
    assert state_of(await now(program, lost.id)) in UNDER_WAY
    await anyio.to_thread.run_sync(program.kill)

    slow.asked.clear()
    await anyio.to_thread.run_sync(program.start)
    assert await anyio.to_thread.run_sync(slow.asked.wait, PATIENCE)
    under_way = await now(program, going.id)
    assert (state_of(under_way), data_of(under_way.status.message.parts)["job"]) == ("WORKING", job)
    async with client(program.url, program.token("bob")) as theirs:
        with pytest.raises(TaskNotFoundError):
            await theirs.get_task(GetTaskRequest(id=going.id))

    # What was read at once ended with its process, and says so.
    failed = await now(program, lost.id)
    assert state_of(failed) == "FAILED"
    assert "ended before it was done" in text_of(failed.status.message.parts)

    async with client(program.url, program.token()) as opened:
        assert state_of(await opened.cancel_task(CancelTaskRequest(id=cancelled.id))) == "CANCELED"
    assert state_of(await now(program, cancelled.id)) == "CANCELED"

    heard: list[str] = []
    first = anyio.Event()
    async with client(program.url, program.token(), streaming=True) as opened, anyio.create_task_group() as group:

        async def listen() -> None:
            heard.extend(await follow(opened, going.id, first))

        group.start_soon(listen)
        with anyio.fail_after(PATIENCE):
            await first.wait()
        slow.let_go.set()
    assert set(heard[:-2]) <= UNDER_WAY
    assert heard[-2:] == ["workshop", "COMPLETED"]
    done = await ended(program, going.id)
    [artifact] = done.artifacts
    assert ConversionResult.model_validate(data_of(artifact.parts)).report.counts.steps == 2
    assert (await now(program, going.id)).artifacts == done.artifacts, "asked twice it says the same"

    assert data_of((await now(program, question.id)).status.message.parts)["candidates"]
    async with client(program.url, program.token()) as opened:
        answer = message(data={"as_form": "markdown", "path": "beta"}, taskId=question.id)
        [answered] = [event async for event in opened.send_message(answer)]
    assert state_of(answered.task) == "COMPLETED"
    made = ConversionResult.model_validate(data_of(answered.task.artifacts[0].parts))
    assert [step.source for step in made.report.workshop.steps] == ["beta/01-bake.md", "beta/02-eat.md"]


async def test_a_conversion_goes_on_after_the_program_was_stopped(program: Program, slow: SlowHost, tmp_path: Path):
    make_repository(tmp_path / "boats", lab(["rig", "sail"]))
    task = await begun(program, {"source": slow.address(tmp_path / "boats")})
    assert await anyio.to_thread.run_sync(slow.asked.wait, PATIENCE)
    await anyio.to_thread.run_sync(program.stop)
    slow.let_go.set()
    await anyio.to_thread.run_sync(program.start)
    assert state_of(await ended(program, task.id)) == "COMPLETED"


async def test_an_export_ends_in_the_next_process(program: Program, tmp_path: Path):
    made = await converted(program, make_repository(tmp_path / "long", lab([f"part{number}" for number in range(24)])))
    wanted = {"skill": "export", "workshop": made.workshop, "version": made.version, "form": "showroom"}
    task = await begun(program, wanted)
    await anyio.to_thread.run_sync(program.kill)
    await anyio.to_thread.run_sync(program.start)

    done = await ended(program, task.id)
    assert state_of(done) == "COMPLETED", done.status
    [artifact] = done.artifacts
    [archive] = [part for part in artifact.parts if part.HasField("raw")]
    with zipfile.ZipFile(io.BytesIO(archive.raw)) as opened:
        pages = [name for name in opened.namelist() if name.endswith(".adoc") and "/pages/" in name]
    assert len([name for name in pages if "part" in name]) == 24
