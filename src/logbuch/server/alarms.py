"""The alarms: judge runs by the rules of their experiments as they change, and notice who has fallen silent.

A run that changes is judged a moment later and then every few seconds; where no run changes and none is listened to,
nothing is done. Like the examiner this takes a small share of one core at most. Several servers on one database find
the same, and the store lets one of them raise the alert. How long a training has been silent is measured here alone,
from the moment at which this server saw its last point, so that clocks that differ raise no alarm.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from logbuch.alerts import Condition, Kind, Rule, parse
from logbuch.model import RunStatus
from logbuch.server.following import Follower, Pace
from logbuch.store import Store, changes
from logbuch.store.alarms import evaluation, rules
from logbuch.store.alarms.evaluation import Change, Silence, Subject
from logbuch.store.tx import Tx, beside_latest

SHARE = 0.05
"""Of one core, at most."""
SETTLE_SECONDS, AGAIN_SECONDS = 0.5, 5.0
"""How long after a change a run is judged, and how long after it was judged it is at the earliest judged again."""
_TURN_SECONDS = 0.5
RECENT = 500
"""So many runs that changed last are judged at the start: nobody may have looked while they did."""
_PART = 20
Rules = Mapping[int, Sequence[Rule]]
"""By experiment."""


class Alarms(Follower):
    """``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        pace = Pace(SETTLE_SECONDS, AGAIN_SECONDS, _TURN_SECONDS)
        super().__init__(store, "logbuch-alarms", "judging runs by the rules for alerts", pace, clock)
        self._cursor: int | None = None
        self._rules: Rules = {}
        self._heard: dict[tuple[int, str], tuple[int, float, float]] = {}
        """Of running runs and rules of silence: the last point's time, when it was first seen here, when it is due."""

    def _news(self) -> Sequence[int]:
        known = {rule.rule_id for found in self._rules.values() for rule in found}
        touched, self._rules, self._cursor = self._store.read(_news, self._cursor, known)
        left = {rule.rule_id for found in self._rules.values() for rule in found}
        self._heard = {key: heard for key, heard in self._heard.items() if key[1] in left}
        return touched

    def _note(self) -> None:
        super()._note()
        now = self._clock()
        for (run, _), (_, _, when) in self._heard.items():
            if when <= now:
                self._due.setdefault(run, now)

    def _look_at(self, runs: Sequence[int]) -> None:
        for begin in range(0, len(runs), _PART):
            self._judge(runs[begin : begin + _PART])

    def _next(self) -> float:
        return min((when for _, _, when in self._heard.values()), default=float("inf"))

    def _judge(self, runs: Sequence[int]) -> None:
        begin = time.thread_time()
        found: list[Change] = self._store.read(self._look, runs)
        if found:
            self._store.write(evaluation.settle, found)
        self._end.wait((time.thread_time() - begin) * (1 / SHARE - 1))

    def _look(self, tx: Tx, runs: Sequence[int]) -> list[Change]:
        subjects = evaluation.subjects(tx, runs, self._rules)
        found = []
        for subject in subjects:
            own = self._rules[subject.row.experiment]
            found += evaluation.changes(tx, subject, own, self._listen(subject, own))
        gone = set(runs) - {subject.row.id for subject in subjects}
        self._heard = {key: heard for key, heard in self._heard.items() if key[0] not in gone}
        return found

    def _listen(self, subject: Subject, own: Sequence[Rule]) -> dict[tuple[int, str], Silence]:
        """How long a run has been silent, for the rules that ask."""
        found, now = {}, self._clock()
        for rule in own:
            condition, key = parse(rule.condition), (subject.row.id, rule.rule_id)
            if condition.kind is not Kind.SILENT:
                continue
            if subject.row.status != RunStatus.RUNNING.wire:
                self._heard.pop(key, None)
                continue
            found[key] = self._silence(key, evaluation.last_point(subject, condition), condition, now)
        return found

    def _silence(self, key: tuple[int, str], last: int, condition: Condition, now: float) -> Silence:
        known = self._heard.get(key)
        since = known[1] if known is not None and known[0] == last else now
        due = since + condition.seconds
        # What is due now is told now; the next point begins it anew.
        self._heard[key] = (last, since, due if due > now else float("inf"))
        return Silence(last, condition.seconds if due <= now else now - since)


@beside_latest
def _news(tx: Tx, cursor: int | None, known: set[str]) -> tuple[list[int], Rules, int]:
    """The runs to judge: those that changed since a cursor and, of experiments with rules that are not known yet, those
    that changed last. With all rules and the next cursor."""
    found: defaultdict[int, list[Rule]] = defaultdict(list)
    for rule in rules.everywhere(tx):
        found[int(rule.experiment_id)].append(rule)
    new = [experiment for experiment, own in found.items() if any(rule.rule_id not in known for rule in own)]
    touched = changes.latest(tx, new, RECENT) if new else []
    following = changes.cursor(tx)
    if cursor is not None and found:
        touched += changes.since(tx, cursor, list(found))[0]
    return touched, found, following
