"""How often a turn's answer was begun, so that a process that comes late never writes over a newer answer."""

import sqlalchemy as sa
from alembic import op

revision = "chat_0003"
down_revision = "chat_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chat_turns", sa.Column("attempt", sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("chat_turns", "attempt")
