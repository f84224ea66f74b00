"""The sender over MLflow's protocol: batches, outages, refusals, limits. Its backend is a fake where the network would
be: a server that knows no journals."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError, NotFound, PermissionDenied, Unavailable
from logbuch.model import RunStatus
from logbuch.sdk.backends.backend import Batch
from logbuch.sdk.journal import segments
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.shipping.records import Kind, Record
from logbuch.sdk.shipping.sender import Sender
from logbuch.wire import ingest

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class FakeBackend:
    """Remembers what it was sent; ``judge`` gives each batch its verdict."""

    gather_seconds = 0.0
    uri = "fake:"
    silent = False
    barred = None
    keeps_acknowledged = True

    def __init__(self, judge: Callable[[Batch], LogbuchError | None] = lambda batch: None) -> None:
        self.judge = judge
        self.taken: list[Batch] = []
        self.attempts = 0
        self.aliases: dict[str, str] = {}

    def greet(self, journals: object) -> Any:
        raise EndpointNotFound("no journals here")

    def log_batches(self, batches: Sequence[Batch]) -> list[LogbuchError | None]:
        verdicts = []
        for batch in batches:
            self.attempts += 1
            verdict = self.judge(batch)
            if verdict is None:
                self.taken.append(batch)
            verdicts.append(verdict)
        return verdicts

    @property
    def values(self) -> list[float]:
        return [point.value for batch in self.taken for point in batch.metrics]


class Deed:
    """A call that notes that it was done."""

    def __init__(self, error: LogbuchError | None = None) -> None:
        self.error, self.done, self.settled_times = error, 0, 0

    def perform(self, backend: Any) -> None:
        self.done += 1
        if self.error is not None:
            raise self.error

    def describe(self) -> str:
        return "a deed"

    def weight(self) -> int:
        return 0

    def settled(self) -> None:
        self.settled_times += 1


def log(sender: Sender, value: float, run: str = "r", key: str = "m") -> None:
    """A point, as a run's writer logs it."""
    if not sender.journal.point(run, key, float(value), 0, 0):
        sender.drop(run)
    if sender.idle:
        sender.nudge()


def end(run: str = "r") -> ingest.Update:
    return ingest.Update(run, RunStatus.FINISHED, 5)


@pytest.fixture
def senders(tmp_path: Path) -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(backend: FakeBackend, pause: float = 0.01, **options: Any) -> Sender:
        journal = Journal(tmp_path / "journals", "fake:", **options)
        made.append(Sender(backend, journal, first_pause=pause))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sender in made:
        sender.close()


Make = Callable[..., Sender]


def test_records_are_sent_in_order_and_in_batches(senders: Make) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    for number in range(2500):
        log(sender, number)
    assert sender.flush(60)
    assert backend.values == list(range(2500))
    assert all(len(batch.metrics) <= 1000 for batch in backend.taken)
    assert sender.delivery() == (0, 2500, 0, 0, None, 0)


def test_flush_without_records_starts_no_thread(senders: Make) -> None:
    sender = senders(FakeBackend())
    assert sender.flush(0)
    assert sender._thread is None


