"""Verdicts on the stability of runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("run", Id, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the run's last change that was seen"),
        sa.Column("word", Text, nullable=False),
        sa.Column("findings", Text, nullable=False, comment="JSON"),
        sa.Column("points", sa.BigInteger(), nullable=False, comment="finite ones of the loss"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_verdicts_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_verdicts")),
    )
