from __future__ import annotations

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
    assert outbox.append(Record(Kind.CALL, "r", (None,)))
    assert outbox.append(Record(Kind.MARK, "", (None,)))
    assert (outbox.dropped, len(outbox), outbox.unsent()) == (1, 4, 3)
