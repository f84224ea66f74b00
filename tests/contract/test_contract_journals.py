"""Journals on both databases: exactly once, a verdict a record, and no copy that passes for the original."""

from __future__ import annotations

import functools
import math
import struct
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch import limits
from logbuch.errors import JournalDiverged, JournalOutOfStep
from logbuch.model import Metric, Param, RunStatus, Tag
from logbuch.store import Store, batch, experiments, journals, ledger, open_store, runs, search
from logbuch.store.journals import Receipt
from logbuch.store.metrics import history, sealing
from logbuch.store.runs import NewRun
from logbuch.wire import ingest, intake
from support.journals import Journal


def new_id() -> str:
    return uuid.uuid4().hex


def points(run_id: str, *rows: tuple[str, int, int, float]) -> ingest.Metrics:
    gathered = ingest.Points(run_id)
    for row in rows:
        gathered.add(*row)
    return gathered.record()


def of_series(store: Store, run_id: str, key: str) -> list[Metric]:
    return history.metrics(key, store.read(history.page, run_id, key, None)[0])


def refused(receipt: Receipt) -> list[tuple[int, str]]:
    return [(one.sequence, one.error_code) for one in receipt.refused]


def test_a_whole_run_travels_in_one_journal(store: Store) -> None:
    run_id, journal = new_id(), Journal()
    journal.add(
        ingest.NewExperiment("lora", [("owner", "ada")]),
        ingest.NewRun(run_id, "lora", "", "first", "ada", 5, [("a", "b")]),
        ingest.Params(run_id, [("lr", "0.1"), ("rank", "8")]),
        points(run_id, ("loss", 1, 10, 0.5), ("acc", 1, 10, 0.9), ("loss", 2, 11, 0.25)),
        ingest.Tags(run_id, [("phase", "sweep"), ("tmp", "x")]),
        ingest.DeleteTag(run_id, "tmp"),
        ingest.Inputs(run_id, [ingest.UsedDataset("d", "1", "local", "{}", None, None, [("context", "train")])]),
        ingest.Update(run_id, RunStatus.FINISHED, 9, "renamed"),
    )
    receipt = journal.send(store)
    assert receipt == Receipt(sequence=8, chain=journal.chains[8].hex(), refused=[])
    run = store.read(runs.get, run_id)
    assert (run.info.status, run.info.end_time, run.info.start_time, run.info.user_id) == ("FINISHED", 9, 5, "ada")
    assert run.data.params == {"lr": "0.1", "rank": "8"}
    assert run.data.metrics == {"loss": 0.25, "acc": 0.9}
    assert run.data.tags == {"a": "b", "phase": "sweep", "mlflow.runName": "renamed"}
    assert run.inputs.dataset_inputs[0].dataset.name == "d"
    experiment = store.read(experiments.get, run.info.experiment_id)
    assert (experiment.name, experiment.tags) == ("lora", {"owner": "ada"})


def test_what_is_sent_again_changes_nothing(store: Store) -> None:
    run_id, journal = new_id(), Journal()
    journal.add(ingest.NewRun(run_id, "Default"), ingest.Tags(run_id, [("t", "1")]), ingest.DeleteTag(run_id, "t"))
    first = journal.send(store)
    store.write(runs.set_tags, run_id, [Tag(key="t", value="mine")])
    assert journal.send(store) == first == journal.send(store, 2, 3)
    assert store.read(runs.get, run_id).data.tags["t"] == "mine"


def test_a_batch_may_overlap_what_was_taken_and_then_goes_on(store: Store) -> None:
    run_id, journal = new_id(), Journal()
    journal.add(
        ingest.NewRun(run_id, "Default"), ingest.Params(run_id, [("a", "1")]), ingest.Params(run_id, [("a", "2")])
    )
    assert refused(journal.send(store)) == [(3, "INVALID_PARAMETER_VALUE")]
    journal.add(ingest.Params(run_id, [("b", "1")]), ingest.Attach("none"))
    receipt = journal.send(store, 2)
    assert refused(receipt) == [(3, "INVALID_PARAMETER_VALUE"), (5, "RESOURCE_DOES_NOT_EXIST")]
    assert receipt.sequence == 5
    assert store.read(runs.get, run_id).data.params == {"a": "1", "b": "1"}


