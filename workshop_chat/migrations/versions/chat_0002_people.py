"""Titles, ways of helping, feedback and leases of turns; sessions, progress on steps and notes to all."""

import sqlalchemy as sa
from alembic import op

revision = "chat_0002"
down_revision = "chat_0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("chat_conversations", sa.Column("title", sa.String(200), nullable=True))
    op.add_column("chat_turns", sa.Column("mode", sa.String(8), nullable=True))
    op.add_column("chat_turns", sa.Column("about", sa.JSON, nullable=True))
    op.add_column("chat_turns", sa.Column("alive_at", _MOMENT, nullable=True))
    op.add_column("chat_turns", sa.Column("stop", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("chat_turns", sa.Column("rating", sa.String(4), nullable=True))
    op.add_column("chat_turns", sa.Column("reason", sa.Text, nullable=True))
    op.add_column("chat_turns", sa.Column("rated_at", _MOMENT, nullable=True))
    op.create_index("chat_turns_asked", "chat_turns", ["workshop", "participant", "asked_at"])
    op.create_table(
        "chat_sessions",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("participant", sa.String(255), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, server_default=""),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("active_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("step", sa.String(63), nullable=True),
        sa.Column("step_since", _MOMENT, nullable=True),
        sa.Column("hand_raised_at", _MOMENT, nullable=True),
    )
    op.create_index("chat_sessions_state", "chat_sessions", ["workshop", "state", "since"])
    op.create_table(
        "chat_progress",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("participant", sa.String(255), primary_key=True),
        sa.Column("step", sa.String(63), primary_key=True),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("last_seen_at", _MOMENT, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("failed_checks", sa.Integer, nullable=False, server_default="0"),
        sa.Column("checked_at", _MOMENT, nullable=True),
        sa.Column("passed_at", _MOMENT, nullable=True),
    )
    op.create_table(
        "chat_notes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("workshop", sa.String(63), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
    )
    op.create_index("chat_notes_workshop", "chat_notes", ["workshop", "ended_at"])


def downgrade() -> None:
    op.drop_table("chat_notes")
    op.drop_table("chat_progress")
    op.drop_table("chat_sessions")
    op.drop_index("chat_turns_asked", "chat_turns")
    for column in ("rated_at", "reason", "rating", "stop", "alive_at", "mode"):
        op.drop_column("chat_turns", column)
    op.drop_column("chat_conversations", "title")
