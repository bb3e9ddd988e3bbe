"""Conversations and their turns, each row bound to one workshop and one participant."""

import sqlalchemy as sa
from alembic import op

revision = "chat_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_conversations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("workshop", sa.String(63), nullable=False),
        sa.Column("participant", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("chat_conversations_owner", "chat_conversations", ["workshop", "participant"])
    op.create_table(
        "chat_turns",
        sa.Column("conversation", sa.String(32), sa.ForeignKey("chat_conversations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("workshop", sa.String(63), nullable=False),
        sa.Column("participant", sa.String(255), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("step", sa.String(63), nullable=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("answer", sa.JSON, nullable=True),
        sa.Column("citations", sa.JSON, nullable=True),
        sa.Column("timings", sa.JSON, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("chat_turns_state", "chat_turns", ["workshop", "state"])


def downgrade() -> None:
    op.drop_table("chat_turns")
    op.drop_table("chat_conversations")
