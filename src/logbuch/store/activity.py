"""How many runs began in each experiment on each of some days."""

from __future__ import annotations

from sqlalchemy import Integer, and_, func, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Noun, RunStatus
from logbuch.store.schema import runs
from logbuch.store.tx import Tx

DAY_MS = 86_400_000
_LATEST = 2**53  # what JSON carries whole


class Activity(Noun, frozen=True, kw_only=True):
    """Counts a day, the oldest first: runs that began, and those of them that have failed."""

    runs: list[int]
    failed: list[int]


def by_day(tx: Tx, since: int, days: int) -> dict[str, Activity]:
    """The activity by experiment id, for days of 24 hours from ``since``, Unix milliseconds.

    Experiments without a run in this time, and deleted runs, are left out."""
    if not 1 <= days <= limits.ACTIVITY_DAYS:
        raise InvalidInput(f"Invalid value {days} for parameter 'days': it is from 1 to {limits.ACTIVITY_DAYS}.")
    if not 0 <= since <= _LATEST:
        raise InvalidInput(f"Invalid value {since} for parameter 'since': it is Unix milliseconds.")
    own = runs.c
    day = (own.start_time - since) // DAY_MS
    failed = func.sum((own.status == RunStatus.FAILED.wire).cast(Integer))
    within = and_(own.deleted.is_(False), own.start_time >= since, own.start_time < since + days * DAY_MS)
    found: dict[str, Activity] = {}
    for experiment, at, count, bad in tx.execute(
        select(own.experiment, day, func.count(), failed).where(within).group_by(own.experiment, day)
    ):
        activity = found.setdefault(str(experiment), Activity(runs=[0] * days, failed=[0] * days))
        activity.runs[int(at)] = int(count)
        activity.failed[int(at)] = int(bad)
    return found
