"""What a participant does with what is kept of them: list, name, rate, take away, delete. Nobody else's can be named here.

Every query names the workshop and the participant. A conversation of somebody else is one that does not exist.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, Table, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared_services.contracts.chat import (
    MAX_REASON_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    ConversationSummary,
    Feedback,
    Removed,
    StepRecord,
)
from shared_services.kit.database import session_factory, storage_errors
from shared_services.kit.errors import BadInputError
from workshop_chat import metrics
from workshop_chat.errors import ConversationNotFoundError, TurnNotFoundError, TurnOpenError
from workshop_chat.masking import mask_secrets
from workshop_chat.tables import Base, ConversationRow, ProgressRow, SessionRow, TurnRow
from workshop_chat.transcript import one_line, plain, title_of

_ID = re.compile(r"[0-9a-f]{32}")
_READ_OF_QUESTION = 1_000
"""How many characters of a first question are read to make a title of it."""


def personal_tables() -> list[Table]:
    """The tables whose rows are a participant's, those that refer to others first."""
    tables = reversed(Base.metadata.sorted_tables)
    return [table for table in tables if {"workshop", "participant"} <= set(table.columns.keys())]


def utc(moment: datetime) -> datetime:
    """A moment with its zone; SQLite gives back what was written in UTC without it."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def kept_title(title: str) -> str:
    """A conversation's name as it is kept: one line, secrets masked.

    Raises:
        BadInputError: There is nothing in it.
    """
    name = mask_secrets(one_line(title)).text[:MAX_TITLE_CHARACTERS].strip()
    if not name:
        raise BadInputError("The name is empty. Write a few words.")
    return name


@dataclass(frozen=True)
class OpenTurn:
    """A turn that is being answered."""

    conversation: str
    number: int


class HistoryRepository:
    """What is kept of the participants of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._engine = engine
        self._sessions = session_factory(engine)
        self._workshop = workshop

    async def conversations(self, participant: str, limit: int, before: str | None = None) -> list[ConversationSummary]:
        """A participant's conversations, the one asked in last first.

        Args:
            participant: Whose.
            limit: How many at most.
            before: Id of the last one already known; those that follow it are given.

        Raises:
            ConversationNotFoundError: `before` is not this participant's.
        """
        query = self._summaries(participant)
        if before is not None:
            known = await self.summary(before, participant)
            listed = query.subquery()
            updated = listed.c.updated
            query = select(listed).where(
                or_(updated < known.updated_at, and_(updated == known.updated_at, listed.c.id < known.id))
            )
            query = query.order_by(updated.desc(), listed.c.id.desc())
        else:
            query = query.order_by(query.selected_columns.updated.desc(), ConversationRow.id.desc())
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.execute(query.limit(limit))).mappings().all()
        return [_summary(row) for row in rows]

    async def conversation_ids(self, participant: str) -> list[str]:
        """The ids of all of a participant's conversations, oldest first."""
        mine = (ConversationRow.workshop == self._workshop, ConversationRow.participant == participant)
        with storage_errors():
            async with self._sessions() as session:
                return list(await session.scalars(select(ConversationRow.id).where(*mine).order_by(ConversationRow.created_at)))

    async def summary(self, conversation: str, participant: str) -> ConversationSummary:
        """One conversation.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        self._named(conversation)
        query = self._summaries(participant).where(ConversationRow.id == conversation)
        with storage_errors():
            async with self._sessions() as session:
                row = (await session.execute(query)).mappings().one_or_none()
        if row is None:
            raise _not_found()
        return _summary(row)

    def _summaries(self, participant: str) -> Select[Any]:
        own = (
            TurnRow.conversation == ConversationRow.id,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
        )
        turns = select(func.count()).where(*own).scalar_subquery()
        last = select(func.max(TurnRow.asked_at)).where(*own).scalar_subquery()
        # The first turn alone: a question may be as long as a terminal's whole output.
        first = (
            select(func.substr(TurnRow.question, 1, _READ_OF_QUESTION))
            .where(*own)
            .order_by(TurnRow.number)
            .limit(1)
            .scalar_subquery()
        )
        return select(
            ConversationRow.id,
            ConversationRow.title,
            ConversationRow.created_at,
            turns.label("turns"),
            first.label("question"),
            func.coalesce(last, ConversationRow.created_at).label("updated"),
        ).where(ConversationRow.workshop == self._workshop, ConversationRow.participant == participant)

    async def rename(self, conversation: str, participant: str, title: str) -> ConversationSummary:
        """Give a conversation a name; secrets in it are masked.

        Raises:
            BadInputError: The name is blank.
            ConversationNotFoundError: It is not this participant's.
        """
        change = update(ConversationRow).where(*self._one(conversation, participant)).values(title=kept_title(title))
        with storage_errors():
            async with self._engine.begin() as connection:
                changed = (await connection.execute(change)).rowcount
        if not changed:
            raise _not_found()
        return await self.summary(conversation, participant)

    async def delete(self, conversation: str, participant: str) -> None:
        """Delete a conversation and its turns.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        with storage_errors():
            async with self._engine.begin() as connection:
                gone = (await connection.execute(delete(ConversationRow).where(*self._one(conversation, participant)))).rowcount
        if not gone:
            raise _not_found()

    async def rate(self, conversation: str, participant: str, number: int, feedback: Feedback | None) -> Feedback | None:
        """Keep what a participant thinks of an answer, secrets masked, or nothing any more; what is kept now.

        Raises:
            ConversationNotFoundError: The conversation is not this participant's.
            TurnNotFoundError: It has no such turn.
            TurnOpenError: The turn is still being answered.
        """
        self._named(conversation)
        mine = (
            TurnRow.conversation == conversation,
            TurnRow.number == number,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
        )
        kept = feedback and Feedback(rating=feedback.rating, reason=_kept_reason(feedback.reason))
        values = {
            "rating": kept.rating if kept else None,
            "reason": kept.reason if kept else None,
            "rated_at": datetime.now(UTC) if kept else None,
        }
        with storage_errors():
            async with self._engine.begin() as connection:
                found = (await connection.execute(select(TurnRow.state, TurnRow.rating).where(*mine))).one_or_none()
                if found is not None and found.state != "answering":
                    await connection.execute(update(TurnRow).where(*mine).values(values))
        if found is None:
            await self.summary(conversation, participant)
            raise TurnNotFoundError("The conversation has no such question. It may have been deleted because of its age.")
        if found.state == "answering":
            raise TurnOpenError("Wait until the answer is finished, then rate it.")
        if kept and kept.rating != found.rating:
            metrics.FEEDBACK.labels(self._workshop, kept.rating).inc()
        return kept

    async def steps(self, participant: str) -> list[StepRecord]:
        """What is kept of a participant on each step, in the order in which they came to them."""
        mine = (ProgressRow.workshop == self._workshop, ProgressRow.participant == participant)
        with storage_errors():
            async with self._sessions() as session:
                rows = (await session.scalars(select(ProgressRow).where(*mine).order_by(ProgressRow.first_seen_at))).all()
        return [
            StepRecord(
                step=row.step,
                first_seen_at=utc(row.first_seen_at),
                last_seen_at=utc(row.last_seen_at),
                seconds=row.seconds,
                failed_checks=row.failed_checks,
                passed_at=utc(row.passed_at) if row.passed_at else None,
            )
            for row in rows
        ]

    async def open_turns(self, participant: str, conversation: str | None = None) -> list[OpenTurn]:
        """A participant's turns that are being answered, of one conversation or of all."""
        query = select(TurnRow.conversation, TurnRow.number).where(
            TurnRow.workshop == self._workshop, TurnRow.participant == participant, TurnRow.state == "answering"
        )
        if conversation is not None:
            query = query.where(TurnRow.conversation == conversation)
        with storage_errors():
            async with self._sessions() as session:
                return [OpenTurn(row.conversation, row.number) for row in (await session.execute(query)).all()]

    async def remove(self, participant: str) -> Removed:
        """Delete everything that is kept of a participant in this workshop, in every table."""
        with storage_errors():
            async with self._engine.begin() as connection:
                return await self._remove(connection, participant)

    async def _remove(self, connection: AsyncConnection, participant: str) -> Removed:
        # Whoever removes the same participant at the same time waits here, instead of locking the same rows in another order.
        locked = select(ConversationRow.id).where(
            ConversationRow.workshop == self._workshop, ConversationRow.participant == participant
        )
        await connection.execute(locked.order_by(ConversationRow.id).with_for_update())
        rated = select(func.count()).where(
            TurnRow.workshop == self._workshop, TurnRow.participant == participant, TurnRow.rating.is_not(None)
        )
        feedback = await connection.scalar(rated)
        gone: dict[str, int] = {}
        for table in personal_tables():
            mine = delete(table).where(table.c.workshop == self._workshop, table.c.participant == participant)
            gone[table.name] = (await connection.execute(mine)).rowcount
        return Removed(
            conversations=gone[ConversationRow.__tablename__],
            turns=gone[TurnRow.__tablename__],
            feedback=feedback or 0,
            sessions=gone[SessionRow.__tablename__],
            steps=gone[ProgressRow.__tablename__],
        )

    def _named(self, conversation: str) -> None:
        # What is no id at all is not given to the database, which may refuse its characters.
        if not _ID.fullmatch(conversation):
            raise _not_found()

    def _one(self, conversation: str, participant: str) -> Sequence[Any]:
        self._named(conversation)
        return (
            ConversationRow.id == conversation,
            ConversationRow.workshop == self._workshop,
            ConversationRow.participant == participant,
        )


def _not_found() -> ConversationNotFoundError:
    return ConversationNotFoundError("It may belong to someone else or to another workshop, or it was deleted.")


def _kept_reason(reason: str) -> str:
    # A mask may be longer than what it stands for.
    return mask_secrets(plain(reason)).text.strip()[:MAX_REASON_CHARACTERS]


def _summary(row: Any) -> ConversationSummary:
    return ConversationSummary(
        id=row["id"],
        title=row["title"] or title_of(row["question"] or ""),
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated"]),
        turns=row["turns"],
    )
