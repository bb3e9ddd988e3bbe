"""What a job's function is given: durable steps, progress, a log, and word of its cancellation."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from structlog import get_logger

from shared_services.contracts.jobs import JobState, JobStep
from shared_services.jobs.errors import JobCancelledError, may_pass, problem_of
from shared_services.jobs.events import EventWriter
from shared_services.jobs.store import NewEvent, OwnJobs, clean, now
from shared_services.jobs.tables import StepRow

log = get_logger()

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0


class DurableSteps(Protocol):
    """Remembers what steps came to, for one run of one job."""

    async def run(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """What `work` came to when this step was run before, or else run it now and remember what it comes to."""
        ...


class Control:
    """The way to stop one running job: the flags are read from any thread, the rest belongs to the event loop.

    Attributes:
        cancelled: A person wants it to end.
        stopping: The process ends.
        run_task: The whole run, to its end in the store; the task that made this.
        job_task: The job's function.
        step_tasks: The steps under way.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self.stopping = False
        self.run_task = asyncio.current_task()
        self.job_task: asyncio.Task[Any] | None = None
        self.step_tasks: set[asyncio.Task[Any]] = set()

    @property
    def interrupted(self) -> bool:
        """Whether the function is to end."""
        return self.cancelled or self.stopping

    def cancel(self) -> None:
        """A person wants the job to end."""
        if not self.cancelled:
            self.cancelled = True
            self._interrupt()

    def stop(self) -> None:
        """The process ends; the job is to be resumed by the next one."""
        if not self.stopping:
            self.stopping = True
            self._interrupt()

    def _interrupt(self) -> None:
        # The steps first: what they raise reaches the job's own task only after they have cleaned up.
        if self.step_tasks:
            for task in self.step_tasks:
                task.cancel()
        elif self.job_task is not None:
            self.job_task.cancel()


class JobContext:
    """A running job, as its function sees it.

    The function must be deterministic between steps: resumed after a kill it runs again from its first line, and each
    `step` that had ended gives at once what it gave then. So everything that acts on the world, or that may come out
    different the next time, belongs into a step.
    """

    def __init__(
        self, job_id: str, owner: str, *, steps: DurableSteps, store: OwnJobs, events: EventWriter, control: Control
    ) -> None:
        self.job_id = job_id
        self.owner = owner
        self._steps = steps
        self._store = store
        self._events = events
        self._control = control
        self._position = 0

    async def step[R](self, name: str, fn: Callable[..., Awaitable[R]], /, *args: Any, retries: int = 0) -> R:
        """Run `fn(*args)`, durably: resumed after a kill, a step that had ended is not run again.

        A step runs at least once: the process may die after `fn` has acted and before that is written down. So `fn` must
        be idempotent.

        Args:
            name: Shown to people. It must be the same in each run, at the same place.
            fn: What to do.
            args: Its arguments.
            retries: How many times to try again after an error that may pass; waits a little longer each time.

        Returns:
            What `fn` gave, as it comes back from JSON: a tuple is a list, keys are text.

        Raises:
            JobCancelledError: The job is to end.
            ProblemError: In a resumed job, in place of the error that the step had ended with.
            TypeError: `fn` gave what JSON has no form for.
        """
        self.raise_if_cancelled()
        self._position += 1
        position = self._position

        async def work() -> Any:
            return await self._run_step(position, clean(name)[:255], fn, args, retries)

        result: R = await self._steps.run(name, work)
        return result

    async def progress(self, done: int, total: int | None, message: str) -> None:
        """Tell how far the current step is: `done` of `total` units, which is None while it is not known."""
        self._events.progress(done, total, message)
        await asyncio.sleep(0)

    def progress_from_thread(self, done: int, total: int | None, message: str) -> None:
        """As `progress`, from any thread, without waiting."""
        self._events.progress(done, total, message)

    async def log(self, message: str, level: str = "info", **fields: Any) -> None:
        """Add a line to the job's log; it is stored when this returns."""
        self._events.log(level, message, fields)
        await self._events.flush(progress=False)

    def log_from_thread(self, message: str, level: str = "info", **fields: Any) -> None:
        """As `log`, from any thread, without waiting."""
        self._events.log(level, message, fields)

    def raise_if_cancelled(self) -> None:
        """For long work between two awaits and for threads, which nothing else can stop.

        Raises:
            JobCancelledError: The job is to end.
        """
        if self._control.interrupted:
            raise JobCancelledError("The job was cancelled." if self._control.cancelled else "The program is being stopped.")

    async def _run_step(
        self, position: int, name: str, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...], retries: int
    ) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._control.step_tasks.add(task)
        try:
            self.raise_if_cancelled()
            step = StepRow(job_id=self.job_id, position=position, name=name, state=JobState.RUNNING, started_at=now(), detail="")
            await self._store_step(step, done=0, total=None, message="")
            return await self._finish_step(step, fn, args, retries)
        finally:
            self._control.step_tasks.discard(task)

    async def _finish_step(self, step: StepRow, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...], retries: int) -> Any:
        started = time.monotonic()

        async def ended(state: JobState, detail: str = "", **columns: Any) -> None:
            await self._events.flush()
            row = StepRow(
                job_id=step.job_id,
                position=step.position,
                name=step.name,
                started_at=step.started_at,
                state=state,
                seconds=round(time.monotonic() - started, 3),
                detail=clean(detail),
            )
            await self._store_step(row, **columns)

        try:
            result = json.loads(json.dumps(await self._attempts(step.name, fn, args, retries), allow_nan=False))
        except asyncio.CancelledError:
            if self._control.cancelled and not self._control.stopping:
                await ended(JobState.CANCELLED)
            raise
        except Exception as error:
            if self._control.stopping:
                # Not the step's own failure: left without a result, it is run again by the next process.
                raise asyncio.CancelledError from error
            if self._control.cancelled:
                await ended(JobState.CANCELLED)
            else:
                await ended(JobState.FAILED, problem_of(error)["detail"])
            raise
        await ended(JobState.SUCCEEDED, runs=0)
        return result

    async def _attempts(self, name: str, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...], retries: int) -> Any:
        for attempt in range(retries):
            try:
                return await fn(*args)
            except Exception as error:
                if self._control.interrupted or not may_pass(error):
                    raise
                seconds = min(FIRST_RETRY_SECONDS * 2**attempt, LONGEST_RETRY_SECONDS)
                log.warning("job_step_tried_again", job=self.job_id, step=name, seconds=seconds, exc_info=error)
                await self.log(f"{name}: {problem_of(error)['detail']} Trying again in {seconds:g} s.", "warning")
                await asyncio.sleep(seconds)
        return await fn(*args)

    async def _store_step(self, step: StepRow, **columns: Any) -> None:
        shown = JobStep(
            name=step.name, state=JobState(step.state), started_at=step.started_at, seconds=step.seconds, detail=step.detail
        )
        await self._store.record(self.job_id, [NewEvent("step", shown.model_dump(mode="json"))], step=step, **columns)


JobFunction = Callable[[JobContext, dict[str, Any]], Awaitable[dict[str, Any]]]
"""What a kind of job does: given the running job and the input that was submitted, it returns the job's result."""
