"""What runs used of time, GPUs and energy: read for :mod:`logbuch.cost` with a few queries, however many runs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from logbuch.alerts import GPU, matches
from logbuch.cost import Usage
from logbuch.store import experiments, runs, schema
from logbuch.store.metrics import ordinal
from logbuch.store.tx import Tx

GPU_TAG = "logbuch.gpu"
ENERGY = "system/energy_watt_hours"
_FURTHEST_MS = 253_402_300_000_000
"""The year 10000: what lies beyond is no time of a run."""
_runs, _latest, _tags, _names = schema.runs, schema.latest, schema.tags, schema.names


def of_run(tx: Tx, run_id: str) -> list[Usage]:
    """What a run used; NotFound if there is none."""
    return _read(tx, _runs.c.id == runs.row(tx, run_id).id)


def of_experiment(tx: Tx, experiment_id: str) -> list[Usage]:
    """What the active runs of an experiment used; NotFound if there is none."""
    experiment = int(experiments.get(tx, experiment_id).experiment_id)
    return _read(tx, (_runs.c.experiment == experiment) & _runs.c.deleted.is_(False))


def everywhere(tx: Tx) -> list[Usage]:
    """What all active runs used."""
    return _read(tx, _runs.c.deleted.is_(False))


def _read(tx: Tx, chosen: Any) -> list[Usage]:
    own = select(_runs.c.id).where(chosen)
    gpus = _gpus(tx, own)
    energy, use = _measured(tx, own)
    now = tx.now()
    columns = (_runs.c.id, _runs.c.run_id, _runs.c.start_time, _runs.c.end_time, _runs.c.lost_time)
    return [
        Usage(
            run_id=row.run_id,
            start=_sane(row.start_time),
            end=_sane(max(row.start_time, row.end_time or row.lost_time or now)),
            gpus=gpus.get(row.id, ""),
            use=use.get(row.id),
            watt_hours=energy.get(row.id),
        )
        for row in tx.execute(select(*columns).where(chosen).order_by(_runs.c.id))
    ]


def _gpus(tx: Tx, own: Any) -> dict[int, str]:
    key = tx.known_names([GPU_TAG]).get(GPU_TAG, -1)
    query = select(_tags.c.run, _tags.c.value).where(_tags.c.key == key, _tags.c.run.in_(own))
    return dict(tx.execute(query).all())


def _measured(tx: Tx, own: Any) -> tuple[dict[int, float], Mapping[int, float]]:
    """The energy and the use of the GPUs by run."""
    wanted = select(_names.c.id, _names.c.name).where(_names.c.name.like("system/%"))
    names: dict[int, str] = dict(tx.execute(wanted).all())
    energies = {id_ for id_, name in names.items() if name.endswith("/energy_watt_hours")}
    uses = {id_ for id_, name in names.items() if matches(GPU, name)}
    query = select(_latest.c.run, _latest.c.key, _latest.c.value, _latest.c.max)
    energy: defaultdict[int, float] = defaultdict(float)
    use: defaultdict[int, list[float]] = defaultdict(list)
    for run, key, value, most in tx.execute(query.where(_latest.c.key.in_(energies | uses), _latest.c.run.in_(own))):
        # A machine counts from 0 again where a run was taken up again: the most of one stretch is the least it used.
        number = ordinal.decode(most if key in energies and most is not None else value)
        if not math.isfinite(number):
            continue
        if key in energies:
            energy[run] += max(0.0, number)
        else:
            use[run].append(number / 100)
    return dict(energy), {run: sum(found) / len(found) for run, found in use.items()}


def _sane(time: int) -> int:
    return min(max(0, time), _FURTHEST_MS)
