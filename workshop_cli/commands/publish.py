"""`workshop publish`, and how a command follows a job."""

import argparse
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from rich.markup import escape

from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent, JobState
from shared_services.contracts.problems import Problem
from shared_services.kit.errors import PlatformError, ProblemError
from shared_services.library.archive import pack
from shared_services.library.form import read_folder
from workshop_cli.connection import connect
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import Bar, out, progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a workshop in the neutral form (what `workshop convert` writes)")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Publish a folder: validated, stored, indexed, then shown all at once."""
    workshop = read_folder(args.folder)
    async with connect(settings, "publish") as connection:
        with progress_bar() as bar:
            bar.update(f"Storing: {workshop.manifest.slug}")
            draft = await connection.library.draft(pack(workshop.files))
            job = await follow(connection.jobs, await connection.library.publish(draft.workshop, draft.version), bar)
        place = f"  {connection.url}/w/{draft.workshop}/" if connection.url else ""
        out.print(
            f"Published [bold]{draft.workshop}[/] version {draft.version} (number {draft.number}), "
            f"{(job.result or {}).get('chunks')} passages.{escape(place)}"
        )
    return 0


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
        PlatformError: It was cancelled.
    """
    last = 0
    while job.state not in FINAL_STATES:
        async for event in jobs.events(job.id, last):
            last = event.number
            if event.type == "progress":
                bar.update(str(event.data["message"]), int(event.data["done"]), event.data["total"])
            elif event.type == "step" and event.data["state"] == JobState.RUNNING:
                bar.update(f"{job.kind} {job.subject}: {event.data['name']}")
        job = await jobs.get(job.id)
    if job.state == JobState.FAILED:
        raise ProblemError(Problem.model_validate(job.error or {"type": "about:blank", "title": "The job failed", "status": 500}))
    if job.state == JobState.CANCELLED:
        raise PlatformError(f"The job {job.id} ({job.kind} {job.subject}) was cancelled.")
    return job
