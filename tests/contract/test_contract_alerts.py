"""Alerts and their rules on both databases: raised once, however many servers look; read and acknowledged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from logbuch.alerts import Alert, Level
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Metric, RunStatus, Tag
from logbuch.registry import Caller
from logbuch.server.alarms import AGAIN_SECONDS, SETTLE_SECONDS, Alarms
from logbuch.store import Store, batch, changes, erase, experiments, heartbeats, open_store, runs, verdicts
from logbuch.store.alarms import alerts, evaluation, rules
from logbuch.store.alarms.alerts import Wanted
from logbuch.store.alarms.tables import alerts as table
from logbuch.store.runs import NewRun

ADA = Caller(user="ada")
MINUTE = 60_000


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A store with alarms over it, and a clock that only the test moves."""

    def __init__(self, store: Store) -> None:
        self.store, self.time = store, Time()
        self.alarms = Alarms(store, self.time)
        self.alarms.turn()

    def rule(self, condition: str, level: str = "warning") -> str:
        return self.store.write(rules.create, "0", condition, level, ADA).rule_id

    def run(self) -> str:
        return self.store.write(runs.create, NewRun(experiment_id="0", start_time=now())).info.run_id

    def log(self, run_id: str, key: str, *values: float, first: int = 0, every: int = 1000) -> None:
        start = now()
        points = [
            Metric(key=key, value=value, timestamp=start + step * every, step=step)
            for step, value in enumerate(values, first)
        ]
        self.store.write(batch.log_batch, run_id, points)

    def later(self, seconds: float = AGAIN_SECONDS + SETTLE_SECONDS) -> None:
        self.alarms.turn()
        self.time.now += seconds
        self.alarms.turn()

    def wait(self) -> None:
        """As if the alerts that were raised were a minute older: then the same rule may raise the next."""
        older = {"time": table.c.time - evaluation.SAME_MS}
        self.store.write(lambda tx: tx.change(update(table).values(**older)))

    def held_back(self, run_id: str) -> str | None:
        return self.store.read(runs.get, run_id).data.tags.get(evaluation.HELD_BACK_TAG)

    def told(self) -> list[str]:
        return [alert.title for alert in reversed(self.all())]

    def all(self) -> list[Alert]:
        return list(self.store.read(alerts.listed, Wanted()).alerts)


def now() -> int:
    import time

    return time.time_ns() // 1_000_000


@pytest.fixture
def watched(store: Store) -> Iterator[Watched]:
    made = Watched(store)
    yield made
    made.alarms.close()


def test_a_rule_raises_an_alert_once_until_it_has_not_held(watched: Watched) -> None:
    rule = watched.rule("loss > 8", "error")
    run = watched.run()
    watched.log(run, "loss", 9.0)
    watched.later()
    watched.log(run, "loss", 10.0, first=1)
    watched.later()
    (alert,) = watched.all()
    assert (alert.run_id, alert.rule_id, alert.level) == (run, rule, Level.ERROR)
    assert (alert.title, alert.text) == ("loss > 8", "loss was 9 at step 0.")
    watched.log(run, "loss", 1.0, first=2)
    watched.wait()
    watched.later()
    watched.log(run, "loss", 11.0, first=3)
    watched.later()
    assert watched.told() == ["loss > 8", "loss > 8"]


def test_a_rule_that_flaps_is_held_back_and_counted(watched: Watched) -> None:
    watched.rule("loss > 8")
    run, other = watched.run(), watched.run()
    for step in range(6):
        watched.log(run, "loss", 9.0 if step % 2 == 0 else 1.0, first=step)
        watched.later()
    assert (len(watched.all()), watched.held_back(run)) == (1, "2")
    watched.log(other, "loss", 9.0)
    watched.later()
    assert (len(watched.all()), watched.held_back(other)) == (2, None)
    watched.wait()
    watched.log(run, "loss", 9.0, first=6)
    watched.later()
    assert (len(watched.all()), watched.held_back(run)) == (3, "2")


