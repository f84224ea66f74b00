"""Signs of life: which processes carry on a run, when they were last heard of, and what becomes of a run without one.

A process is known by the ID of its journal. It says once, in the journal, that it holds a run, and from then on gives
one sign of life for all of its runs. Runs of clients that hold none (stock MLflow's) are never lost. A run that was
lost or ended for want of signs has a ``lost_time``; the next sign brings it back, until somebody says how it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from logbuch.model import Noun, RunStatus
from logbuch.store import schema
from logbuch.store.heads import RunRow
from logbuch.store.tx import Tx, beside_latest, chunks

_pulses, _holders, _runs = schema.pulses, schema.holders, schema.runs
_RUNNING, _KILLED = RunStatus.RUNNING.wire, RunStatus.KILLED.wire
KEPT_MS = 7 * 86_400_000
"""For so long the last sign of a process is remembered: later ones bring nothing back."""


class Pulse(Noun, frozen=True, kw_only=True):
    """A process that holds running runs: its last sign (server's ms, negative once it is known to be gone), and whether
    one of them is not yet lost."""

    journal: str
    time: int
    hopeful: bool


def hold(tx: Tx, head: RunRow, journal: str) -> None:
    """Notes that a journal's process carries on a run, which is a sign of life."""
    beat(tx, {journal: tx.now()})
    tx.insert(tx.seam.upsert(_holders, None), [{"run": head.id, "journal": journal}])


def beat(tx: Tx, times: Mapping[str, int]) -> None:
    """Takes the signs of life of processes. What was lost for want of them runs again."""
    rows = [{"journal": journal, "time": times[journal]} for journal in sorted(times)]
    tx.insert(tx.seam.upsert(_pulses, _later), rows)
    for row in _held_by(tx, times, _runs.c.lost_time.is_not(None)):
        if row.status in (_RUNNING, _KILLED):
            _set(tx, row, status=_RUNNING, end_time=None, lost_time=None)


@beside_latest
def pulses(tx: Tx) -> list[Pulse]:
    """The last signs of all processes that hold running runs."""
    query = (
        select(_pulses.c.journal, _pulses.c.time, func.min(func.coalesce(_runs.c.lost_time, -1)))
        .join(_holders, _holders.c.journal == _pulses.c.journal)
        .join(_runs, _runs.c.id == _holders.c.run)
        .where(_runs.c.status == _RUNNING)
        .group_by(_pulses.c.journal, _pulses.c.time)
    )
    return [Pulse(journal=journal, time=time, hopeful=least == -1) for journal, time, least in tx.execute(query)]


def lose(tx: Tx, silent: Mapping[str, int]) -> int:
    """Marks the running runs of processes that fell silent after the given signs, and of no other; how many."""
    lost = [row for row in _of_silent(tx, silent) if row.status == _RUNNING and row.lost_time is None]
    for row in lost:
        _set(tx, row, lost_time=abs(row.time))
    return len(lost)


def end(tx: Tx, silent: Mapping[str, int]) -> int:
    """Ends the runs of processes that have long been silent after the given signs; how many."""
    lost = [row for row in _of_silent(tx, silent) if row.status == _RUNNING]
    for row in lost:
        _end(tx, row, abs(row.time))
    return len(lost)


def gone(tx: Tx, journal: str, time: int) -> int:
    """Ends the runs of a process that is known to be gone since a time (ms), but for those that others carry on; how
    many. The last of several to go ends a run.

    It is heard again if that was a mistake.
    """
    tx.change(update(_pulses).where(_pulses.c.journal == journal, _pulses.c.time > 0).values(time=-_pulses.c.time))
    alone = [row for row in _held_by(tx, [journal]) if row.status == _RUNNING and not _carried_on(tx, row.id)]
    for row in alone:
        _end(tx, row, min(time, tx.now()))
    return len(alone)


def prune(tx: Tx) -> None:
    """Forgets processes last heard of long ago, but for those that hold a running run: they may only sleep."""
    holding = (
        select(_holders.c.run)
        .join(_runs, _runs.c.id == _holders.c.run)
        .where(_holders.c.journal == _pulses.c.journal, _runs.c.status == _RUNNING)
        .exists()
    )
    tx.change(delete(_pulses).where(func.abs(_pulses.c.time) < tx.now() - KEPT_MS, ~holding))


def _held_by(tx: Tx, journals: Iterable[str], *conditions: Any) -> Sequence[Row[Any]]:
    """The rows of the runs that these processes hold, each once and in order, with the last sign of any of its holders
    among them."""
    found: dict[int, Row[Any]] = {}
    for part in chunks(sorted(journals)):
        query = (
            select(_runs, _pulses.c.time)
            .join(_holders, _holders.c.run == _runs.c.id)
            .join(_pulses, _pulses.c.journal == _holders.c.journal)
            .where(_holders.c.journal.in_(part), *conditions)
            .order_by(_pulses.c.time)
        )
        found |= {row.id: row for row in tx.execute(query)}
    return [found[id_] for id_ in sorted(found)]


def _of_silent(tx: Tx, silent: Mapping[str, int]) -> list[Row[Any]]:
    """The runs all of whose holders are among the silent ones, and have not been heard since."""
    still: set[str] = set()
    for part in chunks(sorted(silent)):
        query = select(_pulses.c.journal, _pulses.c.time).where(_pulses.c.journal.in_(part))
        still |= {journal for journal, time in tx.execute(query) if time == silent[journal]}
    return [row for row in _held_by(tx, still) if _holders_of(tx, row.id) <= still]


def _holders_of(tx: Tx, run: int) -> set[str]:
    return set(tx.execute(select(_holders.c.journal).where(_holders.c.run == run)).scalars())


def _carried_on(tx: Tx, run: int) -> bool:
    """Whether a process holds a run that is not known to be gone."""
    query = select(_pulses.c.time).join(_holders, _holders.c.journal == _pulses.c.journal)
    return tx.execute(query.where(_holders.c.run == run, _pulses.c.time > 0).limit(1)).first() is not None


def _end(tx: Tx, row: Row[Any], time: int) -> None:
    _set(tx, row, status=_KILLED, end_time=max(row.start_time, time), lost_time=time)


def _set(tx: Tx, row: Row[Any], **values: Any) -> None:
    tx.change(update(_runs).where(_runs.c.id == row.id).values(**values))
    tx.forget_heads()
    tx.touch(row.id, row.experiment)


def _later(new: Any) -> Mapping[str, Any]:
    return {"time": new.time}
