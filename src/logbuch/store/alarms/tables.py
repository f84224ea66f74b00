"""The tables of alerts and their rules, beside those of :mod:`logbuch.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table

from logbuch.store.schema import Id, Text, metadata

__all__ = ["metadata"]

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("condition", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Index("ix_alert_rules_experiment", "experiment"),
    sqlite_autoincrement=True,
)

# What holds of which run at the moment: a rule speaks up again only after it has not held.
alert_states = Table(
    "alert_states",
    metadata,
    Column("rule", Id, ForeignKey("alert_rules.id", ondelete="CASCADE"), primary_key=True),
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("mark", BigInteger, nullable=False, comment="of a silence: the time of the last point before it, ms"),
    Index("ix_alert_states_run", "run"),
)

# Alerts outlive the rule that raised them.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("rule", Id, comment="NULL where the training raised it"),
    Column("time", BigInteger, nullable=False, comment="when it happened, ms"),
    Column("level", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("acknowledged_time", BigInteger),
    Column("acknowledged_by", Text, nullable=False),
    Index("ix_alerts_run", "run"),
    Index("ix_alerts_acknowledged_time", "acknowledged_time"),
    sqlite_autoincrement=True,
)
