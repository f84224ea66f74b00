"""An index for the order of params as numbers, in SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        only = sa.text("number IS NOT NULL")
        op.create_index("ix_params_number", "params", ["key", "number", "value", "run"], sqlite_where=only)
