"""The same jobs on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared_services.contracts.jobs import JobState
from shared_services.jobs import JobContext, JobFunction, Jobs
from shared_services.kit.database import create_engine
from shared_services.kit.errors import ConflictError
from tests.postgres import throwaway_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with throwaway_postgres() as found:
        yield found


@asynccontextmanager
async def jobs_at(url: str, kinds: dict[str, JobFunction]) -> AsyncIterator[Jobs]:
    engine = create_engine(url)
    jobs = Jobs(engine, url, kinds)
    try:
        await jobs.start()
        yield jobs
    finally:
        await jobs.stop()
        await engine.dispose()


async def test_a_job_stopped_in_a_step_goes_on_and_is_tried_again(url: str) -> None:
    runs: list[str] = []
    hold = True

    async def fragile(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> str:
            runs.append(name)
            await context.log("nul \x00 and half \ud800")
            await context.progress(1, None, name)
            if name == "two":
                while hold:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                if runs.count("two") == 2:
                    raise ConflictError("Somebody else was faster.")
            return name

        return {"all": [await context.step(name, step, name) for name in ("one", "two", "three")]} | given

    kinds = {"fragile": fragile}
    async with asyncio.timeout(60):
        async with jobs_at(url, kinds) as jobs:
            job_id = (await jobs.submit("fragile", "x", "a", {"n": 1}, idempotency_key="k")).id
            async for event in jobs.events(job_id):
                if event.type == "step" and event.data["name"] == "two":
                    break
        hold = False
        async with jobs_at(url, kinds) as jobs:
            failed = await jobs.wait(job_id)
            assert failed.error is not None
            assert failed.error["detail"] == "Somebody else was faster."
            await jobs.retry(job_id)
            job = await jobs.wait(job_id)
            assert job.result == {"all": ["one", "two", "three"], "n": 1}
            assert (await jobs.submit("fragile", "x", "a", {"n": 1}, idempotency_key="k")).id == job_id
            events = [event async for event in jobs.events(job_id)]
            assert [event.number for event in events] == list(range(1, len(events) + 1))
            assert [found.id for found in await jobs.list(owner="a")] == [job_id]
    assert runs == ["one", "two", "two", "two", "three"]


async def test_cancel(url: str) -> None:
    async def sleeping(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        await context.step("sleep", asyncio.sleep, 60)
        return {}

    async with asyncio.timeout(60), jobs_at(url, {"sleeping": sleeping}) as jobs:
        job = await jobs.submit("sleeping", "x", "b", {})
        async for event in jobs.events(job.id):
            if event.type == "step":
                break
        await jobs.cancel(job.id)
        assert (await jobs.wait(job.id)).state == JobState.CANCELLED
