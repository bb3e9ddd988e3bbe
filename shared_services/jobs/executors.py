"""Which of the processes that share a database are alive, and which have been silent for too long.

Each executor counts its row up. Another one takes it for silent when it has seen the same count for `SILENT_SECONDS`, by its
own clock, while it looked all the time: clocks of two machines are never compared, and after an outage of the database, in
which nobody could count, everybody is given the whole time again. To be silent is not to be dead. So what is taken from a
silent executor is fenced: by the job's row here, and by DBOS's token of ownership there, what the former one still writes of it
is refused.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from shared_services.jobs.store import JobStore, now
from shared_services.jobs.tables import ExecutorRow
from shared_services.kit.database import session_factory, storage_errors

log = get_logger()

BEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0


class Silence:
    """Who has not been heard of, from counts that are looked at again and again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = float("-inf")
        self._heard: dict[str, tuple[int, float]] = {}

    def after(self, beats: Mapping[str, int], owners: Iterable[str]) -> set[str]:
        """Look once more: those of `owners` that are silent.

        Args:
            beats: Count of each executor that has ever counted.
            owners: Executors that are asked about; one that never counted is as one that has stopped.
        """
        at = self._clock()
        if at - self._looked_at > SILENT_SECONDS / 2:
            # Nothing was seen for a while, so that nothing can be said of that while.
            self._heard.clear()
        self._looked_at = at
        asked = {owner: beats.get(owner, 0) for owner in owners}
        self._heard = {
            owner: self._heard[owner] if owner in self._heard and self._heard[owner][0] == count else (count, at)
            for owner, count in asked.items()
        }
        return {owner for owner, (_, since) in self._heard.items() if at - since >= SILENT_SECONDS}


class Adoption:
    """Tells that an executor lives, and takes up what silent ones have left.

    Args:
        engine: Where the tables are.
        store: The jobs.
        executor: The one that this process is.
        kinds: Of the jobs that it can run.
    """

    def __init__(self, engine: AsyncEngine, store: JobStore, executor: str, kinds: Iterable[str]) -> None:
        self._sessions = session_factory(engine)
        self._store = store
        self._executor = executor
        self._kinds = tuple(kinds)
        self._silence = Silence()
        # One process has a file for itself: there is nobody to tell that it lives, and nobody else's jobs.
        self._alone = engine.dialect.name == "sqlite"
        self._beaten_at = float("-inf")

    async def beat(self) -> None:
        """Count this executor up, where it is time to."""
        if self._alone or time.monotonic() - self._beaten_at < BEAT_SECONDS:
            return
        mine = ExecutorRow.id == self._executor
        counted = update(ExecutorRow).where(mine).values(beats=ExecutorRow.beats + 1, seen_at=now()).returning(ExecutorRow.id)
        with storage_errors():
            async with self._sessions.begin() as session:
                if not (await session.scalars(counted)).all():
                    session.add(ExecutorRow(id=self._executor, beats=1, seen_at=now()))
        self._beaten_at = time.monotonic()

    async def adopt(self) -> list[str]:
        """Make the jobs of silent executors this one's; gives their ids."""
        if self._alone:
            return []
        rows = await self._store.unfinished_elsewhere(self._executor, self._kinds)
        silent = self._silence.after(await self._beats(), {row.executor for row in rows})
        adopted = []
        for row in rows:
            if row.executor in silent and await self._store.adopt(row.id, row.executor, self._executor):
                log.warning("job_adopted", job=row.id, kind=row.kind, former=row.executor)
                adopted.append(row.id)
        return adopted

    async def _beats(self) -> dict[str, int]:
        with storage_errors():
            async with self._sessions() as session:
                return {row.id: row.beats for row in await session.scalars(select(ExecutorRow))}
