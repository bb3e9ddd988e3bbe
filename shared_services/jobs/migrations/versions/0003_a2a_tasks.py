"""Tasks of agents that speak A2A; the columns are those that the protocol's library reads and writes.

Texts that callers name (contexts) or that are made of names (owners) have no bound here, where the library would set one.
"""

import sqlalchemy as sa
from alembic import op

revision = "jobs_0003"
down_revision = "jobs_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs_a2a_tasks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("context_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("last_updated", sa.DateTime),
        sa.Column("status", sa.JSON, nullable=False),
        sa.Column("artifacts", sa.JSON),
        sa.Column("history", sa.JSON),
        sa.Column("protocol_version", sa.String(16)),
        sa.Column("metadata", sa.JSON),
    )
    op.create_index("jobs_a2a_tasks_owner", "jobs_a2a_tasks", ["owner", "last_updated"])
    op.create_index("jobs_a2a_tasks_updated", "jobs_a2a_tasks", ["last_updated"])
