"""Runs whose newest points are not among the latest values yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backlog",
        sa.Column("run", Id, nullable=False, autoincrement=False),
        sa.Column("first", Id, nullable=False, comment="id of the first row of the log that is not merged"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_backlog_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_backlog")),
    )
