"""Archives of versions in other forms, as jobs made them."""

import sqlalchemy as sa
from alembic import op

revision = "library_0004"
down_revision = "library_0003"


def upgrade() -> None:
    op.create_table(
        "library_exports",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("form", sa.String(32), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("library_blobs.sha256"), nullable=False, index=True),
        sa.ForeignKeyConstraint(
            ["workshop", "version"], ["library_versions.workshop", "library_versions.version"], ondelete="CASCADE"
        ),
    )