@pytest.mark.parametrize(("first", "last"), [(3, 3), (4, 4), (1, 1)])
def test_a_batch_that_does_not_meet_the_position_says_where_it_is(store: Store, first: int, last: int) -> None:
    journal = Journal().add(*(ingest.NewExperiment(f"e{number}") for number in range(4)))
    if first > 1:
        journal.send(store, 1, 1)
    else:
        journal.send(store, 1, 2)
    known = store.read(journals.position, journal.id)
    with pytest.raises(JournalOutOfStep) as caught:
        journal.send(store, first, last)
    assert type(caught.value) is JournalOutOfStep
    assert (caught.value.sequence, caught.value.chain) == (known.sequence, known.chain)
    assert f"Entry {known.sequence + 1} " in caught.value.message
    assert store.read(journals.position, journal.id) == known


def test_a_record_may_stand_for_many_entries_in_any_cut(store: Store) -> None:
    run_id, chain = new_id(), [bytes([number]) for number in range(31)]
    journal = new_id()

    def send(first: int, *cuts: int) -> Receipt:
        entries, begin = [], first
        for cut in cuts:
            rows = [("loss", entry, entry, float(entry)) for entry in range(begin, cut + 1)]
            record = points(run_id, *rows) if begin > 1 else ingest.NewRun(run_id, "Default")
            entries.append((cut - begin + 1, chain[cut], ingest.encode_record(record)))
            begin = cut + 1
        before = chain[first - 1] if first > 1 else b""
        return store.write(journals.ingest, intake.decode(ingest.encode_batch(journal, first, before, entries)))

    assert send(1, 1, 10).sequence == 10
    with pytest.raises(JournalOutOfStep) as caught:  # a record would have to be cut in two
        send(2, 20)
    assert (caught.value.sequence, caught.value.chain) == (10, chain[10].hex())
    assert send(2, 10, 30).sequence == 30
    assert [point.step for point in of_series(store, run_id, "loss")] == list(range(2, 31))


def test_a_copy_that_went_its_own_way_is_found(store: Store) -> None:
    original = Journal().add(ingest.NewExperiment("a"), ingest.NewExperiment("b"))
    copy = original.copy()
    original.send(store)
    assert copy.send(store).sequence == 2
    original.add(ingest.NewExperiment("c")).send(store, 3)
    copy.add(ingest.NewExperiment("d"))
    for first in (1, 3):
        with pytest.raises(JournalDiverged) as caught:
            copy.send(store, first)
        assert (caught.value.sequence, caught.value.chain) == (3, original.chains[3].hex())
    copy.add(ingest.NewExperiment("e"))
    with pytest.raises(JournalDiverged):
        copy.send(store, 4)
    # One that is only behind cannot be told from one that has diverged: it is told where the original stands.
    with pytest.raises(JournalOutOfStep):
        copy.send(store, 1, 2)
    copy.id = new_id()
    assert copy.send(store).sequence == 4
    assert {found.name for found in store.read(search.experiments)[0]} == {"Default", "a", "b", "c", "d", "e"}


def test_a_journal_that_the_store_does_not_know_begins_at_its_beginning(store: Store) -> None:
    journal = Journal().add(ingest.NewExperiment("a"), ingest.NewExperiment("b"))
    with pytest.raises(JournalOutOfStep) as caught:
        journal.send(store, 2)
    assert (caught.value.sequence, caught.value.chain) == (0, "")
    journal.chains[0] = b"x"
    with pytest.raises(JournalDiverged):
        journal.send(store)


