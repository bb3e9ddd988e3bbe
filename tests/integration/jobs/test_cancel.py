"""Cancelling, of jobs that wait and of jobs that run."""

import asyncio
import threading
from typing import Any

from shared_services.contracts.jobs import JobState
from shared_services.jobs import JobCancelledError, JobContext, Jobs
from shared_services.kit.database import create_engine
from tests.integration.jobs.conftest import MakeJobs, running_jobs


async def until_running(jobs: Jobs, job_id: str) -> None:
    async with asyncio.timeout(30):
        async for event in jobs.events(job_id):
            if event.type == "step":
                return


async def sleeping(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
    async def step() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await context.log("cleaned up")

    await context.step("sleep", step)
    return {}


async def test_a_running_job_stops_in_the_midst_of_a_step(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(sleeping=sleeping)
    job = await jobs.submit("sleeping", "", "a", {})
    await until_running(jobs, job.id)
    await jobs.cancel(job.id)
    async with asyncio.timeout(5):
        ended = await jobs.wait(job.id)
    assert (ended.state, ended.error) == (JobState.CANCELLED, None)
    assert [step.state for step in ended.steps] == [JobState.CANCELLED]
    events = [event async for event in jobs.events(job.id)]
    assert [event.data.get("message") for event in events if event.type == "log"] == ["cleaned up"]
    assert (await jobs.cancel(job.id)).state == JobState.CANCELLED
    assert [event.number for event in events] == [event.number async for event in jobs.events(job.id)]


async def test_a_waiting_job_is_cancelled_at_once_and_never_runs(tmp_path: Any) -> None:
    async with running_jobs(tmp_path, {"sleeping": sleeping}, concurrency=1) as jobs:
        first = await jobs.submit("sleeping", "", "a", {})
        second = await jobs.submit("sleeping", "", "a", {})
        await until_running(jobs, first.id)
        assert (await jobs.cancel(second.id)).state == JobState.CANCELLED
        await jobs.cancel(first.id)
        await jobs.wait(first.id)
        await asyncio.sleep(1.5)
        assert (await jobs.get(second.id)).steps == []


async def test_a_thread_hears_of_it(make_jobs: MakeJobs) -> None:
    heard = threading.Event()

    async def threaded(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        def work() -> None:
            try:
                while not heard.wait(0.01):
                    context.raise_if_cancelled()
            except JobCancelledError:
                heard.set()
                raise

        async def step() -> None:
            await asyncio.to_thread(work)

        await context.step("work", step)
        return {}

    jobs = await make_jobs(threaded=threaded)
    job = await jobs.submit("threaded", "", "a", {})
    await until_running(jobs, job.id)
    await jobs.cancel(job.id)
    assert (await jobs.wait(job.id)).state == JobState.CANCELLED
    assert await asyncio.to_thread(heard.wait, 5)


async def test_another_process_may_cancel(make_jobs: MakeJobs, tmp_path: Any) -> None:
    jobs = await make_jobs(sleeping=sleeping)
    job = await jobs.submit("sleeping", "", "a", {})
    await until_running(jobs, job.id)
    engine = create_engine(f"sqlite:///{tmp_path}/jobs.sqlite")
    elsewhere = Jobs(engine, f"sqlite:///{tmp_path}/dbos.sqlite", {})
    listening = asyncio.create_task(elsewhere.wait(job.id))
    await elsewhere.cancel(job.id)
    async with asyncio.timeout(10):
        assert (await listening).state == JobState.CANCELLED
    await engine.dispose()


async def test_cancelled_while_its_process_was_down(tmp_path: Any) -> None:
    async with running_jobs(tmp_path, {"sleeping": sleeping}) as jobs:
        job = await jobs.submit("sleeping", "", "a", {})
        await until_running(jobs, job.id)
    async with running_jobs(tmp_path, {"sleeping": sleeping}, start=False) as jobs:
        assert (await jobs.cancel(job.id)).state == JobState.RUNNING
    async with running_jobs(tmp_path, {"sleeping": sleeping}) as jobs:
        async with asyncio.timeout(30):
            assert (await jobs.wait(job.id)).state == JobState.CANCELLED
