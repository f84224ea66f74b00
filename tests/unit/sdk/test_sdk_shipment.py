"""Journals on their way to a real store: lost answers, restored and other stores, copies, poison, leftovers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from logbuch.errors import InvalidInput, LogbuchError, NotFound, Unavailable
from logbuch.sdk.backends.backend import Standing
from logbuch.sdk.backends.embedded import EmbeddedBackend
from logbuch.sdk.journal.course import Course
from logbuch.sdk.journal.folder import Folder, parts
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.journal.note import State
from logbuch.sdk.journal.room import Room, remove_old
from logbuch.sdk.shipping import leftovers
from logbuch.sdk.shipping.sender import Sender
from logbuch.sdk.shipping.shipment import Shipment
from logbuch.wire import ingest

Entries = Sequence[tuple[int, bytes, bytes]]


class Clerk:
    def __init__(self) -> None:
        self.sent, self.refusals = 0, list[tuple[str | None, int, str]]()

    def taken(self, last: int, count: int) -> None:
        self.sent += count

    def refused(self, run_id: str | None, count: int, what: str, error: LogbuchError) -> None:
        self.refusals.append((run_id, count, str(error)))


class Kept(EmbeddedBackend):
    """A store in this process that, like a server, may come back without what it had. ``before`` and ``after`` stand in
    the way of a batch and of its answer."""

    keeps_acknowledged = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "logbuch.db", folder / "artifacts")
        self.before: Callable[[Entries], None] = lambda entries: None
        self.after: Callable[[], None] = lambda: None
        self.batches = 0

    def ingest(self, journal: str, first: int, before: bytes, entries: Entries) -> Standing:
        self.before(entries)
        self.batches += 1
        found = super().ingest(journal, first, before, entries)
        self.after()
        return found

    def steps(self, run_id: str = "r", key: str = "m") -> list[int]:
        found, token = self.metric_history(run_id, key, 25_000, "")
        while token:
            more, token = self.metric_history(run_id, key, 25_000, token)
            found += more
        return [point.step for point in found]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Callable[[str], Kept]]:
    opened: list[Kept] = []

    def make(name: str) -> Kept:
        opened.append(Kept(tmp_path / name))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journals", "http://host")
    made.record(ingest.encode_record(ingest.NewRun("r", "", "0")), counted=False)
    yield made
    made.close(remove=True)


def log(journal: Journal, begin: int, end: int) -> None:
    for step in range(begin, end):
        journal.point("r", "m", float(step), step, step)


def shipment(journal: Journal, store: Kept, course: Course | None = None, state: State | None = None) -> Any:
    clerk = Clerk()
    found: Any = Shipment(store, journal.id, course or Course(journal.parts), state or State(), journal.keep, clerk)
    found.clerk = clerk
    return found


def drain(sending: Any) -> None:
    while sending.step():
        pass


def test_everything_arrives_once(journal: Journal, stores: Any) -> None:
    store = stores("a")
    log(journal, 0, 20_000)
    sending = shipment(journal, store)
    drain(sending)
    assert store.steps() == list(range(20_000))
    assert (sending.clerk.sent, store.batches) == (20_000, 3)
    log(journal, 20_000, 20_010)
    drain(sending)
    assert store.steps() == list(range(20_010))


def test_a_lost_answer_changes_nothing(journal: Journal, stores: Any) -> None:
    store = stores("a")
    log(journal, 0, 100)
    answers = iter([Unavailable("cut")])

    def lose() -> None:
        for error in answers:
            raise error

    store.after = lose
    sending = shipment(journal, store)
    with pytest.raises(Unavailable):
        drain(sending)
    log(journal, 100, 200)
    drain(sending)
    assert store.steps() == list(range(200))
    assert (sending.clerk.sent, sending.clerk.refusals) == (200, [])


def test_a_process_that_comes_later_asks_where_the_store_stands(journal: Journal, stores: Any) -> None:
    store = stores("a")
    log(journal, 0, 6000)
    first = shipment(journal, store)
    first.step()
    later = shipment(journal, store)  # it knows nothing of what the first has sent
    drain(later)
    assert store.steps() == list(range(6000))
    assert store.batches == 2


def test_a_restored_store_gets_again_what_it_lacks(journal: Journal, stores: Any, tmp_path: Path) -> None:
    store = stores("a")
    log(journal, 0, 100)
    sending = shipment(journal, store)
    drain(sending)
    store.rest()
    shutil.copytree(tmp_path / "a", tmp_path / "backup")
    log(journal, 100, 10_000)
    drain(sending)
    restored = stores("backup")
    sending._backend = restored
    log(journal, 10_000, 10_001)
    drain(sending)
    assert restored.steps() == list(range(10_001))
    assert sending.clerk.refusals == []


def test_another_store_gets_all_that_is_held(journal: Journal, stores: Any) -> None:
    sending = shipment(journal, stores("a"))
    log(journal, 0, 10_000)
    drain(sending)
    other = stores("b")
    sending._backend = other
    log(journal, 10_000, 10_001)
    drain(sending)
    assert other.steps() == list(range(10_001))


def test_what_is_not_held_any_more_costs_no_more_than_itself(journal: Journal, stores: Any) -> None:
    sending = shipment(journal, stores("a"))
    log(journal, 0, 20_000)
    drain(sending)
    journal.release(sending.state)
    other = stores("b")
    other._write(lambda tx: None)
    other.ingest("0" * 32, 1, b"", [(1, b"x", ingest.encode_record(ingest.NewRun("r", "", "0")))])
    sending._backend = other
    log(journal, 20_000, 20_001)
    drain(sending)
    found = other.steps()
    assert found[-1] == 20_000
    assert 0 < len(found) < 20_001
    assert sending.state.alias
    log(journal, 20_001, 20_005)
    drain(sending)
    assert other.steps() == [*found, *range(20_001, 20_005)]


def test_copies_that_both_go_on_lose_nothing(journal: Journal, stores: Any, tmp_path: Path) -> None:
    """As when a virtual machine is cloned amid a training: both write on under the same ID."""
    store = stores("a")
    log(journal, 0, 10)
    twin = Journal(tmp_path / "twins", "http://host")
    twin.id = journal.id
    twin.record(ingest.encode_record(ingest.NewRun("r", "", "0")), counted=False)
    for step in range(10, 30):
        twin.point("r", "m", float(step), step, step)
    drain(shipment(journal, store))
    second = shipment(twin, store)
    drain(second)
    assert store.steps() == list(range(30))
    assert second.state.alias
    assert second.clerk.refusals == []  # that the run exists is no news
    twin.close(remove=True)


def test_a_refused_record_blocks_nothing(journal: Journal, stores: Any) -> None:
    store = stores("a")
    for value in ("1", "2"):
        journal.record(ingest.encode_record(ingest.Params("r", [("p", value)])))
    journal.point("nobody", "m", 1.0, 0, 0)
    log(journal, 0, 10)
    sending = shipment(journal, store)
    drain(sending)
    assert store.get_run("r").data.params == {"p": "1"}
    assert store.steps() == list(range(10))
    assert [(run, count) for run, count, _ in sending.clerk.refusals] == [("r", 1), ("nobody", 1)]
    assert sending.clerk.sent == 11


def test_a_record_that_spoils_its_batch_is_found_and_set_aside(journal: Journal, stores: Any) -> None:
    store = stores("a")
    for number in range(100):
        journal.record(ingest.encode_record(ingest.Tags("r", [(f"t{number}", "x")])))
        log(journal, number, number + 1)

    def spoilt(entries: Entries) -> None:
        if any(b"t37" in raw for _, _, raw in entries):
            raise InvalidInput("a proxy does not like it")

    store.before = spoilt
    sending = shipment(journal, store)
    drain(sending)
    assert store.steps() == list(range(100))
    assert len([key for key in store.get_run("r").data.tags if key.startswith("t")]) == 99
    assert [message for *_, message in sending.clerk.refusals] == ["a proxy does not like it"]
    assert store.batches < 30


def test_points_that_come_one_by_one_are_gathered(journal: Journal, stores: Any) -> None:
    store = stores("a")
    store.gather_seconds = 0.2
    sender, begun = Sender(store, journal), time.monotonic()
    for step in range(200):
        journal.point("r", "m", float(step), step, step)
        if sender.idle:
            sender.nudge()
        time.sleep(0.004)
    assert sender.flush(60)
    gathered = (time.monotonic() - begun) / store.gather_seconds
    assert sender.delivery()[:4] == (0, 200, 0, 0)
    assert store.batches <= gathered + 3
    sender.close()


def test_a_refused_run_is_an_error_of_the_call_that_waits_for_it(journal: Journal, stores: Any) -> None:
    sender = Sender(stores("a"), journal)
    sender.awaits("q")
    sender.put(ingest.NewRun("q", "", "77"), "q", vital=True, counted=False)
    with pytest.raises(NotFound, match="77"):
        sender.settled("q", 5)
    assert sender.delivery()[:4] == (0, 0, 0, 0)
    sender.close()


# -- leftovers ---------------------------------------------------------------------------------------------------------


def left(journal: Journal) -> Folder:
    """The journal as a killed process leaves it."""
    assert journal.folder is not None
    journal.folder.unlock()
    return Folder(journal.folder.path)  # what sends it moves it


def test_leftovers_are_sent_once_and_kept_for_a_while(journal: Journal, stores: Any, tmp_path: Path) -> None:
    store, root = stores("a"), tmp_path / "journals"
    log(journal, 0, 6000)
    assert leftovers.sweep(root, "http://host", store, "") == []  # its process lives
    folder = left(journal)
    assert leftovers.sweep(root, "http://other", store, "") == []
    assert leftovers.any_for(root, "http://host", "")
    (outcome,) = leftovers.sweep(root, "http://host", store, "")
    assert (outcome.sent, outcome.why, outcome.damaged) == (6000, None, 0)
    assert store.steps() == list(range(6000))
    assert not leftovers.any_for(root, "http://host", "")
    assert leftovers.sweep(root, "http://host", store, "") == []
    assert not folder.path.exists()
    ((folder, uri),) = leftovers.places_below([root], again=True)
    assert (folder.path.parent, uri) == (root / "sent", "http://host")
    assert list(leftovers.places_below([root], again=False)) == []
    wiped = stores("b")
    assert leftovers.sweep(root, "http://host", wiped, "") == []  # perhaps another project's, at the same address
    again = leftovers.send(folder, wiped, anywhere=True)
    assert again is not None
    assert wiped.steps() == list(range(6000))


def test_what_one_store_has_begun_to_take_goes_to_no_other_by_itself(journal: Journal, stores: Any) -> None:
    store, other = stores("a"), stores("b")
    log(journal, 0, 10)
    drain(shipment(journal, store))
    log(journal, 10, 20)
    folder = left(journal)
    outcome = leftovers.send(folder, other, anywhere=False)
    assert outcome is not None
    assert "another store" in str(outcome.why)
    assert other.batches == 0
    outcome = leftovers.send(folder, store, anywhere=False)
    assert outcome is not None
    assert (outcome.why, store.steps()) == (None, list(range(20)))


def test_what_was_acknowledged_and_not_noted_is_not_sent_again(
    journal: Journal, stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbuch.sdk.shipping.shipment._KEEP_SECONDS", 1e9)
    store = stores("a")
    sent = shipment(journal, store)
    for begin in range(0, 30, 10):
        log(journal, begin, begin + 10)
        drain(sent)
    folder = left(journal)
    assert folder.state().number == 0
    batches = store.batches
    outcome = leftovers.send(folder, store, anywhere=False)
    assert outcome is not None
    assert (outcome.why, outcome.sent, store.batches, store.steps()) == (None, 0, batches, list(range(30)))


def test_a_journal_whose_first_segments_are_gone_is_known_again(
    journal: Journal, stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right after a segment was acknowledged and let go of: what is left does not tell the chain before it."""
    monkeypatch.setattr("logbuch.sdk.shipping.shipment._KEEP_SECONDS", 1e9)
    store = stores("a")
    journal.record(ingest.encode_record(ingest.Hold("r")), counted=False)
    log(journal, 0, 6000)
    sending = shipment(journal, store)
    _, second = journal.folder.segments()  # type: ignore[union-attr]
    assert sending.step()
    journal.release(sending.state)
    folder = left(journal)
    assert folder.segments() == [second]
    outcome = leftovers.send(folder, store, anywhere=False)
    assert outcome is not None
    assert (outcome.why, outcome.ended, store.steps()) == (None, 1, list(range(6000)))
    assert folder.state().alias == ""
    assert store.get_run("r").info.status == "KILLED"


