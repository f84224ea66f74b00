"""The journal: what is written is read again, whatever becomes of the files."""

from __future__ import annotations

import errno
import math
import os
import random
import shutil
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logbuch.sdk.journal import segment, segments
from logbuch.sdk.journal.course import Course
from logbuch.sdk.journal.folder import Folder, parts
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.journal.note import State
from logbuch.wire import ingest

Point = tuple[str, str, int, int, float]


@pytest.fixture(params=["mapped", "written", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    if request.param == "written":
        monkeypatch.setattr(segments, "can_be_mapped", lambda folder: False)
    made = Journal(None if request.param == "memory" else tmp_path / "journals", "http://host")
    yield made
    made.close(remove=True)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journals", "http://host")
    yield made
    made.close(remove=True)


def drained(course: Course) -> tuple[list[Point], list[Any]]:
    """Points (run, key, step, time, value) and other records, all of what is left; the spans are checked."""
    points: list[Point] = []
    others: list[Any] = []
    while (batch := course.next()) is not None:
        assert (batch.first, batch.before) == (course.number + 1, course.chain)
        assert 1 <= len(batch.items) <= 1000
        entries = batch.entries()
        assert all(span >= 1 for span, _, _ in entries)
        assert sum(span for span, _, _ in entries) == batch.last - course.number
        for _, _, raw in entries:
            record = msgspec.msgpack.decode(raw)
            if record[0] == "metrics":
                points += unpacked(*record[1:])
            else:
                others.append(record)
        course.accept(batch)
    return points, others


def unpacked(run: str, names: list[str], index: bytes, steps: bytes, times: bytes, values: bytes) -> list[Point]:
    count = len(index) // 4
    raws = (index, steps, times, values)
    columns = [struct.unpack(f"<{count}{kind}", raw) for kind, raw in zip("Iqqd", raws, strict=True)]
    return [(run, names[i], step, time, value) for i, step, time, value in zip(*columns, strict=True)]


def dead(journal: Journal) -> Course:
    """What a later process finds."""
    assert journal.folder is not None
    folder = Folder(journal.folder.path)
    found = parts(folder)
    return Course(lambda: found)


def test_points_come_back_bit_equal(journal: Journal) -> None:
    values = [0.5, -0.0, math.inf, -math.inf, 1e308, 5e-324]
    for step, value in enumerate(values):
        assert journal.point("r", "loss", value, step, 1000 + step)
    assert journal.point("r", "nan", math.nan, -(2**63), 2**63 - 1)
    points, _ = drained(Course(journal.parts))
    assert [struct.pack("d", value) for *_, value in points[:-1]] == [struct.pack("d", value) for value in values]
    assert points[0][:4] == ("r", "loss", 0, 1000)
    assert (points[-1][:4], math.isnan(points[-1][4])) == (("r", "nan", -(2**63), 2**63 - 1), True)


def test_everything_in_its_order_over_many_segments(journal: Journal) -> None:
    wanted: list[Point] = []
    others = []
    for step in range(30_000):
        wanted.append(("r", f"m{step % 3}", step, step, step / 7))
        assert journal.point("r", f"m{step % 3}", step / 7, step, step)
        if step % 1000 == 7:
            keys = [f"w{number}" for number in range(20)]
            assert journal.row("r", keys, [float(number) for number in range(20)], step, step)
            wanted += [("r", key, step, step, float(number)) for number, key in enumerate(keys)]
            others.append(["tags", "r", [[f"t{step}", "ü"]]])
            assert journal.record(ingest.encode_record(ingest.Tags("r", [(f"t{step}", "ü")])))
    assert len(journal.parts()) >= 3
    assert drained(Course(journal.parts)) == (wanted, others)
    assert journal.last == journal.logged == 30_060


def test_many_runs_in_one_journal(journal: Journal) -> None:
    wanted = []
    for step in range(3000):
        run = f"run{step % 700}"
        wanted.append((run, "m", step, 0, 1.0))
        journal.point(run, "m", 1.0, step, 0)
    points, _ = drained(Course(journal.parts))
    assert sorted(points) == sorted(wanted)


def test_a_row_may_have_any_width(journal: Journal) -> None:
    keys = [f"k{number}" for number in range(23_456)]
    assert journal.row("r", keys, [1.0] * len(keys), 1, 2)
    points, _ = drained(Course(journal.parts))
    assert {key for _, key, *_ in points} == set(keys)


def test_a_later_process_reads_what_a_killed_one_has_written(kept: Journal) -> None:
    for step in range(10_000):
        kept.point("r", "m", float(step), step, step)
    points, _ = drained(dead(kept))  # nothing was closed or synced
    assert [point[4] for point in points] == [float(step) for step in range(10_000)]


def test_chains_agree_between_the_writer_and_later_readers(kept: Journal) -> None:
    kept.record(ingest.encode_record(ingest.Attach("r")))
    live = Course(kept.parts)
    for step in range(20_000):
        kept.point("r", "m", 1.0, step, step)
        if step % 3001 == 0:
            batch = live.next()
            assert batch is not None
            live.accept(batch)
            later = dead(kept)
            assert later.seek(live.number, live.chain)
            assert not later.seek(live.number, b"another")
            assert (later.number, later.chain) == (live.number, live.chain)
    points, _ = drained(later)
    assert points == drained(live)[0]
    assert not dead(kept).seek(10**6, b"")


def test_released_segments_are_gone_and_the_course_goes_on(kept: Journal) -> None:
    course = Course(kept.parts)
    for step in range(30_000):
        kept.point("r", "m", 1.0, step, step)
    drained(course)
    kept.release(State(number=course.number, chain=course.chain.hex()))
    assert kept.folder is not None
    assert len(kept.parts()) == len(kept.folder.segments()) == 1
    kept.point("r", "m", 2.0, 1, 1)
    assert drained(course)[0] == [("r", "m", 1, 1, 2.0)]
    assert not course.seek(0, b"")
    assert course.seek(course.number, course.chain)


def small(journal: Journal) -> tuple[Path, list[Point]]:
    """A journal of ten points, closed; its only file."""
    for step in range(10):
        journal.point("r", "m", step + 0.5, step, step)
    journal.close(remove=False)
    assert journal.folder is not None
    (path,) = journal.folder.segments()
    return path, [("r", "m", step, step, step + 0.5) for step in range(10)]


def test_a_journal_cut_anywhere_yields_all_that_is_whole(kept: Journal) -> None:
    path, wanted = small(kept)
    raw = path.read_bytes()
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        found = drained(dead(kept))[0]
        assert found == wanted[: len(found)]
        assert len(found) == max(0, (size - 64 - 32) // 48)


def test_a_flipped_byte_costs_one_entry(kept: Journal) -> None:
    path, wanted = small(kept)
    raw = path.read_bytes()
    announced = 64 + 32  # without its header a segment is not read, without a key's name its points mean nothing
    for place in range(announced, len(raw)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
        found = drained(dead(kept))[0]
        assert [point for point in found if point not in wanted] == []
        assert len(found) == 9
    for place in range(announced):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
        assert [point for point in drained(dead(kept))[0] if point not in wanted] == []


def test_a_page_that_never_reached_the_disk_hides_nothing_behind_it(kept: Journal) -> None:
    for step in range(1000):
        kept.point("r", "m", step + 0.5, step, step)
    kept.close(remove=False)
    assert kept.folder is not None
    (path,) = kept.folder.segments()
    raw = bytearray(path.read_bytes())
    raw[8192:12288] = bytes(4096)
    path.write_bytes(raw)
    steps = [point[2] for point in drained(dead(kept))[0]]
    assert steps[0] == 0 and steps[-1] == 999
    assert 1000 - len(steps) in (86, 87)


def test_copies_that_go_on_do_not_agree(kept: Journal, tmp_path: Path) -> None:
    kept.point("r", "m", 1.0, 0, 0)
    assert kept.folder is not None
    copy = tmp_path / "copies" / kept.id
    shutil.copytree(kept.folder.path, copy)
    kept.point("r", "m", 2.0, 1, 1)
    copied, original = Course(lambda: parts(Folder(copy))), Course(kept.parts)
    drained(copied)
    drained(original)
    assert not copied.seek(original.number, original.chain)
    assert original.seek(1, copied.chain)  # the copy is a beginning of the original


# -- a disk that does not play along -----------------------------------------------------------------------------------


def test_a_full_disk_is_counted_and_raises_nothing(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MEMORY_BYTES", 0)
    assert kept.point("r", "m", 1.0, 0, 0)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment.os, "posix_fallocate", full)
    taken = sum(kept.point("r", "m", 1.0, step, 0) for step in range(1, 10_000))
    assert 4000 < taken < 6000
    assert kept.dropped == 9999 - taken
    assert "No space left" in kept.why_full
    assert kept.record(ingest.encode_record(ingest.Attach("r")), vital=True)  # the end of a run finds room
    monkeypatch.undo()
    kept._full_until = 0.0
    assert kept.point("r", "m", 2.0, 1, 1)
    points, others = drained(Course(kept.parts))
    assert (len(points), others) == (taken + 2, [["attach", "r"]])


def test_a_write_that_fails_leaves_the_journal_whole(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "can_be_mapped", lambda folder: False)
    monkeypatch.setattr(segments, "MEMORY_BYTES", 0)
    write, failing = os.write, threading.Event()

    def limited(fd: int, raw: bytes) -> int:
        return write(fd, raw[: len(raw) // 2] if failing.is_set() else raw)

    monkeypatch.setattr(segment.os, "write", limited)
    assert kept.point("r", "m", 1.0, 0, 0)
    failing.set()
    assert not kept.point("r", "m", 2.0, 1, 1)
    assert not kept.row("r", ["a", "b"], [1.0, 2.0], 1, 1)
    assert kept.dropped == 2
    failing.clear()
    kept._full_until = 0.0
    assert kept.point("r", "m", 3.0, 2, 2)
    assert [point[4] for point in drained(dead(kept))[0]] == [1.0, 3.0]


def test_without_a_folder_memory_does_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MEMORY_BYTES", 300_000)
    (tmp_path / "file").write_text("")
    homeless = Journal(tmp_path / "file" / "journals", "http://host")
    taken = sum(homeless.point("r", "m", 1.0, step, 0) for step in range(10_000))
    assert 4000 < taken < 10_000
    assert (homeless.dropped, homeless.unsafe(100)) == (10_000 - taken, taken - 100)
    homeless.close(remove=True)


@pytest.mark.parametrize("where", ["folder", "segment"])
def test_where_nothing_can_be_written_the_journal_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    usual, taken, spare = tmp_path / "usual", tmp_path / "taken", tmp_path / "spare"
    taken.write_text("no folder can be made here")
    if where == "folder":
        usual.write_text("nor here")
    else:
        real = segments.new_file

        def new_file(path: Path, size: int, mapped: bool) -> Any:
            if usual in path.parents:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(path, size, mapped)

        monkeypatch.setattr(segments, "new_file", new_file)
    homes = [segments.Home(root, f"for {root.name}", lambda _: True) for root in (taken, spare, tmp_path / "last")]
    journal = Journal(usual, "for usual", None, homes)
    journal.settle()
    assert journal.point("r", "m", 1.0, 1, 1)
    assert journal.folder is not None
    about = journal.folder.about()
    assert about is not None
    assert (journal.folder.path.parent, about.place) == (spare, "for spare")
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith(f"so what is logged is kept in {spare}")
    assert len(said) == 2
    assert not usual.is_dir() or list(usual.iterdir()) == []
    assert drained(Course(journal.parts))[0] == [("r", "m", 1, 1, 1.0)]
    journal.close(remove=True)


def test_a_journal_that_holds_copies_of_files_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait there to be sent: entries go to memory instead."""
    journal = Journal(tmp_path / "usual", "place", None, [segments.Home(tmp_path / "spare", "place", lambda _: True)])
    journal.settle()
    assert journal.folder is not None
    journal.folder.files.mkdir()

    def new_file(path: Path, size: int, mapped: bool) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segments, "new_file", new_file)
    assert journal.point("r", "m", 1.0, 1, 1)
    assert journal.folder.path.parent == tmp_path / "usual"
    assert (journal.unsafe(0), (tmp_path / "spare").exists()) == (1, False)
    journal.close(remove=True)


def test_the_limit_of_the_folder_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MEMORY_BYTES", 0)
    left = [600_000]

    def room(size: int) -> bool:
        left[0] -= size
        return left[0] >= 0

    limited = Journal(tmp_path / "journals", "http://host", room)
    for step in range(20_000):
        limited.point("r", "m", 1.0, step, 0)
    assert limited.dropped > 10_000
    assert "journal_bytes" in limited.why_full
    limited.close(remove=True)


def test_the_folder_is_private_and_goes(kept: Journal) -> None:
    kept.point("r", "m", 1.0, 0, 0)
    assert kept.folder is not None
    path = kept.folder.path
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert not Folder(path).lock()
    kept.close(remove=False)
    assert path.exists()
    other = Folder(path)
    assert other.lock()
    other.unlock()
    kept.close(remove=True)
    assert not path.exists()


# -- threads, signals, forks -------------------------------------------------------------------------------------------


def test_threads_and_a_reader_at_once(journal: Journal) -> None:
    found: list[Point] = []
    course, done = Course(journal.parts), threading.Event()

    def read() -> None:
        while not done.is_set():
            found.extend(drained(course)[0])
            journal.sync()

    def write(name: str) -> None:
        for step in range(5000):
            journal.point("r", name, 1.0, step, 0)

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(f"k{number}",)) for number in range(3)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    found += drained(course)[0]
    assert sorted(found) == sorted(("r", f"k{number}", step, 0, 1.0) for number in range(3) for step in range(5000))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_a_signal_handler_may_log_amid_a_call(journal: Journal) -> None:
    logged = [0]

    def handler(number: int, frame: object) -> None:
        logged[0] += 1
        journal.point("r", "from a signal", float(logged[0]), logged[0], 0)
        journal.row("r", ["row"], [1.0], logged[0], 0)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for step in range(40_000):
            journal.point("r", "m", 1.0, step, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    points, _ = drained(Course(journal.parts))
    keys = [key for _, key, *_ in points]
    assert (keys.count("m"), keys.count("from a signal"), keys.count("row")) == (40_000, logged[0], logged[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_lets_go(kept: Journal) -> None:
    kept.point("r", "m", 1.0, 0, 0)
    child = os.fork()
    if child == 0:
        kept.abandon()
        dropped = not kept.point("r", "m", 9.0, 9, 9)
        os._exit(0 if dropped else 1)
    assert os.waitpid(child, 0)[1] == 0
    kept.point("r", "m", 2.0, 1, 1)
    assert [point[4] for point in drained(dead(kept))[0]] == [1.0, 2.0]


def test_random_entries_survive_a_round(kept: Journal) -> None:
    dice = random.Random(4)
    wanted: list[Point] = []
    for step in range(3000):
        run = dice.choice(["a", "b"])
        match dice.randrange(4):
            case 0:
                keys = dice.sample([f"k{number}" for number in range(30)], dice.randrange(1, 9))
                row = [dice.random() for _ in keys]
                kept.row(run, keys, row, step, 1)
                wanted += [(run, key, step, 1, value) for key, value in zip(keys, row, strict=True)]
            case 1:
                kept.record(ingest.encode_record(ingest.Tags(run, [("t", "x" * dice.randrange(2000))])))
            case _:
                wanted.append((run, "k1", step, 1, dice.random()))
                kept.point(run, "k1", wanted[-1][4], step, 1)
    assert sorted(drained(dead(kept))[0]) == sorted(wanted)
    assert sorted(drained(Course(kept.parts))[0]) == sorted(wanted)


def test_a_disk_that_does_not_sync_is_an_error_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "here")
    journal.point("0" * 32, "m", 1.0, 0, 0)
    segment = journal.parts()[0].segment
    assert segment is not None
    synced: list[bool] = []

    def broken() -> None:
        synced.append(False)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(segment, "sync", broken)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            journal.sync()
    assert len(synced) == 2
    monkeypatch.setattr(segment, "sync", lambda: synced.append(True))
    journal.sync()
    journal.sync()
    assert synced == [False, False, True]
    journal.close(remove=True)


@pytest.mark.parametrize("width", [1, 2, 3, 20, 21])
def test_rows_of_the_same_keys_become_columns(journal: Journal, width: int) -> None:
    keys = [f"k{number}" for number in range(width)]
    wanted = set()
    for step in range(500):
        named = keys if step % 150 < 140 else [*keys[:-1], "other"]
        values = [step + number / 64 for number in range(width)]
        assert journal.row("r", named, values, step, 1000 + step)
        wanted |= {(key, step, 1000 + step, value) for key, value in zip(named, values, strict=True)}
        if step == 250:
            journal.point("r", "alone", -1.0, step, 7)
            wanted.add(("alone", step, 7, -1.0))
    course = Course(journal.parts)
    found, entries = [], 0
    while batch := course.next():
        for item in batch.items:
            record = msgspec.msgpack.decode(item.raw)
            names, index, *columns = record[2:]
            rows = zip(memoryview(index).cast("I"), *map(cast_column, columns, "qqd"), strict=True)
            found += [(names[number], step, time, value) for number, step, time, value in rows]
            entries += item.counts
        course.accept(batch)
    assert entries == 501
    assert len(found) == len(wanted)
    assert set(found) == wanted
    assert course.number == journal.last == 501


def cast_column(raw: bytes, kind: str) -> memoryview:
    return memoryview(raw).cast(kind)  # type: ignore[call-overload,no-any-return]
