"""Signs of life on both databases: who is lost, who comes back, and who was never watched."""

from __future__ import annotations

import uuid

import pytest

from logbuch.model import LOST, RunStatus, ViewType
from logbuch.server.watch import END_SIGNS, LOST_SIGNS, Watch
from logbuch.store import Store, heartbeats, journals, runs, search, table
from logbuch.store.tx import Tx
from logbuch.wire import ingest, intake


class Process:
    """A client's process: a journal that is sent record by record."""

    def __init__(self, store: Store) -> None:
        self.store, self.journal = store, uuid.uuid4().hex
        self._sent, self.chain = 0, b""

    def send(self, *records: ingest.Record) -> None:
        entries, before = [], self.chain
        for record in records:
            raw = ingest.encode_record(record)
            self.chain = ingest.link(self.chain, raw)
            entries.append((1, self.chain, raw))
        batch = intake.decode(ingest.encode_batch(self.journal, self._sent + 1, before, entries))
        assert self.store.write(journals.ingest, batch).refused == []
        self._sent += len(records)

    def begin(self, *run_ids: str) -> Process:
        for run_id in run_ids:
            self.send(ingest.NewRun(run_id, "", "0", start_time=1000), ingest.Hold(run_id))
        return self


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def watch(store: Store, time: Time) -> Watch:
    return Watch(store, 10.0, time)


def pass_by(watch: Watch, time: Time, seconds: float, *alive: Process) -> None:
    """Lets time go by, with signs of the processes that live."""
    end = time.now + seconds
    while time.now < end:
        time.now += 5
        for process in alive:
            watch.note(process.journal)
        watch.turn()


def head(store: Store, run_id: str) -> table.Head:
    page = store.read(
        table.page, search.RunQuery(["0"], f"attributes.run_id = '{run_id}'", view=ViewType.ALL), [], 10, ""
    )
    return page.runs[0]


def status(store: Store, run_id: str) -> str:
    return head(store, run_id).status


def found(store: Store, question: str) -> set[str]:
    rows, _ = store.read(search.runs, ["0"], question)
    return {run.info.run_id for run in rows}


def test_a_silent_process_is_lost_then_ended_and_the_other_is_not(store: Store, watch: Watch, time: Time) -> None:
    dead, alive = Process(store).begin("a", "b"), Process(store).begin("c")
    stock = store.write(runs.create, runs.NewRun(experiment_id="0")).info.run_id
    dead.send(ingest.Update("b", RunStatus.FINISHED, 2000))
    pass_by(watch, time, LOST_SIGNS * 10 - 5, alive)
    assert {status(store, run_id) for run_id in ("a", "c", stock)} == {"RUNNING"}
    pass_by(watch, time, 10, alive)
    assert [status(store, run_id) for run_id in ("a", "b", "c", stock)] == [LOST, "FINISHED", "RUNNING", "RUNNING"]
    assert found(store, "attributes.status = 'LOST'") == {"a"}
    assert found(store, "attributes.status = 'RUNNING'") == {"c", stock}
    assert found(store, "attributes.status IN ('RUNNING', 'LOST')") == {"a", "c", stock}
    assert found(store, "attributes.status != 'RUNNING'") == {"a", "b"}
    assert found(store, "NOT attributes.status = 'LOST'") == {"b", "c", stock}
    assert found(store, "attributes.status LIKE 'LO%'") == {"a"}
    ordered, _ = store.read(search.runs, ["0"], "", ["attributes.status"])
    assert [run.info.run_id for run in ordered][:2] == ["b", "a"]  # FINISHED, LOST, RUNNING
    lost = store.read(runs.get, "a").info
    assert (lost.status, lost.lost) == (RunStatus.RUNNING, True)
    pass_by(watch, time, END_SIGNS * 10, alive)
    ended = store.read(runs.get, "a").info
    assert (ended.status, ended.end_time, ended.lost) == (RunStatus.KILLED, ended.lost_time, False)
    assert (head(store, "a").lost_time, head(store, "b").lost_time) == (ended.lost_time, None)
    assert status(store, "c") == status(store, stock) == "RUNNING"


