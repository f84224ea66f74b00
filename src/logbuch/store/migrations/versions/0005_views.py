"""Saved views, and where the artifacts of runs lie that were moved to another experiment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column("home", Id, comment="the experiment below which its artifacts lie, where it was moved from there"),
    )
    op.create_table(
        "views",
        sa.Column("id", Text, nullable=False),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False, comment="shown when the page is opened without a view"),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_views_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views")),
        sa.UniqueConstraint("experiment", "name", name=op.f("uq_views_experiment_name")),
    )
