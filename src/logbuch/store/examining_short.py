"""Judging many short runs at once: those whose points are all in the log, read by one statement.

A sweep or an import leaves thousands of runs with a handful of points each, of which a judgement by itself would cost
more than to log them did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from logbuch.stability.curve import Curve
from logbuch.stability.findings import Verdict, Word
from logbuch.stability.losses import Lost
from logbuch.stability.parts import SYSTEM, Parts, parts
from logbuch.stability.verdict import Watched, judge
from logbuch.store import schema
from logbuch.store.examining import COARSE, FINE, Examined, Look, closer, curve, subjects, unchanged, watch
from logbuch.store.examining_sources import by_steps, logs
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.rows import Axis, Rows
from logbuch.store.metrics.series import Log
from logbuch.store.tx import Tx, beside_latest

POINTS = 4096
"""Of a run with more points in the log, those of its curves are read by themselves."""
NOTHING_FOUND = 5
"""A metric of no more points says nothing, but where it is no finite number."""
_log = schema.arrivals


@beside_latest
def examine_short(tx: Tx, run_ids: Sequence[str], known: Mapping[str, Examined]) -> list[Examined]:
    """Verdicts on those of these runs that are short, and on those whose points are the same as in a verdict that is
    ``known``, which stands then."""
    found = {one.run: one for one in subjects(tx, run_ids)}
    same = unchanged(found.values(), known)
    short = [run for run, one in found.items() if run not in same and not one.block and one.points <= POINTS]
    own = logs(tx, short)
    names = tx.texts({key for log in own.values() for key in log.known()})
    return [*same.values(), *(found[run].examined(_judged(log, names, found[run].lost)) for run, log in own.items())]


def _judged(log: Log, names: Mapping[int, str], lost: int) -> Verdict:
    series = {names[key]: own.ordered() for key, own in log.of(log.known()).items()}
    chosen = _parts(tuple(sorted(series)))
    longest = max(map(len, series.values()), default=0)
    if longest <= NOTHING_FOUND and not lost and np.isfinite(log.points.values).all():
        loss = series.get(chosen.loss or "")
        return Verdict(word=Word.UNKNOWN if loss is None else Word.SHORT, points=0 if loss is None else len(loss))
    found = _looked_at(series, chosen, COARSE, lost)
    if longest > COARSE.judging.count and closer(found, chosen):
        found = _looked_at(series, chosen, FINE, lost)
    return found


_parts = lru_cache(256)(parts)


def _looked_at(series: Mapping[str, Series], chosen: Parts, look: Look, lost: int) -> Verdict:
    steps, clocks = by_steps(chosen), chosen.gpus
    others = [key for key in series if key not in steps and key not in clocks and not key.startswith(SYSTEM)]
    broken = tuple(
        Watched(key, Curve.of_points(series[key].steps.astype(np.float64), series[key].values))
        for key in others
        if not np.isfinite(series[key].values).all()
    )
    curves = _curves(series, steps, "step", look) | _curves(series, clocks, "time", look)
    return judge(watch(chosen, curves, broken, _losses(series.get(chosen.loss or ""), chosen, lost)))


def _curves(series: Mapping[str, Series], keys: Iterable[str], axis: Axis, look: Look) -> dict[str, Watched]:
    return {key: Watched(key, curve(Rows.of_points(series[key], axis), look)) for key in keys}


def _losses(loss: Series | None, chosen: Parts, lost: int) -> Lost | None:
    if not lost or loss is None:
        return Lost.nowhere(lost) if lost else None
    steps = loss.steps.astype(np.float64)
    return Lost(lost, chosen.loss or "", steps, steps, np.ones(len(steps)))