def test_what_was_lost_or_ended_comes_back_with_its_process(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a")
    for seconds, then in ((LOST_SIGNS * 10 + 10, LOST), (END_SIGNS * 10 + 10, "KILLED")):
        pass_by(watch, time, seconds)
        assert status(store, "a") == then
        pass_by(watch, time, 5, process)
        info = store.read(runs.get, "a").info
        assert (info.status, info.end_time, info.lost_time) == (RunStatus.RUNNING, None, None)


def test_an_end_that_was_said_stands(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a")
    pass_by(watch, time, LOST_SIGNS * 10 + 10)
    process.send(ingest.Update("a", RunStatus.FINISHED, 5000))
    pass_by(watch, time, 20, process)
    info = store.read(runs.get, "a").info
    assert (info.status, info.end_time, info.lost_time) == (RunStatus.FINISHED, 5000, None)


def test_a_server_that_was_away_calls_nobody_lost(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a")
    pass_by(watch, time, 20, process)
    time.now += 3600  # it slept, or its clock jumped
    watch.turn()
    assert status(store, "a") == "RUNNING"
    later = Watch(store, 10.0, time)  # it was started again
    pass_by(later, time, LOST_SIGNS * 10 - 5)
    assert status(store, "a") == "RUNNING"
    pass_by(later, time, 10)
    assert status(store, "a") == LOST


def test_two_watches_do_not_contradict_each_other(store: Store, watch: Watch, time: Time) -> None:
    """Replicas: each hears some of the processes, and reads of the others in the database."""
    other, process = Watch(store, 10.0, time), Process(store).begin("a")
    for _ in range(20):
        time.now += 5
        other.note(process.journal)
        watch.turn()
        other.turn()
        assert status(store, "a") == "RUNNING"


def test_a_run_of_two_processes_is_lost_with_the_last(store: Store, watch: Watch, time: Time) -> None:
    first, second = Process(store).begin("a"), Process(store)
    second.send(ingest.Update("a", RunStatus.RUNNING), ingest.Hold("a"))
    pass_by(watch, time, 100, first)
    assert status(store, "a") == "RUNNING"
    assert store.write(heartbeats.gone, second.journal, 3000) == 0  # the first one carries on
    pass_by(watch, time, 100, second)
    assert status(store, "a") == "RUNNING"
    pass_by(watch, time, 100)
    assert status(store, "a") == LOST


def test_a_run_of_two_processes_ends_with_the_last_that_goes(store: Store) -> None:
    first, second = Process(store).begin("a"), Process(store)
    second.send(ingest.Update("a", RunStatus.RUNNING), ingest.Hold("a"))
    assert store.write(heartbeats.gone, first.journal, 3000) == 0
    assert store.write(heartbeats.gone, second.journal, 4000) == 1
    assert status(store, "a") == "KILLED"
    store.write(heartbeats.prune)
    store.write(heartbeats.beat, {first.journal: 5000})  # it was not gone
    assert status(store, "a") == "RUNNING"
    assert store.write(heartbeats.gone, second.journal, 6000) == 0
    assert store.write(heartbeats.gone, first.journal, 7000) == 1


def test_a_client_without_signs_that_goes_on_with_a_run_is_not_watched(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a")
    pass_by(watch, time, LOST_SIGNS * 10 + 10)
    store.write(runs.update_run, "a", RunStatus.RUNNING)
    pass_by(watch, time, END_SIGNS * 20)
    assert status(store, "a") == "RUNNING"
    del process


def test_a_process_that_is_known_to_be_gone(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a", "b", "c")
    process.send(ingest.Update("b", RunStatus.FAILED, 2000))
    assert store.write(heartbeats.gone, process.journal, 7000) == 2
    assert store.write(heartbeats.gone, process.journal, 9000) == 0
    info = store.read(runs.get, "a").info
    assert (info.status, info.end_time) == (RunStatus.KILLED, 7000)
    assert status(store, "b") == "FAILED"
    other = Process(store)  # somebody goes on with it
    other.send(ingest.Update("a", RunStatus.RUNNING), ingest.Hold("a"))
    assert store.write(heartbeats.gone, process.journal, 9000) == 0
    pass_by(watch, time, 100, other)
    assert status(store, "a") == "RUNNING"


def test_a_time_of_death_in_the_future_or_before_the_start(store: Store) -> None:
    process = Process(store).begin("a")
    store.write(heartbeats.gone, process.journal, 5)
    assert store.read(runs.get, "a").info.end_time == 1000
    other = Process(store).begin("b")
    store.write(heartbeats.gone, other.journal, 2**62)
    end = store.read(runs.get, "b").info.end_time
    assert end is not None
    assert end < 2**50


def test_unknown_processes_change_nothing(store: Store, watch: Watch) -> None:
    stranger = uuid.uuid4().hex
    watch.note(stranger)
    watch.turn()
    assert store.write(heartbeats.gone, stranger, 5) == 0
    assert store.read(heartbeats.pulses) == []
    store.write(heartbeats.prune)


def test_counts_of_running_runs_leave_the_lost_out(store: Store, watch: Watch, time: Time) -> None:
    Process(store).begin("a", "b")
    alive = Process(store).begin("c")
    pass_by(watch, time, LOST_SIGNS * 10 + 10, alive)
    (use,) = store.read(table.experiments, ViewType.ACTIVE_ONLY)
    assert (use.runs, use.running) == (3, 1)


def test_a_deleted_run_of_a_living_process(store: Store, watch: Watch, time: Time) -> None:
    process = Process(store).begin("a")
    store.write(runs.delete, "a")
    pass_by(watch, time, 100, process)
    assert store.read(runs.get, "a").info.status is RunStatus.RUNNING


def test_what_was_finished_long_ago_is_forgotten(
    store: Store, watch: Watch, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, refused, moving = Process(store).begin("a"), Process(store).begin("b"), Process(store).begin("c")
    for process, run_id in ((done, "a"), (refused, "b")):
        process.send(ingest.Update(run_id, RunStatus.FINISHED, 2000))
    batch = intake.decode(
        ingest.encode_batch(refused.journal, 4, refused.chain, [(1, b"x", ingest.encode_record(ingest.Attach("none")))])
    )
    assert len(store.write(journals.ingest, batch).refused) == 1
    real = Tx.now
    monkeypatch.setattr(Tx, "now", lambda tx: real(tx) + journals.KEPT_MS + 1000)
    old = store.read(journals.old)
    assert set(old) == {done.journal, moving.journal}
    moving.send(ingest.Attach("c"))  # meanwhile
    store.write(journals.prune, old)
    assert store.read(journals.position, done.journal).sequence == 0
    assert store.read(journals.position, refused.journal).sequence == 4
    assert store.read(journals.position, moving.journal).sequence == 3
    assert store.read(runs.get, "a").info.status is RunStatus.FINISHED
    time.now += 7200
    watch.turn()  # it does so by itself
    # Whoever holds a running run may only sleep.
    assert [pulse.journal for pulse in store.read(heartbeats.pulses)] == [moving.journal]
    store.write(runs.update_run, "c", RunStatus.FINISHED, 2000)
    store.write(heartbeats.prune)
    store.write(heartbeats.beat, {done.journal: 1})  # of none a sign is remembered
    assert store.read(heartbeats.pulses) == []


def test_a_journal_that_was_forgotten_and_comes_again_changes_nothing(store: Store) -> None:
    process = Process(store).begin("a")
    process.send(ingest.Params("a", [("lr", "0.1")]), ingest.Update("a", RunStatus.FINISHED, 2000))
    before = store.read(runs.get, "a")
    again = Process(store)
    again.journal = process.journal
    store.write(journals.prune, [process.journal])
    assert store.read(journals.position, process.journal).sequence == 4  # it is not old
    with pytest.MonkeyPatch.context() as later:
        real = Tx.now
        later.setattr(Tx, "now", lambda tx: real(tx) + journals.KEPT_MS + 1000)
        store.write(journals.prune, [process.journal])
    again.begin("a").send(ingest.Params("a", [("lr", "0.1")]), ingest.Update("a", RunStatus.FINISHED, 2000))
    assert store.read(runs.get, "a") == before
