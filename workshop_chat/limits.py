"""How much one participant may ask for: messages a minute, answers at once, characters a message.

Messages that are kept are counted in the database, so the limit holds over all processes of the chat agent; those of the faces
that keep nothing are counted in this process.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workshop_chat.errors import MessageTooLongError, TooManyMessagesError
from workshop_chat.participants import Participant
from workshop_chat.sessions import Sessions
from workshop_chat.shared_names import SharedNames
from workshop_chat.stages.pasted import pasted_error
from workshop_chat.tables import TurnRow

MINUTE = timedelta(seconds=60)
LONGEST_ANSWER = timedelta(minutes=10)
ALIVE = timedelta(seconds=60)
"""An answer that its process has not spoken of for this long is not being written any more."""
ANSWER_RETRY_SECONDS = 5
_MOST_KEPT = 10_000
# Made once, since making a statement takes longer than running it.
_TURNS = TurnRow.__table__.c
_ASKED = select(_TURNS.asked_at, _TURNS.state, _TURNS.alive_at).where(
    _TURNS.workshop == bindparam("in_"), _TURNS.participant == bindparam("by"), _TURNS.asked_at > bindparam("since")
)
_NOTHING = (
    update(TurnRow.__table__)  # type: ignore[arg-type]
    .where(_TURNS.workshop == bindparam("in_"), _TURNS.conversation == "")
    .values(stop=_TURNS.stop)
)


@dataclass(frozen=True)
class Bounds:
    """How much one participant may ask for; 0 is no limit.

    Attributes:
        per_minute: Messages in 60 seconds.
        at_once: Answers that are being written.
        characters: Of one message.
    """

    per_minute: int
    at_once: int
    characters: int


@dataclass(frozen=True)
class Asked:
    """A kept message: when it came, and until when its answer is surely being written; None where that has ended."""

    at: datetime
    alive_at: datetime | None


def check_length(message: str, most: int) -> None:
    """Whether a message is short enough.

    Raises:
        MessageTooLongError: It is not.
    """
    if not most or len(message) <= most:
        return
    said = f"The message has {len(message):,} characters, and at most {most:,} are read."
    if pasted_error(message[: 4 * most]) is not None or message.count("\n") >= 20:
        raise MessageTooLongError(
            f"{said} It looks like pasted output: paste the command, the first error and the 20 lines around it instead."
        )
    raise MessageTooLongError(f"{said} Shorten it, or ask in several messages.")


def check_rate(now: datetime, asked: Sequence[Asked], bounds: Bounds) -> None:
    """Whether one more message is within the bounds.

    Args:
        now: The time.
        asked: The participant's messages of the last minutes.
        bounds: How much one participant may ask for.

    Raises:
        TooManyMessagesError: It is not.
    """
    written = sum(one.alive_at is not None and now - one.alive_at <= ALIVE for one in asked)
    if bounds.at_once and written >= bounds.at_once:
        answers = "One answer is" if written == 1 else f"{written} answers are"
        raise TooManyMessagesError(
            f"{answers} being written for you already. Wait until one is finished, or stop it, then ask again.",
            retry_after=ANSWER_RETRY_SECONDS,
        )
    lately = sorted(one.at for one in asked if now - one.at < MINUTE)
    if bounds.per_minute and len(lately) >= bounds.per_minute:
        raise _too_many(len(lately), (lately[-bounds.per_minute] + MINUTE - now).total_seconds())


def _too_many(sent: int, seconds: float) -> TooManyMessagesError:
    wait = max(1, ceil(seconds))
    return TooManyMessagesError(
        f"You sent {sent} messages in the last minute, which is as many as one person may send. "
        f"Wait {wait} {'second' if wait == 1 else 'seconds'}, then send it again.",
        retry_after=wait,
    )


async def check_turns(connection: AsyncConnection, workshop: str, participant: str, bounds: Bounds) -> None:
    """Check a participant's kept messages; in the transaction that writes the next one the answer holds.

    Raises:
        TooManyMessagesError: One more would be too many.
    """
    if not bounds.per_minute and not bounds.at_once:
        return
    now = datetime.now(UTC)
    given = {"in_": workshop, "by": participant, "since": now - LONGEST_ANSWER}
    asked = [
        Asked(_aware(row.asked_at), _aware(row.alive_at or row.asked_at) if row.state == "answering" else None)
        for row in await connection.execute(_ASKED, given)
    ]
    check_rate(now, asked, bounds)


class TurnLimit:
    """Holds the bounds where a turn is written, so that messages sent at one moment are not all the first.

    Args:
        names: Of the only workshop whose rows are read.
        bounds: How much one participant may ask for.
    """

    def __init__(self, names: SharedNames, bounds: Bounds) -> None:
        self._workshop = names.workshop
        self._names = names
        self._bounds = bounds

    async def check(self, connection: AsyncConnection, participant: str) -> None:
        """Check in the transaction that writes the turn; until it ends, the participant's other turns wait.

        Raises:
            TooManyMessagesError: One more would be too many.
        """
        if connection.dialect.name == "postgresql":
            key = self._names.lock("turns", participant)
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        else:
            # SQLite has one writer at a time, and becomes it with a statement that writes, be it nothing.
            await connection.execute(_NOTHING, {"in_": self._workshop})
        await check_turns(connection, self._workshop, participant, self._bounds)


class RecentMessages:
    """Messages that are kept nowhere, counted in this process for a minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._sent: dict[str, deque[float]] = {}

    def take(self, participant: str) -> None:
        """Count one message.

        Raises:
            TooManyMessagesError: There were too many already; this one is not counted.
        """
        if not self._most:
            return
        now = time.monotonic()
        minute = MINUTE.total_seconds()
        if len(self._sent) >= _MOST_KEPT:
            self._sent = {who: times for who, times in self._sent.items() if now - times[-1] < minute}
        sent = self._sent.setdefault(participant, deque())
        while sent and now - sent[0] >= minute:
            sent.popleft()
        if len(sent) >= self._most:
            raise _too_many(len(sent), sent[0] + minute - now)
        sent.append(now)


class Gate:
    """Lets messages in, or says why not: a place in the workshop, the rate, the length.

    Args:
        sessions: Who has a place.
        bounds: How much one participant may ask for.
    """

    def __init__(self, sessions: Sessions, bounds: Bounds) -> None:
        self._sessions = sessions
        self._bounds = bounds
        self._recent = RecentMessages(bounds.per_minute)

    async def enter(self, who: Participant) -> None:
        """Let somebody in who asks for no answer.

        Raises:
            WorkshopFullError: There is no place for them yet.
        """
        await self._sessions.require(who)

    async def message(self, who: Participant, message: str) -> None:
        """Let a message in that is kept; how many there are is counted where it is written (`TurnLimit`).

        Raises:
            WorkshopFullError: There is no place for its sender yet.
            MessageTooLongError: It has too many characters.
        """
        check_length(message, self._bounds.characters)
        await self._sessions.require(who)

    async def question(self, who: Participant, message: str) -> None:
        """Let a message in that is kept nowhere.

        Raises:
            WorkshopFullError: There is no place for its sender yet.
            MessageTooLongError: It has too many characters.
            TooManyMessagesError: Its sender has sent too many.
        """
        check_length(message, self._bounds.characters)
        await self._sessions.require(who)
        self._recent.take(who.id)


def _aware(at: datetime) -> datetime:
    """SQLite gives times back without their zone; they were written as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
