"""Jobs in the relational store. Each method is one transaction; a change and the event that tells of it are stored together.

A job's event numbers come from the job's own row, counted up by the statement that locks it, so that two writers, in one
process or in two, can neither leave a gap nor use a number twice.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from structlog import get_logger

from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent, JobState, JobStep
from shared_services.jobs.errors import JobTakenError
from shared_services.jobs.tables import EventRow, JobRow, StepRow
from shared_services.kit.database import session_factory, storage_errors
from shared_services.kit.errors import BadInputError, ConflictError, NotFoundError, StorageFullError, UnavailableError

UNFINISHED = frozenset(set(JobState) - FINAL_STATES)
EVENTS_AT_ONCE = 500
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0

log = get_logger()


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet."""

    type: str
    data: dict[str, Any]


def state_event(state: JobState) -> NewEvent:
    """The event that tells of a new state."""
    return NewEvent("state", {"state": state.value})


def clean(text: str) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def json_object(value: Any, what: str) -> dict[str, Any]:
    """The value as it comes back from JSON.

    Raises:
        BadInputError: JSON has no form for it, or it is no object.
    """
    try:
        plain = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{what} is not JSON: {error}.") from error
    if not isinstance(plain, dict):
        raise BadInputError(f"{what} is not a JSON object.")
    return plain


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def job_of(row: JobRow, steps: Iterable[StepRow]) -> Job:
    """A job as callers see it."""
    return Job(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        owner=row.owner,
        state=JobState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        steps=[step_of(step) for step in steps],
        done=row.done,
        total=row.total,
        message=row.message,
        result=row.result,
        error=row.error,
    )


def step_of(row: StepRow) -> JobStep:
    """A step as callers see it."""
    return JobStep(name=row.name, state=JobState(row.state), started_at=row.started_at, seconds=row.seconds, detail=row.detail)