def test_an_outage_is_waited_out_and_loses_nothing(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    down = threading.Event()
    down.set()
    backend = FakeBackend(lambda batch: Unavailable("down") if down.is_set() else None)
    sender = senders(backend)
    for number in range(10):
        log(sender, number)
    begin = time.monotonic()
    assert not sender.flush(60)  # a reader does not wait for a server that does not answer
    assert time.monotonic() - begin < 30
    assert sender.delivery().trouble == "down"
    down.clear()
    assert sender.flush(60, patient=True)
    assert backend.values == list(range(10))
    assert [record.getMessage() for record in caplog.records if "kept" in record.getMessage()] == [
        "records cannot be sent now and are kept until they can: down"
    ]


def test_a_refused_record_blocks_no_other(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    def judge(batch: Batch) -> LogbuchError | None:
        bad = [point.value for point in batch.metrics if point.value in (3, 700)]
        return InvalidInput(f"no {bad[0]}") if bad else None

    backend = FakeBackend(judge)
    sender = senders(backend)
    for number in range(1000):
        log(sender, number)
    assert sender.flush(60)
    assert backend.values == [number for number in range(1000) if number not in (3, 700)]
    assert sender.delivery().refused == 2
    assert sender.losses.of("r") == 2
    assert sum("was refused" in record.getMessage() for record in caplog.records) == 1  # one warning a key


def test_what_a_server_without_journals_has_no_place_for_is_counted(
    senders: Make, caplog: pytest.LogCaptureFixture
) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    log(sender, 1)
    sender.put(ingest.Log("r", "stdout", [1], ["printed without a server"]), "r", counted=False)
    sender.put(ingest.histogram("r", "w", 1, 1, [0, 1], [1], 0, 0), "r")
    log(sender, 2)
    assert sender.flush(60)
    assert backend.values == [1, 2]
    assert sender.delivery().refused == 2
    assert caplog.text.count("keeps neither console output nor histograms") == 2


def test_a_run_that_takes_nothing_costs_few_attempts(senders: Make) -> None:
    backend = FakeBackend(lambda batch: InvalidInput("deleted") if batch.run_id == "gone" else None)
    sender = senders(backend)
    for number in range(1000):
        log(sender, number, "gone")
        log(sender, number, "here")
    assert sender.flush(60)
    assert backend.values == list(range(1000))
    assert sender.delivery().refused == 1000
    assert backend.attempts < 40


def test_a_run_that_does_not_exist_is_refused_at_once(senders: Make) -> None:
    backend = FakeBackend(lambda batch: NotFound("no such run"))
    sender = senders(backend)
    for number in range(1000):
        log(sender, number)
    assert sender.flush(60)
    assert sender.delivery().refused == 1000
    assert backend.attempts < 5


def test_refused_credentials_are_an_outage(senders: Make) -> None:
    backend = FakeBackend(lambda batch: PermissionDenied("who are you?"))
    sender = senders(backend)
    log(sender, 1)
    assert not sender.flush(1)
    assert sender.delivery().waiting >= 1


def test_an_internal_error_of_one_record_is_found(senders: Make) -> None:
    backend = FakeBackend(lambda batch: LogbuchError("?") if any(p.value == 7 for p in batch.metrics) else None)
    sender = senders(backend)
    for number in range(10):
        log(sender, number)
    assert sender.flush(60, patient=True)
    assert backend.values == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert sender.delivery().refused == 1


def test_an_internal_error_of_everything_loses_nothing(senders: Make) -> None:
    broken = threading.Event()
    broken.set()
    backend = FakeBackend(lambda batch: LogbuchError("disk full") if broken.is_set() else None)
    sender = senders(backend)
    for number in range(50):
        log(sender, number)
    assert not sender.flush(0.4, patient=True)
    broken.clear()
    assert sender.flush(60, patient=True)
    assert sorted(backend.values) == list(range(50))
    assert sender.delivery().refused == 0


def test_a_backend_that_breaks_does_not_end_the_thread(senders: Make) -> None:
    outcomes: list[Exception] = [ZeroDivisionError(), KeyError("x")]

    def judge(batch: Batch) -> LogbuchError | None:
        if outcomes:
            raise outcomes.pop()
        return None

    backend = FakeBackend(judge)
    sender = senders(backend)
    log(sender, 1)
    assert sender.flush(60, patient=True)
    assert backend.values == [1]


def test_room_is_bounded_and_drops_are_counted(
    senders: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(segments, "MEMORY_BYTES", 0)
    backend = FakeBackend(lambda batch: Unavailable("down"))
    sender = senders(backend, room=lambda size: size < 1_000_000)
    for number in range(30_000):
        log(sender, number)
    sender.put(end(), "r", vital=True)
    delivery = sender.delivery()
    assert delivery.dropped > 0
    assert delivery.dropped == sender.losses.of("r")
    assert delivery.waiting + delivery.dropped == 30_001
    assert sum("journal_bytes" in record.getMessage() for record in caplog.records) == 1


def test_calls_keep_their_place_in_a_run(senders: Make) -> None:
    order: list[Any] = []
    backend = FakeBackend(lambda batch: order.append([p.value for p in batch.metrics]))
    backend.update_run = lambda *given: order.append(given)  # type: ignore[attr-defined]
    sender = senders(backend)
    sender.journal.point("r", "m", 1.0, 0, 0)
    sender.journal.record(ingest.encode_record(end()))
    sender.journal.point("r", "m", 2.0, 0, 0)
    assert sender.flush(60)
    assert order == [[1], ("r", RunStatus.FINISHED, 5, ""), [2]]


def test_a_refused_call_blocks_nothing(senders: Make) -> None:
    backend = FakeBackend()
    asked: list[Any] = []

    def refuse(*given: Any) -> None:
        asked.append(given)
        raise InvalidInput("no")

    backend.update_run = refuse  # type: ignore[attr-defined]
    sender = senders(backend)
    sender.put(end(), "r")
    log(sender, 1)
    assert sender.flush(60)
    assert (len(asked), sender.delivery().refused) == (1, 1)
    assert backend.values == [1]


def test_a_call_in_an_outage_is_repeated(senders: Make) -> None:
    backend = FakeBackend()
    down = threading.Event()
    down.set()

    def update(*given: Any) -> None:
        if down.is_set():
            raise Unavailable("down")

    backend.update_run = update  # type: ignore[attr-defined]
    sender = senders(backend)
    sender.put(end(), "r")
    assert not sender.flush(1)
    down.clear()
    assert sender.flush(60, patient=True)
    assert sender.delivery()[:3] == (0, 1, 0)


def test_finish_counts_what_is_left_without_marks(senders: Make) -> None:
    sender = senders(FakeBackend(lambda batch: Unavailable("down")))
    log(sender, 1)
    log(sender, 2)
    sender.flush(0.1)
    assert sender.finish(0.1) == (2, 0)


def test_an_idle_sender_wakes_for_the_next_record(senders: Make) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    for number in range(5):
        log(sender, number)
        assert sender.flush(60)
        time.sleep(0.01)
    assert backend.values == [0, 1, 2, 3, 4]


def test_without_a_thread_flush_sends_itself(senders: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    backend = FakeBackend()
    sender = senders(backend)
    log(sender, 1)
    assert sender.flush(60)
    assert backend.values == [1]


def test_many_threads_lose_nothing(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    backend = FakeBackend()
    sender = senders(backend)

    def work(start: int) -> None:
        for number in range(start, start + 2000):
            log(sender, number, key=f"k{start}")

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 10_000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(60)
    assert sorted(backend.values) == list(range(10_000))


def test_one_bad_key_takes_no_other_with_it(senders: Make) -> None:
    backend = FakeBackend(lambda b: InvalidInput("bad name") if any(p.key == "a:b" for p in b.metrics) else None)
    sender = senders(backend)
    for number in range(500):
        log(sender, number, key="a:b")
        log(sender, number, key="good")
    assert sender.flush(60)
    assert sorted(backend.values) == list(range(500))
    assert sender.delivery().refused == 500
    assert backend.attempts < 60


def test_bad_points_of_a_metric_do_not_condemn_it(senders: Make) -> None:
    backend = FakeBackend(lambda b: InvalidInput("too small") if any(p.value < 20 for p in b.metrics) else None)
    sender = senders(backend)
    for number in range(1000):
        log(sender, number)
    assert sender.flush(60)
    assert sorted(backend.values) == list(range(20, 1000))
    assert sender.delivery().refused == 20


def test_a_run_that_refuses_everything_costs_two_attempts(senders: Make) -> None:
    backend = FakeBackend(lambda batch: InvalidInput("The run must be in the 'active' state."))
    sender = senders(backend)
    for number in range(900):
        log(sender, number, key=f"k{number}")
    assert sender.flush(60)
    assert (sender.delivery().refused, backend.taken) == (900, [])
    assert backend.attempts <= 4


def test_an_outage_amid_a_search_for_culprits_loses_nothing(senders: Make) -> None:
    down = threading.Event()

    def judge(batch: Batch) -> LogbuchError | None:
        if len(batch.metrics) == 1:
            down.set()
        if down.is_set():
            return Unavailable("down")
        return InvalidInput("no 7") if any(p.value == 7 for p in batch.metrics) else None

    backend = FakeBackend(judge)
    sender = senders(backend)
    for number in range(50):
        log(sender, number)
    assert not sender.flush(1)
    backend.judge = lambda batch: InvalidInput("no 7") if any(p.value == 7 for p in batch.metrics) else None
    assert sender.flush(60, patient=True)
    assert sorted(backend.values) == [number for number in range(50) if number != 7]


def test_a_run_begun_without_the_server_gets_its_id_later_and_once(senders: Make) -> None:
    made: list[tuple[Any, ...]] = []

    class Run:
        class info:  # noqa: N801
            run_id = "theirs"

    def create(*given: Any) -> Any:
        made.append(given)
        if len(made) == 1:
            raise Unavailable("the answer is lost")
        return Run

    def refuse(name: str) -> Any:
        raise NotFound("no such experiment")

    backend: Any = FakeBackend()
    backend.get_experiment_by_name, backend.create_experiment = refuse, lambda name, location, tags: "7"
    backend.search_runs, backend.create_run = lambda *given: ([], None), create
    backend.update_run = lambda *given: ended.append(given)
    ended: list[Any] = []
    sender = senders(backend)
    sender.put(ingest.NewExperiment("e"), "", counted=False)
    sender.put(ingest.NewRun("ours", "e", "", "it", "me", 5, [("a", "b")]), "ours", counted=False)
    log(sender, 1, "ours")
    sender.put(end("ours"), "ours")
    assert sender.flush(60, patient=True)
    assert [given[0] for given in made] == ["7", "7"]
    assert made[0][4][-1].value == "ours"  # by this tag it is found if the answer was lost
    assert [batch.run_id for batch in backend.taken] == ["theirs"]
    assert ended == [("theirs", RunStatus.FINISHED, 5, "")]
    assert backend.aliases == sender.state.runs == {"ours": "theirs"}


# -- files -------------------------------------------------------------------------------------------------------------


class Upload(Deed):
    """A call about a file."""

    def __init__(self, path: str, error: LogbuchError | None = None) -> None:
        super().__init__(error)
        self.path = path


def put_file(sender: Sender, call: Deed) -> None:
    sender.put_file(Record(Kind.CALL, "r", (call,)))


@pytest.mark.parametrize("error", [Unavailable("disk full"), PermissionDenied("no"), LogbuchError("?")])
def test_a_file_that_cannot_be_sent_blocks_nothing(senders: Make, error: LogbuchError) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    stuck, other = Upload("a", error), Upload("b")
    put_file(sender, stuck)
    log(sender, 1)
    put_file(sender, other)
    assert sender.flush(60)
    assert backend.values == [1]
    sender.flush(5, patient=True, files=Files.DUE)
    assert (other.done, other.settled_times) == (1, 1)


def test_a_file_is_sent_when_it_can_be(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    sender = senders(FakeBackend())
    stuck = Upload("a", Unavailable("disk full"))
    put_file(sender, stuck)
    while stuck.done < 2:
        assert not sender.flush(0.2, patient=True, files=Files.ALL)
    delivery = sender.delivery()
    assert (delivery.files, delivery.waiting, delivery.trouble) == (1, 1, "disk full")
    assert sum("cannot be sent now" in record.getMessage() for record in caplog.records) == 1
    stuck.error = None
    assert sender.flush(60, patient=True, files=Files.ALL)
    assert sender.delivery() == (0, 1, 0, 0, None, 0)
    assert stuck.settled_times == 1


def test_the_end_of_a_run_does_not_wait_for_files_that_failed(senders: Make) -> None:
    sender = senders(FakeBackend(), pause=60)
    put_file(sender, Upload("a", Unavailable("down")))
    begin = time.monotonic()
    assert not sender.flush(60, patient=True, files=Files.DUE)
    assert time.monotonic() - begin < 30
    assert sender.finish(0.1) == (0, 1)


@pytest.mark.parametrize("error", [PermissionDenied("not yours"), LogbuchError("?"), InvalidInput("no")])
def test_a_file_that_is_refused_is_given_up(
    senders: Make, caplog: pytest.LogCaptureFixture, error: LogbuchError
) -> None:
    sender = senders(FakeBackend())
    stuck, later = Upload("a", error), Upload("a")
    put_file(sender, stuck)
    put_file(sender, later)
    assert sender.flush(60, patient=True, files=Files.ALL)
    assert stuck.done == (1 if isinstance(error, InvalidInput) else 4)
    assert (stuck.settled_times, later.done, sender.delivery().refused) == (1, 1, 1)
    assert sum("was refused" in record.getMessage() for record in caplog.records) == 1


def test_files_of_one_path_keep_their_order(senders: Make) -> None:
    order: list[str] = []
    sender = senders(FakeBackend())
    old, new = Upload("a"), Upload("a")
    failures = [Unavailable("down")]

    def perform(backend: Any) -> None:
        if failures:
            raise failures.pop()
        order.append("old")

    old.perform = perform  # type: ignore[method-assign]
    new.perform = lambda backend: order.append("new")  # type: ignore[method-assign]
    put_file(sender, old)
    put_file(sender, new)
    assert sender.flush(60, patient=True, files=Files.ALL)
    assert order == ["old", "new"]


def test_a_slow_file_delays_no_metric(senders: Make) -> None:
    release = threading.Event()
    backend = FakeBackend()
    sender = senders(backend)
    slow = Upload("a")
    slow.perform = lambda backend: release.wait(120)  # type: ignore[method-assign]
    put_file(sender, slow)
    log(sender, 1)
    assert sender.flush(60)
    assert backend.values == [1]
    release.set()
    assert sender.flush(60, patient=True, files=Files.ALL)


def test_too_many_tables_in_memory_are_dropped(senders: Make) -> None:
    sender = senders(FakeBackend())
    huge = Upload("a")
    huge.weight = lambda: 10**9  # type: ignore[method-assign]
    put_file(sender, huge)
    assert (sender.delivery().dropped, huge.settled_times) == (1, 1)


def test_without_a_thread_files_are_sent_by_who_waits(senders: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    sender = senders(FakeBackend())
    call = Upload("a")
    put_file(sender, call)
    assert sender.flush(60, patient=True, files=Files.ALL)
    assert call.done == 1


def test_who_logs_all_the_time_is_sent_half_as_often(senders: Make) -> None:
    backend = FakeBackend()
    backend.gather_seconds = 1000.0
    sender = senders(backend)
    assert sender._pause() == 1000  # nothing was sent yet
    log(sender, 1)
    assert sender.flush(60)
    assert 1900 < sender._pause() <= 2000
