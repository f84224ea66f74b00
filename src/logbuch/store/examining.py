"""Judging runs: their curves as the checks get them, read from the log and from blocks, and what the checks say.

Each run is looked at twice at most. First coarsely: of long series by the summaries of their blocks, a stretch of
points a place; that suffices where nothing is found. What is found is looked for again at :data:`BUCKETS` places, which
decide.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, or_, select

from logbuch import limits
from logbuch.model import Noun
from logbuch.stability.curve import Curve
from logbuch.stability.findings import LOST_TAG, Kind, Verdict
from logbuch.stability.losses import Lost
from logbuch.stability.parts import SYSTEM, Parts, parts
from logbuch.stability.verdict import Watch, Watched, judge
from logbuch.store import heads, runs, schema
from logbuch.store.metrics import blocks, buckets, charts, ordinal, series
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.metrics.charts import Line
from logbuch.store.metrics.rows import Axis, Rows
from logbuch.store.metrics.series import Outline
from logbuch.store.query.among import among
from logbuch.store.tx import Tx, beside_latest, chunks

BUCKETS = 2000
"""What a check reads of a series at most; see docs/reference/stability.md."""
OTHERS = 64
"""Of metrics without a part, so many are looked into for values that are not finite; those that stand at one first."""
_latest, _changes, _refusals, _tags = schema.latest, schema.changes, schema.refusals, schema.tags
_log, _blocks = schema.arrivals, schema.blocks
_NO_NUMBERS = (ordinal.NAN, ordinal.INFINITY, ordinal.NEGATIVE_INFINITY)


class Look(NamedTuple):
    """How closely curves are looked at: the view by which a series is read, which says whether its points or their
    summaries, and the one in whose buckets it is judged."""

    reading: View
    judging: View


COARSE, FINE = Look(View(50), View(500)), Look(View(BUCKETS), View(BUCKETS))
_ODD = ("nan", "pos_inf", "neg_inf")
_SEEN_FROM_AFAR = (Kind.THROUGHPUT, Kind.IDLE_GPU, Kind.LOST)


class Examined(Noun, frozen=True, kw_only=True):
    """A verdict on a run as it stood at a version.

    ``mark`` tells its points and losses from any others: as long as it is the same, so is the verdict. "" says nothing.
    """

    run_id: str
    version: int
    verdict: Verdict
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run (inner id) before its curves are read: its version, how many of its records were lost, how many of its
    points are in the log, and the last row of its log and its last block, 0 for none.

    Points that come are a row, and rows that go become blocks.
    """

    run: int
    run_id: str
    version: int
    lost: int
    points: int
    row: int
    block: int

    @property
    def mark(self) -> str:
        return f"{self.row} {self.block} {self.lost}"

    def examined(self, verdict: Verdict) -> Examined:
        return Examined(run_id=self.run_id, version=self.version, verdict=verdict, mark=self.mark)


@beside_latest
def subjects(tx: Tx, run_ids: Sequence[str]) -> list[Subject]:
    """Those of these runs that exist."""
    ids = {row.id: run_id for run_id, row in heads.fetch(tx, run_ids).items()}
    versions = _numbers(tx, select(_changes.c.run, _changes.c.version), _changes.c.run, ids)
    last = select(_log.c.run, func.max(_log.c.id), func.sum(_log.c.points)).group_by(_log.c.run)
    rows = {row[0]: row for row in tx.execute(last.where(among(_log.c.run, ids)))}
    newest = select(_blocks.c.run, func.max(_blocks.c.id)).group_by(_blocks.c.run)
    last_blocks, lost = _numbers(tx, newest, _blocks.c.run, ids), _lost(tx, ids)
    found = []
    for run, run_id in ids.items():
        _, row, points = rows.get(run, (run, 0, 0))
        found.append(
            Subject(run, run_id, versions.get(run, 0), lost.get(run, 0), int(points), row, last_blocks.get(run, 0))
        )
    return found


def _numbers(tx: Tx, query: Select[Any], column: ColumnElement[int], ids: Iterable[int]) -> dict[int, int]:
    return {int(run): int(number) for run, number in tx.execute(query.where(among(column, ids)))}


