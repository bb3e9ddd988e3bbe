"""How a person chose to read a repository."""

import sqlalchemy as sa
from alembic import op

revision = "library_0003"
down_revision = "library_0002"


def upgrade() -> None:
    op.create_table(
        "library_choices",
        sa.Column("address", sa.String(2000), primary_key=True),
        sa.Column("form", sa.String(32), nullable=True),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("chosen_by", sa.String(255), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
    )
