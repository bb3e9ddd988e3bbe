"""What is left of a job when its process is killed or stopped, and how it goes on."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared_services.contracts.jobs import Job, JobState
from shared_services.jobs import JobContext, Jobs, service
from tests.integration.jobs.conftest import running_jobs
from tests.integration.jobs.program import kinds

PROGRAM = Path(__file__).with_name("program.py")
REPOSITORY = Path(__file__).parents[3]


@contextmanager
def program(folder: Path, command: str) -> Iterator[subprocess.Popen[str]]:
    """The program as a process of its own, once it is ready; killed at the latest at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.jobs.program", str(folder), command],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert line(process) == "ready"
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the program says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def steps_run(folder: Path) -> list[str]:
    file = folder / "steps.txt"
    return file.read_text().split() if file.exists() else []


@asynccontextmanager
async def restarted(folder: Path) -> AsyncIterator[Jobs]:
    (folder / "hold").unlink(missing_ok=True)
    async with running_jobs(folder, kinds(folder)) as jobs:
        yield jobs


async def finished(jobs: Jobs, job_id: str) -> Job:
    async with asyncio.timeout(30):
        return await jobs.wait(job_id)


async def check_events(jobs: Jobs, job_id: str) -> None:
    events = [event async for event in jobs.events(job_id)]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.data["state"] for event in events if event.type == "state"] == ["queued", "running", "succeeded"]
    ends = [event.data["name"] for event in events if event.type == "step" and event.data["state"] == "succeeded"]
    assert ends == ["one", "two", "three"]


