"""`migrate` where the server is late, goes away, or the process is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from shared_services.kit.errors import ConflictError, UnavailableError
from tests.integration.cluster.databases import Databases, catalogue
from tests.ports import free_port
from workshop_cli.cluster.server import AdministrationError, Server, with_server

pytestmark = pytest.mark.postgres


ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "workshop_cli.service", "migrate"]


def elsewhere(databases: Databases, port: int) -> SecretStr:
    return SecretStr(make_url(databases.admin_url).set(port=port).render_as_string(hide_password=False))


@asynccontextmanager
async def passed_on(port: int, to: str, after: float) -> AsyncIterator[None]:
    """A port that begins to answer after a while, and hands everything on to the server."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        url = make_url(to)
        other_reader, other_writer = await asyncio.open_connection(url.host, url.port)
        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))

    async def late() -> None:
        await asyncio.sleep(after)
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    task = asyncio.create_task(late())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_comes_late_is_waited_for(databases: Databases) -> None:
    lines: list[str] = []
    reached: list[Server] = []

    async def work(server: Server) -> None:
        reached.append(server)

    port = free_port()
    async with asyncio.timeout(20), passed_on(port, databases.admin_url, 1.5):
        await with_server(elsewhere(databases, port), 15, lines.append, work)
    assert len(reached) == 1
    assert lines
    assert lines[0].startswith(f"Waiting for PostgreSQL at 127.0.0.1:{port}, ")


async def test_a_server_that_never_comes_is_an_error_in_time(databases: Databases) -> None:
    async def work(_server: Server) -> None:
        raise AssertionError

    port = free_port()
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=rf"PostgreSQL at 127.0.0.1:{port} has not answered.*for 1.5 s.*refused"):
        await with_server(elsewhere(databases, port), 1.5, databases.lines.append, work)
    assert 1.4 < time.monotonic() - started < 30


async def test_a_wrong_password_is_not_waited_for(databases: Databases) -> None:
    async def work(_server: Server) -> None:
        raise AssertionError

    wrong = SecretStr(make_url(databases.admin_url).set(password="wr0ng").render_as_string(hide_password=False))
    async with asyncio.timeout(10):
        with pytest.raises(AdministrationError, match=r"POSTGRES_ADMIN_URL.*authentication failed") as refused:
            await with_server(wrong, 60, databases.lines.append, work)
    assert "wr0ng" not in refused.value.detail


async def test_a_connection_that_is_lost_is_made_again(databases: Databases) -> None:
    runs: list[int] = []

    async def work(server: Server) -> None:
        runs.append(server.connection.info.backend_pid)
        if len(runs) == 1:
            with databases.admin() as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (runs[0],))
        await server.connection.execute("SELECT 1")

    await with_server(SecretStr(databases.admin_url), 15, databases.lines.append, work)
    assert len(runs) == 2


async def test_who_holds_the_lock_is_waited_for_and_then_named(databases: Databases) -> None:
    async def work(server: Server) -> None:
        async with server.alone("the kettle"):
            pass

    held, go = asyncio.Event(), asyncio.Event()

    async def hold(server: Server) -> None:
        async with server.alone("the kettle"):
            held.set()
            await go.wait()

    holder = asyncio.create_task(with_server(SecretStr(databases.admin_url), 30, databases.lines.append, hold))
    await held.wait()
    lines: list[str] = []
    with pytest.raises(ConflictError, match="the kettle"):
        await with_server(SecretStr(databases.admin_url), 1, lines.append, work)
    assert lines == ["Waiting for another process that is busy with the kettle"]
    go.set()
    await holder
    await with_server(SecretStr(databases.admin_url), 5, lines.append, work)


def run(databases: Databases, what: str, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, what],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def lines_until(process: subprocess.Popen[str], count: int) -> None:
    """Wait until a process has told of this many things, or has ended."""
    assert process.stderr is not None
    for _ in range(count):
        if not process.stderr.readline():
            return


def finished(databases: Databases, what: str, env: dict[str, str]) -> str:
    process = run(databases, what, env)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return errors


def test_killed_anywhere_and_run_again_it_comes_to_the_same(databases: Databases) -> None:
    """Killed after each line of progress, a little later each time, in the middle of whatever it does there."""
    core, workshop = databases.core_env(), databases.workshop_env("a-b")
    told = finished(databases, "core", core).splitlines()
    nothing = catalogue(databases)
    finished(databases, "workshop", workshop)
    whole = catalogue(databases)

    databases.clear()
    for line in range(1, len(told) + 1):
        killed_after(databases, "core", core, line)
    finished(databases, "core", core)
    assert without_times(catalogue(databases)) == without_times(nothing)
    for line in range(1, 5):
        killed_after(databases, "workshop", workshop, line)
    finished(databases, "workshop", workshop)
    assert without_times(catalogue(databases)) == without_times(whole)

    wanted = ("POSTGRES_ADMIN_URL", "CORE_DATABASE_URL", "RAG_DATABASE_URL")
    removal = {key: core[key] for key in wanted} | {"WORKSHOP_NAME": "a-b"}
    for line in range(3):
        killed_after(databases, "remove", removal, line, pause=1.2 if line == 0 else 0.0)
    finished(databases, "remove", removal)
    assert without_times(catalogue(databases)) == without_times(nothing)


def killed_after(databases: Databases, what: str, env: dict[str, str], lines: int, pause: float = 0.0) -> None:
    process = run(databases, what, env)
    lines_until(process, lines)
    time.sleep(pause + 0.004 * lines)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def without_times(found: dict[str, object]) -> dict[str, object]:
    """A catalogue without the rows of credentials, whose numbers and times differ from run to run; their count stays."""
    rows = found.get("rows of core.credentials", [])
    assert isinstance(rows, list)
    return {**found, "rows of core.credentials": len(rows)}


def test_one_sentence_and_a_status_for_what_is_wrong(databases: Databases) -> None:
    def said(what: str, env: dict[str, str]) -> tuple[int, str]:
        done = subprocess.run(
            [*COMMAND, what],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    status, sentence = said("core", {})
    assert status == 2
    assert sentence == (
        "migrate core: Settings in the environment are not set: POSTGRES_ADMIN_URL, CORE_DATABASE_URL, CORE_JOBS_URL, "
        "CONVERTER_JOBS_URL, RAG_DATABASE_URL, RAG_JOBS_URL, RAG_CREDENTIAL_FILE, CONVERTER_CREDENTIAL_FILE. "
        "See docs/configuration.md.\n"
    )
    env = databases.workshop_env("a-b")
    for wrong in (
        {"WORKSHOP_NAME": "A b"},
        {"WORKSHOP_NAME": "a" * 55},
        {"WORKSHOP_CONTEXT": "no-such"},
        {"DATABASE_URL": "secret@nowhere"},
        {"WORKSHOP_CREDENTIAL_FILE": "/nowhere"},
    ):
        status, sentence = said("workshop", env | wrong)
        assert status == (1 if "WORKSHOP_CONTEXT" in wrong else 2), sentence
        assert sentence.startswith("migrate workshop: ")
        assert sentence.count("\n") == 1
        assert "secret" not in sentence
