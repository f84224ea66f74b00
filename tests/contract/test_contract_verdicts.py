"""Verdicts on both databases: made, kept, told as a tag, and made anew when a run changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from logbuch.errors import NotFound
from logbuch.model import Metric, RunStatus, Tag
from logbuch.server.alarms import Alarms
from logbuch.server.examiner import AGAIN_SECONDS, SEALED_SECONDS, SETTLE_SECONDS, WAIT_SECONDS, Examiner
from logbuch.stability.findings import Kind, Word
from logbuch.store import Store, batch, examining, examining_sources, runs, search, verdicts
from logbuch.store.examining import Examined
from logbuch.store.metrics import backlog, sealing
from logbuch.store.runs import NewRun
from logbuch.store.search import RunQuery

FALLING, SLOWLY = ((2 * np.exp(-np.linspace(0, 3, count))).tolist() for count in (200, 2000))


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def new_run(store: Store, values: Sequence[float] = (), key: str = "loss", first: int = 0) -> str:
    made = store.write(runs.create, NewRun(experiment_id="0", start_time=1000))
    log(store, made.info.run_id, values, key, first)
    return made.info.run_id


def log(store: Store, run_id: str, values: Sequence[float], key: str = "loss", first: int = 0) -> None:
    points = [
        Metric(key=key, value=value, timestamp=10_000 * step, step=step) for step, value in enumerate(values, first)
    ]
    store.write(batch.log_batch, run_id, points)


def told(store: Store, run_id: str) -> str | None:
    return store.read(runs.get, run_id).data.tags.get(verdicts.TAG)


def words(store: Store, run_id: str) -> tuple[Word, list[Kind]]:
    verdict = store.read(verdicts.current, run_id).verdict
    return verdict.word, [finding.kind for finding in verdict.findings]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's own thread seals nothing meanwhile, however long a busy machine takes for the test."""
    monkeypatch.setattr(sealing, "REST_SECONDS", 3600.0)


@pytest.fixture
def examiner(store: Store, time: Time) -> Examiner:
    made = Examiner(store, time)
    made.turn()
    return made


def later(examiner: Examiner, time: Time, seconds: float) -> None:
    examiner.turn()
    time.now += seconds
    examiner.turn()


def test_runs_are_judged_by_their_curves(store: Store) -> None:
    assert words(store, new_run(store, FALLING)) == (Word.STABLE, [])
    spiked = [*FALLING[:100], 9.0, *FALLING[101:]]
    assert words(store, new_run(store, spiked)) == (Word.UNSTABLE, [Kind.SPIKE])
    assert words(store, new_run(store, [*FALLING, math.nan])) == (Word.DIVERGED, [Kind.NOT_FINITE])
    assert words(store, new_run(store, FALLING[:20])) == (Word.SHORT, [])
    assert words(store, new_run(store)) == (Word.UNKNOWN, [])


def test_any_metric_is_looked_at_for_what_is_no_number(store: Store) -> None:
    run_id = new_run(store, FALLING)
    log(store, run_id, [1.0, math.inf, 1.0], "aux/entropy")
    verdict = store.read(verdicts.current, run_id).verdict
    assert [(finding.kind, finding.metric, finding.start) for finding in verdict.findings] == [
        (Kind.NOT_FINITE, "aux/entropy", 1)
    ]


def test_a_gpu_is_looked_at_by_the_clock(store: Store) -> None:
    run_id = new_run(store, FALLING)
    log(store, run_id, [90.0] * 100 + [1.0] * 100 + [90.0] * 50, "system/gpu_0_utilization_percentage")
    verdict = store.read(verdicts.current, run_id).verdict
    (finding,) = verdict.findings
    assert (finding.kind, finding.start, finding.end) == (Kind.IDLE_GPU, 1_000_000, 2_000_000)
    assert verdict.word is Word.STABLE


def test_a_kept_verdict_stands_until_the_run_changes(store: Store) -> None:
    run_id = new_run(store, FALLING)
    first = store.read(examining.examine, run_id)
    store.write(verdicts.keep, [first])
    assert told(store, run_id) == "stable"
    store.write(verdicts.keep, [store.read(examining.examine, run_id)])  # the tag has changed the run
    kept = store.read(verdicts.current, run_id)
    assert kept.verdict == first.verdict
    log(store, run_id, [math.nan], first=200)
    assert words(store, run_id)[0] is Word.DIVERGED


