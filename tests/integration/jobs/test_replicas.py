"""Several processes on one PostgreSQL and one DBOS database: each runs what it accepted, and what is left behind is adopted."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shared_services.contracts.jobs import FINAL_STATES, Job, JobState
from shared_services.jobs import Jobs
from shared_services.kit.database import create_engine
from tests.postgres import throwaway_postgres

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[3]
SILENT_SECONDS = 3.0


class Replica:
    """A process with jobs."""

    def __init__(self, url: str, system_url: str, executor: str, folder: Path, kinds: list[str]) -> None:
        self.log = (folder / f"{executor}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.jobs.replica", url, system_url, executor, str(folder), *kinds],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ready(self) -> "Replica":
        assert self.line() == "ready", Path(self.log.name).read_text()[-2000:]
        return self

    def tell(self, command: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.line()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.line() == "stopped"
        assert self.process.wait(60) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()


class World:
    """A server, a folder, and the replicas on them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.replicas: list[Replica] = []

    def replica(self, executor: str, kinds: str = "three", system: str = "") -> Replica:
        made = Replica(self.url, system or self.url, executor, self.folder, kinds.split())
        self.replicas.append(made)
        return made

    def hold(self, executor: str) -> Path:
        path = self.folder / f"hold-{executor}"
        path.touch()
        return path

    def steps(self) -> list[str]:
        path = self.folder / "steps.txt"
        return path.read_text().splitlines() if path.exists() else []

    def until_step(self, line: str) -> None:
        until(lambda: line in self.steps(), f"{line} in {self.steps()}")

    def ended(self, job_id: str, seconds: float = 30) -> Job:
        return asyncio.run(self._ended(job_id, seconds))

    async def _ended(self, job_id: str, seconds: float) -> Job:
        engine = create_engine(self.url)
        jobs = Jobs(engine, self.url, {})
        try:
            async with asyncio.timeout(seconds):
                while (job := await jobs.get(job_id)).state not in FINAL_STATES:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                numbers = [event.number async for event in jobs.events(job_id)]
                assert numbers == list(range(1, len(numbers) + 1))
                return job
        finally:
            await engine.dispose()

    def value(self, sql: str) -> Any:
        async def read() -> Any:
            engine = create_engine(self.url)
            async with engine.connect() as connection:
                found = (await connection.execute(text(sql))).scalar()
            await engine.dispose()
            return found

        return asyncio.run(read())


