"""What a store function gets: a connection inside a transaction, and what its commit will have to finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, Executable, Table, select

from logbuch.limits import is_storable
from logbuch.store import schema
from logbuch.store.heads import RunRow
from logbuch.store.metrics.arriving import Arrival
from logbuch.store.query.among import among
from logbuch.store.seam import Seam

_SQL_VARIABLES = 500
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class LogLines(NamedTuple):
    """Lines that one process of a run wrote to one stream, and the line without an end that follows them, as it stood
    at ``open_time``; times are Unix ms. ``dropped`` counts those that it left out."""

    source: str
    stream: str
    times: Sequence[int]
    texts: Sequence[str]
    open: str = ""
    open_time: int = 0
    dropped: int = 0


class Sizes(NamedTuple):
    """How much of each kind a :class:`Pending` holds."""

    names: int
    touched: int
    arrivals: int
    lines: int


@dataclass(slots=True)
class Pending:
    """What the jobs of a group have gathered for the commit, each behind what the jobs before it have."""

    names: dict[str, int] = field(default_factory=dict)
    heads: dict[str, RunRow] = field(default_factory=dict)
    """Rows of the runs that the group's jobs write to, by run ID; see :func:`logbuch.store.runs.preload`."""
    touched: dict[int, int] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    lines: list[tuple[int, LogLines]] = field(default_factory=list)
    """Console output, each with its run."""
    logged: Mapping[int, int] = field(default_factory=dict)
    """How many points each run got, once they are written."""
    unmerged: Mapping[str, int] = field(default_factory=dict)
    """The same by run ID: points whose latest values are left to the backlog."""

    def sizes(self) -> Sizes:
        """How much was gathered so far, for :meth:`cut`."""
        return Sizes(len(self.names), len(self.touched), len(self.arrivals), len(self.lines))

    def cut(self, sizes: Sizes) -> None:
        """Drops what was gathered since."""
        for name in list(self.names)[sizes.names :]:
            del self.names[name]
        for run in list(self.touched)[sizes.touched :]:
            del self.touched[run]
        del self.arrivals[sizes.arrivals :]
        del self.lines[sizes.lines :]

    def drop(self, runs: Container[int]) -> None:
        """Drops what was gathered for these runs, and leaves the former containers as they were."""
        self.touched = {run: experiment for run, experiment in self.touched.items() if run not in runs}
        self.arrivals = [arrival for arrival in self.arrivals if arrival.run not in runs]
        self.lines = [(run, lines) for run, lines in self.lines if run not in runs]


class _Part(Enum):
    """Where a part of a job stands; see :meth:`Tx.part`. Its savepoint is taken at its first write."""

    NONE = 0
    BEGUN = 1
    WRITTEN = 2


