"""What a killed process has left beside a store in a file, and the ends of its runs: whoever finds it, at whatever
moment it was killed."""

from __future__ import annotations

import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from click.testing import CliRunner

import logbuch
from logbuch.cli.main import cli
from logbuch.errors import NotFound
from logbuch.model import RunStatus
from logbuch.sdk import connection
from logbuch.sdk.backends.embedded import EmbeddedBackend
from logbuch.sdk.journal import segments
from logbuch.sdk.journal.folder import Folder
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.shipping import leftovers
from logbuch.sdk.shipping.sender import Sender
from logbuch.wire import ingest

MEANT = "sqlite:logbuch.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedBackend]:
    made = EmbeddedBackend(tmp_path / "logbuch.db", tmp_path / "artifacts")
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journals"


class Process:
    """A training that is sent step by step, and dies where it is told to."""

    def __init__(self, store: EmbeddedBackend, root: Path, run_id: str = "r") -> None:
        self.journal, self.run_id, self.steps = Journal(root, MEANT), run_id, 0
        self.sender = Sender(store, self.journal)
        self.sender._thread = threading.current_thread()  # none of its own
        for record in (ingest.NewRun(run_id, "", "0"), ingest.Hold(run_id)):
            self.journal.record(ingest.encode_record(record), counted=False)

    def log(self, count: int) -> None:
        for step in range(self.steps, self.steps + count):
            assert self.journal.point(self.run_id, "m", float(step), step, step)
        self.steps += count

    def send(self, batches: int | None = None) -> None:
        """Sends all, or so many batches."""
        way = self.sender._way()
        while batches != 0 and way.step():
            batches = None if batches is None else batches - 1

    def die(self) -> Folder:
        assert self.journal.folder is not None
        path = self.journal.folder.path
        self.journal.folder.unlock()
        return Folder(path)


Begin = Callable[..., Process]


@pytest.fixture
def begin(store: EmbeddedBackend, root: Path) -> Iterator[Begin]:
    """Starts a process, which logs to a run of its own."""
    begun: list[Process] = []

    def start(run_id: str = "r") -> Process:
        begun.append(Process(store, root, run_id))
        return begun[-1]

    yield start
    for process in begun:
        process.journal.close(remove=True)


def status(store: EmbeddedBackend, run_id: str = "r") -> RunStatus:
    return store.get_run(run_id).info.status


def stored(store: EmbeddedBackend, run_id: str = "r") -> list[int]:
    found, token = store.metric_history(run_id, "m", 25_000, "")
    while token:
        more, token = store.metric_history(run_id, "m", 25_000, token)
        found += more
    return [point.step for point in found]


def test_a_process_that_took_another_name_again_and_again(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    """It has held its run under each of them."""
    process = begin()
    process.send()
    for _ in range(2):
        shipment: Any = process.sender._way()
        shipment._begin_anew()
        shipment._save(shipment.state)  # as the greeting does that finds this out
        process.journal.record(ingest.encode_record(ingest.Hold("r")), counted=False)
        process.log(10)
        process.send()
    assert len(set(process.sender.state.names(process.journal.id))) == 3
    process.log(10)
    folder = process.die()
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, outcome.ended, status(store)) == (None, 1, RunStatus.KILLED)
    assert stored(store) == list(range(30))
    assert not folder.path.exists()


