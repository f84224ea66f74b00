"""What webhooks in MLflow's form have besides an address."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "registry_webhooks",
        sa.Column("destination", Id, nullable=False, autoincrement=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("description", Text, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination"],
            ["destinations.id"],
            name=op.f("fk_registry_webhooks_destination"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_registry_webhooks")),
    )