def until(happened: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with throwaway_postgres() as url:
        found = World(url, tmp_path)
        yield found
        for replica in found.replicas:
            if replica.process.poll() is None:
                replica.process.send_signal(signal.SIGCONT)
                replica.kill()


def test_each_runs_what_it_accepted_though_another_has_time(world: World):
    first, second = world.replica("a").ready(), world.replica("b").ready()
    hold = world.hold("a")
    jobs = [first.tell(f"submit job-{number}") for number in range(3)]
    world.until_step("a job-0 two")
    other = second.tell("submit other")
    assert world.ended(other).result == {"steps": ["one by b", "two by b", "three by b"]}
    time.sleep(2 * SILENT_SECONDS)
    assert [line for line in world.steps() if "job-" in line] == ["a job-0 one", "a job-0 two"], "the others wait for their turn"
    hold.unlink()
    for job in jobs:
        assert world.ended(job).result == {"steps": ["one by a", "two by a", "three by a"]}
    first.stop()
    second.stop()


def test_what_a_killed_process_left_is_adopted_and_goes_on(world: World):
    first, second = world.replica("a").ready(), world.replica("b").ready()
    hold = world.hold("a")
    running, waiting = first.tell("submit running"), first.tell("submit waiting")
    world.until_step("a running two")
    first.kill()
    killed_at = time.monotonic()
    assert world.ended(running).result == {"steps": ["one by a", "two by b", "three by b"]}
    assert time.monotonic() - killed_at >= SILENT_SECONDS - 0.5, "it was given time to come back"
    assert world.ended(waiting).result == {"steps": ["one by b", "two by b", "three by b"]}
    assert sorted(world.steps()) == sorted(
        ["a running one", "a running two", "b running two", "b running three"]
        + [f"b waiting {n}" for n in ("one", "two", "three")]
    )
    hold.unlink()
    returned = world.replica("a").ready()
    assert world.ended(returned.tell("submit later")).result == {"steps": ["one by a", "two by a", "three by a"]}
    returned.stop()
    second.stop()


def test_one_that_comes_back_in_time_keeps_its_jobs(world: World):
    first, second = world.replica("a").ready(), world.replica("b").ready()
    hold = world.hold("a")
    job = first.tell("submit mine")
    world.until_step("a mine two")
    first.kill()
    hold.unlink()
    again = world.replica("a").ready()
    assert world.ended(job).result == {"steps": ["one by a", "two by a", "three by a"]}
    assert not [line for line in world.steps() if line.startswith("b")]
    again.stop()
    second.stop()


def test_one_that_was_only_asleep_writes_nothing_more_of_what_was_taken(world: World):
    first, second = world.replica("a").ready(), world.replica("b").ready()
    hold = world.hold("a")
    job = first.tell("submit shared")
    world.until_step("a shared two")
    os.kill(first.process.pid, signal.SIGSTOP)
    held = world.hold("b")
    world.until_step("b shared two")
    hold.unlink()
    os.kill(first.process.pid, signal.SIGCONT)
    until(lambda: "job_taken" in (world.folder / "a.log").read_text(), "it never noticed", 60)
    time.sleep(1)
    assert world.value("SELECT state FROM jobs_jobs") == "running"
    held.unlink()
    assert world.ended(job).result == {"steps": ["one by a", "two by b", "three by b"]}
    assert "a shared three" not in world.steps()
    assert world.value("SELECT count(*) FROM jobs_events WHERE type = 'state' AND data ->> 'state' = 'succeeded'") == 1
    assert world.ended(first.tell("submit later")).state == JobState.SUCCEEDED
    first.stop()
    second.stop()


def test_one_that_cannot_run_the_kind_does_not_adopt_it(world: World):
    first, second = world.replica("a"), world.replica("b", kinds="other")
    first.ready()
    second.ready()
    world.hold("a")
    job = first.tell("submit mine")
    world.until_step("a mine two")
    first.kill()
    time.sleep(2 * SILENT_SECONDS)
    assert world.value("SELECT executor || ' ' || state FROM jobs_jobs") == "a running"
    (world.folder / "hold-a").unlink()
    again = world.replica("a").ready()
    assert world.ended(job).state == JobState.SUCCEEDED
    again.stop()
    second.stop()


def test_a_process_with_other_kinds_retries_and_cancels_for_the_one_that_has_them(world: World):
    """As the console does with the converter's conversions: common tables, two databases of DBOS."""
    console = world.replica("console", kinds="other", system=world.url.rpartition("/")[0] + "/console_jobs").ready()
    converter = world.replica("converter").ready()
    (world.folder / "fail").touch()
    job = converter.tell("submit mine")
    assert world.ended(job).state == JobState.FAILED
    (world.folder / "fail").unlink()
    assert console.tell(f"retry {job}") == "queued"
    assert world.ended(job).result == {"steps": ["one by converter", "two by converter", "three by converter"]}
    assert world.steps() == [f"converter mine {name}" for name in ("one", "two", "two", "three")]
    world.hold("converter")
    held = converter.tell("submit held")
    world.until_step("converter held two")
    console.tell(f"cancel {held}")
    assert world.ended(held).state == JobState.CANCELLED
    console.stop()
    converter.stop()


def test_who_could_not_look_meanwhile_takes_nothing_when_it_can_again(world: World):
    first, second = world.replica("a").ready(), world.replica("b").ready()
    hold = world.hold("a")
    job = first.tell("submit mine")
    world.until_step("a mine two")
    for replica in (first, second):
        os.kill(replica.process.pid, signal.SIGSTOP)
    time.sleep(2 * SILENT_SECONDS)
    os.kill(second.process.pid, signal.SIGCONT)
    time.sleep(SILENT_SECONDS / 3)
    os.kill(first.process.pid, signal.SIGCONT)
    time.sleep(1.5 * SILENT_SECONDS)
    assert world.value("SELECT executor FROM jobs_jobs") == "a"
    hold.unlink()
    assert world.ended(job).result == {"steps": ["one by a", "two by a", "three by a"]}
    first.stop()
    second.stop()
