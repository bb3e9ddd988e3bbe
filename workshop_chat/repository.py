"""Conversations and turns on disk. Every query names the workshop; one on a participant's behalf names them as well.

A turn is written before its answer begins, and what there is of the answer while it is made, so that a process that dies in
mid-answer leaves a turn that says so. The process that makes an answer says from time to time that it lives (`alive_at`, by
the database's clock, which all processes share).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared_services.contracts.chat import Answer, BlockRef, StatusEvent, StoredTurn
from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.errors import ConversationNotFoundError, TurnAnsweredError, TurnNotFoundError, TurnOpenError
from workshop_chat.limits import TurnLimit
from workshop_chat.pipeline import Block
from workshop_chat.tables import ConversationRow, TurnRow

TurnKey = tuple[str, int]
"""A turn's conversation and number."""

_TURNS = cast("Table", TurnRow.__table__)
_NUMBERING_TRIES = 5
# Made once, since making a statement takes longer than running it.
_BEGIN = insert(ConversationRow.__table__)  # type: ignore[arg-type]
_ASK = insert(_TURNS)
_ASK_SHARED = insert(_TURNS).values(alive_at=func.clock_timestamp())
_OWNED = select(
    select(func.max(TurnRow.number))
    .where(TurnRow.conversation == ConversationRow.id)
    .correlate(ConversationRow)
    .scalar_subquery()
    .label("last")
).where(
    ConversationRow.id == bindparam("of"),
    ConversationRow.workshop == bindparam("in_"),
    ConversationRow.participant == bindparam("by"),
)
_SAVE = (
    update(_TURNS)
    .where(
        _TURNS.c.conversation == bindparam("of"),
        _TURNS.c.number == bindparam("nth"),
        _TURNS.c.attempt == bindparam("attempt_"),
        _TURNS.c.workshop == bindparam("in_"),
        _TURNS.c.state == "answering",
    )
    .values(
        answer=bindparam("answer_"), citations=bindparam("citations_"), timings=bindparam("timings_"), alive_at=bindparam("now")
    )
)
_SAVE_SHARED = _SAVE.values(alive_at=func.clock_timestamp())
ANSWERED_ALREADY = "It is being answered already. Reload the page to see it."
_KEYS_IN_A_QUERY = 500


@dataclass(frozen=True)
class KeptTurn:
    """A turn as it is kept, and its answer block for block.

    Attributes:
        status: Which stage an answer that is being made is in, where that was kept.
    """

    turn: StoredTurn
    blocks: list[Block]
    status: StatusEvent | None


@dataclass(frozen=True)
class Progress:
    """As much as there is of an answer that is being made; `answer.number` is the turn's, `attempt` says which of its answers."""

    answer: Answer
    blocks: Sequence[Block]
    status: StatusEvent | None
    attempt: int = 1


