"""The tables of the model registry and of logged models, beside those of :mod:`logbuch.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, SmallInteger, Table, UniqueConstraint

from logbuch.store.schema import Id, Text, metadata

__all__ = ["metadata"]

registered_models = Table(
    "registered_models",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("last_version", BigInteger, nullable=False, comment="the highest number ever given; never given again"),
    Index("ix_registered_models_last_update_time", "last_update_time"),
    sqlite_autoincrement=True,
)

registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    Column("model", Id, ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("model", Id, ForeignKey("registered_models.id", ondelete="CASCADE"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("source", Text, nullable=False, comment="as registered"),
    Column("location", Text, nullable=False, comment="the source with models:/ resolved when it was registered"),
    Column("run_id", Text, nullable=False),
    Column("run_link", Text, nullable=False),
    Column("model_id", Text, nullable=False, comment="of the logged model; empty for none"),
    UniqueConstraint("model", "version"),
    Index("ix_model_versions_run_id", "run_id"),
    Index("ix_model_versions_model_id", "model_id"),
    Index("ix_model_versions_last_update_time", "last_update_time"),
    sqlite_autoincrement=True,
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    Column("version", Id, ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

model_aliases = Table(
    "model_aliases",
    metadata,
    Column("model", Id, ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("version", Id, ForeignKey("model_versions.id", ondelete="CASCADE"), nullable=False),
    Index("ix_model_aliases_version", "version"),
)

# Outlives the models it tells of: no key refers to them, and nothing here is ever changed or deleted.
registry_audit = Table(
    "registry_audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("model", BigInteger, nullable=False),
    Column("name", Text, nullable=False, comment="the model's, at that time"),
    Column("version", BigInteger),
    Column("action", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("ix_registry_audit_model", "model", "id"),
    Index("ix_registry_audit_name", "name", "id"),
    sqlite_autoincrement=True,
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("model_id", Text, nullable=False, unique=True),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("model_type", Text, nullable=False),
    Column("source_run_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("status_message", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index("ix_logged_models_listing", "experiment", "deleted", "creation_time", "id"),
    Index("ix_logged_models_source_run_id", "source_run_id"),
    sqlite_autoincrement=True,
)

logged_model_params = Table(
    "logged_model_params",
    metadata,
    Column("model", Id, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model", Id, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model", Id, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_name", Text, primary_key=True, comment="empty for none"),
    Column("dataset_digest", Text, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False, comment="ordinal"),
    Index("ix_logged_model_metrics_run", "run"),
)

# Which logged models a run made (and at which step) or used. The model need not exist any more.
run_models = Table(
    "run_models",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("output", Boolean, primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("step", BigInteger, nullable=False),
    Index("ix_run_models_model_id", "model_id"),
)
