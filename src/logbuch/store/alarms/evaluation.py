"""Rules against runs: what holds of a run as it now stands, and what is new about that.

Latest values answer nearly all of it; points are read only where a limit is exceeded now and the rule asks for how
long. Whether a training is silent is measured by whoever asks (:class:`Silence`), for clocks differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, delete, select

from logbuch import limits
from logbuch.alerts import Condition, Kind, Rule, duration, matches, parse
from logbuch.model import RunStatus, Tag
from logbuch.stability.findings import Finding
from logbuch.stability.findings import Kind as Found
from logbuch.stability.parts import SYSTEM
from logbuch.store import schema, tags, verdicts
from logbuch.store.alarms import alerts
from logbuch.store.alarms.tables import alert_rules, alert_states
from logbuch.store.metrics import charts, ordinal
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.tx import Tx, chunks

HELD_BACK_TAG = "logbuch.rule_alerts_held_back"
"""Of a run: how many alerts of rules were held back because there were too many."""
SAME_MS = 60_000
"""A rule raises an alert of a run at most so often, as a training does one of the same title."""
OLD_MS = 86_400_000
"""A training that fell silent so long before a rule was made is none of that rule's."""
_runs, _latest, _tags, _names = schema.runs, schema.latest, schema.tags, schema.names
_findings = msgspec.json.Decoder(tuple[Finding, ...])


class Silence(NamedTuple):
    """A running training whose last point has this time (ms, by its own clock; its start if it has none), and for how
    many seconds none has come since, which only who listens can tell."""

    last: int
    seconds: float


class Change(NamedTuple):
    """What is new: a rule holds of a run (inner id) with these words to say, or, without any, holds no longer."""

    rule: Rule
    run: int
    text: str | None
    mark: int = 0


class Subject(NamedTuple):
    """A run as its rules see it: its row, its latest values by key, its tag of the stability."""

    row: Row[Any]
    latest: Mapping[str, Row[Any]]
    word: str

    @property
    def last(self) -> int:
        """The time of its last point, or of its start; those of the machine itself say nothing of the training."""
        times = (row.timestamp for key, row in self.latest.items() if not key.startswith(SYSTEM))
        return max(times, default=int(self.row.start_time))


Silences = Mapping[tuple[int, str], Silence]
"""By run and rule."""


def subjects(tx: Tx, run_ids: Sequence[int], experiments: Iterable[int]) -> list[Subject]:
    """Those of these runs (inner ids) that are active and of these experiments."""
    found, wanted = [], list(experiments)
    for part in chunks(run_ids):
        query = select(_runs).where(_runs.c.id.in_(part), _runs.c.experiment.in_(wanted), _runs.c.deleted.is_(False))
        found += [Subject(row, _values(tx, row.id), _tag(tx, row.id, verdicts.TAG)) for row in tx.execute(query).all()]
    return found


def changes(tx: Tx, subject: Subject, rules: Sequence[Rule], silences: Silences) -> list[Change]:
    """What is new of a run to the rules of its experiment."""
    run = subject.row.id
    query = select(alert_states.c.rule, alert_states.c.mark).where(alert_states.c.run == run)
    states: dict[str, int] = {str(rule): mark for rule, mark in tx.execute(query)}
    found = []
    for rule in rules:
        text, mark = _judge(tx, subject, rule, silences.get((run, rule.rule_id)))
        known = states.get(rule.rule_id)
        if known != mark and (text is not None or known is not None):
            found.append(Change(rule, run, text, mark))
    return found


def settle(tx: Tx, found: Sequence[Change]) -> None:
    """Raises the alerts of what is new and forgets what holds no longer.

    Other replicas find the same: who comes second finds the state that the first has left.
    """
    for change in sorted(found, key=lambda one: (int(one.rule.rule_id), one.run)):
        rule = int(change.rule.rule_id)
        if tx.execute(select(alert_rules.c.id).where(alert_rules.c.id == rule).with_for_update()).first() is None:
            continue
        mine = (alert_states.c.rule == rule) & (alert_states.c.run == change.run)
        if change.text is None:
            tx.change(delete(alert_states).where(mine))
            continue
        known = tx.execute(select(alert_states.c.mark).where(mine)).scalar()
        head = tx.execute(select(_runs).where(_runs.c.id == change.run)).first()
        if head is None or known == change.mark:
            continue
        tx.insert(tx.seam.upsert(alert_states, _marked), [{"rule": rule, "run": change.run, "mark": change.mark}])
        if _too_many(tx, change.run, rule):
            _hold_back(tx, head)
            continue
        alerts.add(tx, head, rule, tx.now(), change.rule.level, change.rule.condition, change.text)


def _too_many(tx: Tx, run: int, rule: int) -> bool:
    last = alerts.last_of_rule(tx, run, rule)
    if last is not None and 0 <= tx.now() - last < SAME_MS:
        return True
    return alerts.count(tx, run, by_rules=True) >= limits.ALERTS_PER_RUN


def _hold_back(tx: Tx, head: Row[Any]) -> None:
    """Counts an alert that is not raised in the run's tag; what somebody else wrote there counts as none."""
    before = _tag(tx, head.id, HELD_BACK_TAG)
    count = int(before) if before.isascii() and before.isdigit() and len(before) <= limits.DIGITS else 0
    tags.write(tx, head.id, [Tag(key=HELD_BACK_TAG, value=str(count + 1))])
    tx.touch(head.id, head.experiment)


