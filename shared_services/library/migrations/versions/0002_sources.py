"""Pages of the author's repository that a version was made from, to be shown beside it."""

import sqlalchemy as sa
from alembic import op

revision = "library_0002"
down_revision = "library_0001"


def upgrade() -> None:
    op.create_table(
        "library_sources",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("path", sa.String(1024), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("library_blobs.sha256"), nullable=False, index=True),
        sa.ForeignKeyConstraint(
            ["workshop", "version"], ["library_versions.workshop", "library_versions.version"], ondelete="CASCADE"
        ),
    )