async def test_killed_in_the_second_step_it_goes_on_there(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    with program(tmp_path, "submit-three") as process:
        job_id = line(process)
        until(lambda: "two" in steps_run(tmp_path))
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with restarted(tmp_path) as jobs:
        job = await finished(jobs, job_id)
        assert job.state == JobState.SUCCEEDED
        assert job.result == {"one": {"from": "one"}, "two": [1, 2], "three": "end", "given": {"n": 1}}
        assert [(step.name, step.state) for step in job.steps] == [(name, "succeeded") for name in ("one", "two", "three")]
        await check_events(jobs, job_id)
    assert steps_run(tmp_path) == ["one", "two", "two", "three"]


async def test_killed_three_times_it_still_ends(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    command, job_id = "submit-three", ""
    for time_killed in range(1, 4):
        with program(tmp_path, command) as process:
            job_id = job_id or line(process)
            until(lambda wanted=time_killed: steps_run(tmp_path).count("two") == wanted)
            process.kill()
        command = "nothing"
    async with restarted(tmp_path) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
        await check_events(jobs, job_id)
    assert steps_run(tmp_path) == ["one", "two", "two", "two", "two", "three"]


async def test_killed_right_after_the_acknowledgement_it_runs(tmp_path: Path) -> None:
    with program(tmp_path, "submit+die") as process:
        job_id = line(process)
        process.wait()
    async with restarted(tmp_path) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
        await check_events(jobs, job_id)


async def test_stored_and_never_queued_it_runs(tmp_path: Path) -> None:
    async with running_jobs(tmp_path, kinds(tmp_path)):
        pass
    async with running_jobs(tmp_path, kinds(tmp_path), start=False) as jobs:
        job_id = (await jobs.submit("three", "x", "author:1", {})).id
    async with restarted(tmp_path) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED


async def test_what_another_process_stored_is_found_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SWEEP_SECONDS", 1.0)
    async with running_jobs(tmp_path, kinds(tmp_path)) as jobs, running_jobs(tmp_path, kinds(tmp_path), start=False) as elsewhere:
        job_id = (await elsewhere.submit("three", "x", "author:1", {})).id
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
        await check_events(jobs, job_id)


async def test_killed_between_retry_and_rewind_it_goes_on(tmp_path: Path) -> None:
    runs: list[str] = []

    async def fragile(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> None:
            runs.append(name)
            if runs == ["one", "two"]:
                raise ConnectionError

        await context.step("one", step, "one")
        await context.step("two", step, "two")
        return {}

    async with running_jobs(tmp_path, {"fragile": fragile}) as jobs:
        job_id = (await jobs.submit("fragile", "", "a", {})).id
        assert (await finished(jobs, job_id)).state == JobState.FAILED
    async with running_jobs(tmp_path, {"fragile": fragile}, start=False) as jobs:
        assert (await jobs.retry(job_id)).state == JobState.QUEUED
    async with running_jobs(tmp_path, {"fragile": fragile}) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
    assert runs == ["one", "two", "two"]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_stopped_by_a_signal_it_goes_on_at_the_next_start(tmp_path: Path, name: signal.Signals) -> None:
    (tmp_path / "hold").touch()
    with program(tmp_path, "submit-three") as process:
        job_id = line(process)
        until(lambda: "two" in steps_run(tmp_path))
        asked = time.monotonic()
        process.send_signal(name)
        assert line(process) == "stopped"
        assert process.wait(60) == 0
        assert time.monotonic() - asked < 60
    async with restarted(tmp_path) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
        await check_events(jobs, job_id)
    assert steps_run(tmp_path) == ["one", "two", "two", "three"]


async def test_stopped_and_started_in_one_process_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    async with running_jobs(tmp_path, kinds(tmp_path)) as jobs:
        job_id = (await jobs.submit("three", "x", "author:1", {})).id
        events = jobs.events(job_id)
        async for event in events:
            if event.type == "progress":
                break
        waiting = asyncio.create_task(anext(events))
        await jobs.stop()
        with pytest.raises(StopAsyncIteration):
            await waiting
    async with restarted(tmp_path) as jobs:
        assert (await finished(jobs, job_id)).state == JobState.SUCCEEDED
        await check_events(jobs, job_id)
    assert steps_run(tmp_path) == ["one", "two", "two", "three"]


async def test_a_job_that_kills_its_process_is_given_up(tmp_path: Path) -> None:
    with program(tmp_path, "submit-dying") as process:
        job_id = line(process)
        process.wait()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as database:
        assert database.execute("SELECT runs FROM jobs_jobs").fetchall() == [(1,)]
        database.execute("UPDATE jobs_jobs SET runs = 20")
    database.close()
    async with restarted(tmp_path) as jobs:
        job = await finished(jobs, job_id)
        assert job.state == JobState.FAILED
        assert job.error is not None
        assert job.error["type"].endswith(":job-keeps-dying")
    assert steps_run(tmp_path) == ["dying"]


async def test_a_kind_that_is_gone_fails_its_jobs_alone(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    async with running_jobs(tmp_path, kinds(tmp_path), concurrency=1) as jobs:
        job_ids = [(await jobs.submit("three", "x", "author:1", {})).id for _ in range(2)]
        async for event in jobs.events(job_ids[0]):
            if event.type == "progress":
                break
    async with running_jobs(tmp_path, {}) as jobs:
        for job_id in job_ids:
            job = await finished(jobs, job_id)
            assert job.state == JobState.FAILED
            assert job.error is not None
            assert "three" in job.error["detail"]
            assert all(step.state != JobState.RUNNING for step in job.steps)


async def test_other_steps_than_before_fail_the_job(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()

    async def renamed(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> None:
            raise AssertionError

        await context.step("uno", step)
        return {}

    async with running_jobs(tmp_path, kinds(tmp_path)) as jobs:
        job_id = (await jobs.submit("three", "x", "author:1", {})).id
        async for event in jobs.events(job_id):
            if event.type == "progress":
                break
    async with running_jobs(tmp_path, {"three": renamed}) as jobs:
        job = await finished(jobs, job_id)
        assert job.error is not None
        assert job.error["type"].endswith(":job-steps-changed")
