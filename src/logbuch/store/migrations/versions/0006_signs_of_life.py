"""Signs of life of the processes that carry on runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("runs", sa.Column("lost_time", sa.BigInteger()))
    op.create_table(
        "pulses",
        sa.Column("journal", Text, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_pulses")),
    )
    op.create_table(
        "holders",
        sa.Column("run", Id, nullable=False),
        sa.Column("journal", Text, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_holders_run"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["journal"], ["pulses.journal"], name=op.f("fk_holders_journal"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "journal", name=op.f("pk_holders")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_holders_journal", "holders", ["journal"])
