"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("artifact_location", Text, nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "meta",
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "names",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_names")),
        sa.UniqueConstraint("name", name=op.f("uq_names_name")),
    )
    op.create_table(
        "datasets",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("digest", Text, nullable=False),
        sa.Column("source_type", Text, nullable=False),
        sa.Column("source", Text, nullable=False),
        sa.Column("schema", Text, nullable=True),
        sa.Column("profile", Text, nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_datasets_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("experiment", "name", "digest", name=op.f("uq_datasets_experiment_name_digest")),
    )
    op.create_table(
        "experiment_tags",
        sa.Column("experiment", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_experiment_tags_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment", "key", name=op.f("pk_experiment_tags")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("run_id", Text, nullable=False),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("user_id", Text, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_runs_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("run_id", name=op.f("uq_runs_run_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_listing", "runs", ["experiment", "deleted", "start_time", "run_id"], unique=False)
    op.create_table(
        "arrivals",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("run", Id, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_arrivals_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_arrivals_run", "arrivals", ["run"], unique=False)
    op.create_table(
        "blocks",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("run", Id, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("min", sa.BigInteger(), nullable=True, comment="ordinal; NULL where all values are NaN"),
        sa.Column("max", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["names.id"], name=op.f("fk_blocks_key")),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_blocks_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_blocks_series", "blocks", ["run", "key", "first_step"], unique=False)
    op.create_table(
        "changes",
        sa.Column("run", Id, nullable=False),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="the commit that touched the run last"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_changes_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_version", "changes", ["version"], unique=False)
    op.create_table(
        "input_tags",
        sa.Column("run", Id, nullable=False),
        sa.Column("dataset", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name=op.f("fk_input_tags_dataset"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_input_tags_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "dataset", "key", name=op.f("pk_input_tags")),
    )
    op.create_table(
        "inputs",
        sa.Column("run", Id, nullable=False),
        sa.Column("dataset", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name=op.f("fk_inputs_dataset"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_inputs_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "dataset", name=op.f("pk_inputs")),
    )
    op.create_index("ix_inputs_dataset", "inputs", ["dataset"], unique=False)
    op.create_table(
        "latest",
        sa.Column("run", Id, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("experiment", Id, nullable=False, comment="the run's, so that the value index can begin with it"),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column(
            "value",
            sa.BigInteger(),
            nullable=False,
            comment="ordinal of the value at the highest (step, timestamp, value)",
        ),
        sa.Column("min", sa.BigInteger(), nullable=True, comment="ordinal; NULL while only NaN was logged"),
        sa.Column("min_step", sa.BigInteger(), nullable=True),
        sa.Column("max", sa.BigInteger(), nullable=True),
        sa.Column("max_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key"], ["names.id"], name=op.f("fk_latest_key")),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_latest_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_latest")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_latest_value", "latest", ["experiment", "key", "value", "run"], unique=False)
    op.create_table(
        "params",
        sa.Column("run", Id, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True, comment="ordinal of the value, where the text is a number"),
        sa.ForeignKeyConstraint(["key"], ["names.id"], name=op.f("fk_params_key")),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_params_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_params")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tags",
        sa.Column("run", Id, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(["key"], ["names.id"], name=op.f("fk_tags_key")),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_tags_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_tags")),
        sqlite_with_rowid=False,
    )

    op.create_index("ix_params_value", "params", ["key", sa.text("substr(value, 1, 200)"), "run"])
    op.create_index("ix_tags_value", "tags", ["key", sa.text("substr(value, 1, 200)"), "run"])


def downgrade() -> None:
    raise RuntimeError("A database is never taken back to an older schema; restore a backup instead.")