def test_kept_verdicts_are_read_together_and_nothing_is_examined(store: Store) -> None:
    good, bad, never = new_run(store, FALLING), new_run(store, [*FALLING, math.nan]), new_run(store, FALLING)
    assert store.read(verdicts.kept, [good, bad]) == []
    store.write(verdicts.keep, [store.read(examining.examine, run_id) for run_id in (good, bad)])
    log(store, good, [math.nan], first=200)  # what is kept stays until the run is examined again
    found = store.read(verdicts.kept, [bad, good, never, bad, "0" * 32, "no\0run"])
    words_of = {one.run_id: (one.verdict.word, [finding.kind for finding in one.verdict.findings]) for one in found}
    assert words_of == {good: (Word.STABLE, []), bad: (Word.DIVERGED, [Kind.NOT_FINITE])}
    assert len(found) == 2


def test_the_examiner_tells_by_a_tag_what_is_searched_by_it(store: Store, examiner: Examiner, time: Time) -> None:
    good, bad = new_run(store, FALLING), new_run(store, [*FALLING, math.nan])
    later(examiner, time, SETTLE_SECONDS - 0.1)
    assert told(store, good) is None
    later(examiner, time, 0.2)
    assert (told(store, good), told(store, bad)) == ("stable", "diverged")
    query = RunQuery(experiment_ids=("0",), filter=f"tags.`{verdicts.TAG}` = 'diverged'")
    found, _ = store.read(search.page, query, 10)
    assert [row.run_id for row in found] == [bad]


def test_a_run_that_goes_on_is_judged_now_and_then(store: Store, examiner: Examiner, time: Time) -> None:
    run_id = new_run(store, FALLING)
    later(examiner, time, SETTLE_SECONDS)
    assert told(store, run_id) == "stable"
    log(store, run_id, [math.nan], first=200)
    later(examiner, time, SETTLE_SECONDS)
    assert told(store, run_id) == "stable"
    later(examiner, time, AGAIN_SECONDS)
    assert told(store, run_id) == "diverged"


def test_what_a_run_no_longer_is_is_not_told_any_more(store: Store) -> None:
    run_id = new_run(store, FALLING[:10])
    store.write(runs.set_tags, run_id, (Tag(key=verdicts.TAG, value="stable"),))
    store.write(verdicts.keep, [store.read(examining.examine, run_id)])
    assert told(store, run_id) is None


def test_runs_of_the_past_are_judged_when_nothing_else_is_to_be_done(store: Store, time: Time) -> None:
    old = [new_run(store, FALLING) for _ in range(5)]
    examiner = Examiner(store, time)
    for _ in range(3):
        examiner.turn()
    assert {told(store, run_id) for run_id in old} == {"stable"}


def test_pages_of_the_past_miss_no_run_of_a_large_commit(store: Store) -> None:
    made = [new_run(store) for _ in range(7)]
    found: list[int] = []
    version: int | None = None
    while True:
        page, version = store.read(verdicts.before, version, 2)
        found += page
        if version is None:
            break
    assert len(found) == len(set(found)) == len(made)


def test_a_run_without_points_costs_the_examiner_nothing(store: Store) -> None:
    empty, full = new_run(store), new_run(store, FALLING)
    ids, _ = store.read(verdicts.before, None, 10)
    assert store.read(verdicts.unexamined, ids) == [full]
    log(store, empty, FALLING)
    assert set(store.read(verdicts.unexamined, ids)) == {empty, full}


def test_deleted_and_erased_runs_are_left_alone(store: Store, examiner: Examiner, time: Time) -> None:
    run_id = new_run(store, FALLING)
    examined = store.read(examining.examine, run_id)
    store.write(runs.delete, run_id)
    later(examiner, time, SETTLE_SECONDS)
    assert told(store, run_id) is None
    with pytest.raises(NotFound):
        store.read(verdicts.current, "f" * 32)
    store.write(verdicts.keep, [Examined(run_id="f" * 32, version=1, verdict=examined.verdict)])


