"""The sender: batches, outages, refusals, limits. Its backend is a fake at the seam that a network would be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from logbuch.errors import InvalidInput, LogbuchError, NotFound, PermissionDenied, Unavailable
from logbuch.sdk.backend import Batch
from logbuch.sdk.queue import Kind, MemoryOutbox, NoOutbox, Record
from logbuch.sdk.sender import Files, Sender

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class FakeBackend:
    """Remembers what it was sent; ``judge`` gives each batch its verdict."""

    gather_seconds = 0.0
    uri = "fake:"
    silent = False
    barred = None

    def __init__(self, judge: Callable[[Batch], LogbuchError | None] = lambda batch: None) -> None:
        self.judge = judge
        self.taken: list[Batch] = []
        self.attempts = 0

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


def metric(value: float, run: str = "r", key: str = "m") -> Record:
    return Record(Kind.METRIC, run, (key, value, 0, 0))


@pytest.fixture
def senders() -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(backend: FakeBackend, **options: Any) -> Sender:
        made.append(Sender(backend, first_pause=0.01, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sender in made:
        sender.close()


Make = Callable[..., Sender]


def test_records_are_sent_in_order_and_in_batches(senders: Make) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    for number in range(2500):
        sender.put(metric(number))
    assert sender.flush(5)
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
        sender.put(metric(number))
    begin = time.monotonic()
    assert not sender.flush(5)  # a reader does not wait for a server that does not answer
    assert time.monotonic() - begin < 1
    assert sender.delivery().trouble == "down"
    down.clear()
    assert sender.flush(5, patient=True)
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
        sender.put(metric(number))
    assert sender.flush(5)
    assert backend.values == [number for number in range(1000) if number not in (3, 700)]
    assert sender.delivery().refused == 2
    assert sender.lost["r"] == 2
    assert sum("was refused" in record.getMessage() for record in caplog.records) == 1  # one warning a key


def test_a_run_that_takes_nothing_costs_few_attempts(senders: Make) -> None:
    backend = FakeBackend(lambda batch: InvalidInput("deleted") if batch.run_id == "gone" else None)
    sender = senders(backend)
    for number in range(1000):
        sender.put(metric(number, "gone"))
        sender.put(metric(number, "here"))
    assert sender.flush(5)
    assert backend.values == list(range(1000))
    assert sender.delivery().refused == 1000
    assert backend.attempts < 40


def test_a_run_that_does_not_exist_is_refused_at_once(senders: Make) -> None:
    backend = FakeBackend(lambda batch: NotFound("no such run"))
    sender = senders(backend)
    for number in range(1000):
        sender.put(metric(number))
    assert sender.flush(5)
    assert sender.delivery().refused == 1000
    assert backend.attempts < 5


def test_refused_credentials_are_an_outage(senders: Make) -> None:
    backend = FakeBackend(lambda batch: PermissionDenied("who are you?"))
    sender = senders(backend)
    sender.put(metric(1))
    assert not sender.flush(1)
    assert sender.delivery().waiting >= 1


def test_an_internal_error_of_one_record_is_found(senders: Make) -> None:
    backend = FakeBackend(lambda batch: LogbuchError("?") if any(p.value == 7 for p in batch.metrics) else None)
    sender = senders(backend)
    for number in range(10):
        sender.put(metric(number))
    assert sender.flush(5, patient=True)
    assert backend.values == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert sender.delivery().refused == 1


def test_an_internal_error_of_everything_loses_nothing(senders: Make) -> None:
    broken = threading.Event()
    broken.set()
    backend = FakeBackend(lambda batch: LogbuchError("disk full") if broken.is_set() else None)
    sender = senders(backend)
    for number in range(50):
        sender.put(metric(number))
    assert not sender.flush(0.4, patient=True)
    broken.clear()
    assert sender.flush(5, patient=True)
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
    sender.put(metric(1))
    assert sender.flush(5, patient=True)
    assert backend.values == [1]


def test_memory_is_bounded_and_drops_are_counted(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    backend = FakeBackend(lambda batch: Unavailable("down"))
    sender = senders(backend, outbox=MemoryOutbox(limit=100))
    deed = Deed()
    for number in range(30_000):
        sender.put(metric(number))
    sender.put(Record(Kind.CALL, "r", (deed,)))
    delivery = sender.delivery()
    assert delivery.dropped > 0
    assert delivery.dropped == sender.lost["r"]
    assert delivery.waiting + delivery.dropped == 30_001
    assert sum("too many records" in record.getMessage() for record in caplog.records) == 1


def test_calls_keep_their_place_in_a_run(senders: Make) -> None:
    order: list[Any] = []
    backend = FakeBackend(lambda batch: order.append([p.value for p in batch.metrics]))
    sender = senders(backend)
    deed = Deed()
    deed.perform = lambda backend: order.append("deed")  # type: ignore[method-assign]
    outbox = sender._outbox
    for record in (metric(1), Record(Kind.CALL, "r", (deed,)), metric(2)):
        outbox.append(record)
    assert sender.flush(5)
    assert order == [[1], "deed", [2]]
    assert deed.settled_times == 1


def test_a_refused_call_is_settled_and_blocks_nothing(senders: Make) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    deed = Deed(InvalidInput("no"))
    sender.put(Record(Kind.CALL, "r", (deed,)))
    sender.put(metric(1))
    assert sender.flush(5)
    assert (deed.done, deed.settled_times, sender.delivery().refused) == (1, 1, 1)
    assert backend.values == [1]


def test_a_call_in_an_outage_is_repeated(senders: Make) -> None:
    sender = senders(FakeBackend())
    deed = Deed(Unavailable("down"))
    sender.put(Record(Kind.CALL, "r", (deed,)))
    assert not sender.flush(1)
    deed.error = None
    assert sender.flush(5, patient=True)
    assert deed.settled_times == 1


def test_finish_counts_what_is_left_without_marks(senders: Make) -> None:
    sender = senders(FakeBackend(lambda batch: Unavailable("down")))
    sender.put(metric(1))
    sender.put(metric(2))
    sender.flush(0.1)
    assert sender.finish(0.1) == (2, 0)


def test_an_idle_sender_wakes_for_the_next_record(senders: Make) -> None:
    backend = FakeBackend()
    sender = senders(backend)
    for number in range(5):
        sender.put(metric(number))
        assert sender.flush(2)
        time.sleep(0.01)
    assert backend.values == [0, 1, 2, 3, 4]


def test_without_a_thread_flush_sends_itself(senders: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    backend = FakeBackend()
    sender = senders(backend)
    sender.put(metric(1))
    assert sender.flush(1)
    assert backend.values == [1]


def test_many_threads_lose_nothing(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    backend = FakeBackend()
    sender = senders(backend)

    def work(start: int) -> None:
        for number in range(start, start + 2000):
            sender.put(metric(number, key=f"k{start}"))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 10_000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(10)
    assert sorted(backend.values) == list(range(10_000))


def test_one_bad_key_takes_no_other_with_it(senders: Make) -> None:
    backend = FakeBackend(lambda b: InvalidInput("bad name") if any(p.key == "a:b" for p in b.metrics) else None)
    sender = senders(backend)
    for number in range(500):
        sender.put(metric(number, key="a:b"))
        sender.put(metric(number, key="good"))
    assert sender.flush(5)
    assert sorted(backend.values) == list(range(500))
    assert sender.delivery().refused == 500
    assert backend.attempts < 60


def test_bad_points_of_a_metric_do_not_condemn_it(senders: Make) -> None:
    backend = FakeBackend(lambda b: InvalidInput("too small") if any(p.value < 20 for p in b.metrics) else None)
    sender = senders(backend)
    for number in range(1000):
        sender.put(metric(number))
    assert sender.flush(5)
    assert sorted(backend.values) == list(range(20, 1000))
    assert sender.delivery().refused == 20


def test_a_run_that_refuses_everything_costs_two_attempts(senders: Make) -> None:
    backend = FakeBackend(lambda batch: InvalidInput("The run must be in the 'active' state."))
    sender = senders(backend)
    for number in range(900):
        sender.put(metric(number, key=f"k{number}"))
    assert sender.flush(5)
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
        sender.put(metric(number))
    assert not sender.flush(1)
    backend.judge = lambda batch: InvalidInput("no 7") if any(p.value == 7 for p in batch.metrics) else None
    assert sender.flush(5, patient=True)
    assert sorted(backend.values) == [number for number in range(50) if number != 7]


def test_memory_is_bounded_by_bytes(senders: Make) -> None:
    sender = senders(FakeBackend(lambda batch: Unavailable("down")), outbox=MemoryOutbox(limit_bytes=100_000))
    for number in range(100):
        sender.put(Record(Kind.TAG, "r", (f"t{number}", "x" * 5000)))
    sender.put(Record(Kind.CALL, "r", (Deed(),)))
    delivery = sender.delivery()
    assert delivery.waiting <= 22
    assert delivery.waiting + delivery.dropped == 101


def test_in_a_process_that_cannot_send_records_are_dropped(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    sender = senders(FakeBackend(), outbox=NoOutbox("it was forked"))
    for number in range(10):
        sender.put(metric(number))
    assert sender.flush(1)
    assert sender.delivery()[:4] == (0, 0, 0, 10)
    assert [record.getMessage() for record in caplog.records] == ["it was forked: new records are dropped, and counted"]


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
    stuck, end, other = Upload("a", error), Deed(), Upload("b")
    put_file(sender, stuck)
    sender.put(metric(1))
    sender.put(Record(Kind.CALL, "r", (end,)))
    put_file(sender, other)
    assert sender.flush(5)
    assert (backend.values, end.done) == ([1], 1)
    sender.flush(5, patient=True, files=Files.DUE)
    assert (other.done, other.settled_times) == (1, 1)


def test_a_file_is_sent_when_it_can_be(senders: Make, caplog: pytest.LogCaptureFixture) -> None:
    sender = senders(FakeBackend())
    stuck = Upload("a", Unavailable("disk full"))
    put_file(sender, stuck)
    assert not sender.flush(0.2, patient=True, files=Files.ALL)
    assert stuck.done > 1
    delivery = sender.delivery()
    assert (delivery.files, delivery.waiting, delivery.trouble) == (1, 1, "disk full")
    assert sum("cannot be sent now" in record.getMessage() for record in caplog.records) == 1
    stuck.error = None
    assert sender.flush(5, patient=True, files=Files.ALL)
    assert sender.delivery() == (0, 1, 0, 0, None, 0)
    assert stuck.settled_times == 1


def test_the_end_of_a_run_does_not_wait_for_files_that_failed(senders: Make) -> None:
    sender = Sender(FakeBackend(), first_pause=60)  # type: ignore[arg-type]
    put_file(sender, Upload("a", Unavailable("down")))
    begin = time.monotonic()
    assert not sender.flush(10, patient=True, files=Files.DUE)
    assert time.monotonic() - begin < 2
    assert sender.finish(0.1) == (0, 1)
    sender.close()


@pytest.mark.parametrize("error", [PermissionDenied("not yours"), LogbuchError("?"), InvalidInput("no")])
def test_a_file_that_is_refused_is_given_up(
    senders: Make, caplog: pytest.LogCaptureFixture, error: LogbuchError
) -> None:
    sender = senders(FakeBackend())
    stuck, later = Upload("a", error), Upload("a")
    put_file(sender, stuck)
    put_file(sender, later)
    assert sender.flush(10, patient=True, files=Files.ALL)
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
    assert sender.flush(5, patient=True, files=Files.ALL)
    assert order == ["old", "new"]


def test_a_slow_file_delays_no_metric(senders: Make) -> None:
    release = threading.Event()
    backend = FakeBackend()
    sender = senders(backend)
    slow = Upload("a")
    slow.perform = lambda backend: release.wait(10)  # type: ignore[method-assign]
    put_file(sender, slow)
    sender.put(metric(1))
    assert sender.flush(2)
    assert backend.values == [1]
    release.set()
    assert sender.flush(5, patient=True, files=Files.ALL)


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
    assert sender.flush(1, patient=True, files=Files.ALL)
    assert call.done == 1
