"""Since when a built index waits to be made the one that serves."""

import sqlalchemy as sa
from alembic import op

revision = "rag_0003"
down_revision = "rag_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_indexes", sa.Column("waiting_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("rag_indexes", "waiting_since")
