"""Choices of how to read a repository, in the library's database."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, String, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from shared_services.contracts.choices import Choice
from shared_services.contracts.conversion import Form
from shared_services.kit.database import session_factory, storage_errors
from shared_services.library.repository import Base


class ChoiceRow(Base):
    """The latest choice for one repository."""

    __tablename__ = "library_choices"
    address: Mapped[str] = mapped_column(String(2000), primary_key=True)
    form: Mapped[str | None] = mapped_column(String(32))
    path: Mapped[str] = mapped_column(String(1000))
    chosen_by: Mapped[str] = mapped_column(String(255))
    chosen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ChoiceStore:
    """Reads and writes choices by normalised address; there is no way to list them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = session_factory(engine)

    async def get(self, address: str) -> Choice | None:
        """What is remembered of a repository."""
        async with self._sessions() as session:
            row = await session.get(ChoiceRow, address)
        if row is None or (row.form is not None and row.form not in list(Form)):
            return None
        at = row.chosen_at if row.chosen_at.tzinfo else row.chosen_at.replace(tzinfo=UTC)
        return Choice(form=Form(row.form) if row.form else None, path=row.path, by=row.chosen_by, at=at)

    async def remember(self, address: str, choice: Choice) -> None:
        """Remember a choice in place of an earlier one."""
        with storage_errors():
            for last in (False, True):
                try:
                    async with self._sessions.begin() as session:
                        await session.merge(
                            ChoiceRow(
                                address=address,
                                form=choice.form,
                                path=choice.path,
                                chosen_by=choice.by,
                                chosen_at=choice.at,
                            )
                        )
                except IntegrityError:
                    # Somebody chose at the same moment; the later one stands.
                    if last:
                        raise
                    continue
                return

    async def forget(self, address: str) -> bool:
        """Forget a choice; False when there was none."""
        with storage_errors():
            async with self._sessions.begin() as session:
                row = await session.get(ChoiceRow, address)
                await session.execute(delete(ChoiceRow).where(ChoiceRow.address == address))
                return row is not None
