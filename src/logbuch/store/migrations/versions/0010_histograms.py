"""Histograms of runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "histograms",
        sa.Column("run", Id, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_histograms_run"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["key"], ["names.id"], name=op.f("fk_histograms_key")),
        sa.PrimaryKeyConstraint("run", "key", "step", "timestamp", name=op.f("pk_histograms")),
    )
