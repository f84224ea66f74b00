"""The tables of destinations and of what is sent to them, beside those of :mod:`logbuch.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, SmallInteger, Table

from logbuch.store.schema import Id, Text, metadata

__all__ = ["metadata"]

# Webhooks of both forms, and one row for mail while a server has a mail server.
destinations = Table(
    "destinations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", Text, nullable=False, comment="separated by spaces"),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), comment="NULL: all"),
    Column("level", SmallInteger, nullable=False, comment="the least of an alert"),
    Column("created_by", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# What a webhook in MLflow's form has besides.
registry_webhooks = Table(
    "registry_webhooks",
    metadata,
    Column("destination", Id, ForeignKey("destinations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("destination", Id, ForeignKey("destinations.id", ondelete="CASCADE"), nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("creation_time", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, comment="when it is to be sent next, ms; NULL when it is over"),
    Column("error", Text, nullable=False, comment="of the last attempt"),
    Index("ix_deliveries_due", "due"),
    Index("ix_deliveries_destination", "destination", "id"),
    sqlite_autoincrement=True,
)
