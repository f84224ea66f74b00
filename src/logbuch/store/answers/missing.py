"""Why there is no answer about an experiment: one line that says what is missing, and what would help."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sqlalchemy import select

from logbuch import limits
from logbuch.answers import Reading
from logbuch.errors import NotFound
from logbuch.model import Experiment, RunStatus
from logbuch.stability.parts import SYSTEM
from logbuch.store import schema, search
from logbuch.store.search import RunQuery, Search
from logbuch.store.tx import Tx

SAMPLE = 200
"""Runs whose metrics are looked at, the newest."""
SHOWN = 6
_latest = schema.latest


def finished(filter_: str) -> str:
    """The search for those of a search that have finished."""
    told = f"attributes.status = '{RunStatus.FINISHED}'"
    return f"({filter_}) AND {told}" if filter_.strip() else told


def no_value(
    tx: Tx, experiment: Experiment, filter_: str = "", key: str | None = None, reading: Reading = Reading.LAST
) -> NotFound:
    """Why no finished run of a search has a finite value of a metric; without a ``key``, why none has any metric."""
    name, found = repr(limits.clip(experiment.name)), " that the filter finds" if filter_.strip() else ""
    query = RunQuery((experiment.experiment_id,), finished(filter_))
    count = Search(tx, query).count()
    if not count:
        return _none_finished(tx, experiment, filter_, name)
    logged = _logged(tx, query)
    shown = f"no finished run of experiment {name}{found} (of {count})"
    if key is None:
        return NotFound(f"Nothing to judge by: {shown} has logged a metric.")
    if key not in logged:
        return NotFound(f"Nothing to judge by: {shown} has logged {limits.clip(key)!r}.{_instead(key, logged)}")
    help_ = "" if reading is not Reading.LAST else " By its best value (--read best) one that ended so may be judged."
    return NotFound(f"Nothing to judge by: {shown} has a finite value of {limits.clip(key)!r}.{help_}")


def _none_finished(tx: Tx, experiment: Experiment, filter_: str, name: str) -> NotFound:
    runs = Search(tx, RunQuery((experiment.experiment_id,), filter_)).count()
    if runs:
        found = " that the filter finds" if filter_.strip() else ""
        return NotFound(f"No run of experiment {name}{found} has finished (of {runs}): only such are judged.")
    missing = f"The filter finds no run of experiment {name}." if filter_.strip() else f"Experiment {name} has no runs."
    return NotFound(missing)


def _logged(tx: Tx, query: RunQuery) -> list[str]:
    rows, _ = search.page(tx, RunQuery(query.experiment_ids, query.filter, ("attributes.start_time DESC",)), SAMPLE)
    mine = _latest.c.run.in_([row.id for row in rows])
    keys = tx.texts(tx.execute(select(_latest.c.key).where(mine).distinct()).scalars())
    return sorted(keys.values(), key=lambda key: (key.startswith(SYSTEM), key))


def _instead(key: str, logged: Sequence[str]) -> str:
    """The metrics that there are, the most alike first."""
    if not logged:
        return ""
    near = difflib.get_close_matches(key, logged, SHOWN, 0.5)
    some = list(dict.fromkeys([*near, *logged]))
    more = f" and {len(some) - SHOWN} others" if len(some) > SHOWN else ""
    return f" There are {', '.join(limits.clip(one) for one in some[:SHOWN])}{more}."
