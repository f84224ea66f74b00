"""The console output of runs: numbered lines in compressed chunks, and lines that have no end yet.

Lines are numbered from 1 in the order in which they arrive, whichever process of the run wrote them. The last chunk is
rewritten until it is large enough, so a log that grows line by line does not become a row a line. Of a log that grows
beyond its limits the oldest chunks go; the numbers stay, and with them the count of what is gone.

A line without an end, such as a progress bar, is kept apart and replaced by the next state of it.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Noun
from logbuch.store import runs, schema
from logbuch.store.heads import RunRow
from logbuch.store.tx import LogLines, Pending, Tx, beside_latest

CHUNK_BYTES, CHUNK_LINES = 16 * 1024, 500
"""A chunk that has reached either is left as it is."""
SHRUNK_BY = 0.03
SCAN_BYTES = 64 * 1024 * 1024
"""How much text one search looks through before it answers, with a cursor to go on."""
_SOURCES = 255
_ESCAPES = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")
_heads, _chunks = schema.log_heads, schema.log_chunks


class Origin(Noun, frozen=True, array_like=True):
    """Where a line came from: ``source`` names a process of a run that has several, "" otherwise."""

    source: str
    stream: str


class OpenLine(Noun, frozen=True, array_like=True):
    """A line without an end, as it stood at ``time`` (ms)."""

    source: str
    stream: str
    time: int
    text: str


class LogHead(Noun, frozen=True, kw_only=True):
    """The state of a log. ``total`` counts all lines that ever came, ``first`` is the oldest that is kept; ``dropped``
    counts lines that the run's own processes left out, for they were too many at once."""

    total: int = 0
    first: int = 1
    bytes: int = 0
    dropped: int = 0
    open: Sequence[OpenLine] = ()


class Lines(NamedTuple):
    """Lines in columns: ``origins[origin[i]]`` says where line ``first + i`` came from; times are Unix ms."""

    first: int
    times: Sequence[int]
    origins: Sequence[Origin]
    origin: Sequence[int]
    texts: Sequence[str]

    def part(self, begin: int, end: int) -> Lines:
        return Lines(
            self.first + begin, self.times[begin:end], self.origins, self.origin[begin:end], self.texts[begin:end]
        )


class LogPage(NamedTuple):
    head: LogHead
    lines: Lines


class Found(NamedTuple):
    """Matches of a search: their numbers and texts. ``after`` is where to go on, None at the log's end."""

    numbers: list[int]
    texts: list[str]
    after: int | None


_NOTHING = Lines(1, (), (), (), ())


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    """A chunk before compression: differences of times int64, origins uint8, texts joined by line feeds."""

    origins: list[Origin]
    times: bytes
    origin: bytes
    text: str


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Stored).decode
_unpack_open = msgspec.msgpack.Decoder(list[OpenLine]).decode
_head = select(_heads).where(_heads.c.run == bindparam("wanted"))
_last = (
    select(_chunks.c.first, _chunks.c.lines, _chunks.c.bytes, _chunks.c.data)
    .where(_chunks.c.run == bindparam("wanted"))
    .order_by(_chunks.c.first.desc())
    .limit(1)
)


# -- writing -----------------------------------------------------------------------------------------------------------


def append(tx: Tx, run_id: str, lines: LogLines) -> None:
    """Hands lines of an active run to the commit: they are checked here, and written with those of the whole group."""
    _hand(tx, runs.active(tx, run_id), lines)


def take(tx: Tx, run_id: str, found: Sequence[LogLines]) -> None:
    """Takes over output of a run, deleted or not: all or, if one line breaks a rule, none."""
    head = runs.row(tx, run_id)
    for lines in found:
        _hand(tx, head, lines)


def _hand(tx: Tx, head: RunRow, lines: LogLines) -> None:
    for name, value in (("stream", lines.stream), ("source", lines.source)):
        limits.check_text(value, name, limits.LOG_SOURCE_LENGTH)
    if lines.dropped < 0:
        raise InvalidInput(f"Invalid value {lines.dropped} for parameter 'dropped': it is less than 0.")
    for time, text in zip(lines.times, lines.texts, strict=True):
        limits.check_integer(time, "time")
        if "\n" in text:
            raise InvalidInput("A line of a log must not contain a line feed.")
    tx.pending.lines.append((head.id, lines))
    tx.touch(head.id, head.experiment)


