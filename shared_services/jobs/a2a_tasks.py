"""A2A tasks that outlive the process: kept beside the jobs, and where a durable job does the work, told from the job.

A task of a job is what its job is: whoever reads it while it is under way is told the job's state as it is now, in this process
or another, before a kill or after it. Only the end is derived and stored, and deriving it twice stores the same. What is done
without a job ends with its process, and is then said to have failed. Imports the protocol's library, so import it late.
"""

import uuid
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, cast

import anyio
from a2a.server.agent_execution import AgentExecutor
from a2a.server.context import ServerCallContext
from a2a.server.events import Event, EventQueue
from a2a.server.models import TaskMixin
from a2a.server.tasks import DatabaseTaskStore, TaskStore, TaskUpdater
from a2a.server.tasks.task_manager import TaskManager
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    SubscribeToTaskRequest,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import TaskNotCancelableError
from google.protobuf.json_format import MessageToDict
from sqlalchemy import delete, select
from sqlalchemy.orm import DeclarativeBase
from starlette.types import ASGIApp

from shared_services.contracts.jobs import FINAL_STATES, Job, JobProgress, JobState
from shared_services.jobs.service import Jobs
from shared_services.kit.a2a_server import (
    MOST_TASKS,
    Marked,
    SkillExecutor,
    TaskHandler,
    Work,
    data_part,
    open_face,
    problem_parts,
    text_part,
)
from shared_services.kit.database import session_factory, storage_errors
from shared_services.kit.errors import NotFoundError, UnavailableError

JOB = "job"
PROCESS = "process"
PROGRESS_PARTS = 20
CANCEL_SECONDS = 30.0
"""How long a cancelling waits for the job to have cleaned up; its job may run in a process that is gone."""

MOST_UNDER_WAY = 100
"""Tasks under way that a listing brings up to date, of each state."""

_UNDER_WAY = (TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING)

Tell = Callable[[int, int | None, str], Awaitable[None]]
Ending = Callable[[TaskUpdater], Awaitable[None]]


class TaskBase(DeclarativeBase):
    """Metadata apart from the library's own; the migrations make the table."""


class TaskRow(TaskMixin, TaskBase):
    """A task as the library keeps it."""

    __tablename__ = "jobs_a2a_tasks"


