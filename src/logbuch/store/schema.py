"""The tables. Ids inside the store are integers; texts that repeat (keys) are interned in ``names``.

Metric values stand in order-preserving 64-bit integers (:mod:`logbuch.store.metrics.ordinal`), so that NaN, ±Inf and
-0.0 survive both databases, sort alike, and come back bit for bit.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Constraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import postgresql, sqlite

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A 64-bit id that SQLite can also use as its row id."""

Text = sqltypes.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text that sorts by code points in both databases."""

INDEXED_BYTES = 2000
"""Longer names of runs and values of params and tags have an index of their own in PostgreSQL, which refuses index
rows over 2.7 kB.

An index that holds whole values is all that a search has to read, which is 30 times as fast.
"""


def _key_is_a_name() -> Constraint:
    """Names are never removed, and PostgreSQL would look each one up again for every row: a third of an insert."""
    return ForeignKeyConstraint(["key"], ["names.id"]).ddl_if(dialect="sqlite")


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

names = Table(
    "names",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("artifact_location", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("deleted", Boolean, nullable=False),
    Column("deleted_time", BigInteger),
    Column("home", Id, comment="the experiment below which its artifacts lie, where it was moved from there"),
    Column("lost_time", BigInteger, comment="last sign of life of a run that was lost, ms; NULL of all others"),
    Index("ix_runs_listing", "experiment", "deleted", "start_time", "run_id"),
    sqlite_autoincrement=True,
)
# The names of an experiment's runs: what is typed into the page's filter bar is looked for there.
_by_name = (runs.c.experiment, runs.c.deleted, runs.c.name)
Index("ix_runs_name", *_by_name).ddl_if(dialect="sqlite")
Index(
    "ix_runs_name",
    *_by_name,
    postgresql_include=["id"],
    postgresql_where=text(f"octet_length(name) <= {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")
Index(
    "ix_runs_long_name",
    *_by_name[:2],
    postgresql_where=text(f"octet_length(name) > {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")

# Saved views of an experiment's page: a name, and the query string that makes the view.
views = Table(
    "views",
    metadata,
    Column("id", Text, primary_key=True),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, comment="shown when the page is opened without a view"),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    UniqueConstraint("experiment", "name"),
)

params = Table(
    "params",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Id, primary_key=True),
    Column("value", Text, nullable=False),
    Column("number", BigInteger, comment="ordinal of the value, where the text is a number"),
    _key_is_a_name(),
    sqlite_with_rowid=False,
)
Index("ix_params_value", params.c.key, params.c.value, params.c.number, params.c.run).ddl_if(dialect="sqlite")
Index(
    "ix_params_value",
    params.c.key,
    params.c.value,
    params.c.run,
    postgresql_include=["number"],
    postgresql_where=text(f"octet_length(value) <= {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")
Index(
    "ix_params_long",
    params.c.key,
    params.c.run,
    postgresql_where=text(f"octet_length(value) > {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")
# The order of params by size. What is a number is a short text.
Index(
    "ix_params_number",
    params.c.key,
    params.c.number,
    params.c.value,
    params.c.run,
    sqlite_where=params.c.number.is_not(None),
    postgresql_where=params.c.number.is_not(None),
)

tags = Table(
    "tags",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Id, primary_key=True),
    Column("value", Text, nullable=False),
    _key_is_a_name(),
    sqlite_with_rowid=False,
)
Index("ix_tags_value", tags.c.key, tags.c.value, tags.c.run).ddl_if(dialect="sqlite")
Index(
    "ix_tags_value",
    tags.c.key,
    tags.c.value,
    tags.c.run,
    postgresql_where=text(f"octet_length(value) <= {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")
Index(
    "ix_tags_long",
    tags.c.key,
    tags.c.run,
    postgresql_where=text(f"octet_length(value) > {INDEXED_BYTES}"),
).ddl_if(dialect="postgresql")

datasets = Table(
    "datasets",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("experiment", Id, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text),
    Column("profile", Text),
    UniqueConstraint("experiment", "name", "digest"),
)

inputs = Table(
    "inputs",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset", Id, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
)
Index("ix_inputs_dataset", inputs.c.dataset)

input_tags = Table(
    "input_tags",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset", Id, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

latest = Table(
    "latest",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Id, primary_key=True),
    Column("experiment", Id, nullable=False, comment="the run's, so that the value index can begin with it"),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False, comment="ordinal of the value at the highest (step, timestamp, value)"),
    Column("min", BigInteger, comment="ordinal; NULL while only NaN was logged"),
    Column("min_step", BigInteger),
    Column("max", BigInteger),
    Column("max_step", BigInteger),
    _key_is_a_name(),
    sqlite_with_rowid=False,
)
Index("ix_latest_value", latest.c.experiment, latest.c.key, latest.c.value, latest.c.run)

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("points", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_arrivals_run", "run"),
    sqlite_autoincrement=True,
)

# Runs of which points are in the log, but not yet among the latest values.
backlog = Table(
    "backlog",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("first", Id, nullable=False, comment="id of the first row of the log that is not merged"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("key", Id, nullable=False),
    Column("points", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("first_time", BigInteger, comment="of the first point by (step, timestamp, value); NULL in old blocks"),
    Column("last_time", BigInteger),
    Column("min_time", BigInteger, comment="least timestamp of all"),
    Column("max_time", BigInteger),
    Column("min", BigInteger, comment="ordinal; NULL where all values are NaN"),
    Column("max", BigInteger),
    Column("data", LargeBinary, nullable=False),
    Index("ix_blocks_series", "run", "key", "first_step"),
    _key_is_a_name(),
    sqlite_autoincrement=True,
)

# Of long blocks: what charts need of every few points, apart so that reading it leaves the points alone.
summaries = Table(
    "summaries",
    metadata,
    Column("block", Id, ForeignKey("blocks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

journals = Table(
    "journals",
    metadata,
    Column("journal", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False, comment="of the last record that was taken or refused"),
    Column("chain", Text, nullable=False, comment="hash over all records up to that one"),
    Column("last_update_time", BigInteger, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("journal", Text, ForeignKey("journals.journal", ondelete="CASCADE"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("run_id", Text, comment="as the record named it; the run need not exist"),
    Column("error_code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("time", BigInteger, nullable=False, comment="of the refusal, ms"),
    Index("ix_refusals_run", "run_id"),
)

# Which journal made a run: it may make it again, and no other may.
origins = Table(
    "origins",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("journal", Text, nullable=False),
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("total", BigInteger, nullable=False, comment="lines that ever came"),
    Column("first", BigInteger, nullable=False, comment="the oldest line that is kept"),
    Column("bytes", BigInteger, nullable=False, comment="of the text that is kept"),
    Column("dropped", BigInteger, nullable=False, comment="lines that the run's processes left out"),
    Column("open", LargeBinary, nullable=False, comment="lines without an end, as they stand"),
)

log_chunks = Table(
    "log_chunks",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("first", BigInteger, primary_key=True, comment="number of the first line"),
    Column("lines", Integer, nullable=False),
    Column("bytes", Integer, nullable=False, comment="of the text before compression"),
    Column("data", LargeBinary, nullable=False),
)

# When a process, by the ID of its journal, has given its last sign of life; negative once it is known to be gone.
pulses = Table(
    "pulses",
    metadata,
    Column("journal", Text, primary_key=True),
    Column("time", BigInteger, nullable=False, comment="the server's, ms"),
)

# Which processes carry on a run: it is lost when none of them gives signs of life any more.
holders = Table(
    "holders",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("journal", Text, ForeignKey("pulses.journal", ondelete="CASCADE"), primary_key=True),
    Index("ix_holders_journal", "journal"),
    sqlite_with_rowid=False,
)

histograms = Table(
    "histograms",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Id, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("timestamp", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="edges and counts, compressed"),
    _key_is_a_name(),
)

changes = Table(
    "changes",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("experiment", Id, nullable=False),
    Column("version", BigInteger, nullable=False, comment="the commit that touched the run last"),
    Index("ix_changes_version", "version"),
)

# What is thought of the stability of a run, from its curves as they were at a version.
verdicts = Table(
    "verdicts",
    metadata,
    Column("run", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, nullable=False, comment="of the run's last change that was seen"),
    Column("word", Text, nullable=False),
    Column("findings", Text, nullable=False, comment="JSON"),
    Column("points", BigInteger, nullable=False, comment="finite ones of the loss"),
    Column("mark", Text, comment="of the points and losses that were judged; NULL in old rows"),
)

# What is known of files beyond what their place tells: written when they are whole, and true as long as the mark is.
artifacts = Table(
    "artifacts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, comment="NULL where the file went into the bucket past this server"),
    Column("mark", Text, nullable=False, comment="of the content, by the place that holds it"),
    Column("time", BigInteger, nullable=False, comment="when it became whole, ms"),
    sqlite_with_rowid=False,
)

# Uploads in parts that can be gone on with.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("part_bytes", Integer, nullable=False),
    Column("remote", Text, comment="the object store's own ID of the upload"),
    Column("time", BigInteger, nullable=False, comment="when it was last heard of, ms"),
    Index("ix_uploads_key", "key"),
)

# Folders whose runs are erased, and whose files are not yet.
removals = Table(
    "removals",
    metadata,
    Column("prefix", Text, primary_key=True),
    Column("time", BigInteger, nullable=False, comment="of the erasure, ms"),
)

# Packed points do not become smaller once more: PostgreSQL is told to keep large ones as they are.
_ddl: Any = DDL
for _packed in (arrivals, blocks, summaries):
    _as_it_is = _ddl(f"ALTER TABLE {_packed.name} ALTER COLUMN data SET STORAGE EXTERNAL")
    event.listen(_packed, "after_create", _as_it_is.execute_if(dialect="postgresql"))