def test_one_bad_record_fails_alone(store: Store) -> None:
    run_id, deleted = new_id(), store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    store.write(runs.delete, deleted)
    journal = Journal().add(
        ingest.NewRun(run_id, "Default"),
        points("unknown", ("loss", 1, 1, 1.0)),
        points(deleted, ("loss", 1, 1, 1.0)),
        points(run_id, ("good", 1, 1, 1.0), ("b\0d", 1, 1, 1.0)),
        ingest.Params(run_id, [("fine", "1"), ("x" * 251, "1")]),
        ingest.Tags(run_id, [("good", "1"), ("", "1")]),
        ingest.Inputs(
            run_id, [ingest.UsedDataset("d", "1", "local", "{}"), ingest.UsedDataset("", "1", "local", "{}")]
        ),
        ingest.NewRun("../x", "Default"),
        ingest.NewRun("", "Default"),
        ingest.NewRun(new_id(), "no such experiment"),
        ingest.NewExperiment("a\0b"),
        ingest.Update(run_id, None, 2**64 - 1),
        ingest.Update(run_id),
        msgspec.msgpack.encode(["media", run_id, b"x"]),
        ingest.Attach("a\0b"),
        points(run_id, ("loss", 1, 1, 1.0)),
    )
    receipt = journal.send(store)
    assert [one.sequence for one in receipt.refused] == list(range(2, 16))
    assert {one.error_code for one in receipt.refused} == {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}
    run = store.read(runs.get, run_id)
    assert (run.data.metrics, run.data.params, run.inputs.dataset_inputs) == ({"loss": 1.0}, {}, ())
    assert set(run.data.tags) == {"mlflow.runName"}
    assert [point.value for point in of_series(store, run_id, "loss")] == [1.0]
    listed = store.read(journals.refusals_of_run, run_id)
    assert (listed.total, {one.sequence for one in listed.refusals}) == (7, {4, 5, 6, 7, 12, 13, 14})
    assert [one.error_code for one in store.read(journals.refusals_of_run, "unknown").refusals] == [
        "RESOURCE_DOES_NOT_EXIST"
    ]
    assert store.read(journals.refusals_after, journal.id, 0, 100) == receipt.refused
    assert [one.sequence for one in store.read(journals.refusals_after, journal.id, 4, 2)] == [5, 6]
    assert [one.run_id for one in receipt.refused if one.sequence == 15] == [None]


def test_a_record_that_fails_after_it_has_written_leaves_nothing(store: Store) -> None:
    """Its new keys too: were they remembered, later records would point to names that are not there."""
    run_id, spoiled, journal = new_id(), new_id(), Journal()
    journal.add(ingest.NewRun(run_id, "Default", "", "name"), ingest.Params(run_id, [("p", "1")]))
    journal.add(ingest.NewRun(spoiled, "Default", "", "", "", 0, [("", "no key")]), ingest.Attach(spoiled))
    journal.add(ingest.Tags(run_id, [("a", "1"), ("mlflow.runName", "n" * (limits.RUN_NAME_LENGTH + 1))]))
    journal.add(ingest.Params(run_id, [("fresh", "1"), ("p", "2")]), points(run_id, ("fresh", 1, 1, 2.0)))
    journal.add(ingest.Params(run_id, [("fresh", "3")]))
    assert [one.sequence for one in journal.send(store).refused] == [3, 4, 5, 6]
    run = store.read(runs.get, run_id)
    assert run.data.params == {"p": "1", "fresh": "3"}
    assert run.data.metrics == {"fresh": 2.0}
    assert run.data.tags == {"mlflow.runName": "name"}


def test_an_odd_value_comes_back_bit_for_bit(store: Store) -> None:
    odd = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1e308, 5e-324, 1 / 3]
    run_id = new_id()
    journal = Journal().add(ingest.NewRun(run_id, "Default"))
    journal.add(points(run_id, *(("m", step, step, value) for step, value in enumerate(odd))))
    journal.send(store)
    for _ in range(2):
        found = of_series(store, run_id, "m")
        assert [struct.pack("<d", point.value) for point in found] == [struct.pack("<d", value) for value in odd]
        sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)


def test_a_runs_maker_may_make_it_again_and_nobody_else(store: Store) -> None:
    run_id, other = new_id(), store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    journal = Journal().add(ingest.NewRun(run_id, "Default", "", "one"), ingest.NewRun(run_id, "Default", "", "two"))
    assert journal.send(store).refused == []
    assert store.read(runs.get, run_id).info.run_name == "one"
    journal.add(ingest.NewRun(other, "Default"))
    assert refused(journal.send(store, 3)) == [(3, "RESOURCE_ALREADY_EXISTS")]
    stranger = Journal().add(ingest.NewRun(run_id, "Default"), points(run_id, ("m", 1, 1, 1.0)))
    assert refused(stranger.send(store)) == [(1, "RESOURCE_ALREADY_EXISTS")]
    assert store.read(runs.get, run_id).data.metrics == {"m": 1.0}


