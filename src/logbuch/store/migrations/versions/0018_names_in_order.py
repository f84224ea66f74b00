"""Indexes of the names of runs; and in PostgreSQL too one for the order of params as numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SHORT, LONG = (sa.text(f"octet_length(name) {compared} 2000") for compared in ("<=", ">"))
BY_NAME = ["experiment", "deleted", "name"]


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.create_index("ix_runs_name", "runs", BY_NAME)
        return
    op.create_index("ix_runs_name", "runs", BY_NAME, postgresql_include=["id"], postgresql_where=SHORT)
    op.create_index("ix_runs_long_name", "runs", BY_NAME[:2], postgresql_where=LONG)
    only = sa.text("number IS NOT NULL")
    op.create_index("ix_params_number", "params", ["key", "number", "value", "run"], postgresql_where=only)
