"""What services prove themselves with, as hashes."""

import sqlalchemy as sa
from alembic import op

revision = "console_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", sa.String(128), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("workshop", sa.String(63), nullable=True, index=True),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("content_focus", sa.String(63), nullable=True),
        sa.Column("join_code", sa.String(64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
