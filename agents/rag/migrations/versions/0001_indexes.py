"""The table of indexes."""

import sqlalchemy as sa
from alembic import op

revision = "rag_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rag_indexes",
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("workshop", sa.String(63), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("form", sa.Integer, nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("built", sa.Boolean, nullable=False),
    )
    op.create_index("ix_rag_indexes_workshop", "rag_indexes", ["workshop"])


def downgrade() -> None:
    op.drop_table("rag_indexes")
