"""What is known of participants on steps, on disk: when they came, how long they stayed, how their checks ended.

Every query names the workshop and the participant. Each row is changed by one statement that counts up from what it holds, so
that two processes, or two pages of one participant, lose nothing of each other's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from typing import cast as typed

from sqlalchemy import Float, Table, bindparam, case, cast, extract, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.elements import ColumnElement

from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.help import StepRecord
from workshop_chat.tables import ProgressRow, TurnRow

IDLE_SECONDS = 300.0
"""Between two signs of life that are farther apart than this, somebody was away."""
_DAY_SECONDS = 86_400.0
_HINTS_FILE = "hints.md"
_TABLE = typed("Table", ProgressRow.__table__)
_KEY = ["workshop", "participant", "step"]


class ProgressRepository:
    """Progress in one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._engine = engine
        self._sessions = session_factory(engine)
        self._workshop = workshop
        self._postgres = engine.dialect.name == "postgresql"
        # Made once, since making a statement takes longer than running it.
        self._spend, self._come = _spend_statement(self._postgres), _come_statement(self._postgres)

    async def seen(self, participant: str, step: str, now: datetime | None = None) -> None:
        """A participant is on a step at `now` (UTC; the present when absent).

        The time since they were last seen anywhere, unless they were away, is time on the step where that was.
        """
        now = now or datetime.now(UTC)
        mine = {"in_": self._workshop, "who": participant, "now": now}
        # A moment later than the step that they came from, so that it is clear which one was last.
        last = now + timedelta(microseconds=1)
        come = {**_new(self._workshop, participant, step, now), "last_seen_at": last}
        with storage_errors():
            async with self._engine.begin() as connection:
                where = await connection.scalar(self._spend, mine)
                if where is None:
                    await connection.execute(self._come, come)
            if where not in (None, step):
                # By itself: whoever holds one of a participant's rows never waits for another.
                async with self._engine.begin() as connection:
                    await connection.execute(self._come, come)

    async def checked(self, participant: str, step: str, *, passed: bool, now: datetime | None = None) -> None:
        """A check of the step has ended for a participant: a failed one counts, one that passed begins the count anew."""
        now = now or datetime.now(UTC)
        if passed:
            changed: dict[str, Any] = {"failed_checks": 0, "checked_at": now, "passed_at": now}
            await self._upsert(participant, step, now, changed, changed)
        else:
            first = {"failed_checks": 1, "checked_at": now}
            await self._upsert(participant, step, now, first, {"failed_checks": ProgressRow.failed_checks + 1, "checked_at": now})

    async def record(self, participant: str, step: str) -> StepRecord:
        """What is known of a participant on a step."""
        query = select(ProgressRow.first_seen_at, ProgressRow.failed_checks, ProgressRow.passed_at).where(
            ProgressRow.workshop == self._workshop, ProgressRow.participant == participant, ProgressRow.step == step
        )
        with storage_errors():
            async with self._sessions() as session:
                row = (await session.execute(query)).first()
        return StepRecord() if row is None else StepRecord(_utc(row[0]), row[1], row[2] is not None)

    async def hints_shown(self, conversation: str, participant: str, step: str) -> Sequence[str]:
        """The texts of a step's hints that answers of a conversation have cited."""
        query = select(TurnRow.citations).where(
            TurnRow.conversation == conversation,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
            TurnRow.citations.is_not(None),
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.scalars(query)).all()
        file = f"steps/{step}/{_HINTS_FILE}"
        return [cited["text"] for citations in rows for cited in citations or [] if cited.get("file") == file]

    async def _upsert(self, participant: str, step: str, now: datetime, first: dict[str, Any], later: dict[str, Any]) -> None:
        statement = _insert(self._postgres).values({**_new(self._workshop, participant, step, now), **first})
        statement = statement.on_conflict_do_update(index_elements=_KEY, set_=later)
        with storage_errors():
            async with self._engine.begin() as connection:
                await connection.execute(statement)


def _insert(postgres: bool) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(_TABLE) if postgres else sqlite.insert(_TABLE)


def _new(workshop: str, participant: str, step: str, now: datetime) -> dict[str, Any]:
    """The row of somebody who is on a step for the first time."""
    return {
        "workshop": workshop,
        "participant": participant,
        "step": step,
        "first_seen_at": now,
        "last_seen_at": now,
        "seconds": 0.0,
        "failed_checks": 0,
    }


def _come_statement(postgres: bool) -> postgresql.Insert | sqlite.Insert:
    """Says that somebody is on a step; its parameters are the columns."""
    statement = _insert(postgres)
    return statement.on_conflict_do_update(index_elements=_KEY, set_={"last_seen_at": statement.excluded.last_seen_at})


def _spend_statement(postgres: bool) -> ReturningUpdate[tuple[str]]:
    """Counts the time until `now` since the participant `who` was last seen to the step where that was; gives that step."""
    mine = (_TABLE.c.workshop == bindparam("in_"), _TABLE.c.participant == bindparam("who"))
    last = select(_TABLE.c.step).where(*mine).order_by(_TABLE.c.last_seen_at.desc()).limit(1).scalar_subquery()
    now = bindparam("now", type_=_TABLE.c.last_seen_at.type)
    gap: ColumnElement[float] = (
        cast(extract("epoch", now - _TABLE.c.last_seen_at), Float)
        if postgres
        else (func.julianday(now) - func.julianday(_TABLE.c.last_seen_at)) * _DAY_SECONDS
    )
    return (
        update(_TABLE)
        .where(*mine, _TABLE.c.step == last)
        .values(
            seconds=_TABLE.c.seconds + case((gap.between(0.0, IDLE_SECONDS), gap), else_=0.0),
            last_seen_at=case((gap > 0, now), else_=_TABLE.c.last_seen_at),
        )
        .returning(_TABLE.c.step)
    )


def _utc(moment: datetime) -> datetime:
    """SQLite gives moments back without their zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