def teller(task: TaskUpdater, job: str | None = None) -> Tell:
    """Tells progress where a part of it is done, or something else is being done."""
    last: tuple[str, int] | None = None

    async def tell(done: int, total: int | None, message: str) -> None:
        nonlocal last
        now = (message, done * PROGRESS_PARTS // total if total else 0)
        if now == last:
            return
        last = now
        told = JobProgress(job=job, done=done, total=total, message=message)
        await task.update_status(TaskState.TASK_STATE_WORKING, task.new_agent_message(_parts(told)))

    return tell


class JobExecutor(SkillExecutor):
    """Skills whose work is a durable job, or ends with the process.

    Args:
        jobs: Do the work; None where there are none, and then no skill may ask for one.
    """

    def __init__(self, jobs: Jobs | None) -> None:
        super().__init__()
        self._jobs = jobs
        self.process = f"{jobs.executor_id if jobs else ''}/{uuid.uuid4().hex}"

    @abstractmethod
    async def conclude(self, task: TaskUpdater, job: Job) -> None:
        """Tell how a job ended: its artifacts, under ids that are the same each time, and the task's last status.

        Raises:
            PlatformError: What was made cannot be read now; it is asked for again.
        """

    def following(self, job: Job) -> Marked:
        """Work that tells a job's progress until it ends. Where this process ends first, both go on."""
        jobs, marks = self._jobs, {JOB: job.id}
        if jobs is None:
            raise UnavailableError("There are no jobs here.")

        async def work(task: TaskUpdater) -> None:
            begun = task.new_agent_message([data_part(JobProgress(job=job.id))])
            await task.update_status(TaskState.TASK_STATE_WORKING, begun, metadata=marks)
            tell = teller(task, job.id)
            async for event in jobs.events(job.id):
                if event.type == "progress":
                    await tell(event.data["done"], event.data["total"], event.data["message"])
            ended = await jobs.get(job.id)
            if ended.state in FINAL_STATES:
                await self.conclude(task, ended)

        return Marked(work, marks)

    def at_once(self, work: Work) -> Marked:
        """Work that ends with this process."""
        return Marked(work, {PROCESS: self.process})


class JobTasks(TaskStore):
    """Tasks in the jobs' database, the newest of all owners together; those under way as their jobs are.

    Args:
        jobs: Have the database, prepared.
        executor: Says how a job ended.
        most: How many are kept.
    """

    def __init__(self, jobs: Jobs, executor: JobExecutor, most: int = MOST_TASKS) -> None:
        self._jobs = jobs
        self._executor = executor
        self._most = most
        self._sessions = session_factory(jobs.database)
        self._kept = DatabaseTaskStore(jobs.database, create_table=False)
        self._kept.task_model = cast("Any", TaskRow)

    async def save(self, task: Task, context: ServerCallContext) -> None:
        """Keep a task; with a new one, let those go that were changed longest ago."""
        with storage_errors():
            await self._kept.save(task, context)
            if task.status.state == TaskState.TASK_STATE_SUBMITTED:
                await self._forget()

    async def get(self, task_id: str, context: ServerCallContext) -> Task | None:
        """The caller's task as it is now."""
        with storage_errors():
            task = await self._kept.get(task_id, context)
            return None if task is None else await self._now(task, context)

    async def list(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        """The caller's tasks as they are now."""
        now: dict[str, Task] = {}
        with storage_errors():
            for state in _UNDER_WAY:
                under_way = await self._kept.list(ListTasksRequest(status=state, page_size=MOST_UNDER_WAY), context)
                for task in under_way.tasks:
                    now[task.id] = await self._now(task, context)
            page = await self._kept.list(params, context)
        for task in page.tasks:
            if task.id in now:
                task.CopyFrom(now[task.id])
        return page

    async def delete(self, task_id: str, context: ServerCallContext) -> None:
        """Let a task go."""
        with storage_errors():
            await self._kept.delete(task_id, context)

    async def _now(self, task: Task, context: ServerCallContext) -> Task:
        if task.status.state not in _UNDER_WAY:
            return task
        marks = MessageToDict(task.metadata)
        if JOB not in marks:
            process = str(marks.get(PROCESS, ""))
            own = process.rpartition("/")[0] == self._executor.process.rpartition("/")[0]
            return await self._ended(task, context, _lost) if own and process != self._executor.process else task
        try:
            job = await self._jobs.get(str(marks[JOB]))
        except NotFoundError:
            return await self._ended(task, context, _lost)
        if job.state in FINAL_STATES:
            return await self._ended(task, context, partial(_concluding, self._executor, job))
        return _under_way(task, job)

    async def _ended(self, task: Task, context: ServerCallContext, ending: Ending) -> Task:
        manager = TaskManager(self._kept, context, task.id, task.context_id, None)
        await ending(TaskUpdater(cast("EventQueue", _Applied(manager)), task.id, task.context_id))
        return await manager.get_task() or task

    async def _forget(self) -> None:
        newest = select(TaskRow.id).order_by(TaskRow.last_updated.desc()).limit(self._most)
        async with self._sessions.begin() as session:
            await session.execute(delete(TaskRow).where(TaskRow.id.not_in(newest)))


class _Applied:
    """Takes a task's events and stores what the task is by them."""

    def __init__(self, manager: TaskManager) -> None:
        self._manager = manager

    async def enqueue_event(self, event: Event) -> None:
        await self._manager.process(event)


async def _concluding(executor: JobExecutor, job: Job, task: TaskUpdater) -> None:
    await executor.conclude(task, job)


async def _lost(task: TaskUpdater) -> None:
    _, parts = problem_parts(
        UnavailableError("The program that did this ended before it was done, and nothing was kept. Send the message again.")
    )
    await task.failed(task.new_agent_message(parts))


def _under_way(task: Task, job: Job) -> Task:
    """A task whose job has not ended, with the job's progress."""
    now = Task()
    now.CopyFrom(task)
    if job.state is JobState.RUNNING:
        now.status.state = TaskState.TASK_STATE_WORKING
    told = JobProgress(job=job.id, done=job.done, total=job.total, message=job.message)
    message = TaskUpdater(cast("EventQueue", None), task.id, task.context_id).new_agent_message(_parts(told))
    now.status.message.CopyFrom(message)
    now.status.timestamp.FromDatetime(job.updated_at)
    return now


def _parts(told: JobProgress) -> list[Any]:
    if not told.message:
        return [data_part(told)]
    words = f"{told.message} ({told.done} of {told.total})" if told.total else told.message
    return [text_part(words), data_part(told)]


class JobHandler(TaskHandler):
    """Serves tasks of jobs by their jobs, wherever these run, and others as the library does.

    Args:
        jobs: Do the work.
        tasks: Where the tasks are.
        card: The agent's.
        executor: Takes messages.
    """

    def __init__(self, jobs: Jobs, tasks: JobTasks, card: AgentCard, executor: AgentExecutor) -> None:
        super().__init__(tasks, card, executor)
        self._jobs = jobs

    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task | None:
        """Cancel a task's job, and wait until it has cleaned up after itself."""
        job = await self._job_of(params.id, context)
        if job is None:
            return cast("Task | None", await super().on_cancel_task(params, context))
        await self._jobs.cancel(job)
        with anyio.move_on_after(CANCEL_SECONDS):
            await self._jobs.wait(job)
        task = await self.tasks.get(params.id, context)
        if task is not None and task.status.state not in (TaskState.TASK_STATE_CANCELED, *_UNDER_WAY):
            raise TaskNotCancelableError
        return task

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event, None]:
        """Tell what becomes of a task from now on."""
        job = await self._job_of(params.id, context)
        events = super().on_subscribe_to_task(params, context) if job is None else self._followed(params.id, job, context)
        async for event in events:
            yield event

    async def _job_of(self, task_id: str, context: ServerCallContext) -> str | None:
        """The job of a task that is under way."""
        task = await self.tasks.get(task_id, context)
        if task is None or task.status.state not in _UNDER_WAY:
            return None
        return cast("str | None", MessageToDict(task.metadata).get(JOB))

    async def _followed(self, task_id: str, job: str, context: ServerCallContext) -> AsyncIterator[Event]:
        task = await self.tasks.get(task_id, context)
        if task is None:
            return
        yield task
        async for event in self._jobs.events(job):
            found = await self.tasks.get(task_id, context) if event.type == "progress" else None
            if found is not None and found.status != task.status and found.status.state in _UNDER_WAY:
                task = found
                yield TaskStatusUpdateEvent(task_id=task_id, context_id=task.context_id, status=task.status)
        ended = await self.tasks.get(task_id, context)
        if ended is None or ended.status.state in _UNDER_WAY:
            return
        for artifact in ended.artifacts:
            yield TaskArtifactUpdateEvent(task_id=task_id, context_id=ended.context_id, artifact=artifact)
        yield TaskStatusUpdateEvent(task_id=task_id, context_id=ended.context_id, status=ended.status)


def open_job_face(card: dict[str, Any], executor: JobExecutor, jobs: Jobs) -> AbstractAsyncContextManager[ASGIApp]:
    """As `open_face`, with tasks that outlive the process.

    Args:
        card: The agent's card in the protocol's JSON.
        executor: Does the work.
        jobs: Have the database where tasks are kept, prepared.
    """
    return open_face(card, executor, lambda parsed, using: JobHandler(jobs, JobTasks(jobs, executor), parsed, using))
