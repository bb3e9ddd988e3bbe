"""What an index was made by, in full."""

import sqlalchemy as sa
from alembic import op

revision = "rag_0002"
down_revision = "rag_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_indexes", sa.Column("terms_form", sa.Integer, nullable=False, server_default="1"))
    op.add_column("rag_indexes", sa.Column("rows_form", sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    for name in ("rows_form", "terms_form"):
        op.drop_column("rag_indexes", name)
