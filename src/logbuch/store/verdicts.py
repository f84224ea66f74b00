"""Verdicts on the stability of runs (:mod:`logbuch.store.examining`): kept until the run changes.

A verdict bears the version of the run that it saw (:mod:`logbuch.store.changes`). Its word stands in the run's tag
``logbuch.stability`` too, by which runs are searched, sorted and grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, delete, func, or_, select

from logbuch import limits
from logbuch.model import RunStatus
from logbuch.stability.findings import Finding, Verdict, Word
from logbuch.store import heads, runs, schema
from logbuch.store.examining import Examined, examine, examine_all
from logbuch.store.examining_short import POINTS, examine_short
from logbuch.store.query.among import among
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx, beside_latest, chunks

TAG = "logbuch.stability"
_SILENT = frozenset({Word.SHORT, Word.UNKNOWN})
_table, _latest, _changes = schema.verdicts, schema.latest, schema.changes
_COLUMNS = ("version", "word", "findings", "points", "mark")
_findings = msgspec.json.Decoder(tuple[Finding, ...])


def current(tx: Tx, run_id: str) -> Examined:
    """The verdict that was kept if the run has not changed since, else a new one."""
    head = runs.row(tx, run_id)
    fresh = (_changes.c.run == _table.c.run) & (_changes.c.version <= _table.c.version)
    query = select(_table, _changes.c.run.is_not(None).label("fresh")).outerjoin(_changes, fresh)
    row = tx.execute(query.where(_table.c.run == head.id)).first()
    known = None if row is None else _examined(run_id, row)
    return known if known is not None and row.fresh else examine(tx, run_id, known)


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
    return Examined(run_id=run_id, version=row.version, verdict=verdict, mark=row.mark or "")


@beside_latest
def renew(tx: Tx, run_ids: Sequence[str]) -> list[Examined]:
    """Judges those of these runs that exist, as they now stand, unless only their tags have changed."""
    return examine_all(tx, run_ids, {one.run_id: one for one in kept(tx, run_ids)})


@beside_latest
def renew_short(tx: Tx, run_ids: Sequence[str]) -> list[Examined]:
    """The same of those that are short, and of those of which only tags have changed, all at once."""
    return examine_short(tx, run_ids, {one.run_id: one for one in kept(tx, run_ids)})


def keep(tx: Tx, examined: Iterable[Examined]) -> None:
    """Keeps verdicts; of runs that are gone meanwhile, none."""
    found = {one.run_id: one for one in examined}
    known = heads.fetch(tx, found)
    rows = [(head.id, *_row(found[run_id])) for run_id, head in known.items()]
    tx.insert_rows(tx.seam.upsert(_table, _all), ("run", *_COLUMNS), rows)
    _tell(tx, {head.id: (head.experiment, found[run_id].verdict.word) for run_id, head in known.items()})


def _row(one: Examined) -> tuple[Any, ...]:
    verdict = one.verdict
    return one.version, verdict.word, msgspec.json.encode(verdict.findings).decode(), verdict.points, one.mark


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
def long_logs(tx: Tx, run_ids: Sequence[int]) -> list[int]:
    """Those of these runs (inner ids) that have many points in the log."""
    log = schema.arrivals
    query = select(log.c.run).where(among(log.c.run, run_ids)).group_by(log.c.run)
    return list(tx.execute(query.having(func.sum(log.c.points) > POINTS)).scalars())


@beside_latest
def ended(tx: Tx, run_ids: Sequence[int]) -> list[int]:
    """Those of these runs (inner ids) that do not go on."""
    query = select(schema.runs.c.id).where(schema.runs.c.status != RunStatus.RUNNING.wire)
    return list(tx.execute(query.where(among(schema.runs.c.id, run_ids))).scalars())


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


def _tell(tx: Tx, words: Mapping[int, tuple[int, Word]]) -> None:
    """Sets the tag of runs (inner ids), or takes it away where there is nothing to say, by their experiments and words.
    A tag that stands already touches nothing."""
    key, tags = tx.name_ids([TAG])[TAG], schema.tags
    query = select(tags.c.run, tags.c.value).where(among(tags.c.run, words), tags.c.key == key)
    told = {row.run: row.value for row in tx.execute(query)}
    wanted = {run: None if word in _SILENT else str(word) for run, (_, word) in words.items()}
    changed = [run for run in sorted(words) if told.get(run) != wanted[run]]
    rows = [(run, key, wanted[run]) for run in changed if wanted[run] is not None]
    tx.insert_rows(tx.seam.upsert(tags, new_value), ("run", "key", "value"), rows)
    gone = [run for run in changed if wanted[run] is None]
    if gone:
        tx.change(delete(tags).where(among(tags.c.run, gone), tags.c.key == key))
    for run in changed:
        tx.touch(run, words[run][0])


def _all(new: Any) -> Mapping[str, Any]:
    return {name: getattr(new, name) for name in _COLUMNS}
