"""From the bytes of a segment to records of the native ingest protocol.

Points of the journal are 48 bytes each, with their numbers at multiples of 8. So a stretch of points becomes columns by
cutting out every sixth number, which costs nanoseconds a point, and a stretch of rows with the same keys likewise, one
key after the other; the slow way is for what is mixed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from logbuch import limits
from logbuch.sdk.journal.format import (
    ENTRY,
    KEY,
    PLAIN_HEAD,
    POINT,
    POINT_BYTES,
    RECORD,
    ROW,
    ROW_HEAD,
    UNCOUNTED,
    padded,
)
from logbuch.wire import ingest

_SPARSE = 4
"""If a segment knows so many times more keys than a stretch has points, only the names that occur are sent."""
_RUNS = 400
"""Where more runs than that are written to, stretches are short: each run takes a record of its own in a batch."""
_FEW_ROWS = 4
_ROW_KIND, _ROW_COUNT, _ROW_KEYS = 4, 5, 10
"""Where a row's entry has its kind, its count of keys, and the first of them, in words of 4 bytes."""
_ROW_STEP, _ROW_TIME = 3, 4
"""And its step and time, in words of 8."""
_LENGTHS = (32).to_bytes(4, "little")
_KINDS = POINT.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Item:
    """A record, for the entries up to number ``last``, which end at ``end`` in their segment. ``counts`` is how many of
    them somebody logged."""

    last: int
    end: int
    raw: bytes
    counts: int
    run_id: str | None