class ConversationRepository:
    """The conversations of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
        limit: How many turns a participant may begin; as many as they like when absent.
    """

    def __init__(self, engine: AsyncEngine, workshop: str, limit: TurnLimit | None = None) -> None:
        self._engine = engine
        self._limit = limit
        self._sessions = session_factory(engine)
        self._workshop = workshop

    @property
    def shared(self) -> bool:
        """Whether other processes may be answering on this store at the same time."""
        return self._engine.dialect.name != "sqlite"

    def _now(self) -> ColumnElement[datetime] | datetime:
        return func.clock_timestamp() if self.shared else datetime.now(UTC)

    async def create(self, participant: str) -> str:
        """A new conversation's id."""
        conversation = uuid.uuid4().hex
        with storage_errors():
            async with self._engine.begin() as connection:
                await connection.execute(_BEGIN, self._conversation(conversation, participant))
        return conversation

    def _conversation(self, conversation: str, participant: str) -> dict[str, Any]:
        made = {"id": conversation, "workshop": self._workshop, "participant": participant}
        return {**made, "created_at": datetime.now(UTC)}

    async def ensure(self, conversation: str, participant: str) -> None:
        """Begin a conversation under an id of the caller's making, where it has not begun.

        Raises:
            ConversationNotFoundError: The id is somebody else's conversation.
        """
        try:
            await self.require(conversation, participant)
        except ConversationNotFoundError:
            try:
                with storage_errors():
                    async with self._engine.begin() as connection:
                        await connection.execute(_BEGIN, self._conversation(conversation, participant))
            except IntegrityError:
                # Somebody else's, or begun by another message just now.
                await self.require(conversation, participant)

    async def require(self, conversation: str, participant: str) -> None:
        """Check that a conversation is this participant's.

        Raises:
            ConversationNotFoundError: It is not, or does not exist.
        """
        with storage_errors():
            async with self._engine.connect() as connection:
                await self._require(connection, conversation, participant)

    async def _require(self, connection: AsyncConnection, conversation: str, participant: str) -> int:
        """The greatest number of its turns; 0 without any."""
        owned = {"of": conversation, "in_": self._workshop, "by": participant}
        row = (await connection.execute(_OWNED, owned)).one_or_none()
        if row is None:
            raise ConversationNotFoundError("It may belong to someone else or to another workshop. Start a new conversation.")
        return row.last or 0

    async def turns(self, conversation: str, participant: str) -> list[StoredTurn]:
        """A conversation's turns, oldest first.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        await self.require(conversation, participant)
        return [stored_turn(row) for row in await self._rows(conversation, participant, None)]

    async def turn(self, conversation: str, participant: str, number: int) -> KeptTurn:
        """One turn.

        Raises:
            TurnNotFoundError: There is none of this number in a conversation of this participant's.
        """
        query = select(TurnRow).where(
            TurnRow.conversation == conversation,
            TurnRow.number == number,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
        )
        with storage_errors():
            async with self._sessions() as session:
                row = await session.scalar(query)
        if row is None:
            raise TurnNotFoundError("It may belong to someone else or have been deleted. Reload the page.")
        kept = row.answer or {}
        status = StatusEvent.model_validate(kept["status"]) if kept.get("status") else None
        return KeptTurn(stored_turn(row), cut(kept.get("answer", ""), kept.get("blocks")), status)

    async def last_turns(self, conversation: str, participant: str, limit: int, before: int | None = None) -> list[StoredTurn]:
        """The newest `limit` turns (below number `before`), oldest first, without those that have no answer or wait for it."""
        rows = await self._rows(conversation, participant, limit, before) if limit else []
        return _answered(rows)

    async def earlier_turns(self, conversation: str, participant: str, limit: int) -> list[StoredTurn]:
        """As `last_turns`, of a conversation that must be this participant's.

        Raises:
            ConversationNotFoundError: It is not, or does not exist.
        """
        with storage_errors():
            async with self._engine.connect() as connection:
                last = await self._require(connection, conversation, participant)
        return await self.last_turns(conversation, participant, limit) if last else []

    async def _rows(self, conversation: str, participant: str, limit: int | None, before: int | None = None) -> Sequence[TurnRow]:
        query = self._newest(conversation, participant, limit)
        if before is not None:
            query = query.where(TurnRow.number < before)
        with storage_errors():
            async with self._sessions() as session:
                return (await session.scalars(query)).all()[::-1]

    def _newest(self, conversation: str, participant: str, limit: int | None) -> Select[tuple[TurnRow]]:
        return (
            select(TurnRow)
            .where(
                TurnRow.conversation == conversation,
                TurnRow.workshop == self._workshop,
                TurnRow.participant == participant,
            )
            .order_by(TurnRow.number.desc())
            .limit(limit)
        )

    async def begin_turn(
        self,
        conversation: str,
        participant: str,
        question: str,
        step: str | None,
        version: str,
        mode: str = "explain",
        about: BlockRef | None = None,
        asked_at: datetime | None = None,
    ) -> int:
        """Write a turn that is being answered; its number, from 1. `asked_at` is now when absent.

        Raises:
            ConversationNotFoundError: The conversation is not this participant's.
            TooManyMessagesError: They have begun too many lately, or too many are being answered.
        """
        given: dict[str, Any] = {"question": question, "step": step, "version": version, "mode": mode}
        given["about"] = about.model_dump() if about and step else None
        given["asked_at"] = asked_at or datetime.now(UTC)
        for attempt in range(_NUMBERING_TRIES):
            try:
                return await self._insert(conversation, participant, given)
            except IntegrityError:
                # Two messages at once took the same number, or the conversation was deleted right now: the second looks again.
                if attempt == _NUMBERING_TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _insert(self, conversation: str, participant: str, given: dict[str, Any]) -> int:
        with storage_errors():
            async with self._engine.begin() as connection:
                if self._limit is not None:
                    await self._limit.check(connection, participant)
                number = await self._require(connection, conversation, participant) + 1
                row = {
                    "conversation": conversation,
                    "number": number,
                    "workshop": self._workshop,
                    "participant": participant,
                    "state": "answering",
                    **given,
                }
                if self.shared:
                    await connection.execute(_ASK_SHARED, row)
                else:
                    await connection.execute(_ASK, {**row, "alive_at": datetime.now(UTC)})
        return number

    async def forget_turn(self, conversation: str, participant: str, asked_at: datetime) -> None:
        """Delete a turn that nobody began to answer; nothing where there is none."""
        removal = delete(TurnRow).where(
            TurnRow.conversation == conversation,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
            TurnRow.asked_at == asked_at,
            TurnRow.state.in_(["answering", "interrupted"]),
            TurnRow.answer.is_(None),
        )
        with storage_errors():
            async with self._engine.begin() as connection:
                await connection.execute(removal)

    async def reopen_turn(self, conversation: str, participant: str, number: int, version: str) -> int:
        """Have a turn whose answer was interrupted answered anew; which of its answers this is, from 2.

        Raises:
            TurnNotFoundError: This participant has no such turn.
            TurnOpenError: It is being answered.
            TurnAnsweredError: It has its answer, or its participant stopped it.
            TooManyMessagesError: Too many are being answered.
        """
        mine = (
            TurnRow.conversation == conversation,
            TurnRow.number == number,
            TurnRow.workshop == self._workshop,
            TurnRow.participant == participant,
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                if self._limit is not None:
                    await self._limit.check(await session.connection(), participant)
                row = (await session.execute(select(TurnRow.state, TurnRow.attempt).where(*mine).with_for_update())).one_or_none()
                if row is None:
                    raise TurnNotFoundError("It may belong to someone else or have been deleted. Reload the page.")
                if row.state == "answering":
                    raise TurnOpenError(ANSWERED_ALREADY)
                if row.state != "interrupted":
                    raise TurnAnsweredError("There is nothing to try again. Ask a new question.")
                # Another one may have been quicker since the row was read: SQLite's reading locks nothing.
                change = update(TurnRow).where(*mine, TurnRow.state == "interrupted", TurnRow.attempt == row.attempt)
                fresh = {"answer": None, "citations": None, "timings": None, "ended_at": None, "stop": False}
                given = {"state": "answering", "alive_at": self._now(), "version": version, "attempt": row.attempt + 1, **fresh}
                changed = await session.execute(
                    change.values(**given).returning(TurnRow.number).execution_options(synchronize_session=False)
                )
                if changed.first() is None:
                    raise TurnOpenError(ANSWERED_ALREADY)
        attempt: int = row.attempt + 1
        return attempt

    async def save_progress(self, progress: Sequence[Progress]) -> None:
        """Keep what there is of answers that are being made, all or none; those that have ended are left as they are."""
        rows = [
            {
                "of": each.answer.conversation,
                "nth": each.answer.number,
                "attempt_": each.attempt,
                "in_": self._workshop,
                "answer_": _answer_columns(each.answer, each.blocks, each.status),
                "citations_": [citation.model_dump(mode="json") for citation in each.answer.citations],
                "timings_": each.answer.timings,
                **({} if self.shared else {"now": datetime.now(UTC)}),
            }
            # In one order everywhere, so that two processes never wait for each other's rows.
            for each in sorted(progress, key=lambda each: (each.answer.conversation, each.answer.number))
        ]
        with storage_errors():
            async with self._engine.begin() as connection:
                await connection.execute(_SAVE_SHARED if self.shared else _SAVE, rows)

    async def stay_alive(self, keys: Sequence[TurnKey], attempts: Mapping[TurnKey, int] | None = None) -> dict[TurnKey, bool]:
        """Say that these answers are still being made; for each turn that is still there, whether it shall stop.

        Args:
            keys: The turns.
            attempts: Which of a turn's answers is meant; one that another process answers anew counts as not there.
        """
        meant = attempts or {}
        there: dict[TurnKey, bool] = {}
        ordered = sorted(keys)
        with storage_errors():
            async with self._engine.begin() as connection:
                for at in range(0, len(ordered), _KEYS_IN_A_QUERY):
                    some = ordered[at : at + _KEYS_IN_A_QUERY]
                    these = (TurnRow.workshop == self._workshop, tuple_(TurnRow.conversation, TurnRow.number).in_(some))
                    await connection.execute(
                        update(TurnRow).where(*these, TurnRow.state == "answering").values(alive_at=self._now())
                    )
                    found = await connection.execute(
                        select(TurnRow.conversation, TurnRow.number, TurnRow.stop, TurnRow.attempt).where(*these)
                    )
                    there |= {
                        (row.conversation, row.number): row.stop
                        for row in found
                        if meant.get((row.conversation, row.number), row.attempt) == row.attempt
                    }
        return there

    async def ask_to_stop(self, conversation: str, participant: str, number: int) -> None:
        """Say to whichever process makes an answer that it shall stop; nothing where the answer has ended."""
        change = (
            update(TurnRow)
            .where(
                TurnRow.conversation == conversation,
                TurnRow.number == number,
                TurnRow.workshop == self._workshop,
                TurnRow.participant == participant,
                TurnRow.state == "answering",
            )
            .values(stop=True)
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(change)

    async def end_turn(
        self,
        participant: str,
        number: int,
        answer: Answer,
        *,
        interrupted: bool,
        blocks: Sequence[Block] = (),
        attempt: int = 1,
    ) -> None:
        """Keep a turn's answer: whole, or as much as was given. Doing it again changes nothing.

        Args:
            participant: Whose turn it is.
            number: Its number in `answer.conversation`.
            answer: Where `stopped`, the turn's state is that.
            interrupted: Whether it ended before its end, and not because its participant wanted so.
            blocks: What the answer is made of, in order; as one where they are not given.
            attempt: Which of the turn's answers it is; nothing is written where a newer one was begun.
        """
        change = (
            update(TurnRow)
            .where(
                TurnRow.conversation == answer.conversation,
                TurnRow.number == number,
                TurnRow.workshop == self._workshop,
                TurnRow.participant == participant,
                TurnRow.attempt == attempt,
            )
            .values(
                state="interrupted" if interrupted else "stopped" if answer.stopped else "done",
                answer=_answer_columns(answer, blocks, None),
                citations=[citation.model_dump(mode="json") for citation in answer.citations],
                timings=answer.timings,
                ended_at=datetime.now(UTC),
                alive_at=None,
            )
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                await session.execute(change)

    async def interrupt_open(self, silent_for: float | None = None) -> list[TurnKey]:
        """Mark the workshop's turns that nobody will finish; which they were.

        Args:
            silent_for: Only those whose process has not said for so many seconds that it lives; all when None, which is right
                where no other process can be answering.
        """
        change = (
            update(TurnRow)
            .where(TurnRow.workshop == self._workshop, TurnRow.state == "answering")
            .values(state="interrupted", ended_at=datetime.now(UTC), alive_at=None)
            .returning(TurnRow.conversation, TurnRow.number)
        )
        if silent_for is not None:
            change = change.where(or_(TurnRow.alive_at.is_(None), TurnRow.alive_at < self._now() - timedelta(seconds=silent_for)))
        with storage_errors():
            async with self._sessions.begin() as session:
                return [(row.conversation, row.number) for row in (await session.execute(change)).all()]


def _answer_columns(answer: Answer, blocks: Sequence[Block], status: StatusEvent | None) -> dict[str, Any]:
    """An answer as the column `answer` holds it; `blocks` are the lengths of each block's `before` and `markdown`."""
    data = answer.model_dump(mode="json", exclude={"conversation", "number", "citations", "timings"})
    if blocks:
        data["blocks"] = [[len(block.before), len(block.markdown)] for block in blocks]
    if status is not None:
        data["status"] = status.model_dump(mode="json")
    return data