def test_a_failure_makes_the_examiner_forget_nothing(
    store: Store, examiner: Examiner, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [new_run(store, FALLING) for _ in range(3)]
    with monkeypatch.context() as broken:
        broken.setattr(verdicts, "renew_short", lambda tx, run_ids: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            later(examiner, time, SETTLE_SECONDS)
    later(examiner, time, AGAIN_SECONDS)
    assert {told(store, run_id) for run_id in made} == {"stable"}


def test_a_single_nan_amid_any_metric_is_told(store: Store) -> None:
    run_id = new_run(store, FALLING)
    log(store, run_id, [1.0, math.nan, 1.0], "aux/entropy")
    assert words(store, run_id) == (Word.DIVERGED, [Kind.NOT_FINITE])


def test_the_place_of_a_nan_in_a_long_metric_is_told_exactly(store: Store) -> None:
    run_id = new_run(store, FALLING)
    values = [1.0] * 6000
    values[4321] = math.nan
    for first in range(0, 6000, 1000):
        log(store, run_id, values[first : first + 1000], "aux/entropy", first)
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
    (finding,) = store.read(verdicts.current, run_id).verdict.findings
    assert (finding.metric, finding.start, finding.count) == ("aux/entropy", 4321, 1)


def test_judging_merges_no_latest_values(store: Store, examiner: Examiner, time: Time) -> None:
    run_id = new_run(store, [*FALLING, math.nan])
    alarms = Alarms(store, time)
    later(examiner, time, SETTLE_SECONDS)
    alarms.turn()
    assert store.read(backlog.waiting) == [run_id], "whoever logs much would pay for it at each look"
    assert told(store, run_id) == "diverged"


def test_what_is_no_number_is_found_among_many_metrics_before_it_is_merged(store: Store) -> None:
    run_id = new_run(store)
    names = [f"layer/{number:03}" for number in range(examining_sources.OTHERS + 10)]
    points = [Metric(key=name, value=1.0, timestamp=1, step=step) for name in names for step in range(3)]
    store.write(batch.log_batch, run_id, points)
    log(store, run_id, [math.nan], names[-1], first=3)
    verdict = store.read(examining.examine, run_id).verdict
    assert store.read(backlog.waiting) == [run_id]
    assert [(found.kind, found.metric) for found in verdict.findings] == [(Kind.NOT_FINITE, names[-1])]


def logged_long(store: Store, values: Sequence[float], key: str = "loss") -> str:
    """A run whose points are in blocks."""
    run_id = new_run(store)
    for first in range(0, len(values), 1000):
        log(store, run_id, values[first : first + 1000], key, first)
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
    return run_id


def test_a_long_run_is_judged_by_its_summaries_and_closely_where_something_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(4)
    values = 2 * np.exp(-np.linspace(0, 3, 30_000)) + random.normal(0, 0.01, 30_000)
    looks: list[object] = []
    judge = examining.judge
    monkeypatch.setattr(examining, "judge", lambda watch: (looks.append(len(watch.loss.curve)), judge(watch))[1])
    clean = logged_long(store, values.tolist())
    assert words(store, clean) == (Word.STABLE, [])
    assert looks == [30_000 // 128 + 1]
    values[20_123] = 9.0
    (finding,) = store.read(verdicts.current, logged_long(store, values.tolist())).verdict.findings
    assert looks[1:] == [30_000 // 128 + 1, 2000]
    assert (finding.kind, finding.value, finding.count) == (Kind.SPIKE, 9.0, 1)
    assert 20_123 - 15 <= finding.start <= 20_123 < (finding.end or 0) <= 20_123 + 15


def test_points_that_are_not_sealed_are_judged_with_the_others(store: Store) -> None:
    random = np.random.default_rng(4)
    values = 2 * np.exp(-np.linspace(0, 3, 30_000)) + random.normal(0, 0.01, 30_000)
    run_id = logged_long(store, values[:29_000].tolist())
    log(store, run_id, values[29_000:].tolist(), first=29_000)
    assert words(store, run_id) == (Word.STABLE, [])
    log(store, run_id, [math.nan], first=30_000)
    assert words(store, run_id) == (Word.DIVERGED, [Kind.NOT_FINITE])


def test_short_runs_are_judged_together_as_each_by_itself(store: Store) -> None:
    random = np.random.default_rng(5)
    made = [
        new_run(store),
        new_run(store, FALLING[:3]),
        new_run(store, FALLING[:3], "accuracy"),
        new_run(store, FALLING),
    ]
    made.append(new_run(store, [*FALLING[:100], 9.0, *FALLING[101:]]))
    made.append(new_run(store, [*FALLING[:2], math.nan]))
    made.append(new_run(store, (1 + random.normal(0, 0.01, 900)).tolist()))
    for run_id in made[3:6]:
        log(store, run_id, [1.0, math.inf], "aux/entropy")
        log(store, run_id, [90.0] * 100 + [1.0] * 100, "system/gpu_0_utilization_percentage")
    log(store, made[3], FALLING[:100])  # the same points again
    store.write(runs.set_tags, made[1], (Tag(key="logbuch.records_lost", value="4"),))
    together = {one.run_id: one for one in store.read(verdicts.renew_short, made)}
    assert together.keys() == set(made[1:]), "a run without points is not judged"
    for run_id in made[1:]:
        assert together[run_id] == store.read(examining.examine, run_id)


def test_long_runs_are_not_judged_among_the_short(store: Store) -> None:
    sealed, long = logged_long(store, SLOWLY), new_run(store)
    for first in range(0, 5000, 1000):
        log(store, long, [1.0] * 1000, first=first)
    assert store.read(verdicts.renew_short, [sealed, long]) == []
    assert {one.run_id for one in store.read(verdicts.renew, [sealed, long])} == {sealed, long}


def test_a_tag_costs_no_judgement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = new_run(store, FALLING), logged_long(store, SLOWLY)
    store.write(verdicts.keep, store.read(verdicts.renew, [short, long]))
    store.write(runs.set_tags, short, (Tag(key="mine", value="1"),))
    with monkeypatch.context() as judged:
        judged.setattr(examining, "judge", lambda watch: 1 / 0)
        judged.setattr("logbuch.store.examining_short.judge", lambda watch: 1 / 0)
        for found in (store.read(verdicts.renew, [short, long]), store.read(verdicts.renew_short, [short])):
            store.write(verdicts.keep, found)
        assert words(store, long)[0] is words(store, short)[0] is Word.STABLE
        ids = [store.read(runs.row, run_id).id for run_id in (short, long)]
        assert store.read(verdicts.unexamined, ids) == []
    log(store, short, [math.nan], first=200)
    assert words(store, short)[0] is Word.DIVERGED


@pytest.mark.usefixtures("unhurried")
def test_long_runs_are_judged_together_as_each_by_itself(store: Store) -> None:
    random = np.random.default_rng(6)
    noise = (1 + random.normal(0, 0.01, 3000)).tolist()
    made = [logged_long(store, SLOWLY), logged_long(store, noise), logged_long(store, [*noise[:2000], 9.0, *noise])]
    made += [logged_long(store, SLOWLY, "accuracy"), new_run(store, FALLING), new_run(store)]
    log(store, made[0], [1.0, math.nan], "aux/entropy")
    log(store, made[1], noise[:100], "eval/loss")
    store.write(runs.set_tags, made[2], (Tag(key="logbuch.records_lost", value="4"),))
    together = {one.run_id: one for one in store.read(verdicts.renew, [*made, "f" * 32])}
    assert together == {run_id: store.read(examining.examine, run_id) for run_id in made}
    words_of = [together[run_id].verdict.word for run_id in made]
    assert words_of == [Word.DIVERGED, Word.STALLED, Word.UNSTABLE, Word.UNKNOWN, Word.STABLE, Word.UNKNOWN]


@pytest.mark.usefixtures("unhurried")
def test_runs_are_read_together_as_long_as_their_logs_are_short(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [new_run(store, FALLING) for _ in range(5)]
    parts: list[int] = []
    sources = examining.sources
    monkeypatch.setattr(examining, "LOG_POINTS", 2 * len(FALLING))
    monkeypatch.setattr(
        examining, "sources", lambda tx, wanted, *rest: (parts.append(len(wanted)), sources(tx, wanted, *rest))[1]
    )
    assert {one.run_id for one in store.read(verdicts.renew, made)} == set(made)
    assert parts == [2, 2, 1]


@pytest.mark.usefixtures("unhurried")
def test_what_the_examiner_itself_tells_costs_no_second_judgement(
    store: Store, examiner: Examiner, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [logged_long(store, SLOWLY) for _ in range(3)]
    later(examiner, time, SETTLE_SECONDS)
    assert {told(store, run_id) for run_id in made} == {"stable"}
    monkeypatch.setattr(verdicts, "renew", lambda tx, run_ids: 1 / 0)
    for _ in range(3):
        later(examiner, time, AGAIN_SECONDS)
    assert store.read(verdicts.unexamined, [store.read(runs.row, run_id).id for run_id in made]) == []


@pytest.mark.usefixtures("unhurried")
def test_a_run_with_a_long_log_is_judged_once_that_is_sealed(store: Store, examiner: Examiner, time: Time) -> None:
    run_id = new_run(store)
    for first in range(0, 5000, 1000):
        log(store, run_id, SLOWLY[:1000], first=first)
    later(examiner, time, SETTLE_SECONDS)
    log(store, run_id, [1.0], first=5000)
    later(examiner, time, 1)
    assert told(store, run_id) is None
    later(examiner, time, SEALED_SECONDS)
    assert told(store, run_id) is None, "a busy server seals later"
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
    later(examiner, time, SETTLE_SECONDS)
    assert told(store, run_id) is not None


@pytest.mark.usefixtures("unhurried")
def test_a_run_that_never_rests_is_judged_nevertheless(store: Store, examiner: Examiner, time: Time) -> None:
    run_id, seconds = new_run(store), 0
    for first in range(0, 5000, 1000):
        log(store, run_id, SLOWLY[:1000], first=first)
    while told(store, run_id) is None:
        later(examiner, time, 3)
        seconds += 3
        log(store, run_id, [1.0], first=5000 + seconds)
    assert WAIT_SECONDS <= seconds <= WAIT_SECONDS + 9


def test_which_runs_have_ended(store: Store) -> None:
    going, done = new_run(store, FALLING), new_run(store, FALLING)
    store.write(runs.update_run, done, RunStatus.FAILED, 2)
    ids = {run_id: store.read(runs.row, run_id).id for run_id in (going, done)}
    assert store.read(verdicts.ended, list(ids.values())) == [ids[done]]


def test_lost_records_are_told_with_the_hole_that_they_left(store: Store) -> None:
    run_id = new_run(store, FALLING[:80])
    log(store, run_id, FALLING[130:], first=130)
    assert words(store, run_id) == (Word.STABLE, []), "a training may leave out steps"
    store.write(runs.set_tags, run_id, (Tag(key="logbuch.records_lost", value="50"),))
    (finding,) = store.read(verdicts.current, run_id).verdict.findings
    assert (finding.kind, finding.metric, finding.count) == (Kind.LOST, "loss", 50)
    assert (finding.start, finding.end) == (79, 130)
    assert words(store, run_id)[0] is Word.STABLE
    store.write(runs.set_tags, run_id, (Tag(key="logbuch.records_lost", value="60"),))
    assert store.read(verdicts.current, run_id).verdict.findings[0].count == 60
    store.write(runs.set_tags, run_id, (Tag(key="logbuch.records_lost", value="many"),))
    assert words(store, run_id) == (Word.STABLE, [])


def test_lost_records_without_a_hole_or_a_loss_are_told_too(store: Store) -> None:
    whole, bare = new_run(store, FALLING), new_run(store, FALLING, "accuracy")
    for run_id in (whole, bare):
        store.write(runs.set_tags, run_id, (Tag(key="logbuch.records_lost", value="1"),))
        (finding,) = store.read(verdicts.current, run_id).verdict.findings
        assert (finding.kind, finding.metric, finding.start, finding.end) == (Kind.LOST, "", 0, None)


def test_a_hole_in_a_long_run_is_found_among_and_between_its_summaries(store: Store) -> None:
    for first, last in ((10_000, 12_000), (12_345, 12_600)):
        values = (2 * np.exp(-np.linspace(0, 3, 30_000))).tolist()
        run_id = new_run(store)
        steps = [step for step in range(30_000) if not first <= step < last]
        for start in range(0, len(steps), 1000):
            points = [
                Metric(key="loss", value=values[step], timestamp=step, step=step)
                for step in steps[start : start + 1000]
            ]
            store.write(batch.log_batch, run_id, points)
        sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
        store.write(runs.set_tags, run_id, (Tag(key="logbuch.records_lost", value="7"),))
        (finding,) = store.read(verdicts.current, run_id).verdict.findings
        assert first - 128 <= finding.start < first
        assert last <= (finding.end or 0) <= last + 128