def test_rules_have_a_budget_of_their_own(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.limits.ALERTS_PER_RUN", 3)
    run = watched.run()
    for number in range(3):
        watched.store.write(alerts.put, run, 1, Level.INFO, f"own {number}", "")
    for number in range(5):
        watched.rule(f"loss > {number}")
    watched.store.write(runs.set_tags, run, [Tag(key=evaluation.HELD_BACK_TAG, value="no number")])
    watched.log(run, "loss", 9.0)
    watched.later()
    assert watched.told() == ["own 0", "own 1", "own 2", "loss > 0", "loss > 1", "loss > 2"]
    assert watched.held_back(run) == "2"


def test_what_is_no_number_is_found_also_where_it_has_passed(watched: Watched) -> None:
    watched.rule("eval/loss is nan")
    run, fine, past = watched.run(), watched.run(), watched.run()
    watched.log(run, "eval/loss", 1.0, math.nan)
    watched.log(fine, "eval/loss", 1.0)
    watched.log(fine, "other", math.nan)
    watched.log(past, "eval/loss", 2.0, math.nan, *([1.0] * 50))
    watched.store.write(verdicts.keep, [watched.store.read(verdicts.examine, past)])  # as the examiner does
    watched.later()
    assert sorted(alert.run_id for alert in watched.all()) == sorted([run, past])


def test_a_limit_has_to_last(watched: Watched) -> None:
    watched.rule("GPU under 20% for 15 min")
    lazy, busy, young = watched.run(), watched.run(), watched.run()
    key = "system/gpu_1_utilization_percentage"
    watched.log(lazy, key, 90, *([5.0] * 16), every=MINUTE)
    watched.log(busy, key, *([5.0] * 10), 90, *([5.0] * 6), every=MINUTE)
    watched.log(young, key, *([5.0] * 10), every=MINUTE)
    watched.later()
    (alert,) = watched.all()
    assert (alert.run_id, alert.title) == (lazy, "gpu < 20 for 15m")
    assert alert.text.startswith(key)


def test_silence_is_measured_by_who_listens(watched: Watched) -> None:
    watched.rule("no point for 10m")
    run = watched.run()
    watched.log(run, "loss", 1.0)
    watched.later()
    watched.time.now += 400
    watched.log(run, "system/cpu_utilization_percentage", 3.0)  # a training that hangs: its machine goes on
    watched.later()
    assert watched.told() == []
    watched.time.now += 201
    watched.alarms.turn()
    watched.alarms.turn()
    (alert,) = watched.all()
    assert alert.text == "No point has come for 10m."
    other = Watched(watched.store)  # another server, which has heard of nothing yet, changes nothing about it
    other.later(700)
    watched.time.now += 700
    watched.alarms.turn()
    assert len(watched.all()) == 1
    watched.log(run, "loss", 0.9, first=1)
    watched.wait()
    watched.later()
    watched.time.now += 601
    watched.alarms.turn()
    assert watched.told() == ["no point for 10m"] * 2
    watched.store.write(runs.update_run, run, RunStatus.FINISHED, now(), "")
    watched.later(900)
    watched.later(900)
    assert len(watched.all()) == 2


def test_ends_and_verdicts_of_runs(watched: Watched) -> None:
    for condition in ("run failed", "run finished", "run unstable", "run lost"):
        watched.rule(condition)
    failed, good, lost = watched.run(), watched.run(), watched.run()
    watched.store.write(runs.update_run, failed, RunStatus.FAILED, now() + 10, "")
    watched.store.write(runs.set_tags, good, [Tag(key=verdicts.TAG, value="diverged")])
    watched.store.write(runs.update_run, good, RunStatus.FINISHED, now() + 10, "")
    journal = "0" * 32
    watched.store.write(lambda tx: heartbeats.hold(tx, runs.active(tx, lost), journal))
    watched.store.write(heartbeats.beat, {journal: 1000 + now()})
    (pulse,) = watched.store.read(heartbeats.pulses)
    watched.store.write(heartbeats.lose, {journal: pulse.time})
    watched.later()
    found = {(alert.run_id, alert.title) for alert in watched.all()}
    assert found == {(failed, "run failed"), (good, "run finished"), (good, "run unstable"), (lost, "run lost")}


def test_runs_that_ended_before_a_rule_was_made_are_left_alone(watched: Watched) -> None:
    old = watched.run()
    watched.store.write(runs.update_run, old, RunStatus.FAILED, now() - MINUTE, "")
    watched.rule("run failed")
    watched.store.write(runs.set_tags, old, [Tag(key="seen", value="yes")])
    watched.later()
    assert watched.told() == []


def test_two_servers_raise_an_alert_once(store_uri: str) -> None:
    first, second = open_store(store_uri), open_store(store_uri)
    try:
        both = [Watched(first), Watched(second)]
        both[0].rule("loss > 8")
        made = [both[0].run() for _ in range(8)]
        for run in made:
            both[0].log(run, "loss", 9.0)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Watched.later, both))
        assert sorted(alert.run_id for alert in both[1].all()) == sorted(made)
    finally:
        first.close()
        second.close()