def test_a_journal_that_is_put_away_is_taken_by_nobody(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    """Whoever has opened the lock before has it then, and nothing comes of it."""
    process = begin()
    process.send()
    folder = process.die()
    late, waiting = Folder(folder.path), Folder(folder.path)
    opened = late._opened()
    assert opened is not None
    assert folder.lock()
    assert not waiting.lock()
    folder.remove()
    assert not late._is_lock(opened)
    opened.close()
    assert not late.lock()
    late.keep(folder.state())
    assert list(root.iterdir()) == []


def test_what_is_left_of_a_removal_goes_with_the_next_sweep(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    """Its process was killed amid taking it away, or when all was sent and noted."""
    process, complete = begin(), begin("other")
    path = process.die().path
    path.rename(path.with_name(f"{path.name}.removed"))
    complete.send()
    folder = complete.die()
    state = folder.state()
    state.complete = True
    folder.keep(state)
    assert leftovers.sweep(root, MEANT, store, "") == []
    assert list(root.iterdir()) == []


def test_an_entry_that_is_just_being_written_is_waited_for(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    """Its number is there before its bytes are: a look between them must not take it for sent."""
    process = begin()
    process.send()
    journal: Any = process.journal
    part = journal.parts()[-1]
    with journal._lock:
        place = part.end
        process.log(1)
        end, part.end = part.end, place  # as it is amid the call
        sending = threading.Thread(target=process.sender._send)
        sending.start()
        sending.join(0.3)
        assert process.sender._done < journal.last
        part.end = end
    sending.join()
    assert process.sender._done == journal.last
    assert stored(store) == [0]


def test_what_is_logged_while_a_process_leaves_is_not_taken_for_sent(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    process = begin()
    process.log(3)
    process.sender._send()
    save, journal = process.sender._save, process.journal

    def log(state: Any) -> None:
        assert not journal.point("r", "m", 9.0, 9, 9)
        save(state)

    process.sender._save = log  # type: ignore[method-assign]
    process.sender.leave()
    assert (journal.dropped, stored(store)) == (1, [0, 1, 2])
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), ValueError("?"), MemoryError()], ids=repr)
def test_what_stops_a_sweep_takes_nothing_away(
    begin: Begin, store: EmbeddedBackend, root: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ctrl-C amid ``logbuch sync``, say, or a fault of our own."""
    process = begin()
    process.log(10)
    path = process.die().path

    def stop(*_: Any) -> Any:
        raise error

    with monkeypatch.context() as trouble:
        trouble.setattr(store, "ingest", stop)
        if isinstance(error, Exception):
            (outcome,) = leftovers.sweep(root, MEANT, store, "")
            assert outcome.why is not None
        else:
            with pytest.raises(type(error)):
                leftovers.sweep(root, MEANT, store, "")
    assert list(root.iterdir()) == [path]
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, stored(store)) == (None, list(range(10)))


@pytest.mark.parametrize(
    "raw", [b"\xb6", b'{"chain": "no hex"}', b'{"number": -7, "chain": "00"}', b"", b"[]", b"\0" * 9]
)
def test_a_damaged_note_of_how_far_it_was_sent(begin: Begin, store: EmbeddedBackend, root: Path, raw: bytes) -> None:
    process = begin()
    process.log(10)
    process.send()
    process.log(10)
    (process.die().path / "state.json").write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, stored(store), status(store)) == (None, list(range(20)), RunStatus.KILLED)


def test_the_notes_of_two_journals_that_were_exchanged(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    """Each says what is true, of the other one: believed, it would hide what was not sent."""
    one, two = begin("one"), begin("two")
    for process, count in ((one, 10), (two, 30)):
        process.log(count)
        process.send()
        process.log(10)
    first, second = one.die(), two.die()
    for name in ("journal.json", "state.json"):
        mine, others = (first.path / name).read_bytes(), (second.path / name).read_bytes()
        (first.path / name).write_bytes(others)
        (second.path / name).write_bytes(mine)
    said = "journal.json is not believed, for it is another journal's"
    assert first.disbelieved() == [said, said.replace("journal.json", "state.json")]
    runner = CliRunner()
    for folder in (first, second):
        done = runner.invoke(cli, ["sync", str(folder.path), "--tracking-uri", store.uri])
        assert done.exit_code == 0, done.output
        assert said in done.output
    assert (stored(store, "one"), stored(store, "two")) == (list(range(20)), list(range(40)))


def test_a_note_that_says_all_was_sent_is_not_believed_when_it_is_damaged(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    process = begin()
    process.log(10)
    process.send()
    process.log(10)
    folder = process.die()
    path = folder.path / "state.json"
    path.write_bytes(path.read_bytes().replace(b'"complete":false', b'"complete":true'))
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert outcome.complaint() == f"{folder.path}: state.json is not believed, for its checksum is another one"
    assert stored(store) == list(range(20))


def test_where_it_was_meant_to_go_is_told_by_the_store_too(
    begin: Begin, store: EmbeddedBackend, root: Path, tmp_path: Path
) -> None:
    process = begin()
    process.log(10)
    process.send()
    process.log(10)
    folder = process.die()
    (folder.path / "journal.json").write_bytes(bytes(80))
    other = EmbeddedBackend(tmp_path / "other" / "logbuch.db", tmp_path / "artifacts")
    (outcome,) = leftovers.sweep(root, MEANT, other, "")
    other.close()
    assert outcome.nameless
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert outcome.complaint() == f"{folder.path}: journal.json is not believed, for it cannot be read"
    assert stored(store) == list(range(20))


def test_a_run_whose_beginning_was_damaged_is_made_all_the_same(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    process, worker, _alive = begin(), begin("of another"), begin("alive")
    worker.sender.state.needs.append("elsewhere")  # a run that another journal brings is waited for instead
    worker.journal.record(ingest.encode_record(ingest.Tags("elsewhere", [("a", "b")])))
    worker.sender._save(worker.sender.state)
    process.log(10)
    folder = process.die()
    for one in (folder, worker.die()):
        (segment,) = one.segments()
        raw = bytearray(segment.read_bytes())
        raw[64 + 28] ^= 1  # amid the first entry
        segment.write_bytes(raw)
    found = {outcome.folder.id: outcome for outcome in leftovers.sweep(root, MEANT, store, "")}
    outcome = found[folder.id]
    assert (outcome.why, outcome.damaged, outcome.refused, outcome.ended) == (None, 1, [], 1)
    assert stored(store) == list(range(10))
    run = store.get_run("r")
    assert run.info.status is RunStatus.KILLED
    assert "was damaged" in run.data.tags["mlflow.note.content"]
    assert "elsewhere not found: it was begun by another process" in str(
        next(one.why for one in found.values() if one.folder.id == worker.journal.id)
    )
    with pytest.raises(NotFound):
        store.get_run("elsewhere")


def test_a_worker_whose_note_was_damaged_waits_for_the_run_of_another(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    """The note said that another journal brings the run. When none is left that could, it is made."""
    worker = begin("unsent")
    worker.journal.record(ingest.encode_record(ingest.Tags("r", [("a", "b")])))
    (worker.die().path / "state.json").write_bytes(b"{")
    parent = begin("r")
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert "has not arrived" in str(outcome.why)
    parent.log(1)
    parent.die()
    assert [outcome.why for outcome in leftovers.sweep(root, MEANT, store, "")].count(None) >= 1
    leftovers.sweep(root, MEANT, store, "")
    assert (stored(store), store.get_run("r").data.tags["a"]) == ([0], "b")


@pytest.mark.parametrize("first", ["damaged", "copy"])
def test_a_copy_that_was_not_damaged_brings_what_the_other_lacks(
    begin: Begin, store: EmbeddedBackend, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The chain of the last segment says nothing of those before it, and both copies have that."""
    monkeypatch.setattr(segments, "FIRST_BYTES", segments.RESERVE_BYTES + 4096)
    process = begin()
    process.log(500)
    folder = process.die()
    shutil.copytree(root, tmp_path / "copy")
    segment = folder.segments()[0]
    raw = bytearray(segment.read_bytes())
    raw[raw.index(struct.pack("<d", 5.0))] ^= 1
    segment.write_bytes(raw)
    said = {}
    for name in [first, *({"damaged", "copy"} - {first})]:
        (outcome,) = leftovers.sweep(root if name == "damaged" else tmp_path / "copy", MEANT, store, "")
        assert outcome.refused == []
        said[name] = outcome.damaged
    assert stored(store) == list(range(500))
    assert said == {"copy": 0, "damaged": 1 if first == "damaged" else 0}


def test_a_run_that_is_not_known_any_more_to_have_been_held_ends(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    process = begin()
    process.log(10)
    (segment,) = process.die().segments()
    raw = bytearray(segment.read_bytes())
    raw[raw.index(b"hold")] ^= 1
    segment.write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.damaged, outcome.ended, status(store)) == (1, 1, RunStatus.KILLED)


@pytest.mark.parametrize("size", [0, 7, 63, 64])
def test_a_segment_that_is_cut_within_its_header(begin: Begin, store: EmbeddedBackend, root: Path, size: int) -> None:
    process = begin()
    process.log(3)
    process.sender.leave()
    (segment,) = root.glob("*/*.segment")
    segment.write_bytes(segment.read_bytes()[:size])
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, outcome.damaged) == (None, 5)  # the run, that it is held, and the points


@pytest.mark.parametrize("left", [True, False])
def test_an_end_that_is_cut_off_is_counted(begin: Begin, store: EmbeddedBackend, root: Path, left: bool) -> None:
    """Who left in order said how much there was; else it is known only that there was something."""
    process = begin()
    process.log(100)
    folder = Folder(process.journal.folder.path)  # type: ignore[union-attr]
    if left:
        process.sender.leave()
    else:
        process.die()
    (segment,) = folder.segments()
    raw = segment.read_bytes().rstrip(b"\0")
    segment.write_bytes(raw[: len(raw) - 10 * 48 - 20])
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    missing = 100 - len(stored(store))
    assert missing >= 10
    assert outcome.damaged == (missing if left else 1)


def test_what_was_acknowledged_before_it_was_damaged_is_not_said_to_be_lost(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    """The note tells the chain that the store knows, though the bytes that it was made of have changed."""
    process = begin()
    process.log(100)
    process.send()
    process.sender._save(process.sender.state)
    process.log(10)
    folder = process.die()
    (segment,) = folder.segments()
    raw = bytearray(segment.read_bytes())
    raw[raw.index(struct.pack("<d", 50.0))] ^= 1
    segment.write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.sent, outcome.damaged, stored(store)) == (10, 0, list(range(110)))


def test_a_journal_that_does_not_say_whose_it_is_holds_up_nothing(
    begin: Begin, store: EmbeddedBackend, root: Path
) -> None:
    """A byte that is no UTF-8: whoever logs to the same place looks at it at once."""
    process, other = begin(), begin("other")
    for one in (process, other):
        one.log(3)
    path = process.die().path
    (path / "journal.json").write_bytes(b'\xb6{"place": "sqlite:logbuch.db"}')
    other.die()
    assert leftovers.any_for(root, MEANT, "")
    assert leftovers.dead(root, MEANT)
    leftovers.sweep(root, MEANT, store, "")
    assert (stored(store, "other"), [entry.name for entry in root.iterdir()]) == ([0, 1, 2], [path.name])


HEADS = {"magic": 3, "version": 9, "first": 17, "journal": 25, "nonce": 45, "checksum": 58}


@pytest.mark.parametrize("place", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("batches", [0, 1])
def test_a_damaged_header_costs_no_entry(
    begin: Begin, store: EmbeddedBackend, root: Path, place: int, batches: int
) -> None:
    process = begin()
    process.log(20)
    process.send(batches)
    process.log(20)
    folder = process.die()
    (segment,) = folder.segments()
    raw = bytearray(segment.read_bytes())
    raw[place] ^= 0x5A
    segment.write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, outcome.damaged, stored(store)) == (None, 0, list(range(40)))
    assert status(store) is RunStatus.KILLED


def test_a_segment_of_another_version_stays_where_it_is(begin: Begin, store: EmbeddedBackend, root: Path) -> None:
    process = begin()
    process.log(3)
    folder = process.die()
    (segment,) = folder.segments()
    raw = bytearray(segment.read_bytes())
    raw[8] = 2
    raw[56:60] = crc32(raw[:56]).to_bytes(4, "little")
    segment.write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert outcome.why == "1 of its files cannot be read"
    assert segment.exists()


@pytest.mark.parametrize("sent", [0, 10])
def test_what_was_damaged_is_counted_and_the_file_is_kept(
    begin: Begin, store: EmbeddedBackend, root: Path, sent: int
) -> None:
    """The announcement of a key stands before its first point: without it the key's points have no name."""
    process = begin()
    process.log(sent)
    process.send()
    process.journal.point("r", "other", 1.0, 0, 0)
    process.journal.point("r", "other", 2.0, 1, 0)
    process.log(10)
    folder = process.die()
    (segment,) = folder.segments()
    raw = bytearray(segment.read_bytes())
    raw[raw.index(b"r\0other") + 3] ^= 1
    last = raw.rindex(struct.pack("<d", sent + 4.0))
    raw[last] ^= 1
    segment.write_bytes(raw)
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert (outcome.why, outcome.damaged) == (None, 3)
    assert stored(store) == [step for step in range(sent + 10) if step != sent + 4]
    assert str(outcome.complaint()).startswith("3 records in ")
    assert (root / "sent" / folder.id / segment.name).exists()
    assert leftovers.sweep(root, MEANT, store, "") == []


def test_a_process_that_was_killed_at_once_is_sent_to_the_store_that_it_began_with(
    store: EmbeddedBackend, root: Path, tmp_path: Path
) -> None:
    """It asks who is there before it has anything to log."""
    journal = Journal(root, MEANT)
    sender = Sender(store, journal)
    sender._thread = threading.current_thread()
    assert sender.knows_journals()
    journal.record(ingest.encode_record(ingest.NewRun("r", "", "0")), counted=False)
    sender._send()
    assert journal.folder is not None
    journal.folder.unlock()
    other = EmbeddedBackend(tmp_path / "other" / "logbuch.db", tmp_path / "artifacts")
    (outcome,) = leftovers.sweep(root, MEANT, other, "")
    assert str(outcome.why).startswith("another store answers there")
    other.close()
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert outcome.why is None
    journal.close(remove=True)


def test_a_journal_that_does_not_say_whose_it_is_is_told(
    begin: Begin, store: EmbeddedBackend, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = begin()
    process.log(3)
    path = process.die().path
    (path / "journal.json").write_bytes(b"{")
    (outcome,) = leftovers.sweep(root, MEANT, store, "")
    assert str(outcome.complaint()).startswith(f"{path}: journal.json does not say")
    for given in ("", path.name):
        done = CliRunner().invoke(cli, ["sync", str(root / given)])
        assert (done.exit_code, "not sent: journal.json does not say" in done.output) == (1, True)
    logbuch.set_tracking_uri(tmp_path)
    with logbuch.start_run():
        pass
    connection.connect().sender.finish(60)
    assert [record.message for record in caplog.records].count(outcome.complaint()) == 1
    done = CliRunner().invoke(cli, ["sync", str(path), "--tracking-uri", str(tmp_path / "logbuch.db")])
    assert done.exit_code == 1  # a folder of that name cannot be made
    done = CliRunner().invoke(cli, ["sync", str(path), "--tracking-uri", f"sqlite:///{tmp_path}/logbuch.db"])
    assert (done.exit_code, stored(store)) == (0, [0, 1, 2])
