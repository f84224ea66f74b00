"""What is read of runs to judge them: which metrics they have, the parts these play, and outlines of their series.

Several runs are read by the same statements, which cost more than what they bring of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from logbuch.stability.parts import SYSTEM, Parts, parts
from logbuch.store import schema
from logbuch.store.metrics import blocks, ordinal
from logbuch.store.metrics.blocks import Head
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.series import Log, Outline
from logbuch.store.query.among import among
from logbuch.store.tx import Tx

OTHERS = 64
"""Of metrics without a part, so many are looked into for values that are not finite; those that stand at one first."""
_latest, _log = schema.latest, schema.arrivals
_NO_NUMBERS = (ordinal.NAN, ordinal.INFINITY, ordinal.NEGATIVE_INFINITY)
_NO_LOG = Log.of_blobs(())


@dataclass(frozen=True, slots=True)
class Sources:
    """The metrics of a run that are looked at, by their names: their parts, the others, and outlines of all."""

    chosen: Parts
    by_step: Sequence[str]
    others: Sequence[str]
    outlines: Mapping[str, Outline]


@dataclass(frozen=True, slots=True)
class _Metrics:
    """The same before anything is read: ``wanted`` are the inner ids of those that are looked at, by their names, and
    ``late`` of those whose points in the log are."""

    chosen: Parts
    by_step: Sequence[str]
    others: Sequence[str]
    wanted: Mapping[str, int]
    late: Iterable[int]


def sources(tx: Tx, runs: Sequence[int], logged: Iterable[int], sealed: Iterable[int]) -> dict[int, Sources]:
    """Of each of these runs (inner ids); those ``logged`` have points in the log, those ``sealed`` have blocks."""
    late, merged = logs(tx, logged), _merged(tx, runs)
    known = {run: merged.get(run, {}).keys() | late.get(run, _NO_LOG).known() for run in runs}
    names = tx.texts({key for keys in known.values() for key in keys})
    metrics = {}
    for run, keys in known.items():
        odd = late.get(run, _NO_LOG).odd() | {key for key, is_odd in merged.get(run, {}).items() if is_odd}
        metrics[run] = _metrics({names[key]: key for key in keys}, odd)
    wanted = {key for own in metrics.values() for key in own.wanted.values()}
    heads = blocks.heads_of_runs(tx, sealed, wanted)
    return {run: _outlined(own, late.get(run, _NO_LOG), heads.get(run, {})) for run, own in metrics.items()}


def logs(tx: Tx, runs: Iterable[int]) -> dict[int, Log]:
    """What of each of these runs (inner ids) is not in blocks yet; a run of which nothing is, is left out."""
    blobs: dict[int, list[bytes]] = {}
    wanted = list(runs)
    query = select(_log.c.run, _log.c.data).where(among(_log.c.run, wanted)).order_by(_log.c.run, _log.c.id)
    for run, data in tx.execute(query) if wanted else ():
        blobs.setdefault(run, []).append(data)
    return {run: Log.of_blobs(own) for run, own in blobs.items()}


def by_steps(chosen: Parts) -> list[str]:
    """The metrics that are judged by their steps, in the order of their parts."""
    losses = [key for key in (chosen.loss, chosen.evaluation) if key is not None]
    return list(dict.fromkeys([*losses, *chosen.gradients, *chosen.rates, *chosen.throughputs]))


def _merged(tx: Tx, runs: Sequence[int]) -> dict[int, dict[int, bool]]:
    """The keys that each run has latest values of, and whether one of these is no finite number."""
    found: dict[int, dict[int, bool]] = {}
    query = select(_latest.c.run, _latest.c.key, _not_finite()).where(among(_latest.c.run, runs))
    for run, key, odd in tx.execute(query):
        found.setdefault(run, {})[key] = bool(odd)
    return found


def _not_finite() -> Any:
    columns = (_latest.c.value, _latest.c.min, _latest.c.max)
    return or_(*(column.in_(_NO_NUMBERS) for column in columns)).label("odd")


def _metrics(keys: Mapping[str, int], odd: set[int]) -> _Metrics:
    ordered = sorted(keys)
    chosen = parts(ordered)
    by_step = by_steps(chosen)
    watched = {*by_step, *chosen.gpus}
    candidates = sorted(ordered, key=lambda key: keys[key] not in odd)
    others = [key for key in candidates if key not in watched and not key.startswith(SYSTEM)][:OTHERS]
    wanted = {key: keys[key] for key in dict.fromkeys([*by_step, *others, *chosen.gpus])}
    # What is finite in the log and plays no part need not be read there.
    return _Metrics(chosen, by_step, others, wanted, {keys[key] for key in watched} | odd)


def _outlined(own: _Metrics, log: Log, heads: Mapping[int, list[Head]]) -> Sources:
    late = log.of(own.late)
    outlines = {}
    for key, id_ in own.wanted.items():
        if id_ in late or id_ in heads:
            series = late[id_].ordered() if id_ in late else Series.empty()
            outlines[key] = Outline(series, list(blocks.segments(heads.get(id_, ()), series)))
    return Sources(own.chosen, own.by_step, own.others, outlines)
