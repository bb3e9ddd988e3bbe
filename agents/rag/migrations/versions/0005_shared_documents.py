"""Shared documents: revisions of each, and the shelves (one collection a model) that their passages are indexed on."""

import sqlalchemy as sa
from alembic import op

revision = "rag_0005"
down_revision = "rag_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rag_shelves",
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("rows_form", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.UniqueConstraint("model", "rows_form"),
    )
    op.create_table(
        "rag_documents",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("content_focus", sa.String(63)),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("reading", sa.Integer, nullable=False),
        sa.Column("chunking", sa.Integer, nullable=False),
        sa.Column("terms_form", sa.Integer, nullable=False),
        sa.Column("rows_form", sa.Integer, nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        # a number is never given twice: rows that a crash left in the store must not become another document's
        sqlite_autoincrement=True,
    )
    current = sa.text("state = 'current'")
    op.create_index(
        "uq_rag_documents_current", "rag_documents", ["id"], unique=True, sqlite_where=current, postgresql_where=current
    )
    op.create_index("ix_rag_documents_collection", "rag_documents", ["collection"])


def downgrade() -> None:
    op.drop_table("rag_documents")
    op.drop_table("rag_shelves")