def test_nothing_is_read_of_runs_without_rules_and_no_run_is_judged_in_vain(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []
    before = evaluation.subjects

    def counted(tx: object, ids: list[int], known: object) -> object:
        judged.extend(ids)
        return before(tx, ids, known)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "subjects", counted)
    other = watched.store.write(experiments.create, "without rules")
    watched.rule("loss > 8")
    watched.later()
    run = watched.store.write(runs.create, NewRun(experiment_id=other, start_time=1)).info.run_id
    watched.log(run, "loss", 9.0)
    watched.later()
    assert judged == []
    mine = watched.run()
    watched.log(mine, "loss", 1.0)
    watched.later()
    watched.later(60)
    assert len(judged) == 1


def test_rules_are_kept_once_and_removed(store: Store) -> None:
    first = store.write(rules.create, "0", "eval/loss NaN", "warning", ADA)
    assert (first.condition, first.created_by) == ("eval/loss is nan", "ada")
    again = store.write(rules.create, "0", "eval/loss is nan", "error", ADA)
    assert (again.rule_id, again.level) == (first.rule_id, Level.ERROR)
    assert store.read(rules.of_experiment, "0") == [again]
    store.write(rules.remove, first.rule_id)
    assert store.read(rules.of_experiment, "0") == []
    for id_ in (first.rule_id, "x", "9" * 40):
        with pytest.raises(NotFound):
            store.write(rules.remove, id_)
    with pytest.raises(NotFound):
        store.write(rules.create, "77", "run failed", "warning", ADA)
    with pytest.raises(InvalidInput, match="level"):
        store.write(rules.create, "0", "run failed", "loud", ADA)


def test_an_experiment_has_a_bounded_number_of_rules(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.limits.RULES_PER_EXPERIMENT", 2)
    for number in range(2):
        store.write(rules.create, "0", f"loss > {number}", "info", ADA)
    with pytest.raises(InvalidInput, match="most it can have"):
        store.write(rules.create, "0", "loss > 3", "info", ADA)


def test_alerts_are_listed_and_acknowledged(store: Store) -> None:
    made = [store.write(runs.create, NewRun(experiment_id="0", start_time=1)).info.run_id for _ in range(2)]
    for number in range(5):
        store.write(alerts.put, made[number % 2], number, Level.INFO, f"title {number}", "")
    page = store.read(alerts.listed, Wanted(), 2)
    assert ([alert.title for alert in page.alerts], page.open) == (["title 4", "title 3"], 5)
    rest = store.read(alerts.listed, Wanted(), 100, page.next_page_token or "")
    assert [alert.title for alert in rest.alerts] == ["title 2", "title 1", "title 0"]
    cursor = store.read(changes.cursor)
    assert store.write(alerts.acknowledge, [rest.alerts[0].alert_id], None, ADA) == 1
    assert store.write(alerts.acknowledge, [rest.alerts[0].alert_id], None, Caller(user="bob")) == 0
    assert store.read(changes.since, cursor)[0], "pages that are open learn of it"
    own = store.read(alerts.listed, Wanted(run_ids=[made[0]], open=True))
    assert ([alert.title for alert in own.alerts], own.open) == (["title 4", "title 0"], 2)
    assert store.write(alerts.acknowledge, [], Wanted(run_ids=[made[0]]), ADA) == 2
    seen = store.read(alerts.listed, Wanted(run_ids=[made[0]])).alerts
    assert {alert.acknowledged_by for alert in seen} == {"ada"}
    with pytest.raises(NotFound):
        store.write(alerts.acknowledge, ["12345"], None, ADA)
    store.write(runs.delete, made[1])
    assert store.read(alerts.listed, Wanted()).open == 0
    store.write(erase.erase_runs, [made[1]])
    assert len(store.read(alerts.listed, Wanted(experiment_ids=["0"])).alerts) == 3


def test_a_run_has_a_bounded_number_of_alerts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.limits.ALERTS_PER_RUN", 2)
    run = store.write(runs.create, NewRun(experiment_id="0", start_time=1)).info.run_id
    for _ in range(2):
        store.write(alerts.put, run, 1, Level.INFO, "x", "")
    with pytest.raises(InvalidInput, match="most it can have"):
        store.write(alerts.put, run, 1, Level.INFO, "x", "")
    with pytest.raises(InvalidInput, match="title"):
        store.write(alerts.put, run, 1, Level.INFO, "  ", "")
