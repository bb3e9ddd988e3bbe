"""How a command follows a job to its end."""

from collections.abc import AsyncIterator
from typing import Protocol

from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent, JobState
from shared_services.contracts.problems import Problem
from shared_services.kit.errors import PlatformError, ProblemError, UnavailableError
from workshop_cli.terminal import Bar


class FollowsJobs(Protocol):
    """Where a job can be read and followed: the jobs of this process, or a client of another's."""

    async def get(self, job_id: str, /) -> Job:
        """One job."""
        ...

    def events(self, job_id: str, after: int = 0, /) -> AsyncIterator[JobEvent]:
        """Events to the job's end."""
        ...


async def follow(jobs: FollowsJobs, job: Job, bar: Bar) -> Job:
    """Show a job's progress until it ends.

    Raises:
        ProblemError: It failed.
        UnavailableError: The server ended before it did.
        PlatformError: It was cancelled.
    """
    try:
        job = await _ended(jobs, job, bar)
    except UnavailableError as error:
        raise UnavailableError(
            f"The server ended before the job did ({job.kind} {job.subject}). Nothing is lost: the job goes on when "
            "`workshop up` is started again."
        ) from error
    if job.state == JobState.FAILED:
        raise ProblemError(Problem.model_validate(job.error or {"type": "about:blank", "title": "The job failed", "status": 500}))
    if job.state == JobState.CANCELLED:
        raise PlatformError(f"The job {job.id} ({job.kind} {job.subject}) was cancelled.")
    return job


async def _ended(jobs: FollowsJobs, job: Job, bar: Bar) -> Job:
    last = 0
    while job.state not in FINAL_STATES:
        async for event in jobs.events(job.id, last):
            last = event.number
            if event.type == "progress":
                bar.update(str(event.data["message"]), int(event.data["done"]), event.data["total"])
            elif event.type == "step" and event.data["state"] == JobState.RUNNING:
                bar.update(f"{job.kind} {job.subject}: {event.data['name']}")
        job = await jobs.get(job.id)
    return job