class JobStore:
    """Jobs, steps and events of every process that shares the database.

    Args:
        engine: Where the tables are.
        changed: Called with a job's id after each change to it that this process made.
    """

    def __init__(self, engine: AsyncEngine, changed: Callable[[str], None]) -> None:
        self._sessions = session_factory(engine)
        self._changed = changed

    async def insert(self, row: JobRow) -> Job | None:
        """Store a new job and its first event; None when its owner has a job of that kind and idempotency key."""
        row.last_event = 1
        first = EventRow(job_id=row.id, number=1, at=row.created_at, type="state", data={"state": row.state})
        try:
            with storage_errors():
                async with self._sessions.begin() as session:
                    session.add(row)
                    await session.flush()
                    session.add(first)
        except IntegrityError:
            if row.idempotency_key is None:
                raise
            return None
        return job_of(row, [])

    async def by_idempotency_key(self, owner: str, kind: str, key: str) -> JobRow:
        """The job that an owner submitted under a key."""
        wanted = select(JobRow).where(JobRow.owner == owner, JobRow.kind == kind, JobRow.idempotency_key == key)
        with storage_errors():
            async with self._sessions() as session:
                return (await session.scalars(wanted)).one()

    async def find(self, job_id: str) -> JobRow | None:
        """The row of a job; None where there is no such job."""
        with storage_errors():
            async with self._sessions() as session:
                return await session.get(JobRow, job_id)

    async def row(self, job_id: str) -> JobRow:
        """The row of a job.

        Raises:
            NotFoundError: There is no such job.
        """
        with storage_errors():
            async with self._sessions() as session:
                return await _row(session, job_id)

    async def get(self, job_id: str) -> Job:
        """A job with its steps.

        Raises:
            NotFoundError: There is no such job.
        """
        with storage_errors():
            async with self._sessions() as session:
                row = await _row(session, job_id)
                steps = await session.scalars(select(StepRow).where(StepRow.job_id == job_id).order_by(StepRow.position))
                return job_of(row, steps)

    async def page(self, *, kind: str | None, owner: str | None, limit: int, before: str | None) -> list[Job]:
        """Jobs from the newest on, those older than the job `before`.

        Raises:
            NotFoundError: There is no job `before`.
        """
        wanted: Select[tuple[JobRow]] = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
        if kind is not None:
            wanted = wanted.where(JobRow.kind == kind)
        if owner is not None:
            wanted = wanted.where(JobRow.owner == owner)
        with storage_errors():
            async with self._sessions() as session:
                if before is not None:
                    last = await _row(session, before)
                    wanted = wanted.where(
                        or_(JobRow.created_at < last.created_at, and_(JobRow.created_at == last.created_at, JobRow.id < last.id))
                    )
                rows = (await session.scalars(wanted)).all()
                chosen = select(StepRow).where(StepRow.job_id.in_([row.id for row in rows])).order_by(StepRow.position)
                steps: dict[str, list[StepRow]] = {row.id: [] for row in rows}
                for step in await session.scalars(chosen):
                    steps[step.job_id].append(step)
        return [job_of(row, steps[row.id]) for row in rows]

    async def unfinished(self, executor: str) -> Sequence[JobRow]:
        """The jobs of an executor that have no final state, oldest first."""
        wanted = (
            select(JobRow).where(JobRow.executor == executor, JobRow.state.in_(UNFINISHED)).order_by(JobRow.created_at, JobRow.id)
        )
        with storage_errors():
            async with self._sessions() as session:
                return (await session.scalars(wanted)).all()

    async def unfinished_elsewhere(self, executor: str, kinds: Iterable[str]) -> Sequence[JobRow]:
        """The jobs of some kinds that have no final state and are of other executors, oldest first."""
        wanted = (
            select(JobRow)
            .where(JobRow.executor != executor, JobRow.state.in_(UNFINISHED), JobRow.kind.in_(list(kinds)))
            .order_by(JobRow.created_at, JobRow.id)
        )
        with storage_errors():
            async with self._sessions() as session:
                return (await session.scalars(wanted)).all()

    async def adopt(self, job_id: str, former: str, executor: str) -> bool:
        """Give an unfinished job of the executor `former` to another; False where it has ended or is somebody else's by now."""
        event = NewEvent("log", {"level": "warning", "message": "Its process did not come back; another one goes on with it."})
        try:
            return await self.record(job_id, [event], only_in=UNFINISHED, owner=former, executor=executor)
        except JobTakenError:
            return False

    async def interrupted(self, job_ids: Iterable[str], executor: str) -> Sequence[JobRow]:
        """Those of an executor's running jobs that somebody asked to be cancelled, or that another executor has taken."""
        wanted = select(JobRow).where(JobRow.id.in_(list(job_ids)), or_(JobRow.cancel_requested, JobRow.executor != executor))
        with storage_errors():
            async with self._sessions() as session:
                return (await session.scalars(wanted)).all()

    async def events(self, job_id: str, after: int) -> tuple[list[JobEvent], bool]:
        """Up to `EVENTS_AT_ONCE` events with a number above `after`, and whether no more will come.

        Raises:
            NotFoundError: There is no such job.
        """
        wanted = (
            select(EventRow)
            .where(EventRow.job_id == job_id, EventRow.number > after)
            .order_by(EventRow.number)
            .limit(EVENTS_AT_ONCE)
        )
        with storage_errors():
            async with self._sessions() as session:
                row = await _row(session, job_id)
                found = [JobEvent(number=e.number, at=e.at, type=e.type, data=e.data) for e in await session.scalars(wanted)]
        last = found[-1].number if found else after
        return found, row.state in FINAL_STATES and last >= row.last_event

    async def record(
        self,
        job_id: str,
        events: Sequence[NewEvent],
        *,
        step: StepRow | None = None,
        only_in: frozenset[JobState] | None = None,
        owner: str | None = None,
        **columns: Any,
    ) -> bool:
        """Change a job and append events, in one transaction.

        Args:
            job_id: The job.
            events: What to append.
            step: A step to store, in place of what was stored of the step at that position.
            only_in: States in which the change is allowed; any when None.
            owner: The executor that the job has to be of; any when None.
            columns: New values of the job's own columns.

        Returns:
            False, with nothing changed, when the job is not in one of `only_in`.

        Raises:
            JobTakenError: The job is another executor's than `owner`.
            NotFoundError: There is no such job.
        """
        with storage_errors():
            async with self._sessions.begin() as session:
                last = await _advance(session, job_id, len(events), only_in, owner, columns)
                if last is None:
                    row = await _row(session, job_id)
                    if owner is not None and row.executor != owner:
                        raise JobTakenError(f"Job {job_id} is of executor '{row.executor}' now.")
                    return False
                if step is not None:
                    await session.merge(step)
                if columns.get("state") in FINAL_STATES:
                    # A step that a kill had cut off, in a job that ends without having run it again.
                    cut_off = update(StepRow).where(StepRow.job_id == job_id, StepRow.state == JobState.RUNNING)
                    await session.execute(cut_off.values(state=columns["state"]))
                at, first = now(), last - len(events) + 1
                session.add_all(
                    EventRow(job_id=job_id, number=first + offset, at=at, type=event.type, data=event.data)
                    for offset, event in enumerate(events)
                )
        self._changed(job_id)
        return True

    async def request_cancel(self, job_id: str) -> None:
        """Cancel a job that waits; leave word for one that runs; nothing for one that has ended."""
        ended = await self.record(
            job_id,
            [state_event(JobState.CANCELLED)],
            only_in=frozenset({JobState.QUEUED}),
            state=JobState.CANCELLED,
            cancel_requested=True,
        )
        if not ended:
            await self.record(job_id, [], only_in=frozenset({JobState.RUNNING}), cancel_requested=True)

    async def requeue_failed(self, job_id: str, executor: str) -> None:
        """Take a failed job back into the queue.

        Raises:
            ConflictError: It has not failed.
        """
        changed = await self.record(
            job_id,
            [state_event(JobState.QUEUED)],
            only_in=frozenset({JobState.FAILED}),
            state=JobState.QUEUED,
            error=None,
            cancel_requested=False,
            runs=0,
            executor=executor,
        )
        if not changed:
            state = (await self.row(job_id)).state
            raise ConflictError(f"Only a failed job can be tried again; this one is {state}.")


