"""A job followed to its end, in lines that a script may show."""

import time

from shared_services.clients.jobs import JobsClient
from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent, JobState
from shared_services.contracts.problems import Problem
from shared_services.kit.errors import PlatformError, ProblemError
from workshop_cli.cluster.server import Say

SECONDS_BETWEEN_LINES = 2.0


class Lines:
    """Progress without repetition: each new thing at once, how far it is every few seconds.

    Args:
        say: Told each line.
        seconds: Between two lines on the same thing.
    """

    def __init__(self, say: Say, seconds: float = SECONDS_BETWEEN_LINES) -> None:
        self._say = say
        self._seconds = seconds
        self._topic = ""
        self._line = ""
        self._last = 0.0

    def tell(self, line: str) -> None:
        """Say a line, unless it says the same again or comes too soon after one that began like it."""
        topic = line.partition(":")[0]
        now = time.monotonic()
        if line == self._line or (topic == self._topic and now - self._last < self._seconds):
            return
        self._topic, self._line, self._last = topic, line, now
        self._say(line)


async def followed(jobs: JobsClient, job: Job, say: Say) -> Job:
    """A job once it has succeeded; it goes on without whoever follows it.

    Raises:
        ProblemError: It failed; what it says is the error's sentence.
        PlatformError: It was cancelled.
        UnavailableError: The console does not answer.
    """
    lines, last = Lines(say), 0
    while job.state not in FINAL_STATES:
        async for event in jobs.events(job.id, last):
            last = event.number
            if line := _line_of(event):
                lines.tell(line)
        job = await jobs.get(job.id)
    if job.state == JobState.FAILED:
        raise ProblemError(Problem.model_validate(job.error or {"type": "about:blank", "title": "The job failed", "status": 500}))
    if job.state == JobState.CANCELLED:
        raise PlatformError(f"The job {job.id} ({job.kind} {job.subject}) was cancelled. Run this again to start another.")
    return job


def _line_of(event: JobEvent) -> str:
    if event.type in ("progress", "log"):
        return str(event.data["message"])
    return ""
