"""Answers about the finished runs of an experiment or of all, remembered in this process for as long as they hold.

An answer holds while the experiment's tags are the same, no finished run has changed since, and there are as many
finished runs as there were: then they are the same runs as they were. What is still running does not count.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import func, select, true

from logbuch.model import Experiment, RunStatus
from logbuch.store import changes, schema
from logbuch.store.experiments import inner_id
from logbuch.store.seam import Seam
from logbuch.store.tx import Tx

REMEMBERED = 64
R = TypeVar("R")
_changes, _runs = schema.changes, schema.runs


class _Entry(NamedTuple):
    answer: Any
    cursor: int
    state: tuple[Hashable, ...]


_lock = threading.Lock()
_entries: WeakKeyDictionary[Seam, OrderedDict[Hashable, _Entry]] = WeakKeyDictionary()


def answer(tx: Tx, experiment: Experiment | None, question: Hashable, compute: Callable[[], R]) -> R:
    """The answer to a question about an experiment (None: about all), computed only where what is remembered does not
    hold any more."""
    key = (None if experiment is None else experiment.experiment_id, question)
    state = (() if experiment is None else experiment.tag_list, _finished(tx, experiment))
    with _lock:
        entry = _entries.setdefault(tx.seam, OrderedDict()).get(key)
    if entry is not None and entry.state == state and not _changed(tx, experiment, entry.cursor):
        return cast(R, entry.answer)
    cursor = changes.cursor(tx)
    made = compute()
    with _lock:
        own = _entries.setdefault(tx.seam, OrderedDict())
        own[key] = _Entry(made, cursor, state)
        own.move_to_end(key)
        while len(own) > REMEMBERED:
            own.popitem(last=False)
    return made


def _is_finished(experiment: Experiment | None) -> Any:
    mine = true() if experiment is None else _runs.c.experiment == inner_id(experiment.experiment_id)
    return mine & _runs.c.deleted.is_(False) & (_runs.c.status == RunStatus.FINISHED.wire)


def _finished(tx: Tx, experiment: Experiment | None) -> int:
    return int(tx.execute(select(func.count()).select_from(_runs).where(_is_finished(experiment))).scalar() or 0)


def _changed(tx: Tx, experiment: Experiment | None, cursor: int) -> bool:
    """Whether a run that has finished has changed at or after a cursor."""
    joined = _changes.join(_runs, _runs.c.id == _changes.c.run)
    query = select(_changes.c.run).select_from(joined).where(_changes.c.version >= cursor, _is_finished(experiment))
    return tx.execute(query.limit(1)).first() is not None
