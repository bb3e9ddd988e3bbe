"""What is known of participants on steps, on disk: when they came, how long they stayed, how their checks ended.

Every query names the workshop and the participant. Each change is one statement that counts up from what the row holds, so that
two processes, or two pages of one participant, lose nothing of each other's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Float, case, cast, extract, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.help import StepRecord
from workshop_chat.tables import ProgressRow, TurnRow

IDLE_SECONDS = 300.0
"""Between two signs of life that are farther apart than this, somebody was away."""
_DAY_SECONDS = 86_400.0
_HINTS_FILE = "hints.md"


class ProgressRepository:
    """Progress in one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._sessions = session_factory(engine)
        self._workshop = workshop
        self._postgres = engine.dialect.name == "postgresql"

    async def seen(self, participant: str, step: str, now: datetime | None = None) -> None:
        """A participant is on a step at `now` (UTC; the present when absent).

        The time since they were last seen anywhere, unless they were away, is time on the step where that was.
        """
        now = now or datetime.now(UTC)
        where = await self._spend(participant, now)
        if where != step:
            # A moment later than the step that they came from, so that it is clear which one was last.
            last = {"last_seen_at": now + timedelta(microseconds=1)}
            await self._upsert(participant, step, now, last, last)

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

    async def _spend(self, participant: str, now: datetime) -> str | None:
        """Count the time since the participant was last seen to the step where that was; that step."""
        mine = (ProgressRow.workshop == self._workshop, ProgressRow.participant == participant)
        last = select(ProgressRow.step).where(*mine).order_by(ProgressRow.last_seen_at.desc()).limit(1).scalar_subquery()
        gap = self._seconds_between(ProgressRow.last_seen_at, now)
        change = (
            update(ProgressRow)
            .where(*mine, ProgressRow.step == last)
            .values(
                seconds=ProgressRow.seconds + case((gap.between(0.0, IDLE_SECONDS), gap), else_=0.0),
                last_seen_at=case((gap > 0, literal(now, ProgressRow.last_seen_at.type)), else_=ProgressRow.last_seen_at),
            )
            .returning(ProgressRow.step)
            .execution_options(synchronize_session=False)
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                where: str | None = await session.scalar(change)
        return where

    def _seconds_between(self, earlier: Any, later: datetime) -> ColumnElement[float]:
        at = literal(later, ProgressRow.last_seen_at.type)
        if self._postgres:
            return cast(extract("epoch", at - earlier), Float)
        return (func.julianday(at) - func.julianday(earlier)) * _DAY_SECONDS

    async def _upsert(self, participant: str, step: str, now: datetime, first: dict[str, Any], later: dict[str, Any]) -> None:
        insert = postgresql.insert if self._postgres else sqlite.insert
        row = {
            "workshop": self._workshop,
            "participant": participant,
            "step": step,
            "first_seen_at": now,
            "last_seen_at": now,
            "seconds": 0.0,
            "failed_checks": 0,
        }
        statement = insert(ProgressRow).values(**{**row, **first})
        statement = statement.on_conflict_do_update(index_elements=["workshop", "participant", "step"], set_=later)
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(statement)


def _utc(moment: datetime) -> datetime:
    """SQLite gives moments back without their zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
