from __future__ import annotations

from logbuch.model import RunStatus
from logbuch.sdk.calls import End
from logbuch.sdk.queue import Kind, MemoryOutbox, Record


def metric(value: float) -> Record:
    return Record(Kind.METRIC, "r", ("m", value, 0, 0))


def test_what_was_read_stays_until_it_is_released() -> None:
    outbox = MemoryOutbox()
    for number in range(5):
        outbox.append(metric(number))
    assert [r.body[1] for r in outbox.read(3)] == [0, 1, 2]
    assert [r.body[1] for r in outbox.read(4)] == [0, 1, 2, 3]
    outbox.keep([metric(2)])
    assert len(outbox) == 2
    assert [r.body[1] for r in outbox.read(10)] == [2, 4]
    outbox.keep([])
    assert len(outbox) == 0


def test_a_full_outbox_drops_records_but_no_calls() -> None:
    outbox = MemoryOutbox(limit=2)
    assert [outbox.append(metric(number)) for number in range(3)] == [True, True, False]
    assert outbox.append(Record(Kind.CALL, "r", (End("r", RunStatus.FINISHED, 0),)))
    assert outbox.append(Record(Kind.MARK, "", (None,)))
    assert (outbox.dropped, len(outbox), outbox.unsent()) == (1, 4, 3)


def test_room_is_counted_in_bytes_and_given_back() -> None:
    outbox = MemoryOutbox(limit_bytes=10_000)
    tag = Record(Kind.TAG, "r", ("t", "x" * 4000))
    assert [outbox.append(tag) for _ in range(3)] == [True, True, False]
    outbox.read(1)
    outbox.keep([])
    assert [outbox.append(tag), outbox.append(tag)] == [True, False]
