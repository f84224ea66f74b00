"""Judging runs: their curves as the checks get them, read from the log and from blocks, and what the checks say.

Each run is looked at twice at most. First coarsely: of long series by the summaries of their blocks, a stretch of
points a place; that suffices where nothing is found. What is found is looked for again at :data:`BUCKETS` places, which
decide.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, select

from logbuch import limits
from logbuch.model import Noun
from logbuch.stability.curve import Curve
from logbuch.stability.findings import LOST_TAG, Kind, Verdict
from logbuch.stability.losses import Lost
from logbuch.stability.parts import Parts
from logbuch.stability.verdict import Watch, Watched, judge
from logbuch.store import heads, runs, schema
from logbuch.store.examining_sources import Sources, sources
from logbuch.store.metrics import blocks, buckets, charts
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.metrics.charts import Line
from logbuch.store.metrics.rows import Axis, Rows
from logbuch.store.metrics.series import Outline
from logbuch.store.query.among import among
from logbuch.store.tx import Tx, beside_latest, chunks

BUCKETS = 2000
"""What a check reads of a series at most; see docs/reference/stability.md."""
LOG_POINTS = 65_536
"""Runs are read together as long as no more of their points are in the log."""
_changes, _refusals, _tags = schema.changes, schema.refusals, schema.tags
_log, _blocks = schema.arrivals, schema.blocks
_Place = tuple[int, str]
"""A run (inner id) and one of its metrics."""


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
    (found,) = examine_all(tx, [run_id], {} if known is None else {run_id: known})
    return found


@beside_latest
def examine_all(tx: Tx, run_ids: Sequence[str], known: Mapping[str, Examined]) -> list[Examined]:
    """The same of those of these runs that exist, read by the same statements; ``known`` are earlier verdicts."""
    found = subjects(tx, run_ids)
    same = unchanged(found, known)
    judged = [one for part in _parts([one for one in found if one.run not in same]) for one in _judged(tx, part)]
    return [*same.values(), *judged]


def unchanged(found: Iterable[Subject], known: Mapping[str, Examined]) -> dict[int, Examined]:
    """The verdicts on those of these runs (inner ids) of which one is known that saw the same points and losses."""
    return {
        one.run: one.examined(known[one.run_id].verdict)
        for one in found
        if one.run_id in known and known[one.run_id].mark == one.mark
    }


def _parts(found: Sequence[Subject]) -> Iterator[list[Subject]]:
    """Runs in parts whose points in the log may all be in memory at once."""
    part: list[Subject] = []
    for one in found:
        if part and sum(other.points for other in part) + one.points > LOG_POINTS:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def _judged(tx: Tx, found: Sequence[Subject]) -> Iterator[Examined]:
    runs_ = [one.run for one in found]
    read = sources(tx, runs_, [one.run for one in found if one.row], [one.run for one in found if one.block])
    coarse, broken = _curves_of(tx, read, COARSE), _broken(tx, read)
    for one in found:
        own, seen, others = read[one.run], coarse[one.run], broken[one.run]
        verdict = judge(_watch(own, seen, others, one.lost))
        closely = closer(verdict, own.chosen)
        if any(outline.points > COARSE.judging.count for key, outline in own.outlines.items() if key in closely):
            near = _curves_of(tx, {one.run: own}, FINE, closely)[one.run]
            verdict = judge(_watch(own, {**seen, **near}, others, one.lost))
        yield one.examined(verdict)


def closer(found: Verdict, chosen: Parts) -> set[str]:
    """The metrics that are looked at closely after a first verdict. What takes a long stretch is seen from afar."""
    metrics = {one.metric for one in found.findings if one.kind not in _SEEN_FROM_AFAR}
    return metrics | {chosen.loss or ""} if chosen.evaluation in metrics else metrics


class _Seen(NamedTuple):
    """A metric with its curve, and the rows that it was made of."""

    watched: Watched
    rows: Rows


Read = Mapping[int, Sources]
"""By run (inner id)."""


def _curves_of(tx: Tx, read: Read, look: Look, only: Container[str] | None = None) -> dict[int, dict[str, _Seen]]:
    """The curves of the watched metrics of each run, or of some of them."""
    found: dict[int, dict[str, _Seen]] = {run: {} for run in read}
    by_step = [(run, key) for run, own in read.items() for key in own.by_step]
    by_time = [(run, key) for run, own in read.items() for key in own.chosen.gpus]
    axes: tuple[tuple[Axis, Sequence[_Place]], ...] = (("step", by_step), ("time", by_time))
    for axis, places in axes:
        wanted = [place for place in places if only is None or place[1] in only]
        for (run, key), line in _lines(tx, read, wanted, axis, look.reading).items():
            found[run][key] = _Seen(Watched(key, curve(line.rows, look)), line.rows)
    return found


def _watch(own: Sources, seen: Mapping[str, _Seen], others: tuple[Watched, ...], lost: int) -> Watch:
    loss = seen.get(own.chosen.loss or "")
    missing = None if not lost else Lost.nowhere(lost) if loss is None else _losses(loss, lost)
    return watch(own.chosen, {key: one.watched for key, one in seen.items()}, others, missing)


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


def _lines(tx: Tx, read: Read, places: Iterable[_Place], axis: Axis, view: View) -> dict[_Place, Line]:
    known = [(run, key) for run, key in places if key in read[run].outlines]
    found = charts.drawn(tx, {number: read[run].outlines[key] for number, (run, key) in enumerate(known)}, axis, view)
    return {known[number]: line for number, line in found.items()}


def curve(own: Rows, look: Look) -> Curve:
    """The rows of a whole series as a check gets them. Where some stand for stretches of points all do, so that noise
    is the same everywhere."""
    whole = own.of_stretches() if (own.count > 1).any() else own
    table = buckets.table(whole, look.judging, float(whole.x[0]), float(whole.x_last[-1]))
    return Curve.of_buckets(dict(zip(COLUMNS, table, strict=True)))


def _broken(tx: Tx, read: Read) -> dict[int, tuple[Watched, ...]]:
    """Those of the other metrics of each run that are not finite somewhere, and where. Summaries tell which; of these
    points are read, which tell the place, and no buckets are made of any."""
    places = [(run, key) for run, own in read.items() for key in own.others if key in own.outlines]
    outlines = {(run, key): read[run].outlines[key] for run, key in places}
    sums = blocks.read_summaries(tx, [head.id for outline in outlines.values() for head in outline.heads])
    suspects = [place for place, outline in outlines.items() if _may_be_odd(outline, sums)]
    found: dict[int, list[Watched]] = {run: [] for run in read}
    for (run, key), line in _lines(tx, read, suspects, "step", FINE.reading).items():
        if line.rows.odd.any():
            odd = Curve.of_broken(line.rows.x, line.rows.nan, line.rows.pos_inf + line.rows.neg_inf)
            found[run].append(Watched(key, odd))
    return {run: tuple(own) for run, own in found.items()}


def _may_be_odd(outline: Outline, sums: Mapping[int, tuple[bool, NDArray[Any]]]) -> bool:
    """Whether a series may hold what is no finite number: short blocks have no summary that could tell."""
    if not np.isfinite(outline.late.values).all():
        return True
    known = [sums.get(head.id) for head in outline.heads]
    return any(one is None or any(one[1][name].any() for name in _ODD) for one in known)
