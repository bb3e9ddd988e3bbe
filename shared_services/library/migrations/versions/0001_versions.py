"""Versions of workshops, their files by content hash, and one pointer to the current one."""

import sqlalchemy as sa
from alembic import op

revision = "library_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "library_blobs",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "library_versions",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("manifest", sa.JSON, nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.UniqueConstraint("workshop", "number"),
    )
    op.create_table(
        "library_files",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("path", sa.String(1024), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("library_blobs.sha256"), nullable=False, index=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["workshop", "version"], ["library_versions.workshop", "library_versions.version"], ondelete="CASCADE"
        ),
    )
    op.create_table(
        "library_current",
        sa.Column("workshop", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["workshop", "version"], ["library_versions.workshop", "library_versions.version"], ondelete="CASCADE"
        ),
    )
