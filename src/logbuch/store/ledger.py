"""What the records of a journal do to the store: by the functions, and so the rules, of every other way in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select

from logbuch import limits
from logbuch.alerts import parse_level
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import DatasetInput, Param, RunStatus, Tag
from logbuch.store import batch, experiments, heartbeats, histograms, logs, runs, schema
from logbuch.store.alarms import alerts
from logbuch.store.metrics import log
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.runs import NewRun
from logbuch.store.tx import LogLines, Tx

_origins = schema.origins
_note = _origins.insert()
_made = (
    select(_origins.c.journal)
    .join(schema.runs, schema.runs.c.id == _origins.c.run)
    .where(schema.runs.c.run_id == bindparam("wanted"))
)


class Ledger:
    """The store as one journal writes to it, within a transaction."""

    def __init__(self, tx: Tx, journal: str) -> None:
        self._tx = tx
        self._journal = journal

    def experiment(self, name: str, tags: Sequence[Tag]) -> None:
        """Makes an experiment with these tags, or finds the active one of this name and leaves it as it is."""
        try:
            found = experiments.get_by_name(self._tx, name)
        except NotFound:
            experiments.create(self._tx, name, "", tags)
        else:
            experiments.require(self._tx, found.experiment_id)

    def run(
        self,
        run_id: str,
        experiment: str,
        experiment_id: str,
        name: str,
        user_id: str,
        start_time: int,
        tags: Sequence[Tag],
    ) -> None:
        """Makes a run with an ID of the client's; nothing if this journal has made it already."""
        limits.check_run_id(run_id)  # the store would make up an ID for none
        if self._tx.execute(_made, {"wanted": run_id}).scalar() == self._journal:
            return
        if not experiment_id:
            experiment_id = experiments.get_by_name(self._tx, experiment).experiment_id
        new = NewRun(
            experiment_id=experiment_id,
            run_id=run_id,
            run_name=name,
            user_id=user_id,
            start_time=start_time,
            tags=tuple(tags),
        )
        runs.create(self._tx, new)
        row = runs.row(self._tx, run_id)
        self._tx.insert_rows(_note, ("run", "journal"), [(row.id, self._journal)])

    def attach(self, run_id: str) -> None:
        """Checks that a run exists and may be written."""
        runs.active(self._tx, run_id)

    def hold(self, run_id: str) -> None:
        """Notes that this journal's process carries on a run."""
        heartbeats.hold(self._tx, runs.active(self._tx, run_id), self._journal)

    def metrics(
        self,
        run_id: str,
        names: Sequence[str],
        index: NDArray[np.intp],
        steps: NDArray[np.int64],
        timestamps: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Logs points in columns: point ``i`` is of the key ``names[index[i]]``."""
        head = runs.active(self._tx, run_id)
        log.append(self._tx, head, Incoming(names, index, steps, timestamps, values))

    def params(self, run_id: str, params: Sequence[Param]) -> None:
        batch.log_batch(self._tx, run_id, (), params)

    def tags(self, run_id: str, tags: Sequence[Tag]) -> None:
        batch.log_batch(self._tx, run_id, (), (), tags)

    def delete_tag(self, run_id: str, key: str) -> None:
        runs.delete_tag(self._tx, run_id, key)

    def inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        batch.log_inputs(self._tx, run_id, datasets)

    def update(self, run_id: str, status: RunStatus | None, end_time: int | None, name: str) -> None:
        if status is None and not end_time and not name:
            raise InvalidInput("An update must set a status, an end or a name.")
        runs.update_run(self._tx, run_id, status, end_time, name, held=True)

    def delete(self, run_id: str) -> None:
        runs.delete(self._tx, run_id)

    def restore(self, run_id: str) -> None:
        runs.restore(self._tx, run_id)

    def log(
        self,
        run_id: str,
        source: str,
        stream: str,
        times: Sequence[int],
        texts: Sequence[str],
        open_line: str,
        open_time: int,
        dropped: int,
    ) -> None:
        """Appends lines to a run's console output."""
        if len(times) != len(texts):
            raise InvalidInput(f"A log record must have a time for each line; it has {len(times)} for {len(texts)}.")
        limits.check_integer(open_time, "open_time")
        limits.check_integer(dropped, "dropped")
        logs.append(self._tx, run_id, LogLines(source, stream, times, texts, open_line, open_time, dropped))

    def histogram(
        self,
        run_id: str,
        key: str,
        step: int,
        timestamp: int,
        edges: memoryview,
        counts: memoryview,
        nan: int,
        infinite: int,
    ) -> None:
        """Keeps a histogram; one of the same key, step and time is replaced."""
        found = histograms.Histogram.of(key, step, timestamp, edges, counts, nan, infinite)
        histograms.put(self._tx, run_id, found)

    def alert(self, run_id: str, time: int, level: str, title: str, text: str) -> None:
        """Keeps an alert that the training raised."""
        alerts.put(self._tx, run_id, time, parse_level(level), title, text)
