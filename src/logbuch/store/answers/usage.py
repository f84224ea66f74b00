"""What runs used of time, GPUs and energy: read for :mod:`logbuch.cost` with a few queries, however many runs.

What finished runs used is remembered until one of them changes; the others are read each time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from logbuch.alerts import GPU, matches
from logbuch.cost import Floats, Ints, Usages
from logbuch.model import Experiment, RunStatus
from logbuch.store import experiments, runs, schema
from logbuch.store.answers import kept
from logbuch.store.metrics import ordinal
from logbuch.store.query import columns
from logbuch.store.query.among import among
from logbuch.store.tx import Tx

GPU_TAG = "logbuch.gpu"
ENERGY = "/energy_watt_hours"
_AHEAD_MS = 86_400_000
"""Clocks may go ahead by so much: what lies further on is no time of a run."""
_runs, _latest, _tags, _names = schema.runs, schema.latest, schema.tags, schema.names


class _Chosen(NamedTuple):
    """Which runs are read, and where their latest values lie in the table's own order or in the value index."""

    runs: Any
    values: Any


def of_run(tx: Tx, run_id: str) -> Usages:
    """What a run used; NotFound if there is none."""
    id_ = runs.row(tx, run_id).id
    return _read(tx, _Chosen(_runs.c.id == id_, _latest.c.run == id_))


def of_experiment(tx: Tx, experiment_id: str) -> Usages:
    """What the active runs of an experiment used; NotFound if there is none."""
    experiment = experiments.get(tx, experiment_id)
    inner = experiments.inner_id(experiment_id)
    return _of_many(tx, experiment, _runs.c.experiment == inner, _latest.c.experiment == inner)


def everywhere(tx: Tx) -> Usages:
    """What all active runs used."""
    known = select(schema.experiments.c.id)
    return _of_many(tx, None, _runs.c.experiment.in_(known), _latest.c.experiment.in_(known))


def _of_many(tx: Tx, experiment: Experiment | None, mine: Any, values: Any) -> Usages:
    finished = _runs.c.status == RunStatus.FINISHED.wire
    active = mine & _runs.c.deleted.is_(False)
    ended = kept.answer(tx, experiment, "usage", lambda: _read(tx, _Chosen(active & finished, values)))
    others = tx.execute(select(_runs.c.id).where(active, ~finished)).scalars().all()
    if not others:
        return ended
    return ended.with_others(_read(tx, _Chosen(among(_runs.c.id, others), among(_latest.c.run, others))))


def _read(tx: Tx, chosen: _Chosen) -> Usages:
    end = func.coalesce(_runs.c.end_time, _runs.c.lost_time, tx.now())
    rows = columns.fetch(tx, select(_runs.c.id, _runs.c.start_time, end.label("end")).where(chosen.runs))
    ids, start, ends = (np.array(column, np.int64) for column in rows)
    order = np.argsort(ids)
    ids, start, ends = ids[order], start[order], ends[order]
    gpus, kinds = _gpus(tx, chosen, ids)
    watt_hours, use = _measured(tx, chosen, ids)
    begun, ended = (np.clip(times, 0, tx.now() + _AHEAD_MS) for times in (start, np.maximum(start, ends)))
    return Usages(begun, ended, gpus, use, watt_hours, kinds)


def _gpus(tx: Tx, chosen: _Chosen, ids: Ints) -> tuple[Ints, tuple[str, ...]]:
    """The GPUs of each run as a place in the texts that there are; the first is that of none."""
    key = tx.known_names([GPU_TAG]).get(GPU_TAG, -1)
    own = select(_runs.c.id).where(chosen.runs)
    found, texts = columns.fetch(tx, select(_tags.c.run, _tags.c.value).where(_tags.c.key == key, _tags.c.run.in_(own)))
    kinds = {"": 0}
    gpus = np.zeros(len(ids), np.int64)
    codes = [kinds.setdefault(text, len(kinds)) for text in texts]
    gpus[np.searchsorted(ids, np.array(found, np.int64))] = codes
    return gpus, tuple(kinds)


def _measured(tx: Tx, chosen: _Chosen, ids: Ints) -> tuple[Floats, Floats]:
    """The energy (Wh) and the use (0 to 1) of the GPUs of each run, NaN where it logged none."""
    wanted = select(_names.c.id, _names.c.name).where(_names.c.name.like("system/%"))
    names: dict[int, str] = dict(tx.execute(wanted).all())
    energies = [id_ for id_, name in names.items() if name.endswith(ENERGY)]
    uses = [id_ for id_, name in names.items() if matches(GPU, name)]
    # A machine counts from 0 again where a run was taken up again: the most of one stretch is the least it used.
    energy = _values(tx, chosen, energies, func.coalesce(_latest.c.max, _latest.c.value), ids)
    use = _values(tx, chosen, uses, _latest.c.value, ids)
    return energy.total, use.total / np.maximum(use.number, 1) / 100


class _Sums(NamedTuple):
    """Of the finite values of each run: their sum, NaN of none, and how many there are."""

    total: Floats
    number: NDArray[np.intp]


def _values(tx: Tx, chosen: _Chosen, keys: list[int], column: Any, ids: Ints) -> _Sums:
    if not keys or not len(ids):
        return _Sums(np.full(len(ids), np.nan), np.zeros(len(ids), np.intp))
    query = select(_latest.c.run, column.label("number")).where(chosen.values, _latest.c.key.in_(keys))
    found, ordinals = (np.array(part, np.int64) for part in columns.fetch(tx, query))
    values = ordinal.decode_array(ordinals)
    places = np.minimum(np.searchsorted(ids, found), len(ids) - 1)
    known = np.isfinite(values) & (ids[places] == found)
    places, values = places[known], values[known]
    count = np.bincount(places, minlength=len(ids))
    total = np.bincount(places, weights=np.maximum(0.0, values), minlength=len(ids))
    return _Sums(np.where(count > 0, total, np.nan), count)
