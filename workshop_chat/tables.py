"""The chat agent's tables. Every row is bound to one workshop; those of a participant to one participant as well."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared_services.kit.database import MigrationSet

MIGRATIONS = MigrationSet("chat", Path(__file__).parent / "migrations")


class Base(DeclarativeBase):
    """The chat agent's tables."""


class ConversationRow(Base):
    """`chat_conversations`. `title` is None until its participant gives one."""

    __tablename__ = "chat_conversations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workshop: Mapped[str] = mapped_column(String(63))
    participant: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    title: Mapped[str | None] = mapped_column(String(200))


class TurnRow(Base):
    """`chat_turns`. `answer` is the wire's Answer without what stands in `citations` and `timings`.

    Attributes:
        alive_at: When the process that writes the answer last said so; None once it has ended.
        stop: Somebody has asked for its end, perhaps at another process than the one that writes it.
        attempt: How often its answer was begun; only who makes the newest may write it.
    """

    __tablename__ = "chat_turns"

    conversation: Mapped[str] = mapped_column(ForeignKey("chat_conversations.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    workshop: Mapped[str] = mapped_column(String(63))
    participant: Mapped[str] = mapped_column(String(255))
    question: Mapped[str] = mapped_column(Text)
    step: Mapped[str | None] = mapped_column(String(63))
    mode: Mapped[str | None] = mapped_column(String(8))
    about: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    citations: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    timings: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    alive_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stop: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    rating: Mapped[str | None] = mapped_column(String(4))
    reason: Mapped[str | None] = mapped_column(Text)
    rated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SessionRow(Base):
    """`chat_sessions`: who is in the workshop, or waits for a place; one row a participant.

    Attributes:
        state: `live`, `waiting` or `over`.
        since: When the state began.
        active_at: When they last did something.
        seen_at: When their page was last there, be it idle.
        step: Where they are, since `step_since`.
    """

    __tablename__ = "chat_sessions"

    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    participant: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    active_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    step: Mapped[str | None] = mapped_column(String(63))
    step_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    hand_raised_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProgressRow(Base):
    """`chat_progress`: what is known of a participant on a step.

    Attributes:
        first_seen_at: When they first opened it.
        seconds: How long they have been on it, idle time left out.
        failed_checks: How many checks of it failed since the last one that passed.
    """

    __tablename__ = "chat_progress"

    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    participant: Mapped[str] = mapped_column(String(255), primary_key=True)
    step: Mapped[str] = mapped_column(String(63), primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    failed_checks: Mapped[int] = mapped_column(Integer, default=0)
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    passed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NoteRow(Base):
    """`chat_notes`: what was said to all. `ended_at` is None while it stands."""

    __tablename__ = "chat_notes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    workshop: Mapped[str] = mapped_column(String(63))
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
