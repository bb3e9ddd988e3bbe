"""Notes to all: what whoever runs the workshop says to everybody in it, until they take it back."""

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Note
from shared_services.kit.database import session_factory, storage_errors
from workshop_chat.bus import NOTES, Bus
from workshop_chat.errors import NoteNotFoundError
from workshop_chat.tables import NoteRow

MOST_STANDING = 20
"""The newest ones are shown; an instructor who gives more has forgotten to take the others back."""


class Notes:
    """The notes of one workshop.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        workshop: Slug of the only workshop whose rows are read and written.
        bus: Is told of every change.
    """

    def __init__(self, engine: AsyncEngine, workshop: str, bus: Bus) -> None:
        self._sessions = session_factory(engine)
        self._workshop = workshop
        self._bus = bus

    async def give(self, text: str, author: str) -> Note:
        """Say something to all."""
        row = NoteRow(workshop=self._workshop, text=text, author=author, created_at=datetime.now(UTC))
        with storage_errors():
            async with self._sessions.begin() as session:
                session.add(row)
        await self._bus.signal(NOTES)
        return _note(row)

    async def standing(self) -> list[Note]:
        """The notes that have not been taken back, newest first."""
        query = (
            select(NoteRow)
            .where(NoteRow.workshop == self._workshop, NoteRow.ended_at.is_(None))
            .order_by(NoteRow.id.desc())
            .limit(MOST_STANDING)
        )
        with storage_errors():
            async with self._sessions() as session:
                return [_note(row) for row in await session.scalars(query)]

    async def take_back(self, note: int) -> None:
        """End a note.

        Raises:
            NoteNotFoundError: It does not stand in this workshop.
        """
        change = (
            update(NoteRow)
            .where(NoteRow.workshop == self._workshop, NoteRow.id == note, NoteRow.ended_at.is_(None))
            .values(ended_at=datetime.now(UTC))
            .returning(NoteRow.id)
        )
        with storage_errors():
            async with self._sessions.begin() as session:
                ended = await session.scalar(change)
        if ended is None:
            raise NoteNotFoundError("It may have been taken back already. Load the page again to see those that stand.")
        await self._bus.signal(NOTES)


def _note(row: NoteRow) -> Note:
    at = row.created_at
    return Note(id=row.id, text=row.text, author=row.author, created_at=at if at.tzinfo else at.replace(tzinfo=UTC))
