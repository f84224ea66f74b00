"""Asks the tracker how runs stand: a few small requests a look, over the operations that server and store share.

A look costs one page of the table with only the columns that are shown, and for runs whose main metric has moved their
curve, one request a metric. What changes seldom is asked for seldom: experiments, open alerts, and which metrics and
params a run has.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from logbuch.errors import NotFound
from logbuch.model import LOST, Experiment, Noun, Run, ViewType
from logbuch.sdk.answers import ask, experiment_id
from logbuch.sdk.connection import Connection, connect
from logbuch.terminal.detail import Detail, detail
from logbuch.terminal.known import known
from logbuch.terminal.rows import GOING, PARTS, STABILITY, Memory, Row, Table, count_alerts, rows, step

MOST_RUNS = 100
MOST_EXPERIMENTS = 1000
"""So many experiments are looked into, the newest."""
RECENT_SECONDS = 24 * 3600
"""Runs that ended since then are recent."""
BUCKETS = 24
_EXPERIMENTS_SECONDS, _ALERTS_SECONDS = 30.0, 10.0
_SOON, _SELDOM = 2.0, 60.0
"""A run's metrics are looked up again after so many seconds, twice as many each time."""
_FIRST_VERDICTS = 20
_PAGE = 50


class Look(Noun, frozen=True, kw_only=True):
    """How runs stood at a ``time`` (ms); ``total`` is how many there were, more than ``runs`` where they were cut."""

    uri: str
    time: int
    total: int
    runs: tuple[Row, ...]


