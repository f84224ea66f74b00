"""Summaries of blocks, and the journals of clients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "blocks",
        sa.Column(
            "first_time",
            sa.BigInteger(),
            comment="of the first point by (step, timestamp, value); NULL in old blocks",
        ),
    )
    for name, comment in (("last_time", None), ("min_time", "least timestamp of all"), ("max_time", None)):
        op.add_column("blocks", sa.Column(name, sa.BigInteger(), comment=comment))
    op.create_table(
        "summaries",
        sa.Column("block", Id, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["block"], ["blocks.id"], name=op.f("fk_summaries_block"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_summaries")),
    )
    op.create_table(
        "journals",
        sa.Column("journal", Text, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("chain", Text, nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_journals")),
    )
    op.create_table(
        "refusals",
        sa.Column("journal", Text, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("run_id", Text, nullable=True),
        sa.Column("error_code", Text, nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["journal"], ["journals.journal"], name=op.f("fk_refusals_journal"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journal", "sequence", name=op.f("pk_refusals")),
    )
    op.create_index("ix_refusals_run", "refusals", ["run_id"])
    op.create_table(
        "origins",
        sa.Column("run", Id, autoincrement=False, nullable=False),
        sa.Column("journal", Text, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_origins_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_origins")),
    )