def _lost(tx: Tx, ids: Mapping[int, str]) -> dict[int, int]:
    """How many records of these runs were refused or dropped: as their processes say, or as this store knows."""
    key = tx.known_names([LOST_TAG]).get(LOST_TAG)
    told: dict[int, int] = {}
    if key is not None:
        query = select(_tags.c.run, _tags.c.value).where(among(_tags.c.run, ids), _tags.c.key == key)
        told = {run: _count(text) for run, text in tx.execute(query)}
    refused: dict[str, int] = {}
    for part in chunks(list(ids.values())):
        counts = select(_refusals.c.run_id, func.count()).where(_refusals.c.run_id.in_(part))
        refused |= {row[0]: row[1] for row in tx.execute(counts.group_by(_refusals.c.run_id))}
    return {run: max(told.get(run, 0), refused.get(run_id, 0)) for run, run_id in ids.items()}


def _count(text: str) -> int:
    """The number in a tag; what somebody else wrote there counts as none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= limits.DIGITS else 0


@beside_latest
def examine(tx: Tx, run_id: str, known: Examined | None = None) -> Examined:
    """Judges a run as it now stands, from its points: latest values only tell which metrics there are.

    ``known`` is an earlier verdict, which stands where only tags and the like have changed since. NotFound for a run
    that is gone.
    """
    runs.row(tx, run_id)
    (subject,) = subjects(tx, [run_id])
    if known is not None and known.mark == subject.mark:
        return subject.examined(known.verdict)
    return subject.examined(_judged(tx, subject.run, subject.lost))


def _judged(tx: Tx, run: int, lost: int) -> Verdict:
    sources = _sources(tx, run)
    coarse = _curves_of(tx, sources, COARSE)
    others = _broken(tx, sources)
    found = judge(_watch(sources, coarse, others, lost))
    closely = closer(found, sources.chosen)
    if any(outline.points > COARSE.judging.count for key, outline in sources.outlines.items() if key in closely):
        found = judge(_watch(sources, {**coarse, **_curves_of(tx, sources, FINE, closely)}, others, lost))
    return found


def closer(found: Verdict, chosen: Parts) -> set[str]:
    """The metrics that are looked at closely after a first verdict. What takes a long stretch is seen from afar."""
    metrics = {one.metric for one in found.findings if one.kind not in _SEEN_FROM_AFAR}
    return metrics | {chosen.loss or ""} if chosen.evaluation in metrics else metrics


@dataclass(frozen=True, slots=True)
class _Sources:
    """The metrics of a run that are looked at, by their names: their parts, the others, and outlines of all."""

    chosen: Parts
    by_step: Sequence[str]
    others: Sequence[str]
    outlines: Mapping[str, Outline]


def _sources(tx: Tx, run: int) -> _Sources:
    log = series.log(tx, run)
    merged = tx.execute(select(_latest.c.key, _not_finite()).where(_latest.c.run == run)).all()
    odd = log.odd() | {row.key for row in merged if row.odd}
    names = tx.texts({row.key for row in merged} | log.known())
    keys = {key: id_ for id_, key in sorted(names.items(), key=lambda item: item[1])}
    chosen = parts(keys)
    by_step = by_steps(chosen)
    candidates = sorted(keys, key=lambda key: keys[key] not in odd)
    watched = {*by_step, *chosen.gpus}
    others = [key for key in candidates if key not in watched and not key.startswith(SYSTEM)][:OTHERS]
    wanted = {key: keys[key] for key in dict.fromkeys([*by_step, *others, *chosen.gpus])}
    # What is finite in the log and plays no part need not be read there.
    whole = {keys[key] for key in watched} | odd
    found = series.outlines(tx, run, list(wanted.values()), log.only(whole))
    return _Sources(chosen, by_step, others, {key: found[id_] for key, id_ in wanted.items() if id_ in found})


def _not_finite() -> Any:
    columns = (_latest.c.value, _latest.c.min, _latest.c.max)
    return or_(*(column.in_(_NO_NUMBERS) for column in columns)).label("odd")


def by_steps(chosen: Parts) -> list[str]:
    """The metrics that are judged by their steps, in the order of their parts."""
    losses = [key for key in (chosen.loss, chosen.evaluation) if key is not None]
    return list(dict.fromkeys([*losses, *chosen.gradients, *chosen.rates, *chosen.throughputs]))


class _Seen(NamedTuple):
    """A metric with its curve, and the rows that it was made of."""

    watched: Watched
    rows: Rows


def _curves_of(tx: Tx, sources: _Sources, look: Look, only: Container[str] | None = None) -> dict[str, _Seen]:
    """The curves of the watched metrics, or of some of them."""
    found: dict[str, _Seen] = {}
    axes: tuple[tuple[Axis, Sequence[str]], ...] = (("step", sources.by_step), ("time", sources.chosen.gpus))
    for axis, keys in axes:
        wanted = [key for key in keys if only is None or key in only]
        for key, line in _lines(tx, sources, wanted, axis, look.reading).items():
            found[key] = _Seen(Watched(key, curve(line.rows, look)), line.rows)
    return found


def _watch(sources: _Sources, seen: Mapping[str, _Seen], others: tuple[Watched, ...], lost: int) -> Watch:
    loss = seen.get(sources.chosen.loss or "")
    missing = None if not lost else Lost.nowhere(lost) if loss is None else _losses(loss, lost)
    return watch(sources.chosen, {key: one.watched for key, one in seen.items()}, others, missing)


def _losses(loss: _Seen, lost: int) -> Lost:
    return Lost(lost, loss.watched.metric, loss.rows.x, loss.rows.x_last, loss.rows.all_points)


def watch(
    chosen: Parts,
    curves: Mapping[str, Watched],
    others: tuple[Watched, ...],
    lost: Lost | None,
) -> Watch:
    """Curves in the parts that they play."""
    return Watch(
        loss=curves.get(chosen.loss or ""),
        evaluation=curves.get(chosen.evaluation or ""),
        gradients=_of(curves, chosen.gradients),
        rates=_of(curves, chosen.rates),
        throughputs=_of(curves, chosen.throughputs),
        gpus=_of(curves, chosen.gpus),
        others=others,
        lost=lost,
    )


def _of(curves: Mapping[str, Watched], keys: Iterable[str]) -> tuple[Watched, ...]:
    return tuple(curves[key] for key in keys if key in curves)


def _lines(tx: Tx, sources: _Sources, keys: Sequence[str], axis: Axis, view: View) -> dict[str, Line]:
    numbered = dict(enumerate(key for key in keys if key in sources.outlines))
    found = charts.drawn(tx, {place: sources.outlines[key] for place, key in numbered.items()}, axis, view)
    return {numbered[place]: line for place, line in found.items()}


def curve(own: Rows, look: Look) -> Curve:
    """The rows of a whole series as a check gets them. Where some stand for stretches of points all do, so that noise
    is the same everywhere."""
    whole = own.of_stretches() if (own.count > 1).any() else own
    table = buckets.table(whole, look.judging, float(whole.x[0]), float(whole.x_last[-1]))
    return Curve.of_buckets(dict(zip(COLUMNS, table, strict=True)))


def _broken(tx: Tx, sources: _Sources) -> tuple[Watched, ...]:
    """Those of the other metrics that are not finite somewhere, and where. Summaries tell which; of these points are
    read, which tell the place, and no buckets are made of any."""
    outlines = {key: sources.outlines[key] for key in sources.others if key in sources.outlines}
    sums = blocks.read_summaries(tx, [head.id for outline in outlines.values() for head in outline.heads])
    suspects = [key for key, outline in outlines.items() if _may_be_odd(outline, sums)]
    found = _lines(tx, sources, suspects, "step", FINE.reading)
    return tuple(
        Watched(key, Curve.of_broken(line.rows.x, line.rows.nan, line.rows.pos_inf + line.rows.neg_inf))
        for key, line in found.items()
        if line.rows.odd.any()
    )


def _may_be_odd(outline: Outline, sums: Mapping[int, tuple[bool, NDArray[Any]]]) -> bool:
    """Whether a series may hold what is no finite number: short blocks have no summary that could tell."""
    if not np.isfinite(outline.late.values).all():
        return True
    known = [sums.get(head.id) for head in outline.heads]
    return any(one is None or any(one[1][name].any() for name in _ODD) for one in known)
