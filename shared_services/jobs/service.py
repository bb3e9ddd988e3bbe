"""Jobs: submit, follow, cancel, try again; and the run of one job from its turn to its final state.

What callers see is in the relational store (`store`); what makes a job go on after a kill is DBOS (`engine`). The two are
two databases, so every change that concerns both is made in the store first, and `start` gives the engine what a kill in
between has kept from it: a job that was stored and never queued, or taken back and not rewound.

Two `Jobs` with one executor id must never run at once: the later one would take the earlier one's running jobs for
orphans and run them again. On the laptop the lock on the data folder sees to it; in the cluster every replica has an id
of its own (`JOBS_EXECUTOR_ID`, the pod's name in a StatefulSet), kept over restarts so that it finds its jobs again.

A job runs in the process that accepted it. Where that one does not come back, another that has the kind adopts the job a
minute later (`executors` says how it knows), and goes on after the last step that ended.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent, JobState
from shared_services.jobs.context import Control, DurableSteps, JobContext, JobFunction
from shared_services.jobs.engine import Engine, Standing
from shared_services.jobs.errors import JobCancelledError, JobKeepsDyingError, JobKindUnknownError, JobTakenError, problem_of
from shared_services.jobs.events import EventWriter
from shared_services.jobs.executors import Adoption
from shared_services.jobs.store import UNFINISHED, JobStore, NewEvent, OwnJobs, clean, json_object, now, state_event
from shared_services.jobs.tables import JobRow
from shared_services.kit.database import MigrationSet, create_engine, is_server, migrate, reachable
from shared_services.kit.errors import BadInputError, ConflictError, PlatformError, UnavailableError

log = get_logger()

MIGRATIONS = MigrationSet("jobs", Path(__file__).parent / "migrations")
DEFAULT_CONCURRENCY = 2
MOST_LISTED = 200
MOST_RUNS_WITHOUT_A_STEP = 20
POLL_SECONDS = 1.0
SWEEP_SECONDS = 5.0
STOP_SECONDS = 5.0
FINISH_ATTEMPTS = 5
PATIENCE_SECONDS = 900.0
"""How long a running job waits for a database server that is away."""

RESUMED = NewEvent("log", {"level": "info", "message": "The program was restarted; the job goes on."})

JOBS_ENDED = Counter("workshop_jobs_ended_total", "Jobs that came to a final state.", ["kind", "state"])


class Jobs:
    """Durable jobs of some kinds.

    Submitting, reading, following and cancelling work as soon as the tables are there; jobs run between `start` and `stop`.
    All methods belong to one event loop.

    Args:
        engine: Database of the jobs' own tables; the attribute `database`.
        system_url: Database of DBOS: `sqlite:///PATH` or `postgresql://...`.
        kinds: What each kind of job does.
        executor_id: Name under which this process owns its jobs; see the module's text.
        concurrency: How many jobs run at once; the others wait in the order of submission.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        system_url: str,
        kinds: Mapping[str, JobFunction],
        executor_id: str = "local",
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
    ) -> None:
        self.database = engine
        self._kinds = kinds
        self.executor_id = executor_id
        self._system_url = system_url
        self._store = JobStore(engine, self._ring)
        self._own = OwnJobs(self._store, executor_id, 0.0 if engine.dialect.name == "sqlite" else PATIENCE_SECONDS)
        self._adoption = Adoption(engine, self._store, executor_id, kinds)
        self._engine = Engine(system_url, executor_id, concurrency)
        self._started = False
        self._stopping = False
        self._controls: dict[str, Control] = {}
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Bring the jobs' tables up to date and see that the engine's database answers; changes nothing of the engine's.

        Raises:
            NewerDataError: The tables were written by a newer version.
            UnavailableError: A database cannot be used.
        """
        await migrate(self.database, MIGRATIONS)
        if is_server(self._system_url):
            system = create_engine(self._system_url)
            try:
                if problem := await reachable(system):
                    raise UnavailableError(f"That of the jobs' engine: {problem}")
            finally:
                await system.dispose()

    async def start(self) -> None:
        """Migrate, launch the engine, and let the jobs of earlier runs go on.

        Raises:
            JobsAlreadyRunningError: Other jobs are started in this process.
            NewerDataError: The tables were written by a newer version.
            StorageFullError: The disk is full.
            UnavailableError: A database cannot be used.
        """
        await migrate(self.database, MIGRATIONS)
        self._stopping = False
        await self._adoption.beat()
        waiting = await self._store.unfinished(self.executor_id)
        await self._engine.launch(self._run)
        self._started = True
        try:
            for row in waiting:
                await self._hand_over(row.id)
        except BaseException:
            await self.stop()
            raise
        for kind, state in ((kind, state) for kind in self._kinds for state in FINAL_STATES):
            JOBS_ENDED.labels(kind, state.value)  # At zero before the first one ends: Prometheus sees only growth.
        self._watch = asyncio.create_task(self._keep_watch())
        log.info("jobs_started", executor=self.executor_id, waiting=len(waiting))

    def drain(self) -> None:
        """Begin no more jobs, and let listeners' streams end; what runs goes on until `stop`."""
        self._stopping = True
        for job_id in list(self._listeners):
            self._ring(job_id)

    async def stop(self) -> None:
        """End quickly; running jobs go on at the next start. Listeners' streams end."""
        if not self._started:
            return
        self._stopping = True
        self._started = False
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        running = [control.run_task for control in self._controls.values() if control.run_task is not None]
        for control in self._controls.values():
            control.stop()
        if running:
            _, unended = await asyncio.wait(running, timeout=STOP_SECONDS)
            if unended:
                log.warning("jobs_did_not_stop", jobs=len(unended), seconds=STOP_SECONDS)
        await self._engine.destroy()
        for job_id in list(self._listeners):
            self._ring(job_id)
        log.info("jobs_stopped", left_to_resume=len(running))

    async def submit(
        self,
        kind: str,
        subject: str,
        owner: str,
        input: dict[str, Any],  # noqa: A002
        *,
        idempotency_key: str | None = None,
    ) -> Job:
        """Store a job and queue it; once this returns, the job runs, whatever is killed.

        Args:
            kind: One of the kinds.
            subject: What it is about, for people.
            owner: Id of the identity it belongs to.
            input: For the kind's function; JSON.
            idempotency_key: The same owner's second submission of a kind under one key gives the first one's job.

        Raises:
            BadInputError: Unknown kind, or input that JSON has no form for.
            ConflictError: The key was used for something else.
        """
        if kind not in self._kinds:
            raise BadInputError(f"There is no job of kind '{clean(kind)[:64]}'. There are: {', '.join(sorted(self._kinds))}.")
        row = JobRow(
            id=uuid.uuid4().hex,
            kind=kind,
            subject=clean(subject),
            owner=owner,
            state=JobState.QUEUED,
            executor=self.executor_id,
            idempotency_key=idempotency_key,
            input=json_object(input, "The input"),
            created_at=now(),
            updated_at=now(),
            done=0,
            message="",
            cancel_requested=False,
            runs=0,
        )
        job = await self._store.insert(row)
        if job is None:
            assert idempotency_key is not None
            first = await self._store.by_idempotency_key(owner, kind, idempotency_key)
            if (first.subject, first.input) != (row.subject, row.input):
                raise ConflictError(f"The idempotency key '{idempotency_key}' was used for another job. Use a new key.")
            return await self._store.get(first.id)
        if self._started:
            await self._enqueue(job.id)
        return job

    async def get(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            NotFoundError: There is no such job.
        """
        return await self._store.get(job_id)

    async def given(self, job_id: str) -> dict[str, Any]:
        """What a job was submitted with. It may hold what its subject leaves out, such as a password in an address.

        Raises:
            NotFoundError: There is no such job.
        """
        return (await self._store.row(job_id)).input

    async def list(
        self, *, kind: str | None = None, owner: str | None = None, limit: int = 50, before: str | None = None
    ) -> list[Job]:
        """Jobs, the newest first.

        Args:
            kind: Only of this kind.
            owner: Only of this owner.
            limit: At most so many, 1 to 200.
            before: Id of the last job of the page before.
        """
        return await self._store.page(kind=kind, owner=owner, limit=max(1, min(limit, MOST_LISTED)), before=before)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job. One that waits is cancelled when this returns, one that runs soon after; one that ended stays as it is.

        Raises:
            NotFoundError: There is no such job.
        """
        await self._store.request_cancel(job_id)
        job = await self._store.get(job_id)
        if job.state not in FINAL_STATES and job_id in self._controls:
            self._controls[job_id].cancel()
        return job

    async def retry(self, job_id: str) -> Job:
        """Let a failed job go on from the step that failed.

        Raises:
            ConflictError: It has not failed.
            NotFoundError: There is no such job.
            UnavailableError: The engine is not done with the failed run yet.
        """
        row = await self._store.row(job_id)
        if row.kind not in self._kinds:
            # Of a process that shares the tables: it looks for such jobs every few seconds.
            await self._store.requeue_failed(job_id, row.executor)
            return await self._store.get(job_id)
        if self._started:
            await self._until_over(job_id)
        await self._store.requeue_failed(job_id, self.executor_id)
        if self._started:
            await self._hand_over(job_id)
        return await self._store.get(job_id)

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[JobEvent]:
        """What happened in a job after event number `after`, then what happens, as it does; ends after its final state.

        It also ends, before the final state, when jobs are stopped: follow on with the last number.

        Raises:
            NotFoundError: There is no such job.
        """
        with self._bell(job_id) as bell:
            while True:
                bell.clear()
                found, ended = await self._store.events(job_id, after)
                for event in found:
                    yield event
                    after = event.number
                if ended or (not found and self._stopping):
                    return
                if not found:
                    await _wait(bell)

    async def wait(self, job_id: str) -> Job:
        """The job once it has ended.

        Raises:
            NotFoundError: There is no such job.
            UnavailableError: Jobs were stopped before.
        """
        with self._bell(job_id) as bell:
            while True:
                bell.clear()
                job = await self._store.get(job_id)
                if job.state in FINAL_STATES:
                    return job
                if self._stopping:
                    raise UnavailableError(f"The program was stopped before job {job_id} ended; it goes on at the next start.")
                await _wait(bell)

    @contextmanager
    def _bell(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at each change of a job by this process."""
        bell = asyncio.Event()
        bells = self._listeners.setdefault(job_id, set())
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells:
                self._listeners.pop(job_id, None)

    def _ring(self, job_id: str) -> None:
        for bell in self._listeners.get(job_id, ()):
            bell.set()

    async def _enqueue(self, job_id: str) -> None:
        try:
            await self._engine.enqueue(job_id)
        except Exception as error:
            # The caller learns that it was not taken; so it must not come to life at the next start.
            log.exception("job_not_queued", job=job_id)
            refused = UnavailableError("The job could not be queued; the log has the details. Submit it again.")
            await self._finish(job_id, JobState.FAILED, error=problem_of(refused))
            raise refused from error

    async def _hand_over(self, job_id: str) -> None:
        """Make sure that the engine has an unfinished job in its queue, or at work."""
        standing = await self._engine.standing(job_id)
        if standing is Standing.UNKNOWN:
            await self._enqueue(job_id)
        elif standing is Standing.ELSEWHERE:
            row = await self._store.row(job_id)
            await self._engine.take(job_id, again=row.state == JobState.QUEUED)
        elif standing is Standing.OVER and (await self._store.row(job_id)).state in UNFINISHED:
            # Read after the engine's word: a job that has just ended got its final state before the engine was done with it.
            await self._engine.rewind(job_id)

    async def _until_over(self, job_id: str) -> None:
        """A job's final state is stored a moment before the engine is done with it, which alone can be rewound."""
        deadline = time.monotonic() + STOP_SECONDS
        under_way = {Standing.HERE, Standing.ELSEWHERE}
        while (await self._store.row(job_id)).state == JobState.FAILED and await self._engine.standing(job_id) in under_way:
            if time.monotonic() > deadline:
                raise UnavailableError("The failed run is still being put away. Try again in a moment.")
            await asyncio.sleep(0.05)

    async def _run(self, job_id: str, steps: DurableSteps) -> None:
        """One run of a job. Ends with CancelledError, which leaves it to the next start, when jobs are being stopped."""
        if self._stopping:
            raise asyncio.CancelledError
        row = await self._store.find(job_id)
        if row is None:
            log.error("job_without_row", job=job_id, reason="the engine's database is newer than the jobs' own; nothing is run")
            return
        if row.state in FINAL_STATES or row.executor != self.executor_id:
            return
        refusal = self._refusal(row)
        if row.cancel_requested:
            await self._finish(job_id, JobState.CANCELLED)
        elif refusal is not None:
            await self._finish(job_id, JobState.FAILED, error=problem_of(refusal))
        else:
            await self._run_function(row, steps)

    def _refusal(self, row: JobRow) -> PlatformError | None:
        if row.kind not in self._kinds:
            return JobKindUnknownError(f"This version of the program has no job of kind '{row.kind}' any more.")
        if row.runs >= MOST_RUNS_WITHOUT_A_STEP:
            return JobKeepsDyingError(
                f"It was started {row.runs} times, and the program ended each time before the next step did. "
                "Look into the log for why, for example too little memory, and then try again."
            )
        return None

    async def _run_function(self, row: JobRow, steps: DurableSteps) -> None:
        control = self._controls[row.id] = Control()
        events = EventWriter(self._own, row.id)
        context = JobContext(row.id, row.owner, steps=steps, store=self._own, events=events, control=control)
        try:
            resumed = row.state == JobState.RUNNING
            begun = [RESUMED] if resumed else [state_event(JobState.RUNNING)]
            if not await self._own.record(row.id, begun, only_in=UNFINISHED, state=JobState.RUNNING, runs=row.runs + 1):
                return
            log.info("job_resumed" if resumed else "job_began", job=row.id, kind=row.kind, subject=row.subject)
            control.job_task = asyncio.create_task(self._call(row, context))
            if control.interrupted:
                control.job_task.cancel()
            await asyncio.wait({control.job_task})
            if control.stopping:
                # What it raised on its way out is of no interest: it runs again.
                await asyncio.gather(control.job_task, return_exceptions=True)
                raise asyncio.CancelledError
            await events.close()
            await self._conclude(row, control)
        except JobTakenError as error:
            log.warning("job_taken", job=row.id, kind=row.kind, detail=error.detail)
            if control.job_task is not None:
                control.job_task.cancel()
                await asyncio.gather(control.job_task, return_exceptions=True)
        finally:
            events.abandon()
            self._controls.pop(row.id, None)

    async def _call(self, row: JobRow, context: JobContext) -> dict[str, Any]:
        result = await self._kinds[row.kind](context, row.input)
        try:
            return json_object(result, "The result")
        except BadInputError as error:
            raise TypeError(error.detail) from error

    async def _conclude(self, row: JobRow, control: Control) -> None:
        task = control.job_task
        assert task is not None
        if not task.cancelled() and task.exception() is None:
            await self._finish(row.id, JobState.SUCCEEDED, result=task.result())
            return
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if control.cancelled and isinstance(error, asyncio.CancelledError | JobCancelledError):
            await self._finish(row.id, JobState.CANCELLED)
            return
        assert error is not None
        if isinstance(error, JobTakenError):
            raise error
        if isinstance(error, PlatformError):
            log.warning("job_failed", job=row.id, kind=row.kind, slug=error.slug, detail=error.detail)
        else:
            log.error("job_crashed", job=row.id, kind=row.kind, error=type(error).__name__, exc_info=error)
        await self._finish(row.id, JobState.FAILED, error=problem_of(error))

    async def _finish(self, job_id: str, state: JobState, **columns: Any) -> None:
        for attempt in range(1, FINISH_ATTEMPTS + 1):
            try:
                ended = await self._own.record(job_id, [state_event(state)], only_in=UNFINISHED, state=state, **columns)
                break
            except JobTakenError:
                raise
            except Exception as error:
                if attempt == FINISH_ATTEMPTS:
                    raise
                log.warning("job_end_not_stored", job=job_id, state=state, attempt=attempt, error=str(error))
                await asyncio.sleep(attempt)
        if ended:
            kind = (await self._store.row(job_id)).kind
            JOBS_ENDED.labels(kind, state.value).inc()
            log.info("job_ended", job=job_id, kind=kind, state=state.value)

    async def _keep_watch(self) -> None:
        """Notice what other processes wrote, and what an error of the database has left lying."""
        swept = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._adoption.beat()
                await self._notice_interrupted()
                if time.monotonic() - swept >= SWEEP_SECONDS:
                    swept = time.monotonic()
                    await self._sweep()
                    for job_id in await self._adoption.adopt():
                        await self._hand_over(job_id)
            except Exception as error:
                log.warning("jobs_watch_failed", exc_info=error)

    async def _notice_interrupted(self) -> None:
        if not self._controls:
            return
        for row in await self._store.interrupted(self._controls, self.executor_id):
            control = self._controls.get(row.id)
            if control is not None and row.executor != self.executor_id:
                if not control.stopping:
                    log.warning("job_taken", job=row.id, kind=row.kind, detail=f"{row.executor} runs it now.")
                control.stop()
            elif control is not None:
                control.cancel()

    async def _sweep(self) -> None:
        for row in await self._store.unfinished(self.executor_id):
            if row.id not in self._controls:
                await self._hand_over(row.id)


async def _wait(bell: asyncio.Event) -> None:
    """Until this process changes the job, or long enough that another one may have."""
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await bell.wait()
    except TimeoutError:
        return
