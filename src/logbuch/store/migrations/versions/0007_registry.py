"""The model registry with its audit trail, and logged models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "registered_models",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("description", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_version", sa.BigInteger(), nullable=False, comment="the highest number ever given; never given again"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_models")),
        sa.UniqueConstraint("name", name=op.f("uq_registered_models_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registered_models_last_update_time", "registered_models", ["last_update_time"], unique=False)
    op.create_table(
        "registry_audit",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("name", Text, nullable=False, comment="the model's, at that time"),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("action", Text, nullable=False),
        sa.Column("alias", Text, nullable=False),
        sa.Column("before", Text, nullable=False),
        sa.Column("after", Text, nullable=False),
        sa.Column("user", Text, nullable=False),
        sa.Column("address", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registry_audit_model", "registry_audit", ["model", "id"], unique=False)
    op.create_index("ix_registry_audit_name", "registry_audit", ["name", "id"], unique=False)
    op.create_table(
        "logged_models",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("model_id", Text, nullable=False),
        sa.Column("experiment", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("model_type", Text, nullable=False),
        sa.Column("source_run_id", Text, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("status_message", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.id"], name=op.f("fk_logged_models_experiment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logged_models")),
        sa.UniqueConstraint("model_id", name=op.f("uq_logged_models_model_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_logged_models_listing", "logged_models", ["experiment", "deleted", "creation_time", "id"], unique=False
    )
    op.create_index("ix_logged_models_source_run_id", "logged_models", ["source_run_id"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("model", Id, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("description", Text, nullable=False),
        sa.Column("user_id", Text, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column("source", Text, nullable=False, comment="as registered"),
        sa.Column("location", Text, nullable=False, comment="the source with models:/ resolved when it was registered"),
        sa.Column("run_id", Text, nullable=False),
        sa.Column("run_link", Text, nullable=False),
        sa.Column("model_id", Text, nullable=False, comment="of the logged model; empty for none"),
        sa.ForeignKeyConstraint(
            ["model"], ["registered_models.id"], name=op.f("fk_model_versions_model"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("model", "version", name=op.f("uq_model_versions_model_version")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_model_versions_last_update_time", "model_versions", ["last_update_time"], unique=False)
    op.create_index("ix_model_versions_model_id", "model_versions", ["model_id"], unique=False)
    op.create_index("ix_model_versions_run_id", "model_versions", ["run_id"], unique=False)
    op.create_table(
        "registered_model_tags",
        sa.Column("model", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["model"], ["registered_models.id"], name=op.f("fk_registered_model_tags_model"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model", "key", name=op.f("pk_registered_model_tags")),
    )
    op.create_table(
        "logged_model_metrics",
        sa.Column("model", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("run", Id, nullable=False),
        sa.Column("dataset_name", Text, nullable=False, comment="empty for none"),
        sa.Column("dataset_digest", Text, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="ordinal"),
        sa.ForeignKeyConstraint(
            ["model"], ["logged_models.id"], name=op.f("fk_logged_model_metrics_model"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_logged_model_metrics_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "model", "key", "run", "dataset_name", "dataset_digest", "step", name=op.f("pk_logged_model_metrics")
        ),
    )
    op.create_index("ix_logged_model_metrics_run", "logged_model_metrics", ["run"], unique=False)
    op.create_table(
        "logged_model_params",
        sa.Column("model", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["model"], ["logged_models.id"], name=op.f("fk_logged_model_params_model"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model", "key", name=op.f("pk_logged_model_params")),
    )
    op.create_table(
        "logged_model_tags",
        sa.Column("model", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["model"], ["logged_models.id"], name=op.f("fk_logged_model_tags_model"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model", "key", name=op.f("pk_logged_model_tags")),
    )
    op.create_table(
        "model_aliases",
        sa.Column("model", Id, nullable=False),
        sa.Column("alias", Text, nullable=False),
        sa.Column("version", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["model"], ["registered_models.id"], name=op.f("fk_model_aliases_model"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["model_versions.id"], name=op.f("fk_model_aliases_version"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model", "alias", name=op.f("pk_model_aliases")),
    )
    op.create_index("ix_model_aliases_version", "model_aliases", ["version"], unique=False)
    op.create_table(
        "model_version_tags",
        sa.Column("version", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["model_versions.id"], name=op.f("fk_model_version_tags_version"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version", "key", name=op.f("pk_model_version_tags")),
    )
    op.create_table(
        "run_models",
        sa.Column("run", Id, nullable=False),
        sa.Column("output", sa.Boolean(), nullable=False),
        sa.Column("model_id", Text, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_run_models_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "output", "model_id", name=op.f("pk_run_models")),
    )
    op.create_index("ix_run_models_model_id", "run_models", ["model_id"], unique=False)