class Tx:
    """One transaction as a store function sees it. Reading transactions see one snapshot of the database."""

    def __init__(self, connection: Connection, seam: Seam, known: Mapping[str, int], group: Pending | None = None):
        self.connection = connection
        self.seam = seam
        self._known = known
        self.pending = group if group is not None else Pending()
        self._before = self.pending.sizes()
        self._whole: Pending | None = None
        """What was gathered before this job had some of it dropped."""
        self._savepoint = False
        self._part = _Part.NONE

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Executes a statement that only reads; SQLAlchemy's result."""
        return self.connection.execute(statement, parameters)

    def change(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Executes a statement that writes; SQLAlchemy's result."""
        self._protect()
        return self.connection.execute(statement, parameters)

    def insert(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Executes an insert or upsert for many rows, which have the same columns; nothing for none."""
        if rows:
            columns = tuple(rows[0])
            self.insert_rows(statement, columns, [tuple(row[name] for name in columns) for row in rows])

    def insert_rows(self, statement: Any, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Like :meth:`insert` for rows as tuples of these columns; ``statement`` has to be a lasting object."""
        if rows:
            self._protect()
            self.seam.driver.insert(self.connection, statement, columns, rows)

    def insert_one(self, table: Table, row: Mapping[str, Any]) -> int:
        """Inserts a row into a table that numbers its rows, and returns the number."""
        self._protect()
        return self.seam.driver.insert_one(self.connection, table, tuple(row), tuple(row.values()))

    def touch(self, run: int, experiment: int) -> None:
        """Notes that a run has changed, for those who follow it live."""
        self.pending.touched[run] = experiment

    def head(self, run_id: str) -> RunRow | None:
        """A run's row, if this group has read it already and no job has changed it since."""
        return self.pending.heads.get(run_id)

    def gone(self, runs: Iterable[int]) -> None:
        """Told by whoever removes runs: what the group has gathered for them has nowhere to go."""
        if self._whole is None:
            self._whole = replace(self.pending)
        self.pending.drop(set(runs))
        self.forget_heads()

    def forget_heads(self) -> None:
        """Told by whoever changes a run's row."""
        self.pending.heads.clear()

    def now(self) -> int:
        """The server's time in ms."""
        return time.time_ns() // 1_000_000

    # -- names -------------------------------------------------------------------------------------------------------

    def name_ids(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of these names; names that are new get one."""
        found, missing = self._look_up(names)
        if missing:
            rows = [{"name": name} for name in sorted(missing)]
            self.insert(self.seam.upsert(schema.names, None), rows)
            fresh = self._select_names(missing)
            self.pending.names |= fresh
            found |= fresh
        return found

    def known_names(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of those of these names that exist."""
        found, missing = self._look_up(names)
        return found | self._select_names(missing) if missing else found

    def remembered_ids(self, names: Iterable[str]) -> list[int] | None:
        """The ids of these names, in their order, if this process has met all of them before: without the database."""
        ids = list(map(self._known.get, names))
        return None if None in ids else cast("list[int]", ids)

    def texts(self, ids: Iterable[int]) -> dict[int, str]:
        """The names of these ids."""
        query = select(schema.names.c.id, schema.names.c.name).where(among(schema.names.c.id, sorted(set(ids))))
        return {row[0]: row[1] for row in self.execute(query)}

    def _look_up(self, names: Iterable[str]) -> tuple[dict[str, int], set[str]]:
        found, missing = {}, set()
        for name in names:
            id_ = self._known.get(name) or self.pending.names.get(name)
            if id_ is None:
                missing.add(name)
            else:
                found[name] = id_
        return found, missing

    def _select_names(self, names: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in chunks(sorted(filter(is_storable, names))):
            query = select(schema.names.c.name, schema.names.c.id).where(schema.names.c.name.in_(part))
            found |= {row[0]: row[1] for row in self.execute(query)}
        self.pending.names |= found
        return found

    # -- the job's own savepoint, taken at its first write -----------------------------------------------------

    def _protect(self) -> None:
        if not self._savepoint:
            self.seam.driver.execute(self.connection, "SAVEPOINT job")
            self._savepoint = True
        if self._part is _Part.BEGUN:
            self.seam.driver.execute(self.connection, "SAVEPOINT part")
            self._part = _Part.WRITTEN

    def keep(self) -> None:
        """Ends the job well: what it gathered stays with the group's."""
        if self._savepoint:
            self.seam.driver.execute(self.connection, "RELEASE SAVEPOINT job")

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the job that may fail alone: what it wrote and gathered is taken back, and its error goes on."""
        before = self.pending.sizes()
        self._part = _Part.BEGUN
        try:
            yield
        except BaseException:
            if self._part is _Part.WRITTEN:
                self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
                self.connection.exec_driver_sql("RELEASE SAVEPOINT part")
            self.pending.cut(before)
            self.forget_heads()
            raise
        else:
            if self._part is _Part.WRITTEN:
                self.seam.driver.execute(self.connection, "RELEASE SAVEPOINT part")
        finally:
            self._part = _Part.NONE

    def undo(self) -> None:
        """Takes back what the job wrote and gathered."""
        if self._savepoint:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT job")
        if self._whole is not None:
            whole = self._whole
            self.pending.touched, self.pending.arrivals, self.pending.lines = whole.touched, whole.arrivals, whole.lines
        self.pending.cut(self._before)
        self.forget_heads()

    @property
    def protected(self) -> bool:
        """Whether :meth:`undo` can take back what the job did."""
        return self._savepoint


def beside_latest(function: F) -> F:
    """Marks a store function that reads no latest values of metrics: it need not wait until they are up to date."""
    function.__dict__["beside_latest"] = True
    return function


def needs_latest(function: Callable[..., Any]) -> bool:
    """Whether a store function may read latest values: all do that are not marked."""
    return not getattr(function, "beside_latest", False)


def chunks(items: Sequence[T], size: int = _SQL_VARIABLES) -> Iterable[Sequence[T]]:
    """The items in parts that fit into one statement's variables."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
