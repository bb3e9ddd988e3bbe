"""DBOS, behind the four things that jobs need of it: a queue, steps that are remembered, recovery, and going back to a step.

The only module that imports dbos, and only when it is launched. Facts about DBOS 3 that shape it:

- It is one object for the process, so at most one engine is launched at a time.
- On each event loop where one of its coroutines runs it makes its own thread pool the loop's default one, which is shut
  down with it and takes `asyncio.to_thread` of the whole process along. So DBOS keeps to the loop of its own thread
  (launched from a thread that has no loop, it makes one), and the work is handed over to the house's loop and back.
- Under Python 3.12 and newer its SQLite schema takes `unixepoch('subsec')` for granted, which SQLite has from 3.42 on;
  Debian 12 and Ubuntu 22.04 are older. There the function is given to each connection.
- A step or workflow that ends with `asyncio.CancelledError` leaves no record and is run again by the next recovery.
- A queue is polled by every process that listens to it, and what it recovers at a start it puts into a queue that all listen
  to. Jobs are to run where they were accepted, so each executor listens to a queue of its own, and each launch has a name of
  its own, which leaves DBOS nothing to recover: `Jobs` takes up what is left of earlier launches itself, by `take`.
- `resume_workflow` gives a running workflow a new owner. What the former one still records of it is refused.
- Results are pickled by default. Here they are JSON, so that who can write to the database cannot run code.
"""

import asyncio
import contextvars
import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import DBAPIError
from structlog import get_logger

from shared_services.contracts.problems import Problem
from shared_services.jobs.errors import JobsAlreadyRunningError, JobStepsChangedError, problem_of
from shared_services.kit.database import storage_errors
from shared_services.kit.errors import ProblemError, UnavailableError

log = get_logger()

NAME = "workshop-jobs"
WORKFLOW = "run_job"
VERSION = "1"
"""A queue gives out jobs of the same version alone. DBOS's own default changes with the code, which would orphan them."""
POLL_SECONDS = 0.25
SQLITE_WITH_SUBSECONDS = (3, 42)

RunJob = Callable[[str, "RecordedSteps"], Coroutine[Any, Any, None]]

_launched: "Engine | None" = None


async def across[T](loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], context: contextvars.Context) -> T:
    """Run a coroutine on another thread's event loop, in `context`, and wait for it; cancelling goes across as well."""
    return await asyncio.wrap_future(context.run(asyncio.run_coroutine_threadsafe, coroutine, loop))


class Standing(StrEnum):
    """How a job stands with DBOS.

    Attributes:
        UNKNOWN: It was never queued.
        HERE: It waits in this executor's queue, or is at work in this launch.
        ELSEWHERE: It is another executor's, or an earlier launch was at work on it.
        OVER: It is done with.
    """

    UNKNOWN = "unknown"
    HERE = "here"
    ELSEWHERE = "elsewhere"
    OVER = "over"


