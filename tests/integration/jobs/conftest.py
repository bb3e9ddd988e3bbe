"""Real jobs: SQLite files, DBOS launched, everything stopped at the end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from shared_services.jobs import JobFunction, Jobs
from shared_services.kit.database import create_engine

MakeJobs = Callable[..., Awaitable[Jobs]]


@asynccontextmanager
async def running_jobs(
    folder: Path, kinds: dict[str, JobFunction], *, start: bool = True, concurrency: int = 2
) -> AsyncIterator[Jobs]:
    """Jobs of one data folder, from start to stop."""
    engine = create_engine(f"sqlite:///{folder}/jobs.sqlite")
    jobs = Jobs(engine, f"sqlite:///{folder}/dbos.sqlite", kinds, concurrency=concurrency)
    try:
        if start:
            await jobs.start()
        yield jobs
    finally:
        await jobs.stop()
        await engine.dispose()


@pytest.fixture
async def make_jobs(tmp_path: Path) -> AsyncIterator[MakeJobs]:
    async with AsyncExitStack() as stack:

        async def make(**kinds: JobFunction) -> Jobs:
            return await stack.enter_async_context(running_jobs(tmp_path, kinds))

        yield make