class _Judgement(NamedTuple):
    """What a rule has to say of a run; without a text nothing, and its state is as before where it bears this mark."""

    text: str | None
    mark: int = 0


_NOTHING = _Judgement(None, -1)


def _judge(tx: Tx, subject: Subject, rule: Rule, silence: Silence | None) -> _Judgement:
    condition, row = parse(rule.condition), subject.row
    if row.end_time is not None and row.end_time < rule.creation_time:
        return _NOTHING
    match condition.kind:
        case Kind.SILENT:
            return _silent(subject, rule, condition, silence)
        case Kind.STATUS:
            text = _status(row, condition.word)
        case Kind.VERDICT:
            text = _verdict(subject, condition.word)
        case Kind.NOT_FINITE:
            text = _not_finite(tx, subject, condition)
        case Kind.LIMIT:
            text = _limit(tx, subject, condition)
    return _NOTHING if text is None else _Judgement(text)


def _silent(subject: Subject, rule: Rule, condition: Condition, silence: Silence | None) -> _Judgement:
    last = last_point(subject, condition)
    if subject.row.status != RunStatus.RUNNING.wire or last < rule.creation_time - OLD_MS:
        return _NOTHING
    if silence is None or silence.last != last or silence.seconds < condition.seconds:
        return _Judgement(None, last)
    of = f" of {condition.metric}" if condition.metric else ""
    return _Judgement(f"No point{of} has come for {duration(silence.seconds)}.", last)


def _verdict(subject: Subject, word: str) -> str | None:
    if subject.word != word and (word, subject.word) != ("unstable", "diverged"):
        return None
    return f"Its curves are {subject.word}: logbuch check {subject.row.run_id} says what was found."


def last_point(subject: Subject, condition: Condition) -> int:
    """The time of the last point that a condition of silence asks for, or of the run's start."""
    if not condition.metric:
        return subject.last
    times = (row.timestamp for key, row in subject.latest.items() if matches(condition.metric, key))
    return max(times, default=int(subject.row.start_time))


def _status(row: Row[Any], word: str) -> str | None:
    status = RunStatus.from_wire(row.status)
    lost = row.lost_time is not None and status in (RunStatus.RUNNING, RunStatus.KILLED)
    if word == "lost":
        return "Nothing is heard of its process any more." if lost else None
    if status.lower() != word or lost:
        return None
    return f"It ended as {status}."


def _not_finite(tx: Tx, subject: Subject, condition: Condition) -> str | None:
    for key, row in _chosen(subject, condition):
        for value in (row.value, row.max, row.min):
            if value is not None and not math.isfinite(ordinal.decode(value)):
                return f"{key} was {_named(ordinal.decode(value))}, at the latest at step {row.step}."
    for finding in _known_findings(tx, subject.row.id):
        if finding.kind is Found.NOT_FINITE and matches(condition.metric, finding.metric):
            return f"{finding.metric} was NaN or infinite at step {finding.start:.0f}."
    return None


def _limit(tx: Tx, subject: Subject, condition: Condition) -> str | None:
    for key, row in _chosen(subject, condition):
        value = ordinal.decode(row.value)
        if condition.exceeded(value) and (not condition.seconds or _lasts(tx, subject.row.id, row, condition)):
            return f"{key} was {value:.6g} at step {row.step}."
    return None


def _lasts(tx: Tx, run: int, row: Row[Any], condition: Condition) -> bool:
    """Whether every point of the last stretch of a series, up to its latest, is beyond the limit, and it reaches so far
    back."""
    end = float(row.timestamp)
    start = end - condition.seconds * 1000
    found = charts.tables(tx, run, [row.key], "time", View(1, start, end)).get(row.key)
    if found is None or found.x_min > start or not found.table.shape[1]:
        return False
    column = dict(zip(COLUMNS, found.table, strict=True))
    if column["nan"].any() or not column["count"].any():
        return False
    extremes = (column["min"].min(), column["max"].max())
    return all(condition.exceeded(float(value)) for value in extremes)


def _chosen(subject: Subject, condition: Condition) -> list[tuple[str, Row[Any]]]:
    return [(key, row) for key, row in subject.latest.items() if matches(condition.metric, key)]


def _values(tx: Tx, run: int) -> dict[str, Row[Any]]:
    columns = (_latest.c.key, _latest.c.value, _latest.c.min, _latest.c.max, _latest.c.timestamp, _latest.c.step)
    query = select(*columns, _names.c.name).join(_names, _names.c.id == _latest.c.key).where(_latest.c.run == run)
    return {row.name: row for row in tx.execute(query)}


def _tag(tx: Tx, run: int, name: str) -> str:
    key = tx.known_names([name]).get(name, -1)
    found = tx.execute(select(_tags.c.value).where(_tags.c.run == run, _tags.c.key == key)).scalar()
    return found or ""


def _known_findings(tx: Tx, run: int) -> tuple[Finding, ...]:
    kept = tx.execute(select(schema.verdicts.c.findings).where(schema.verdicts.c.run == run)).scalar()
    return _findings.decode(kept) if kept else ()


def _named(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _marked(new: Any) -> Mapping[str, Any]:
    return {"mark": new.mark}
