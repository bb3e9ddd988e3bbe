"""What insights read. Every query names the workshop; none gives a participant's name or id away to more than this package."""

from datetime import UTC, datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from shared_services.contracts.chat import Citation, NearestSection
from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.insights.questions import SMALL_TALK_CHARACTERS, Outcome, RawQuestion
from workshop_chat.insights.stays import Stay
from workshop_chat.tables import ProgressRow, SessionRow, TurnRow


class InsightsRepository:
    """The questions and stays of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._sessions = session_factory(engine)
        self._workshop = workshop

    async def outcomes(self, since: datetime) -> list[Outcome]:
        """What became of each message since then, oldest first."""
        query = (
            select(
                func.substr(TurnRow.question, 1, SMALL_TALK_CHARACTERS),
                TurnRow.asked_at,
                TurnRow.state,
                _flag("abstained"),
                _flag("general_knowledge"),
                _flag("asks_back"),
                _flag("refused"),
                TurnRow.rating,
                TurnRow.timings["first_block"].as_float(),
            )
            .where(TurnRow.workshop == self._workshop, TurnRow.asked_at >= since)
            .order_by(TurnRow.asked_at)
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query)).all()
        return [
            Outcome(beginning, utc(asked_at), state, bool(abstained), bool(general), bool(asks), bool(refused), rating, first)
            for beginning, asked_at, state, abstained, general, asks, refused, rating, first in rows
        ]

    async def to_group(self, since: datetime, limit: int) -> tuple[list[RawQuestion], int]:
        """The newest `limit` questions without an answer or with a thumbs-down, newest first; and how many there are."""
        unanswered = and_(
            TurnRow.state == "done",
            _flag("refused").is_not(True),
            or_(_flag("abstained").is_(True), _flag("general_knowledge").is_(True)),
        )
        chosen = and_(TurnRow.workshop == self._workshop, TurnRow.asked_at >= since, or_(unanswered, TurnRow.rating == "down"))
        query = (
            select(
                TurnRow.question,
                TurnRow.asked_at,
                TurnRow.step,
                unanswered,
                TurnRow.rating,
                TurnRow.reason,
                TurnRow.answer[("nearest", 0)],
                TurnRow.citations[0],
                TurnRow.participant,
                SessionRow.name,
            )
            .outerjoin(SessionRow, and_(SessionRow.workshop == TurnRow.workshop, SessionRow.participant == TurnRow.participant))
            .where(chosen)
            .order_by(TurnRow.asked_at.desc(), TurnRow.conversation, TurnRow.number.desc())
            .limit(limit)
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query)).all()
                count = await session.scalar(select(func.count()).select_from(TurnRow).where(chosen)) or 0
        found = [
            RawQuestion(
                text=text,
                asked_at=utc(asked_at),
                step=step,
                unanswered=bool(without),
                thumbs_down=rating == "down",
                reason=(reason or "") if rating == "down" else "",
                nearest=NearestSection.model_validate(nearest) if nearest else None,
                citation=Citation.model_validate(citation) if citation else None,
                participant=participant,
                name=name or "",
            )
            for text, asked_at, step, without, rating, reason, nearest, citation, participant, name in rows
        ]
        return found, count

    async def stays(self, since: datetime) -> list[Stay]:
        """Who was on which step, and for how long, of those seen there since then."""
        query = select(ProgressRow.step, ProgressRow.seconds, ProgressRow.failed_checks, ProgressRow.passed_at).where(
            ProgressRow.workshop == self._workshop, ProgressRow.last_seen_at >= since
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query)).all()
        return [Stay(step, seconds, failed, passed_at is not None) for step, seconds, failed, passed_at in rows]


def _flag(name: str) -> ColumnElement[bool]:
    flag: ColumnElement[bool] = TurnRow.answer[name].as_boolean()
    return flag


def utc(value: datetime) -> datetime:
    """A time as it was written: SQLite gives it back without its zone."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