def test_a_run_may_name_its_experiment_by_id(store: Store) -> None:
    wanted = store.write(experiments.create, "by id")
    run_id = new_id()
    journal = Journal().add(ingest.NewRun(run_id, "", wanted), ingest.NewRun(new_id(), "", "99"))
    assert refused(journal.send(store)) == [(2, "RESOURCE_DOES_NOT_EXIST")]
    assert store.read(runs.get, run_id).info.experiment_id == wanted


def test_an_experiment_is_made_once_and_found_afterwards(store: Store) -> None:
    for value in ("1", "2"):
        assert Journal().add(ingest.NewExperiment("e", [("t", value)])).send(store).refused == []
    found = store.read(experiments.get_by_name, "e")
    assert found.tags == {"t": "1"}
    store.write(experiments.delete_experiment, found.experiment_id)
    journal = Journal().add(ingest.NewExperiment("e"), ingest.NewRun(new_id(), "e"))
    assert refused(journal.send(store)) == [(1, "INVALID_PARAMETER_VALUE"), (2, "INVALID_PARAMETER_VALUE")]


def test_runs_are_deleted_and_restored(store: Store) -> None:
    run_id = new_id()
    journal = Journal().add(ingest.NewRun(run_id, "Default"), ingest.DeleteRun(run_id), ingest.Attach(run_id))
    journal.add(ingest.RestoreRun(run_id), ingest.Attach(run_id))
    assert refused(journal.send(store)) == [(3, "INVALID_PARAMETER_VALUE")]
    assert store.read(runs.get, run_id).info.lifecycle_stage == "active"


def test_the_rules_are_those_of_log_batch(store: Store) -> None:
    run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    store.write(batch.log_batch, run_id, (), [Param(key="lr", value="1")])
    wrong = [
        ([("lr", "2")], "params"),
        ([("a", "1"), ("a", "1")], "params"),
        ([(f"k{number}", "v") for number in range(limits.PARAMS_PER_BATCH + 1)], "params"),
        ([("../x", "1")], "params"),
        ([(f"k{number}", "v") for number in range(limits.TAGS_PER_BATCH + 1)], "tags"),
    ]
    records = [(ingest.Params if kind == "params" else ingest.Tags)(run_id, pairs) for pairs, kind in wrong]
    verdicts = Journal().add(*records).send(store).refused
    for (pairs, kind), verdict in zip(wrong, verdicts, strict=True):
        nouns = [(Param if kind == "params" else Tag)(key=key, value=value) for key, value in pairs]
        arguments = ((), nouns) if kind == "params" else ((), (), nouns)
        with pytest.raises(Exception) as caught:
            store.write(batch.log_batch, run_id, *arguments)
        assert caught.value.message == verdict.message  # type: ignore[attr-defined]


def in_threads(*calls: Any) -> list[Any]:
    outcomes: list[Any] = [None] * len(calls)
    ready = threading.Barrier(len(calls))

    def run(number: int) -> None:
        ready.wait()
        try:
            outcomes[number] = calls[number]()
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_same_batch_from_many_sides_is_applied_once(store: Store, store_uri: str) -> None:
    """Two replicas, several connections each: of tag changes one can see how often they were applied."""
    replica = open_store(store_uri)
    try:
        for round_ in range(5):
            run_id, journal = new_id(), Journal()
            journal.add(ingest.NewExperiment(f"e{round_}"), ingest.NewRun(run_id, f"e{round_}"))
            journal.add(ingest.Tags(run_id, [("t", "1")]), ingest.DeleteTag(run_id, "t"), ingest.Attach("none"))
            journal.add(points(run_id, ("loss", 1, 1, 1.0)))
            sides = [store, replica] * 3
            receipts = in_threads(*(functools.partial(journal.send, side) for side in sides))
            assert [refused(receipt) for receipt in receipts] == [[(5, "RESOURCE_DOES_NOT_EXIST")]] * len(sides)
            assert len({msgspec.json.encode(receipt) for receipt in receipts}) == 1
            assert len(of_series(store, run_id, "loss")) == 1
            unreadable = Journal().add(b"", b"")  # about nothing else that could be locked
            receipts = in_threads(*(functools.partial(unreadable.send, side) for side in sides))
            assert [[one.sequence for one in receipt.refused] for receipt in receipts] == [[1, 2]] * len(sides)
    finally:
        replica.close()