class OwnJobs:
    """The store as a run sees it: it changes jobs of its own executor alone, so that one that was taken over is let go.

    Args:
        store: Where they are.
        executor: Whose jobs.
        patience: Seconds that a server which is away is waited for; what a run did is not to be lost with it.
    """

    def __init__(self, store: JobStore, executor: str, patience: float = 0.0) -> None:
        self._store = store
        self._executor = executor
        self._patience = patience

    async def record(
        self,
        job_id: str,
        events: Sequence[NewEvent],
        *,
        step: StepRow | None = None,
        only_in: frozenset[JobState] | None = None,
        **columns: Any,
    ) -> bool:
        """As `JobStore.record`.

        Raises:
            JobTakenError: Another executor has the job now.
            UnavailableError: The store has been away for too long.
        """
        last = time.monotonic() + self._patience
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._store.record(job_id, events, step=step, only_in=only_in, owner=self._executor, **columns)
            except UnavailableError as error:
                if isinstance(error, StorageFullError) or time.monotonic() + pause > last:
                    raise
                log.warning("job_waits_for_its_store", job=job_id, error=error.detail)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _row(session: AsyncSession, job_id: str) -> JobRow:
    row = await session.get(JobRow, job_id)
    if row is None:
        raise NotFoundError(f"There is no job '{clean(job_id)[:64]}'.")
    return row


async def _advance(
    session: AsyncSession,
    job_id: str,
    events: int,
    only_in: frozenset[JobState] | None,
    owner: str | None,
    columns: dict[str, Any],
) -> int | None:
    """Change the row, which locks it, and reserve numbers; the last number, or None where no row matched."""
    change = update(JobRow).where(JobRow.id == job_id)
    if only_in is not None:
        change = change.where(JobRow.state.in_(only_in))
    if owner is not None:
        change = change.where(JobRow.executor == owner)
    changed = change.values(last_event=JobRow.last_event + events, updated_at=now(), **columns)
    row: Row[tuple[int]] | None = (await session.execute(changed.returning(JobRow.last_event))).one_or_none()
    return None if row is None else row[0]