def flush(tx: Tx, group: Pending) -> None:
    """Writes the group's lines. Runs ascend, against deadlocks."""
    gathered: dict[int, list[LogLines]] = {}
    for run, lines in group.lines:
        gathered.setdefault(run, []).append(lines)
    for run in sorted(gathered):
        _write(tx, run, gathered[run])


def _write(tx: Tx, run: int, given: Sequence[LogLines]) -> None:
    head = _head_of(tx, run)
    fresh = _gathered(head.total + 1, given)
    size = head.bytes
    for lines in _chunked(_with_last(tx, run, fresh)):
        size += _put(tx, run, lines)
    total = head.total + len(fresh.texts)
    first, size = _shrunk(tx, run, head.first, total, size)
    row = {
        "run": run,
        "total": total,
        "first": first,
        "bytes": size,
        "dropped": head.dropped + sum(lines.dropped for lines in given),
        "open": _pack(_open_lines(head.open, given)),
    }
    tx.insert(tx.seam.upsert(_heads, _moved), [row])


def _moved(new: Any) -> Mapping[str, Any]:
    return {name: getattr(new, name) for name in ("total", "first", "bytes", "dropped", "open")}


def _grown(new: Any) -> Mapping[str, Any]:
    return {name: getattr(new, name) for name in ("lines", "bytes", "data")}


def _gathered(first: int, given: Sequence[LogLines]) -> Lines:
    origins: dict[Origin, int] = {}
    times: list[int] = []
    origin: list[int] = []
    texts: list[str] = []
    for lines in given:
        index = origins.setdefault(Origin(lines.source, lines.stream), len(origins))
        times += lines.times
        texts += lines.texts
        origin += [index] * len(lines.texts)
    return Lines(first, times, list(origins), origin, texts)


def _with_last(tx: Tx, run: int, fresh: Lines) -> Lines:
    """New lines behind those of the last chunk, if that has room."""
    row = tx.execute(_last, {"wanted": run}).first() if fresh.texts else None
    if row is None or row.bytes >= CHUNK_BYTES or row.lines >= CHUNK_LINES:
        return fresh
    old = _decoded(row.first, row.data)
    if len(old.origins) + len(fresh.origins) > _SOURCES:
        return fresh
    origins = {one: index for index, one in enumerate(old.origins)}
    index = [origins.setdefault(one, len(origins)) for one in fresh.origins]
    moved = [index[one] for one in fresh.origin]
    return Lines(
        old.first,
        [*old.times, *fresh.times],
        list(origins),
        [*old.origin, *moved],
        [*old.texts, *fresh.texts],
    )


def _chunked(lines: Lines) -> Iterator[Lines]:
    begin = size = 0
    origins = set[int]()
    for at, text in enumerate(lines.texts):
        size += len(text)
        origins.add(lines.origin[at])
        if size >= CHUNK_BYTES or at + 1 - begin >= CHUNK_LINES or len(origins) == _SOURCES:
            yield lines.part(begin, at + 1)
            begin, size = at + 1, 0
            origins.clear()
    if begin < len(lines.texts):
        yield lines.part(begin, len(lines.texts))


def _put(tx: Tx, run: int, lines: Lines) -> int:
    """Writes a chunk, and says by how many bytes of text the log has grown."""
    old = tx.execute(select(_chunks.c.bytes).where(_chunks.c.run == run, _chunks.c.first == lines.first)).scalar()
    used = sorted(set(lines.origin))
    place = {index: number for number, index in enumerate(used)}
    steps = array("q", [later - earlier for earlier, later in pairwise([0, *lines.times])])
    text = "\n".join(lines.texts)
    size = len(text.encode()) + 1
    stored = _Stored(
        [lines.origins[index] for index in used], steps.tobytes(), bytes(place[one] for one in lines.origin), text
    )
    row = {
        "run": run,
        "first": lines.first,
        "lines": len(lines.texts),
        "bytes": size,
        "data": zlib.compress(_pack(stored), 6),
    }
    tx.insert(tx.seam.upsert(_chunks, _grown), [row])
    return size - (old or 0)


def _shrunk(tx: Tx, run: int, first: int, total: int, size: int) -> tuple[int, int]:
    """Takes the oldest chunks of a log away that is beyond its limits, and a few more: not one a write."""
    if size <= limits.LOG_BYTES and total - first < limits.LOG_LINES:
        return first, size
    room = 1 - SHRUNK_BY
    columns = (_chunks.c.first, _chunks.c.lines, _chunks.c.bytes)
    for row in tx.execute(select(*columns).where(_chunks.c.run == run).order_by(_chunks.c.first)).all()[:-1]:
        if size <= room * limits.LOG_BYTES and total - first < room * limits.LOG_LINES:
            break
        tx.change(delete(_chunks).where(_chunks.c.run == run, _chunks.c.first == row.first))
        first, size = row.first + row.lines, size - row.bytes
    return first, size


