"""Several agents on one table: who builds an index and when it was last heard of, what is being dropped, and whose turn it is."""

import sqlalchemy as sa
from alembic import op

revision = "rag_0004"
down_revision = "rag_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_indexes", sa.Column("agent", sa.String(32), nullable=False, server_default=""))
    op.add_column("rag_indexes", sa.Column("touched_at", sa.DateTime(timezone=True)))
    op.add_column("rag_indexes", sa.Column("dropping", sa.Boolean, nullable=False, server_default=sa.false()))
    for name, columns, where in (("serving", ["workshop"], "active"), ("built", ["workshop", "version"], "built")):
        condition = sa.text(where)
        op.create_index(
            f"ux_rag_indexes_{name}", "rag_indexes", columns, unique=True, sqlite_where=condition, postgresql_where=condition
        )
    op.create_table(
        "rag_turns", sa.Column("workshop", sa.String(63), primary_key=True), sa.Column("turn", sa.Integer, nullable=False)
    )


def downgrade() -> None:
    op.drop_table("rag_turns")
    for name in ("built", "serving"):
        op.drop_index(f"ux_rag_indexes_{name}", "rag_indexes")
    for name in ("dropping", "touched_at", "agent"):
        op.drop_column("rag_indexes", name)