class Looker:
    """Looks at the running runs of one experiment (its name or ID) or of all; ``ended`` adds those that ended within
    a day. Runs that end while they are watched stay. Every call raises LogbuchError where it cannot be answered."""

    def __init__(self, experiment: str | None = None, *, ended: bool = False, connection: Connection | None = None):
        self.ended = ended
        self._wanted = experiment
        self._connection = connection or connect()
        self._begun = time.time()
        self._experiments: dict[str, Experiment] = {}
        self._memories: dict[str, Memory] = {}
        self._again: dict[str, tuple[float, float]] = {}
        """When a run's metrics are looked up again, and how long after that."""
        self._seen: set[str] = set()
        self._due: dict[str, float] = {}
        self._judged: dict[str, Any] = {}

    @property
    def uri(self) -> str:
        return self._connection.backend.uri

    def detail(self, run_id: str, metric: str | None) -> Detail:
        """One run in depth, the curve of ``metric`` first."""
        return detail(self._connection, run_id, metric)

    def look(self) -> Look:
        """How the runs stand now."""
        now = time.time()
        self.check()
        table = self._table()
        if self._learn(table, now):
            table = self._table()
        self._watch(table, now)
        names = {id_: one.name for id_, one in self._experiments.items()}
        found = [row for row in rows(table, self._memories, names, now) if self._is_wanted(row)]
        hidden = len(table.heads) - len(found)
        return Look(uri=self.uri, time=int(now * 1000), total=table.total - hidden, runs=tuple(found))

    def check(self) -> None:
        """Finds the experiments; ``NotFound`` if there is none of that name or ID."""
        if self._is_due("experiments"):
            self._experiments = {one.experiment_id: one for one in self._find_experiments()}
            self._due["experiments"] = time.monotonic() + _EXPERIMENTS_SECONDS

    def tags(self, experiment: str) -> Mapping[str, str]:
        """The tags of an experiment that was found, by its ID."""
        found = self._experiments.get(experiment)
        return {} if found is None else found.tags

    # -- what is asked ------------------------------------------------------------------------------------------------

    def _find_experiments(self) -> Sequence[Experiment]:
        backend = self._connection.settle()
        if self._wanted is not None:
            return [backend.get_experiment(experiment_id(self._connection, self._wanted))]
        newest = ["last_update_time DESC"]
        return backend.search_experiments(ViewType.ACTIVE_ONLY, MOST_EXPERIMENTS, "", newest, "")[0]

    def _table(self) -> Table:
        keys = sorted({key for memory in self._memories.values() for key in memory.known.keys})
        return Table(
            self._ask("/runs/table", {
                "experiment_ids": list(self._experiments), "filter": self._filter(), "max_results": MOST_RUNS,
                "order_by": ["attributes.status DESC", "attributes.start_time DESC"], "parts": list(PARTS),
                "columns": [*(f"metrics.{key}" for key in keys), f"tags.{STABILITY}"],
            })
        )  # fmt: skip

    def _filter(self) -> str:
        """RUNNING and SCHEDULED are the last of the statuses by name, so that those come first."""
        since = self._begun - (RECENT_SECONDS if self.ended else 0)
        return f"attributes.status IN ('RUNNING', 'SCHEDULED', 'LOST') OR attributes.end_time > {int(since * 1000)}"

    def _is_wanted(self, row: Row) -> bool:
        """Runs that were lost long ago are no news, unless all are asked for."""
        if row.status != LOST or row.run_id in self._seen:
            return True
        return self.ended and row.end_time is not None and row.end_time / 1000 > self._begun - RECENT_SECONDS

    def _learn(self, table: Table, now: float) -> bool:
        """Finds out what runs have that are new, or were asked for long ago; whether there is more to ask for now."""
        self._seen |= {head["run_id"] for head in table.heads if head["status"] in GOING}
        listed = {head["run_id"]: head for head in table.heads}
        self._forget(listed)
        due = [run_id for run_id in listed if self._again.get(run_id, (0.0, 0.0))[0] <= now]
        news = False
        for start in range(0, len(due), _PAGE):
            part = due[start : start + _PAGE]
            for run in self._runs(part, {listed[run_id]["experiment_id"] for run_id in part}):
                news |= self._take(run)
        for run_id in due:
            wait = min(_SELDOM, 2 * self._again[run_id][1]) if run_id in self._again else _SOON
            # What has ended has all that it will ever have.
            ended = listed[run_id]["status"] not in GOING
            self._again[run_id] = (float("inf") if ended and run_id in self._memories else now + wait, wait)
        return news

    def _runs(self, run_ids: Sequence[str], experiments: Iterable[str]) -> Sequence[Run]:
        listed = ", ".join(f"'{run_id}'" for run_id in run_ids)
        backend = self._connection.settle()
        return backend.search_runs(
            sorted(experiments), f"attributes.run_id IN ({listed})", ViewType.ACTIVE_ONLY, len(run_ids), [], ""
        )[0]

    def _take(self, run: Run) -> bool:
        memory = self._memories.setdefault(run.info.run_id, Memory())
        found = known(run.data.metrics, run.data.params, self.tags(run.info.experiment_id))
        news = found.keys != memory.known.keys
        if found.metric != memory.known.metric:
            memory.curve, memory.drawn = (), None
        memory.known = found
        return news

    def _forget(self, listed: Mapping[str, Any]) -> None:
        for run_id in [run_id for run_id in self._memories if run_id not in listed]:
            del self._memories[run_id]
            self._again.pop(run_id, None)
            self._judged.pop(run_id, None)

    def _watch(self, table: Table, now: float) -> None:
        """Speeds, and what is asked for besides the table."""
        moved: dict[str, list[str]] = defaultdict(list)
        for place, head in enumerate(table.heads):
            memory = self._memories.get(head["run_id"])
            if memory is None:
                continue
            at = step(table, place, memory.known)
            if at is not None:
                memory.speed.see(now, at)
            standing = table.standing(place, memory.known)
            if memory.known.metric is not None and standing != memory.drawn:
                moved[memory.known.metric].append(head["run_id"])
                memory.drawn = standing
        for key, run_ids in moved.items():
            self._draw(key, run_ids)
        if self._is_due("alerts"):
            self._count_alerts(table)
            self._due["alerts"] = time.monotonic() + _ALERTS_SECONDS
        self._judge(table)

    def _draw(self, key: str, run_ids: Sequence[str]) -> None:
        body = {"run_ids": list(run_ids), "keys": [key], "buckets": BUCKETS, "columns": ["mean"]}
        try:
            answer = self._ask("/metrics/outline", body)
        except NotFound:  # a run was removed a moment ago; the others are drawn at the next look
            for run_id in run_ids:
                self._memories[run_id].drawn = None
            return
        for series in answer["series"]:
            self._memories[series["run_id"]].curve = tuple(series["columns"]["mean"])

    def _count_alerts(self, table: Table) -> None:
        run_ids = [head["run_id"] for head in table.heads]
        body = {"run_id": run_ids, "open": "true", "max_results": "200"}
        found = count_alerts(self._ask("/alerts", body, "GET")["alerts"]) if run_ids else {}
        for run_id, memory in self._memories.items():
            memory.alerts, memory.level = found.get(run_id, (0, None))

    def _judge(self, table: Table) -> None:
        """Where no server has judged a run, as of a store without one, it is judged now: one run a look, in turn."""
        places = {head["run_id"]: place for place, head in enumerate(table.heads)}
        untold = [
            run_id
            for run_id, memory in self._memories.items()
            if run_id in places
            and table.tag(places[run_id], STABILITY) is None
            and self._judged.get(run_id) != memory.drawn
        ]
        for run_id in untold[: 1 if self._judged else _FIRST_VERDICTS]:
            # In turn: who was judged goes to the end of those who are looked through.
            memory = self._memories[run_id] = self._memories.pop(run_id)
            self._judged[run_id] = memory.drawn
            try:
                memory.verdict = self._ask("/runs/stability", {"run_id": run_id}, "GET")["word"]
            except NotFound:
                continue

    def _is_due(self, what: str) -> bool:
        """Whether something is to be asked again; what could not be answered is due still."""
        return time.monotonic() >= self._due.get(what, 0.0)

    def _ask(self, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        return ask(self._connection, path, body, method)
