"""What the board reads, and the hand that it lowers. Every query names the workshop."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Note
from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.board.rows import AskedQuestion, Seat, Stay
from workshop_chat.insights.repository import utc
from workshop_chat.tables import NoteRow, ProgressRow, SessionRow, TurnRow

RECENT = timedelta(minutes=15)
"""How long somebody stays on the board after their session has ended."""

ASKED_WITHIN = timedelta(hours=2)
OTHERS_WITHIN = timedelta(days=30)
MOST_PEOPLE = 200
MOST_QUESTIONS = 2_000
MOST_NOTES = 20
QUESTION_CHARACTERS = 1_000


class BoardRepository:
    """The people of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._sessions = session_factory(engine)
        self._workshop = workshop

    async def seats(self, now: datetime) -> tuple[list[Seat], int]:
        """Those who are live, or were until lately, in the order in which they came; and how many of them are too many."""
        first = (
            select(ProgressRow.participant, func.min(ProgressRow.first_seen_at).label("at"))
            .where(ProgressRow.workshop == self._workshop)
            .group_by(ProgressRow.participant)
            .subquery()
        )
        # A session that ended and began anew has another `since`; the first step they opened stays.
        joined = func.coalesce(first.c.at, SessionRow.since)
        order = func.row_number().over(partition_by=SessionRow.name == "", order_by=(joined, SessionRow.participant))
        numbered = (
            select(SessionRow, joined.label("joined_at"), order.label("number"))
            .outerjoin(first, first.c.participant == SessionRow.participant)
            .where(SessionRow.workshop == self._workshop)
            .subquery()
        )
        column = numbered.c
        shown = or_(column.state == "live", and_(column.state == "over", column.seen_at >= now - RECENT))
        query = select(numbered).where(shown).order_by(column.seen_at.desc(), column.participant).limit(MOST_PEOPLE)
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query)).all()
                count = await session.scalar(select(func.count()).select_from(numbered).where(shown)) or 0
        seats = [
            Seat(
                participant=row.participant,
                name=row.name,
                guest=0 if row.name else row.number,
                state=row.state,
                joined_at=utc(row.joined_at),
                active_at=utc(row.active_at),
                seen_at=utc(row.seen_at),
                step=row.step,
                step_since=utc(row.step_since) if row.step_since else None,
                hand_raised_at=utc(row.hand_raised_at) if row.hand_raised_at else None,
            )
            for row in rows
        ]
        return sorted(seats, key=lambda seat: (seat.joined_at, seat.participant)), count - len(seats)

    async def waiting(self) -> int:
        """How many wait for a place."""
        query = select(func.count()).where(SessionRow.workshop == self._workshop, SessionRow.state == "waiting")
        with storage_errors():
            async with self._sessions() as session:
                return await session.scalar(query) or 0

    async def stays(self, participants: Sequence[str]) -> list[Stay]:
        """What is known of these participants on each step."""
        query = select(ProgressRow).where(ProgressRow.workshop == self._workshop, ProgressRow.participant.in_(participants))
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.scalars(query)).all()
        return [Stay(row.participant, row.step, row.seconds, row.failed_checks, row.passed_at is not None) for row in rows]

    async def left(self, now: datetime) -> list[tuple[str, float]]:
        """Step and seconds of everybody who has left a step, of those seen lately."""
        query = (
            select(ProgressRow.step, ProgressRow.seconds)
            .outerjoin(
                SessionRow,
                and_(SessionRow.workshop == ProgressRow.workshop, SessionRow.participant == ProgressRow.participant),
            )
            .where(
                ProgressRow.workshop == self._workshop,
                ProgressRow.last_seen_at >= now - OTHERS_WITHIN,
                or_(
                    ProgressRow.passed_at.is_not(None),
                    SessionRow.participant.is_(None),
                    SessionRow.state != "live",
                    SessionRow.step.is_(None),
                    SessionRow.step != ProgressRow.step,
                ),
            )
        )
        with storage_errors():
            async with self._sessions() as session:
                return [(step, seconds) for step, seconds in (await session.execute(query)).all()]

    async def questions(self, participants: Sequence[str], now: datetime) -> list[AskedQuestion]:
        """What these participants asked in the last hours, newest first."""
        query = (
            select(TurnRow.participant, func.substr(TurnRow.question, 1, QUESTION_CHARACTERS), TurnRow.step, TurnRow.asked_at)
            .where(
                TurnRow.workshop == self._workshop,
                TurnRow.participant.in_(participants),
                TurnRow.asked_at >= now - ASKED_WITHIN,
            )
            .order_by(TurnRow.asked_at.desc(), TurnRow.conversation, TurnRow.number.desc())
            .limit(MOST_QUESTIONS)
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query)).all()
        return [AskedQuestion(participant, text, step, utc(asked_at)) for participant, text, step, asked_at in rows]

    async def notes(self) -> list[Note]:
        """What is said to all right now, newest first."""
        query = (
            select(NoteRow)
            .where(NoteRow.workshop == self._workshop, NoteRow.ended_at.is_(None))
            .order_by(NoteRow.id.desc())
            .limit(MOST_NOTES)
        )
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.scalars(query)).all()
        return [Note(id=row.id, text=row.text, author=row.author, created_at=utc(row.created_at)) for row in rows]

    async def lower_hand(self, participant: str) -> bool:
        """Lower somebody's hand; whether they are known here at all."""
        change = (
            update(SessionRow)
            .where(SessionRow.workshop == self._workshop, SessionRow.participant == participant)
            .values(hand_raised_at=None)
            .returning(SessionRow.participant)
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                return await session.scalar(change) is not None