class Keys:
    """The keys that a segment has announced so far: for each number a run and a name."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.names: list[str] = []
        self.torn = False
        """Whether something could not be read, which may have been an announcement."""
        self._distinct: set[str] = set()

    def add(self, body: bytes) -> None:
        run_id, _, key = body[PLAIN_HEAD.size :].decode().partition("\0")
        number = PLAIN_HEAD.unpack_from(body)[2]
        missing = number + 1 - len(self.names)  # an announcement may have been torn
        self.runs += [""] * missing
        self.names += [""] * missing
        self.runs[number], self.names[number] = run_id, key
        self._distinct.add(run_id)

    def many_runs(self) -> bool:
        return len(self._distinct) > _RUNS

    def only_run(self) -> str | None:
        """The run of all keys, if there is one run and nothing is missing."""
        if self.torn or len(self._distinct) != 1 or len(self.names) > limits.INGEST_KEYS or "" in self.runs:
            return None
        return self.runs[0]


class Gathered:
    """Points of a stretch, in columns of machine numbers."""

    def __init__(self) -> None:
        self.index, self.steps, self.times, self.values = bytearray(), bytearray(), bytearray(), bytearray()
        self.last = self.end = self.entries = 0

    def __bool__(self) -> bool:
        return self.entries > 0

    def points(self, block: memoryview, count: int) -> None:
        """Takes entries of 48 bytes each."""
        numbers = block.cast("q")
        self.index += block.cast("I")[5::12].tobytes()
        self.steps += numbers[3::6].tobytes()
        self.times += numbers[4::6].tobytes()
        self.values += numbers[5::6].tobytes()
        self.entries += count
        self.last, self.end = int(numbers[-5]), 0

    def rows(self, block: memoryview, count: int) -> None:
        """Takes ``count`` rows of the same keys: all points of the first key, then of the second, and so on."""
        words, numbers = block.cast("I"), block.cast("q")
        stride = len(words) // count
        keys = words[_ROW_COUNT]
        steps, times = (numbers[at :: stride // 2].tobytes() for at in (_ROW_STEP, _ROW_TIME))
        self.steps += steps * keys
        self.times += times * keys
        column = memoryview(bytearray(8 * count))
        halves = column.cast("I")
        for at in range(_ROW_KEYS, _ROW_KEYS + keys):
            self.index += words[at : at + 1].tobytes() * count
        for at in range(
            _ROW_KEYS + keys, _ROW_KEYS + 3 * keys, 2
        ):  # in halves, for they may lie between multiples of 8
            halves[0::2] = words[at::stride]
            halves[1::2] = words[at + 1 :: stride]
            self.values += column
        self.entries += count
        self.last = int(numbers[(count - 1) * stride // 2 + 1])

    def row(self, body: bytes) -> None:
        _, _, count, step, time = ROW_HEAD.unpack_from(body)
        middle = ROW_HEAD.size + 4 * count
        self.index += body[ROW_HEAD.size : middle]
        self.steps += step.to_bytes(8, "little", signed=True) * count
        self.times += time.to_bytes(8, "little", signed=True) * count
        self.values += body[middle : middle + 8 * count]
        self.entries += 1


def items(data: bytes, base: int, keys: Keys) -> Iterator[Item]:
    """The records of whole entries; ``base`` is the place of the first byte in the segment."""
    whole, place, gathered = memoryview(data), 0, Gathered()
    while place < len(data):
        if gathered.entries >= _RUNS and keys.many_runs():
            yield from _told(gathered, keys, base)
            gathered = Gathered()
        run = _points_at(data, place)
        if run > _RUNS - gathered.entries and keys.many_runs():
            run = _RUNS - gathered.entries
        if run:
            end = place + run * POINT_BYTES
            gathered.points(whole[place:end], run)
            place = gathered.end = end
            continue
        length, _, number = ENTRY.unpack_from(data, place)
        body = data[place + ENTRY.size : place + ENTRY.size + length]
        place += padded(ENTRY.size + length)
        kind, flags, _ = PLAIN_HEAD.unpack_from(body)
        if kind == KEY:
            keys.add(body)
        elif kind == ROW:
            begin = place - padded(ENTRY.size + length)
            count = _rows_at(whole, begin, place)
            if count > 1 and not keys.many_runs():
                place = begin + count * (place - begin)
                gathered.rows(whole[begin:place], count)
                gathered.end = place
                continue
            gathered.row(body)
            gathered.last, gathered.end = number, place
        elif kind == RECORD:
            yield from _told(gathered, keys, base)
            gathered = Gathered()
            yield Item(number, base + place, body[PLAIN_HEAD.size :], 0 if flags & UNCOUNTED else 1, None)
    yield from _told(gathered, keys, base)


def _points_at(data: bytes, place: int) -> int:
    """How many points stand behind each other from a place on."""
    if data[place : place + 4] != _LENGTHS or data[place + 16 : place + 20] != _KINDS:
        return 0
    most = (len(data) - place) // POINT_BYTES
    view = memoryview(data)[place : place + most * POINT_BYTES].cast("I")
    lengths, kinds = view[0::12].tobytes(), view[4::12].tobytes()
    if lengths == _LENGTHS * most and kinds == _KINDS * most:
        return most
    low, high = 1, most  # low points are known to be in a row
    while low < high:
        middle = (low + high + 1) // 2
        part = 4 * middle
        if lengths[:part] == _LENGTHS * middle and kinds[:part] == _KINDS * middle:
            low = middle
        else:
            high = middle - 1
    return low


def _rows_at(data: memoryview, begin: int, end: int) -> int:
    """How many rows of the same keys stand behind each other, the first of them between two places; 1 if few."""
    size = end - begin
    most = (len(data) - begin) // size
    if most < _FEW_ROWS or data[end : end + 4] != data[begin : begin + 4]:
        return 1
    words, stride = data[begin : begin + most * size].cast("I"), size // 4
    for at in (0, *range(_ROW_KIND, _ROW_COUNT + 1), *range(_ROW_KEYS, _ROW_KEYS + words[_ROW_COUNT])):
        most = _alike(words[at : most * stride : stride], most)
        if most < _FEW_ROWS:
            return 1
    return most


def _alike(column: memoryview, most: int) -> int:
    """How many of the first ``most`` numbers equal the first one."""
    raw, first = column.tobytes(), column[:1].tobytes()
    if raw == first * most:
        return most
    return bisect_left(range(most), True, key=lambda at: raw[: 4 * at + 4] != first * (at + 1))


def _told(gathered: Gathered, keys: Keys, base: int) -> Iterator[Item]:
    if not gathered:
        return
    end, run = base + gathered.end, keys.only_run()
    if run is not None and len(keys.names) <= _SPARSE * (len(gathered.index) // 4):
        record = _record(run, keys.names, gathered.index, gathered.steps, gathered.times, gathered.values)
        yield Item(gathered.last, end, record, gathered.entries, run)
        return
    yield from _sorted_out(gathered, keys, end)


def _sorted_out(gathered: Gathered, keys: Keys, end: int) -> Iterator[Item]:
    """A record for each run. Only the last stands for entries: all of them travel in one batch."""
    index = memoryview(gathered.index).cast("I")
    steps, times = memoryview(gathered.steps).cast("q"), memoryview(gathered.times).cast("q")
    values = memoryview(gathered.values).cast("d")
    parts: dict[str, list[_Part]] = {}
    for at, number in enumerate(index):
        run = keys.runs[number] if number < len(keys.runs) else ""
        if run:  # else its announcement was torn
            of_run = parts.setdefault(run, [_Part()])
            if len(of_run[-1].names) >= limits.INGEST_KEYS:
                of_run.append(_Part())
            of_run[-1].add(keys.names[number], steps[at], times[at], values[at])
    found = [(run, part) for run, of_run in parts.items() for part in of_run]
    first, left = gathered.last - gathered.entries, gathered.entries
    for place, (run, part) in enumerate(found, start=1):
        final = place == len(found)
        share = left if final else min(part.count(), left - 1)
        left -= share
        first += 1
        yield Item(gathered.last if final else first, end, part.record(run), share, run)


class _Part:
    """Points of one run."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.index, self.steps, self.times, self.values = array("I"), array("q"), array("q"), array("d")

    def count(self) -> int:
        return len(self.index)

    def add(self, name: str, step: int, time: int, value: float) -> None:
        self.index.append(self.names.setdefault(name, len(self.names)))
        self.steps.append(step)
        self.times.append(time)
        self.values.append(value)

    def record(self, run_id: str) -> bytes:
        columns = (column.tobytes() for column in (self.index, self.steps, self.times, self.values))
        return _record(run_id, list(self.names), *columns)


def _record(run_id: str, names: Sequence[str], *columns: Any) -> bytes:
    return ingest.encode_record(ingest.Metrics(run_id, list(names), *(memoryview(column) for column in columns)))
