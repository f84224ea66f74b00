"""Journals damaged at random: each record that is still whole arrives, once, and what is missing is said.

`make test-long` runs many rounds; a round that fails is run again alone by LOGBUCH_TEST_SEED, which it prints.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from logbuch.model import RunStatus
from logbuch.sdk.backends.embedded import EmbeddedBackend
from logbuch.sdk.journal import segments
from logbuch.sdk.journal.folder import ABOUT, STATE, Folder
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.shipping import leftovers
from logbuch.sdk.shipping.leftovers import Outcome
from logbuch.sdk.shipping.sender import Sender
from logbuch.wire import ingest

LONG = bool(os.environ.get("LOGBUCH_TEST_LONG"))
SEED = os.environ.get("LOGBUCH_TEST_SEED")
MEANT = "sqlite:logbuch.db"
ROUNDS = 2000 if LONG else 15
_DAY = 86_400


@dataclass
class Entry:
    """Where an entry of a journal stands, and with which bytes. ``needs`` are the entries that give it a meaning."""

    number: int
    file: str
    place: int
    raw: bytes
    needs: list[Entry] = field(default_factory=list)

    def whole(self, folder: Path) -> bool:
        path = folder / self.file
        found = path.read_bytes()[self.place : self.place + len(self.raw)] if path.exists() else b""
        return found == self.raw and all(entry.whole(folder) for entry in self.needs)


@dataclass
class Training:
    """A process that has logged, been killed or left, and what it remembers: entry and value by (key, step)."""

    run_id: str
    path: Path
    points: dict[tuple[str, int], tuple[Entry, float]]
    hold: Entry


def train(root: Path, store: EmbeddedBackend, dice: random.Random, run_id: str) -> Training:
    """Logs to a run of its own, sends some of it, and is killed or leaves in order."""
    journal = Journal(root, MEANT)
    sender = Sender(store, journal)
    sender._thread = threading.current_thread()  # none of its own
    keys: dict[tuple[str, str], Entry] = {}
    points: dict[tuple[str, int], tuple[Entry, float]] = {}

    def entries(call: Callable[[], bool]) -> list[Entry]:
        """What a call has written: announcements of keys, and the entry itself."""
        before = journal._current, journal._place
        assert call()
        part = journal._current
        assert part is not None
        assert part.path is not None
        begin = before[1] if part is before[0] else 64
        raw = part.read(begin, part.end)
        found = []
        while raw:
            size = 16 + int.from_bytes(raw[:4], "little")
            size += -size % 8
            number = int.from_bytes(raw[8:16], "little")
            found.append(Entry(number, part.path.name, begin, raw[:size]))
            begin, raw = begin + size, raw[size:]
        return found

    entries(lambda: journal.record(ingest.encode_record(ingest.NewRun(run_id, "", "0")), counted=False))
    hold = entries(lambda: journal.record(ingest.encode_record(ingest.Hold(run_id)), counted=False))[-1]
    clock, sent = time.time_ns() // 1_000_000, dice.randrange(600)
    for step in range(dice.randrange(20, 600)):
        clock += dice.choice([1, 1, 1, 3600_000, -7200_000])
        wide = dice.random() < 0.2
        names = [f"w{number}" for number in range(dice.randrange(2, 6))] if wide else ["m"]
        values = [dice.random() for _ in names]
        if wide:
            call = lambda: journal.row(run_id, names, values, step, clock)  # noqa: B023, E731
        else:
            call = lambda: journal.point(run_id, "m", values[0], step, clock)  # noqa: B023, E731
        *announced, written = entries(call)
        for entry in announced:
            keys[entry.file, entry.raw.rstrip(b"\0").rpartition(b"\0")[2].decode()] = entry
        written.needs = [keys[written.file, name] for name in names]
        points |= {(name, step): (written, value) for name, value in zip(names, values, strict=True)}
        if step == sent:
            sender._send()
    assert journal.folder is not None
    path = journal.folder.path
    if dice.random() < 0.5:
        journal.folder.unlock()  # killed
    else:
        sender.leave()
    return Training(run_id, path, points, hold)


# -- damage ------------------------------------------------------------------------------------------------------------


def flip(path: Path, dice: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 1, 1, 5, 50]) if raw else 0):
        raw[dice.randrange(len(raw))] ^= dice.randrange(1, 256)
    path.write_bytes(raw)


def truncate(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size + 1))


def zero(path: Path, dice: random.Random) -> None:
    """The end, or a page in between."""
    raw = bytearray(path.read_bytes())
    begin = dice.randrange(len(raw) + 1)
    end = len(raw) if dice.random() < 0.5 else min(len(raw), begin + 4096)
    raw[begin:end] = bytes(end - begin)
    path.write_bytes(raw)


def damage(folder: Path, other: Path, dice: random.Random) -> None:
    for _ in range(dice.choice([0, 1, 1, 2, 4])):
        path = dice.choice(sorted(path for path in folder.iterdir() if path.is_file()))
        how = dice.choice([flip, flip, truncate, zero])
        how(path, dice)
    if dice.random() < 0.2:
        name = dice.choice([ABOUT, STATE])
        if (folder / name).exists() and (other / name).exists():
            mine = (folder / name).read_bytes()
            shutil.copy(other / name, folder / name)
            (other / name).write_bytes(mine)
    if dice.random() < 0.2:
        moment = time.time() + dice.choice([-2000, -1, 1, 2000]) * _DAY
        for path in folder.iterdir():
            os.utime(path, (moment, moment))


# -- what must hold ----------------------------------------------------------------------------------------------------


def sent(folder: Path, store: EmbeddedBackend) -> list[Outcome]:
    """Sends what lies in a folder of journals, as the next process does, and then a user for what that cannot."""
    found = leftovers.sweep(folder, MEANT, store, "")
    for nameless in [outcome.folder for outcome in found if outcome.nameless]:
        assert any(outcome.complaint() for outcome in found if outcome.folder is nameless)
        again = leftovers.send(nameless, store, anywhere=True)
        found += [again] if again is not None else []
    return found


def check(training: Training, intact: set[int], last: int, outcomes: list[Outcome], store: EmbeddedBackend) -> None:
    """``intact`` are the numbers of entries that were whole, ``last`` is the last that the journal itself knew of."""
    stored: dict[tuple[str, int], float] = {}
    for key in {key for key, _ in training.points}:
        history, token = store.metric_history(training.run_id, key, 25_000, "")
        while token:
            more, token = store.metric_history(training.run_id, key, 25_000, token)
            history += more
        for point in history:
            assert (key, point.step) not in stored, "twice"
            stored[key, point.step] = point.value
    for place, value in stored.items():
        assert training.points[place][1] == value
    missing = {entry.number for place, (entry, _) in training.points.items() if place not in stored}
    assert not missing & intact
    known = max([last, *(training.points[place][0].number for place in stored)])
    said = sum(outcome.damaged + len(outcome.refused) for outcome in outcomes)
    assert sum(number <= known for number in missing) <= said
    whys = [str(outcome.why) for outcome in outcomes if outcome.why is not None and not outcome.nameless]
    assert all("begun by another process" in why for why in whys), whys  # waited for, and then sent


def one_round(folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    root = folder / "journals"
    store = EmbeddedBackend(folder / "logbuch.db", folder / "artifacts")
    try:
        trainings = [train(root, store, dice, f"{seed}-{number}") for number in range(2)]
        if dice.random() < 0.3:  # a copy that nobody damages
            shutil.copytree(root, folder / "copy")
        left = [training for training in trainings if training.path.exists()]
        for training, other in zip(left, reversed(left), strict=True):
            damage(training.path, other.path, dice)
        whole, lasts, ends = {}, {}, {}
        copied = (folder / "copy").exists()
        for training in left:
            entries = {entry.number: entry for entry, _ in training.points.values()}
            whole[training.run_id] = {n for n, entry in entries.items() if copied or entry.whole(training.path)}
            lasts[training.run_id] = Folder(training.path).state().last
            # Who does not know whose process it was, or that it held the run, leaves its end to the heartbeats.
            ends[training.run_id] = training.hold.whole(training.path) and Folder(training.path).about() is not None
        outcomes = together([root, *([folder / "copy"] if copied else [])], folder)
        for training in left:
            mine = [outcome for outcome in outcomes if outcome.folder.id == training.path.name]
            check(training, whole[training.run_id], lasts[training.run_id], mine, store)
            ended = store.get_run(training.run_id).info.status
            assert ended is RunStatus.KILLED or not ends[training.run_id]
    finally:
        store.close()


def together(roots: list[Path], folder: Path) -> list[Outcome]:
    """Each folder of journals is sent by a process of its own, or as good as that: all at once."""
    found: list[Outcome] = []
    failed: list[str] = []

    def work(root: Path) -> None:
        store = EmbeddedBackend(folder / "logbuch.db", folder / "artifacts")
        try:
            for _ in range(3):  # who finds that another one goes by its name just now tries again
                found.extend(sent(root, store))
        except BaseException:
            failed.append(traceback.format_exc())
            raise
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(root,)) for root in roots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    assert not failed, failed
    return found


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(segments, "FIRST_BYTES", segments.RESERVE_BYTES + 4096)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", segments.RESERVE_BYTES + 8192)
    yield


@pytest.mark.slow
@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.usefixtures("small_segments")
def test_what_is_whole_of_a_damaged_journal_arrives_once(tmp_path: Path) -> None:
    first = time.time_ns() % 10**9 if LONG else 1
    for seed in [int(SEED)] if SEED else range(first, first + ROUNDS):
        folder = tmp_path / "round"
        folder.mkdir()
        try:
            one_round(folder, seed)
        except BaseException:
            print(f"LOGBUCH_TEST_SEED={seed}")
            raise
        shutil.rmtree(folder)
    print(f"{ROUNDS} rounds from {first}")
