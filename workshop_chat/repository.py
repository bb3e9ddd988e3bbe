"""Conversations and turns on disk. Every query names the workshop and the participant; there is no query without them.

A turn is written before its answer begins, so that a process that dies in mid-answer leaves a turn that says so.
"""

import uuid
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Answer, StoredTurn
from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.errors import ConversationNotFoundError
from workshop_chat.tables import ConversationRow, TurnRow

_NUMBERING_TRIES = 5


class ConversationRepository:
    """The conversations of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
    """

    def __init__(self, engine: AsyncEngine, workshop: str) -> None:
        self._sessions = session_factory(engine)
        self._workshop = workshop

    async def create(self, participant: str) -> str:
        """A new conversation's id."""
        row = ConversationRow(id=uuid.uuid4().hex, workshop=self._workshop, participant=participant, created_at=datetime.now(UTC))
        with storage_errors():
            async with self._sessions.begin() as session:
                session.add(row)
        return row.id

    async def ensure(self, conversation: str, participant: str) -> None:
        """Begin a conversation under an id of the caller's making, where it has not begun.

        Raises:
            ConversationNotFoundError: The id is somebody else's conversation.
        """
        row = ConversationRow(id=conversation, workshop=self._workshop, participant=participant, created_at=datetime.now(UTC))
        try:
            await self.require(conversation, participant)
        except ConversationNotFoundError:
            try:
                with storage_errors():
                    async with self._sessions.begin() as session:
                        session.add(row)
            except IntegrityError:
                # Somebody else's, or begun by another message just now.
                await self.require(conversation, participant)

    async def require(self, conversation: str, participant: str) -> None:
        """Check that a conversation is this participant's.

        Raises:
            ConversationNotFoundError: It is not, or does not exist.
        """
        query = select(ConversationRow.id).where(
            ConversationRow.id == conversation,
            ConversationRow.workshop == self._workshop,
            ConversationRow.participant == participant,
        )
        with storage_errors():
            async with self._sessions() as session:
                found = await session.scalar(query)
        if found is None:
            raise ConversationNotFoundError("It may belong to someone else or to another workshop. Start a new conversation.")

    async def turns(self, conversation: str, participant: str) -> list[StoredTurn]:
        """A conversation's turns, oldest first.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        await self.require(conversation, participant)
        return [_turn(row) for row in await self._rows(conversation, participant, None)]

    async def last_turns(self, conversation: str, participant: str, limit: int) -> list[StoredTurn]:
        """The newest `limit` turns that have an answer, oldest first."""
        rows = await self._rows(conversation, participant, limit) if limit else []
        return [_turn(row) for row in rows if row.answer is not None]

    async def _rows(self, conversation: str, participant: str, limit: int | None) -> list[TurnRow]:
        query = (
            select(TurnRow)
            .where(
                TurnRow.conversation == conversation,
                TurnRow.workshop == self._workshop,
                TurnRow.participant == participant,
            )
            .order_by(TurnRow.number.desc())
            .limit(limit)
        )
        with storage_errors():
            async with self._sessions() as session:
                return list(reversed((await session.scalars(query)).all()))

    async def begin_turn(self, conversation: str, participant: str, question: str, step: str | None, version: str) -> int:
        """Write a turn that is being answered; its number, from 1.

        Raises:
            ConversationNotFoundError: The conversation is not this participant's.
        """
        await self.require(conversation, participant)
        for attempt in range(_NUMBERING_TRIES):
            try:
                return await self._insert(conversation, participant, question, step, version)
            except IntegrityError:
                # Two messages at once took the same number; the second asks again.
                if attempt == _NUMBERING_TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _insert(self, conversation: str, participant: str, question: str, step: str | None, version: str) -> int:
        with storage_errors():
            async with self._sessions.begin() as session:
                last = await session.scalar(select(func.max(TurnRow.number)).where(TurnRow.conversation == conversation))
                row = TurnRow(
                    conversation=conversation,
                    number=(last or 0) + 1,
                    workshop=self._workshop,
                    participant=participant,
                    question=question,
                    step=step,
                    version=version,
                    state="answering",
                    asked_at=datetime.now(UTC),
                )
                session.add(row)
        return row.number

    async def end_turn(self, participant: str, number: int, answer: Answer, *, interrupted: bool) -> None:
        """Keep a turn's answer: whole, or as much as was sent."""
        data = answer.model_dump(mode="json", exclude={"conversation", "citations", "timings"})
        change = (
            update(TurnRow)
            .where(
                TurnRow.conversation == answer.conversation,
                TurnRow.number == number,
                TurnRow.workshop == self._workshop,
                TurnRow.participant == participant,
            )
            .values(
                state="interrupted" if interrupted else "done",
                answer=data,
                citations=[citation.model_dump(mode="json") for citation in answer.citations],
                timings=answer.timings,
                ended_at=datetime.now(UTC),
            )
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(change)

    async def interrupt_open(self) -> int:
        """Mark every turn of the workshop that a process before this one left unanswered; how many there were."""
        change = (
            update(TurnRow)
            .where(TurnRow.workshop == self._workshop, TurnRow.state == "answering")
            .values(state="interrupted", ended_at=datetime.now(UTC))
            .returning(TurnRow.number)
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                return len((await session.execute(change)).all())


def _turn(row: TurnRow) -> StoredTurn:
    answer = None
    if row.answer is not None:
        answer = Answer.model_validate(
            {**row.answer, "conversation": row.conversation, "citations": row.citations or [], "timings": row.timings or {}}
        )
    return StoredTurn.model_validate(
        {"number": row.number, "question": row.question, "step": row.step, "state": row.state, "answer": answer}
    )