def test_runs_of_a_journal_that_got_another_name_have_an_end(
    journal: Journal, stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk took no state: the journal goes on under another ID, and the run is held by the old one alone."""
    monkeypatch.setattr(Folder, "keep", lambda *_: None)
    store = stores("a")
    journal.record(ingest.encode_record(ingest.Hold("r")), counted=False)
    log(journal, 0, 6000)
    sending = shipment(journal, store)
    assert sending.step()
    journal.release(sending.state)
    folder = left(journal)
    monkeypatch.undo()
    outcome = leftovers.send(folder, store, anywhere=False)
    assert outcome is not None
    assert (outcome.why, outcome.ended, store.steps()) == (None, 1, list(range(6000)))
    assert folder.state().alias not in ("", folder.id)
    assert store.get_run("r").info.status == "KILLED"


def test_old_journals_go_and_unsent_ones_stay(
    journal: Journal, stores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(journal, 0, 10)
    folder = left(journal)
    monkeypatch.setenv("LOGBUCH_JOURNAL_DAYS", "0")
    remove_old(tmp_path / "journals")
    assert folder.path.exists()
    leftovers.send(folder, stores("a"), anywhere=False)
    assert folder.path.exists()
    remove_old(tmp_path / "journals")
    assert not folder.path.exists()


def test_room_is_made_by_what_was_acknowledged(
    journal: Journal, stores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "journals"
    log(journal, 0, 5000)
    folder = left(journal)
    monkeypatch.setenv("LOGBUCH_JOURNAL_BYTES", "1200000")
    released: list[bool] = []
    room = Room(root, lambda: released.append(True))
    assert not room(1_000_000)
    assert (released, folder.path.exists()) == ([True], True)
    leftovers.send(folder, stores("a"), anywhere=False)
    assert folder.path.exists()
    assert room(1_000_000)
    assert not folder.path.exists()


def test_a_damaged_journal_is_sent_as_far_as_it_can_be_read(journal: Journal, stores: Any) -> None:
    store = stores("a")
    log(journal, 0, 1000)
    folder = left(journal)
    (path,) = folder.segments()
    raw = bytearray(path.read_bytes())
    raw[8192:8200] = b"\xff" * 8
    path.write_bytes(raw)
    outcome = leftovers.send(folder, store, anywhere=False)
    assert outcome is not None
    assert outcome.damaged == 1
    assert len(store.steps()) == outcome.sent == 999
    assert parts(folder)


def test_a_journal_is_complete_only_when_its_runs_have_an_end(journal: Journal, stores: Any, tmp_path: Path) -> None:
    """Whoever sends it may be killed before that, or lose the server: somebody else looks at it again."""
    store, root = stores("a"), tmp_path / "journals"
    log(journal, 0, 100)
    folder = left(journal)
    gone: list[str] = []

    def away(name: str, time: int) -> int:
        gone.append(name)
        raise Unavailable("away")

    store.gone = away
    (outcome,) = leftovers.sweep(root, "http://host", store, "")
    assert outcome.why == "away"
    assert not folder.state().complete
    assert store.steps() == list(range(100))
    store.gone = lambda name, time: 1
    (outcome,) = leftovers.sweep(root, "http://host", store, "")
    assert (outcome.ended, outcome.why) == (1, None)
    assert store.steps() == list(range(100))
    assert gone == [journal.id]
    assert leftovers.sweep(root, "http://host", store, "") == []
