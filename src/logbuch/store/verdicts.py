"""Verdicts on the stability of runs: made from their curves, and kept until the run changes.

A verdict bears the version of the run that it saw (:mod:`logbuch.store.changes`). Its word stands in the run's tag
``logbuch.stability`` too, by which runs are searched, sorted and grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, delete, or_, select

from logbuch import limits
from logbuch.model import Noun, Tag
from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Finding, Verdict, Word
from logbuch.stability.parts import SYSTEM, Parts, parts
from logbuch.stability.verdict import Watch, Watched, judge
from logbuch.store import heads, runs, schema, tags
from logbuch.store.metrics import backlog, buckets, charts, ordinal, series
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.metrics.charts import Line
from logbuch.store.metrics.rows import Axis
from logbuch.store.metrics.series import Outline
from logbuch.store.tx import Tx, beside_latest, chunks

TAG = "logbuch.stability"
BUCKETS = 2000
"""What a check reads of a series; see docs/reference/stability.md."""
_VIEW, _COARSE = View(BUCKETS), View(1)
OTHERS = 64
"""Of metrics without a part, so many are looked into for values that are not finite; those that stand at one first."""
_SILENT = frozenset({Word.SHORT, Word.UNKNOWN})
_table, _latest, _changes = schema.verdicts, schema.latest, schema.changes
_findings = msgspec.json.Decoder(tuple[Finding, ...])
_NO_NUMBERS = (ordinal.NAN, ordinal.INFINITY, ordinal.NEGATIVE_INFINITY)


class Examined(Noun, frozen=True, kw_only=True):
    """A verdict on a run as it stood at a version."""

    run_id: str
    version: int
    verdict: Verdict


@beside_latest
def examine(tx: Tx, run_id: str) -> Examined:
    """Judges a run as it now stands, from its points: latest values only tell which metrics there are."""
    head = runs.row(tx, run_id)
    version = tx.execute(select(_changes.c.version).where(_changes.c.run == head.id)).scalar() or 0
    return Examined(run_id=run_id, version=version, verdict=judge(_watch(tx, head.id)))


def current(tx: Tx, run_id: str) -> Examined:
    """The verdict that was kept if the run has not changed since, else a new one."""
    head = runs.row(tx, run_id)
    fresh = (_changes.c.run == _table.c.run) & (_changes.c.version <= _table.c.version)
    row = tx.execute(select(_table).join(_changes, fresh).where(_table.c.run == head.id)).first()
    return examine(tx, run_id) if row is None else _examined(run_id, row)


def kept(tx: Tx, run_ids: Sequence[str]) -> list[Examined]:
    """The verdicts that are kept of these runs, whether or not the runs have changed since: nothing is examined."""
    found: list[Examined] = []
    for part in chunks([id_ for id_ in dict.fromkeys(run_ids) if limits.is_storable(id_)]):
        query = select(schema.runs.c.run_id, _table).join(schema.runs, schema.runs.c.id == _table.c.run)
        rows = tx.execute(query.where(schema.runs.c.run_id.in_(part))).all()
        found += [_examined(row.run_id, row) for row in rows]
    return found


def _examined(run_id: str, row: Any) -> Examined:
    verdict = Verdict(word=Word(row.word), findings=_findings.decode(row.findings), points=row.points)
    return Examined(run_id=run_id, version=row.version, verdict=verdict)


def keep(tx: Tx, examined: Iterable[Examined]) -> None:
    """Keeps verdicts; of runs that are gone meanwhile, none."""
    for one in examined:
        head = heads.fetch(tx, [one.run_id]).get(one.run_id)
        if head is not None:
            row = (head.id, one.version, one.verdict.word, _encoded(one.verdict.findings), one.verdict.points)
            tx.insert_rows(tx.seam.upsert(_table, _all), ("run", "version", "word", "findings", "points"), [row])
            _tell(tx, head.id, head.experiment, one.verdict.word)


@beside_latest
def unexamined(tx: Tx, run_ids: Sequence[int]) -> list[str]:
    """Those of these runs (inner ids) that have changed since they were judged, or never were although they have
    points; deleted ones never."""
    has_points = or_(
        *(select(table.c.run).where(table.c.run == schema.runs.c.id).exists() for table in (_latest, schema.backlog))
    )
    found: list[str] = []
    for part in chunks(run_ids):
        query = (
            select(schema.runs.c.run_id)
            .join(_changes, _changes.c.run == schema.runs.c.id)
            .outerjoin(_table, _table.c.run == schema.runs.c.id)
            .where(schema.runs.c.id.in_(part), schema.runs.c.deleted.is_(False))
            .where(or_(_table.c.version < _changes.c.version, and_(_table.c.run.is_(None), has_points)))
        )
        found += tx.execute(query).scalars()
    return found


@beside_latest
def before(tx: Tx, version: int | None, limit: int) -> tuple[list[int], int | None]:
    """The runs (inner ids) that changed last before a version, newest first, and the version to go on from; None: now,
    and at the end."""
    query = select(_changes.c.run, _changes.c.version).order_by(_changes.c.version.desc())
    if version is not None:
        query = query.where(_changes.c.version < version)
    rows = tx.execute(query.limit(limit)).all()
    if len(rows) < limit:
        return [row.run for row in rows], None
    # A commit touches many runs: those of the last version are all taken, for the next page begins below it.
    last = rows[-1].version
    rest = tx.execute(select(_changes.c.run).where(_changes.c.version == last)).scalars()
    return [*(row.run for row in rows if row.version > last), *rest], last


def _watch(tx: Tx, run: int) -> Watch:
    unmerged = backlog.keys(tx, run)
    keys = _named(tx, _merged(tx, run) | unmerged.keys())
    odd = _named(tx, _merged(tx, run, _not_finite()) | {key for key, is_odd in unmerged.items() if is_odd})
    chosen = parts(keys)
    watched = _by_step(chosen)
    candidates = dict.fromkeys([*odd, *keys])
    others = [key for key in candidates if key not in watched and not key.startswith(SYSTEM)][:OTHERS]
    wanted = dict.fromkeys([*watched, *others, *chosen.gpus])
    found = series.outlines(tx, run, [keys[key] for key in wanted])
    outlines = {key: found[keys[key]] for key in wanted if keys[key] in found}
    by_step = _curves(_lines(tx, outlines, watched, "step"))
    by_time = _curves(_lines(tx, outlines, chosen.gpus, "time"))
    return Watch(
        loss=by_step.get(chosen.loss or ""),
        evaluation=by_step.get(chosen.evaluation or ""),
        gradients=_of(by_step, chosen.gradients),
        rates=_of(by_step, chosen.rates),
        throughputs=_of(by_step, chosen.throughputs),
        gpus=_of(by_time, chosen.gpus),
        others=_broken(tx, outlines, others),
    )


def _merged(tx: Tx, run: int, *conditions: Any) -> set[int]:
    """The inner ids of the metrics of a run whose latest values meet these conditions."""
    return set(tx.execute(select(_latest.c.key).where(_latest.c.run == run, *conditions)).scalars())


def _named(tx: Tx, ids: Iterable[int]) -> dict[str, int]:
    """These metrics by their names, in order."""
    return {key: id_ for id_, key in sorted(tx.texts(ids).items(), key=lambda item: item[1])}


def _by_step(chosen: Parts) -> list[str]:
    losses = [key for key in (chosen.loss, chosen.evaluation) if key is not None]
    return list(dict.fromkeys([*losses, *chosen.gradients, *chosen.rates, *chosen.throughputs]))


def _of(curves: Mapping[str, Watched], keys: Iterable[str]) -> tuple[Watched, ...]:
    return tuple(curves[key] for key in keys if key in curves)


def _lines(
    tx: Tx, outlines: Mapping[str, Outline], keys: Sequence[str], axis: Axis, view: View = _VIEW
) -> dict[str, Line]:
    numbered = dict(enumerate(key for key in keys if key in outlines))
    found = charts.drawn(tx, {place: outlines[key] for place, key in numbered.items()}, axis, view)
    return {numbered[place]: line for place, line in found.items()}


def _curves(lines: Mapping[str, Line]) -> dict[str, Watched]:
    tables = {key: buckets.table(line.rows, _VIEW, line.low, line.high) for key, line in lines.items()}
    return {
        key: Watched(key, Curve.of_buckets(dict(zip(COLUMNS, table, strict=True)))) for key, table in tables.items()
    }


def _broken(tx: Tx, outlines: Mapping[str, Outline], keys: Sequence[str]) -> tuple[Watched, ...]:
    """Those of these metrics that are not finite somewhere, and where. Summaries tell which; of these points are read,
    which tell the place, and no buckets are made of any."""
    suspects = [key for key, line in _lines(tx, outlines, keys, "step", _COARSE).items() if _odd(line).any()]
    found = _lines(tx, outlines, suspects, "step")
    return tuple(
        Watched(key, Curve.of_broken(line.rows.x, line.rows.nan, line.rows.pos_inf + line.rows.neg_inf))
        for key, line in found.items()
    )


def _odd(line: Line) -> Floats:
    return line.rows.nan + line.rows.pos_inf + line.rows.neg_inf


def _not_finite() -> Any:
    columns = (_latest.c.value, _latest.c.min, _latest.c.max)
    return or_(*(column.in_(_NO_NUMBERS) for column in columns))


def _tell(tx: Tx, run: int, experiment: int, word: Word) -> None:
    """Sets the tag, or takes it away where there is nothing to say. A tag that stands already touches nothing."""
    key = tx.name_ids([TAG])[TAG]
    mine = (schema.tags.c.run == run) & (schema.tags.c.key == key)
    told = tx.execute(select(schema.tags.c.value).where(mine)).scalar()
    wanted = None if word in _SILENT else str(word)
    if told == wanted:
        return
    if wanted is None:
        tx.change(delete(schema.tags).where(mine))
    else:
        tags.write(tx, run, [Tag(key=TAG, value=wanted)])
    tx.touch(run, experiment)


def _encoded(findings: Sequence[Finding]) -> str:
    return msgspec.json.encode(findings).decode()


def _all(new: Any) -> Mapping[str, Any]:
    return {name: getattr(new, name) for name in ("version", "word", "findings", "points")}