def _open_lines(old: Sequence[OpenLine], given: Sequence[LogLines]) -> list[OpenLine]:
    """Each origin's last state; those without text are none."""
    found = {(line.source, line.stream): line for line in old}
    for lines in given:
        found[lines.source, lines.stream] = OpenLine(lines.source, lines.stream, lines.open_time, lines.open)
    return [line for line in found.values() if line.text][-limits.LOG_OPEN_LINES :]


# -- reading -----------------------------------------------------------------------------------------------------------


@beside_latest
def head(tx: Tx, run_id: str) -> LogHead:
    """The state of a run's log."""
    return _head_of(tx, runs.row(tx, run_id).id)


@beside_latest
def page(tx: Tx, run_id: str, after: int | None, before: int | None, limit: int) -> LogPage:
    """At most ``limit`` lines of a run: those after a line, or else the last ones before a line, or the last of all."""
    run = runs.row(tx, run_id).id
    head = _head_of(tx, run)
    if after is not None:
        first = max(after + 1, head.first)
        last = min(first + limit - 1, head.total)
    else:
        last = min(before - 1 if before is not None else head.total, head.total)
        first = max(last - limit + 1, head.first)
    return LogPage(head, _joined(first, list(_between(tx, run, first, last))))


@beside_latest
def find(tx: Tx, run_id: str, text: str, after: int, limit: int, *, ignore_case: bool) -> Found:
    """The first ``limit`` lines after a line that contain a text, which escape sequences do not hide."""
    run = runs.row(tx, run_id).id
    head = _head_of(tx, run)
    wanted = text.lower() if ignore_case else text
    found, scanned = Found([], [], None), 0
    for lines in _between(tx, run, max(after + 1, head.first), head.total):
        for number, line in enumerate(lines.texts, start=lines.first):
            plain = without_escapes(line)
            if wanted in (plain.lower() if ignore_case else plain):
                found.numbers.append(number)
                found.texts.append(line)
                if len(found.numbers) == limit:
                    return found._replace(after=number)
            scanned += len(line)
        if scanned > SCAN_BYTES:
            return found._replace(after=lines.first + len(lines.texts) - 1)
    return found


def without_escapes(line: str) -> str:
    """A line without colours and other control sequences."""
    return _ESCAPES.sub("", line) if "\x1b" in line else line


def _head_of(tx: Tx, run: int) -> LogHead:
    row = tx.execute(_head, {"wanted": run}).first()
    if row is None:
        return LogHead()
    return LogHead(total=row.total, first=row.first, bytes=row.bytes, dropped=row.dropped, open=_unpack_open(row.open))


def _between(tx: Tx, run: int, first: int, last: int) -> Iterator[Lines]:
    """The lines from one to another, a chunk at a time."""
    if first > last:
        return
    begin = select(func.max(_chunks.c.first)).where(_chunks.c.run == run, _chunks.c.first <= first).scalar_subquery()
    query = (
        select(_chunks.c.first)
        .where(_chunks.c.run == run, _chunks.c.first >= func.coalesce(begin, first), _chunks.c.first <= last)
        .order_by(_chunks.c.first)
    )
    for start in tx.execute(query).scalars().all():
        data = tx.execute(select(_chunks.c.data).where(_chunks.c.run == run, _chunks.c.first == start)).scalar_one()
        lines = _decoded(start, data)
        wanted = lines.part(max(0, first - start), max(0, last + 1 - start))
        if wanted.texts:
            yield wanted


def _joined(first: int, parts: Sequence[Lines]) -> Lines:
    if not parts:
        return _NOTHING._replace(first=first)
    origins: dict[Origin, int] = {}
    origin: list[int] = []
    for lines in parts:
        index = [origins.setdefault(one, len(origins)) for one in lines.origins]
        origin += [index[one] for one in lines.origin]
    return Lines(
        parts[0].first,
        [time for lines in parts for time in lines.times],
        list(origins),
        origin,
        [text for lines in parts for text in lines.texts],
    )


def _decoded(first: int, data: bytes) -> Lines:
    stored = _unpack(zlib.decompress(data))
    steps = array("q")
    steps.frombytes(stored.times)
    return Lines(first, list(accumulate(steps)), stored.origins, list(stored.origin), stored.text.split("\n"))