def test_journals_that_share_runs_never_wait_in_a_ring(store: Store, store_uri: str) -> None:
    replica = open_store(store_uri)
    ids = [new_id() for _ in range(6)]
    Journal().add(*(ingest.NewRun(run_id, "Default") for run_id in ids)).send(store)

    def send(side: Store, order: Sequence[str], key: str) -> list[Receipt]:
        journal, receipts = Journal(), []
        for number in range(10):
            journal.add(*(points(run_id, (key, number, number, 1.0)) for run_id in order))
            journal.add(*(ingest.Tags(run_id, [(key, str(number))]) for run_id in order))
            receipts.append(journal.send(side, 1 + number * 2 * len(order)))
        return receipts

    try:
        outcomes = in_threads(
            lambda: send(store, ids, "a"), lambda: send(replica, ids[::-1], "b"), lambda: send(replica, ids[2:], "c")
        )
    finally:
        replica.close()
    assert [receipt.refused for receipts in outcomes for receipt in receipts] == [[]] * 30
    for run_id in ids:
        assert len(of_series(store, run_id, "a")) == len(of_series(store, run_id, "b")) == 10


def test_a_mistake_of_ours_refuses_the_record_and_holds_up_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: object, run_id: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ledger.Ledger, "attach", broken)
    run_id = new_id()
    journal = Journal().add(ingest.NewRun(run_id, "Default"), ingest.Attach(run_id), ingest.Tags(run_id, [("a", "1")]))
    assert refused(journal.send(store)) == [(2, "INTERNAL_ERROR")]
    assert store.read(runs.get, run_id).data.tags["a"] == "1"
    assert "ZeroDivisionError" in caplog.text


def test_a_failed_commit_leaves_the_position_where_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_id()
    journal = Journal().add(ingest.NewRun(run_id, "Default"), ingest.Attach(run_id))
    from logbuch.store import changes

    def broken(*arguments: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(changes, "flush", broken)
        with pytest.raises(RuntimeError):
            journal.send(store)
    assert store.read(journals.position, journal.id).sequence == 0
    assert journal.send(store).refused == []
    assert store.read(runs.get, run_id).info.run_id == run_id


names = st.sampled_from(["r1", "r2", "", "a\0", "Default", "../x", "\u00e9" * 300, "loss"])
pairs = st.lists(st.tuples(names, names), max_size=3)
records = st.one_of(
    st.builds(ingest.NewExperiment, names, pairs),
    st.builds(
        ingest.NewRun, names, names, st.sampled_from(["", "0", "x"]), names, names, st.integers(-9, 2**64 - 1), pairs
    ),
    st.builds(ingest.Attach, names),
    st.builds(ingest.Params, names, pairs),
    st.builds(ingest.Tags, names, pairs),
    st.builds(ingest.DeleteTag, names, names),
    st.builds(ingest.Inputs, names, st.lists(st.builds(ingest.UsedDataset, *[names] * 6), max_size=2)),
    st.builds(
        ingest.Update, names, st.none() | st.sampled_from(RunStatus), st.none() | st.integers(-9, 2**64 - 1), names
    ),
    st.builds(ingest.DeleteRun, names),
    st.builds(ingest.RestoreRun, names),
    st.builds(lambda run_id, key: points(run_id, (key, 1, 1, 1.0)), names, names),
    st.binary(max_size=9),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(records, min_size=1, max_size=12))
def test_whatever_a_journal_says_is_taken_or_refused(store: Store, said: list[Any]) -> None:
    journal = Journal().add(*said)
    receipt = journal.send(store)
    assert receipt.sequence == len(said)
    assert "INTERNAL_ERROR" not in {one.error_code for one in receipt.refused}
    assert journal.send(store) == receipt