class RecordedSteps:
    """The steps of one run of one job, remembered by DBOS. Made on DBOS's loop, used on the house's."""

    def __init__(self, house: asyncio.AbstractEventLoop) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()

    async def run(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """As `DurableSteps.run`.

        Raises:
            JobStepsChangedError: Another step was at this place when the job ran before.
        """
        from dbos import DBOS
        from dbos._error import DBOSUnexpectedStepError

        async def on_house() -> Any:
            return await work()

        async def on_engine() -> Any:
            return await across(self._house, on_house(), contextvars.Context())

        async def recorded() -> Any:
            return await DBOS.run_step_async({"name": name}, on_engine)

        try:
            return await across(self._loop, recorded(), self._context.copy())
        except DBOSUnexpectedStepError as error:
            raise JobStepsChangedError(
                f"The step '{name}' is not the one that stood here when the job began: the program was updated meanwhile. "
                "Submit the job again."
            ) from error


class Engine:
    """A launched DBOS that calls `run` for each job when it is its turn, and again after each kill until `run` returns.

    Args:
        system_url: Database of DBOS's own: `sqlite:///PATH` or `postgresql://...`; it is made where it does not exist.
        executor_id: Whose queue to listen to.
        concurrency: How many run at once.
    """

    def __init__(self, system_url: str, executor_id: str, concurrency: int) -> None:
        self._system_url = system_url
        self._executor_id = executor_id
        self._queue = f"jobs-{executor_id}"
        self._launch_id = f"{executor_id}.{uuid.uuid4().hex}"
        self._concurrency = concurrency
        self._workflow: Any = None

    async def launch(self, run: RunJob) -> None:
        """Import, migrate and start DBOS. Jobs that an earlier launch was at work on stay as they are until they are taken.

        Raises:
            JobsAlreadyRunningError: Another engine is launched in this process.
            StorageFullError: The disk is full.
            UnavailableError: Its database cannot be used.
        """
        global _launched
        if _launched is not None:
            raise JobsAlreadyRunningError("Stop the other `Jobs` of this process first: its engine exists once in a process.")
        _launched = self
        house = asyncio.get_running_loop()
        try:
            with storage_errors():
                await self._in_thread(lambda: self._launch(house, run))
        except BaseException as error:
            _launched = None
            if isinstance(error, DBAPIError):
                raise UnavailableError(f"The jobs' engine cannot use its database: {error.orig}.") from error
            raise

    async def destroy(self) -> None:
        """Stop DBOS. What is under way stays recorded as such."""
        global _launched
        from dbos import DBOS

        await self._in_thread(lambda: DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=0))
        _launched = None

    async def enqueue(self, job_id: str) -> None:
        """Queue a job; does nothing for one that is known already."""
        from dbos import DBOS, SetWorkflowID

        def enqueue() -> None:
            with SetWorkflowID(job_id):
                DBOS.enqueue_workflow(self._queue, self._workflow, job_id)

        await self._in_thread(enqueue)

    async def standing(self, job_id: str) -> Standing:
        """How a job stands."""
        from dbos import DBOS

        status = await self._in_thread(lambda: DBOS.get_workflow_status(job_id))
        if status is None:
            return Standing.UNKNOWN
        if status.status not in {"PENDING", "ENQUEUED", "DELAYED"}:
            return Standing.OVER
        at_work_elsewhere = status.status == "PENDING" and status.executor_id != self._launch_id
        return Standing.ELSEWHERE if status.queue_name != self._queue or at_work_elsewhere else Standing.HERE

    async def take(self, job_id: str, *, again: bool = False) -> None:
        """Put a job that is not over into this executor's queue; whoever is at work on it loses it. Steps that ended stay so.

        Args:
            job_id: The job.
            again: It is tried again, so a step that failed is not to fail from memory: its end was stored, and the process
                ended before the engine had done with it.
        """
        from dbos import DBOS

        def take() -> bool:
            if again and any(step["error"] is not None for step in DBOS.list_workflow_steps(job_id, load_output=True)):
                DBOS.cancel_workflow(job_id)
                return True
            DBOS.resume_workflow(job_id, queue_name=self._queue)
            return False

        if await self._in_thread(take):
            await self.rewind(job_id)

    async def rewind(self, job_id: str) -> None:
        """Queue a job again that is over, to go on from the first step that failed, or after the last where none did."""
        from dbos import DBOS

        def rewind() -> None:
            steps = DBOS.list_workflow_steps(job_id, load_output=True)
            failed = [step["function_id"] for step in steps if step["error"] is not None]
            last = max((step["function_id"] for step in steps), default=0)
            DBOS.rewind_workflow(job_id, start_step=min(failed, default=last + 1), queue_name=self._queue)

        await self._in_thread(rewind)

    async def _in_thread[T](self, call: Callable[[], T]) -> T:
        # Not asyncio.to_thread: it would hand on the caller's context, in which DBOS may see one of its own steps.
        return await asyncio.get_running_loop().run_in_executor(None, call)

    def _launch(self, house: asyncio.AbstractEventLoop, run: RunJob) -> None:
        started = time.monotonic()
        _quieten()
        from dbos import DBOS

        async def run_job(job_id: str) -> None:
            await across(house, run(job_id, RecordedSteps(house)), contextvars.Context())

        DBOS(config=self._config())
        try:
            self._workflow = DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(run_job)
            DBOS.listen_queues([self._queue])
            DBOS.launch()
            DBOS.register_queue(
                self._queue, worker_concurrency=self._concurrency, polling_interval_sec=POLL_SECONDS, on_conflict="always_update"
            )
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise
        log.info("jobs_engine_launched", executor=self._executor_id, seconds=round(time.monotonic() - started, 3))

    def _config(self) -> Any:
        config: dict[str, Any] = {
            "name": NAME,
            "system_database_url": self._system_url,
            "application_version": VERSION,
            "executor_id": self._launch_id,
            "serializer": _json_serializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "max_executor_threads": 8 + self._concurrency,
            "notification_listener_polling_interval_sec": POLL_SECONDS,
            "sys_db_pool_size": 4 + self._concurrency,
        }
        if self._system_url.startswith("sqlite"):
            config["db_engine_kwargs"] = {"connect_args": {"factory": SystemConnection}}
        return config


class SystemConnection(sqlite3.Connection):
    """A connection to DBOS's own SQLite file: as durable as the house's own, and with the clock that DBOS asks for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if sqlite3.sqlite_version_info < SQLITE_WITH_SUBSECONDS:
            self.create_function("unixepoch", 1, _unixepoch)
        self.execute("PRAGMA busy_timeout=30000")
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=FULL")


def _unixepoch(modifier: str) -> float | None:
    return time.time() if modifier == "subsec" else None


def _json_serializer() -> Any:
    from dbos import Serializer

    class JsonSerializer(Serializer):
        """Results as JSON; of an error, its problem document."""

        def serialize(self, data: Any) -> str:
            kept = {"problem": problem_of(data)} if isinstance(data, BaseException) else {"value": data}
            return json.dumps(kept, allow_nan=False)

        def deserialize(self, serialized_data: str) -> Any:
            kept = json.loads(serialized_data)
            return ProblemError(Problem.model_validate(kept["problem"])) if "problem" in kept else kept["value"]

        def name(self) -> str:
            return "workshop_json"

    return JsonSerializer()


class _WithoutRepetitions(logging.Filter):
    """Drops what DBOS logs and this house knows already.

    A cancelled task is how a job is cancelled or left to the next process; a failed launch is raised as well. That the database
    `postgres` is closed to a service's role is meant to be so; DBOS looks there whether its own exists, and goes on.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(
            ("Asyncio task cancelled", "DBOS failed to launch", "Could not connect to postgres database to verify existence")
        )


def _quieten() -> None:
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        # Seeing a handler, DBOS adds none of its own; records go on to the root logger's, which are ours.
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_WithoutRepetitions())
