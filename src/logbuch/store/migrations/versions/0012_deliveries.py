"""Who is told of events, and the messages that wait to be sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "destinations",
        sa.Column("id", Id, nullable=False, autoincrement=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("url", Text, nullable=False),
        sa.Column("secret", Text, nullable=False),
        sa.Column("events", Text, nullable=False),
        sa.Column("experiment", Id),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("created_by", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_destinations_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destinations")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False, autoincrement=True),
        sa.Column("destination", Id, nullable=False),
        sa.Column("event", Text, nullable=False),
        sa.Column("body", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.Column("error", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["destination"], ["destinations.id"], name=op.f("fk_deliveries_destination"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due"])
    op.create_index("ix_deliveries_destination", "deliveries", ["destination", "id"])
