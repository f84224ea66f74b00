"""Alerts of runs, and the rules that raise them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", Id, nullable=False, autoincrement=True),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("condition", Text, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("created_by", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_alert_rules_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_rules_experiment", "alert_rules", ["experiment"])
    op.create_table(
        "alert_states",
        sa.Column("rule", Id, nullable=False),
        sa.Column("run", Id, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["alert_rules.id"], name=op.f("fk_alert_states_rule"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_alert_states_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rule", "run", name=op.f("pk_alert_states")),
    )
    op.create_index("ix_alert_states_run", "alert_states", ["run"])
    op.create_table(
        "alerts",
        sa.Column("id", Id, nullable=False, autoincrement=True),
        sa.Column("run", Id, nullable=False),
        sa.Column("rule", Id),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("title", Text, nullable=False),
        sa.Column("text", Text, nullable=False),
        sa.Column("acknowledged_time", sa.BigInteger()),
        sa.Column("acknowledged_by", Text, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_alerts_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_run", "alerts", ["run"])
    op.create_index("ix_alerts_acknowledged_time", "alerts", ["acknowledged_time"])