def cut(text: str, lengths: Sequence[Sequence[int]] | None) -> list[Block]:
    """An answer's blocks from its text, and the lengths of each block's `before` and `markdown`; one block without them."""
    if not lengths:
        return [Block(0, text, "")] if text else []
    blocks: list[Block] = []
    at = 0
    for n, (before, markdown) in enumerate(lengths):
        blocks.append(Block(n, text[at + before : at + before + markdown], text[at : at + before]))
        at += before + markdown
    return blocks


def _answered(rows: Iterable[TurnRow]) -> list[StoredTurn]:
    return [stored_turn(row) for row in rows if row.answer is not None and row.state != "answering"]


def stored_turn(row: TurnRow) -> StoredTurn:
    """A row as the wire's turn."""
    answer = None
    if row.answer is not None:
        kept = {name: value for name, value in row.answer.items() if name not in {"blocks", "status"}}
        place = {"conversation": row.conversation, "number": row.number}
        answer = Answer.model_validate({**kept, **place, "citations": row.citations or [], "timings": row.timings or {}})
    feedback = None if row.rating is None else {"rating": row.rating, "reason": row.reason or ""}
    return StoredTurn.model_validate(
        {
            "number": row.number,
            "question": row.question,
            "step": row.step,
            "state": row.state,
            "answer": answer,
            # SQLite gives back a moment without its zone.
            "asked_at": row.asked_at if row.asked_at.tzinfo else row.asked_at.replace(tzinfo=UTC),
            "mode": row.mode or "explain",
            "about": row.about,
            "feedback": feedback,
        }
    )
