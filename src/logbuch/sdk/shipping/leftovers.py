"""Journals whose process is gone: sent by the next one on the machine, or by ``logbuch sync``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from logbuch.errors import AlreadyExists, EndpointNotFound, LogbuchError, NotImplementedHere
from logbuch.sdk.backends import place
from logbuch.sdk.backends.backend import Backend, own_error
from logbuch.sdk.journal.course import Course
from logbuch.sdk.journal.damage import fingerprint, lost
from logbuch.sdk.journal.folder import ABOUT, SENT, Folder, all_in, parts
from logbuch.sdk.journal.note import State
from logbuch.sdk.journal.room import remove_old
from logbuch.sdk.shipping.rest import RestShipment
from logbuch.sdk.shipping.revival import Revival
from logbuch.sdk.shipping.sender import NO_JOURNALS
from logbuch.sdk.shipping.shipment import Shipment
from logbuch.sdk.shipping.spool import Spool

NAMELESS = f"{ABOUT} does not say any more where it was meant to go: logbuch sync --tracking-uri URI FOLDER sends it"


@dataclass
class Outcome:
    """What became of a journal. ``damaged`` counts entries that could not be read, ``notes`` says which of its notes
    are not believed, ``ended`` counts runs that its process had left without an end, and ``why`` tells why something is
    left. ``revived`` are the journals under which runs were made whose beginning is lost. Of one that is ``nameless``
    nobody knows where it was meant to go."""

    folder: Folder
    sent: int = 0
    damaged: int = 0
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    files: int = 0
    files_left: int = 0
    ended: int = 0
    revived: list[str] = field(default_factory=list)
    why: str | None = None
    nameless: bool = False

    def complaint(self) -> str | None:
        """What its user has to be told, whoever sends it: something was lost, or waits for them."""
        if self.nameless:
            return f"{self.folder.path}: {self.why}"
        noted = ", and ".join(self.notes)
        if self.damaged:
            count = f"{self.damaged} records" if self.damaged > 1 else "a record"
            told = f"{count} in {self.folder.path} could not be read, for the file was damaged"
            return f"{told}, and {noted}" if noted else told
        return f"{self.folder.path}: {noted}" if noted else None

    def taken(self, last: int, count: int) -> None:  # noqa: ARG002
        self.sent += count

    def note_refused(self, run_id: str | None, count: int, what: str, error: LogbuchError) -> None:
        if what == "run" and isinstance(error, AlreadyExists):
            return  # another copy of the journal has made it
        self.refused += [f"{what} of run {run_id}: {error}"] * count


class _Clerk:
    def __init__(self, outcome: Outcome) -> None:
        self.taken, self.refused = outcome.taken, outcome.note_refused


def send(
    folder: Folder, backend: Backend, *, anywhere: bool, enough: Callable[[], bool] = lambda: False
) -> Outcome | None:
    """Sends what is left of a journal; None if its process lives, or if nothing is left.

    Unless ``anywhere``, what one store has begun to take is sent to no other: the address may lead elsewhere today.
    """
    if not folder.lock():
        return None
    state = folder.state()  # only now nobody else moves it
    if not anywhere and state.complete:
        _put_away(folder, backend, done=True)  # whoever has sent it was killed before that
        return None
    outcome, touched, done = Outcome(folder, notes=folder.disbelieved()), folder.touched(), False
    try:
        _send(folder, backend, outcome, state, anywhere, enough)
        _end_runs(folder, backend, outcome, state, touched)
        if outcome.why is None:  # last, for nobody looks at a complete journal again
            done = state.complete = not outcome.files_left
            folder.keep(state)
    except Exception as error:  # noqa: BLE001  whatever it is, it must not hold up other journals
        outcome.why = own_error(error).message
    finally:  # also of an interrupt
        _put_away(folder, backend, done=done, kept=outcome.damaged > 0)
    return outcome


def _put_away(folder: Folder, backend: Backend, *, done: bool, kept: bool = False) -> None:
    if done and not (backend.keeps_acknowledged or kept):
        folder.remove()
    elif done and folder.path.parent.name != SENT:
        folder.retire()
    folder.unlock()


def any_for(root: Path, meant: str, own: str) -> bool:
    """Whether another journal for this place is there of which something may be left."""
    for folder in all_in(root):
        about = folder.about() if folder.id != own else None
        if about is not None and about.place == meant:
            return True
    return False


def dead(root: Path, meant: str) -> bool:
    """Whether a journal for this place is there of which something may be left and whose process is gone."""
    for folder in all_in(root):
        about = folder.about()
        if about is not None and about.place == meant and not folder.state().complete and folder.lock():
            folder.unlock()
            return True
    return False


def places_below(folders: Iterable[Path], *, again: bool) -> Iterator[tuple[Folder, str]]:
    """The journals in folders, and the tracking URI that each is meant for. A folder may be a journal, a folder of
    them, or one with a database and its journals. ``again`` adds those of which nothing is left. The URI is "" where
    that cannot be read any more."""
    for given in folders:
        path = given.absolute()
        found: Iterable[Folder] = [Folder(path)]
        if not (path / ABOUT).exists() and not Folder(path).segments():
            root = path / place.JOURNALS if (path / place.JOURNALS).is_dir() else path
            found = [*all_in(root), *(all_in(root / SENT) if again else ())]
        for folder in found:
            about = folder.about()
            if about is not None:
                yield folder, _uri(about.place, folder)
            elif folder.segments():
                yield folder, ""


def _uri(meant: str, folder: Folder) -> str:
    """Beside a folder of journals lies the database that they are for, wherever both were moved to."""
    if not meant.startswith("sqlite:"):
        return meant
    return f"sqlite:///{folder.path.parent.parent / meant.removeprefix('sqlite:')}"


def sweep(
    root: Path, meant: str, backend: Backend, own: str, enough: Callable[[], bool] = lambda: False
) -> list[Outcome]:
    """Sends what dead processes have left for this place, and takes away what is old."""
    found = []
    for folder in all_in(root):
        about = folder.about() if folder.id != own else None
        if about is not None and about.place == meant:
            outcome = send(folder, backend, anywhere=False, enough=enough)
            if outcome is not None:
                found.append(outcome)
        elif about is None and folder.id != own and folder.segments() and not folder.about():
            known = _sent_if_known(folder, backend, enough)
            found.append(known or Outcome(folder, why=NAMELESS, nameless=True))
        if enough():
            break
    remove_old(root)
    return found


def _sent_if_known(folder: Folder, backend: Backend, enough: Callable[[], bool]) -> Outcome | None:
    """Where a journal was meant to go can be told by the store that took a part of it, too."""
    state = folder.state()
    with contextlib.suppress(LogbuchError):
        if state.store_id and not state.complete and backend.greet([])[0] == state.store_id:
            return send(folder, backend, anywhere=False, enough=enough)
    return None


def _send(
    folder: Folder, backend: Backend, outcome: Outcome, state: State, anywhere: bool, enough: Callable[[], bool]
) -> None:
    held, known = parts(folder), state.store_id
    course = Course(lambda: held, state.number, bytes.fromhex(state.chain))
    clerk = _Clerk(outcome)
    course.resume(state.number, bytes.fromhex(state.chain))
    about = folder.about()

    def waits() -> bool:
        """Whether another journal may bring a run that this one logs to."""
        return about is not None and any_for(folder.path.parent, about.place, folder.id)

    native = Shipment(backend, folder.id, course, state, folder.keep, clerk, waits)
    shipment: Shipment | RestShipment = native
    try:
        store_id, _ = backend.greet([])
        if known and known != store_id and not anywhere:
            outcome.why = "another store answers there now than the one that took the first part of it"
            return
        native.greet()
    except NO_JOURNALS:
        shipment = RestShipment(backend, course, state, folder.keep, clerk)
        backend.aliases.update(state.runs)
    behind = course.number
    outcome.damaged = lost(held, behind, state.last)
    if outcome.damaged and shipment is native:
        native.part_ways(fingerprint(folder.id, held))
    revival = Revival(held, behind, backend) if outcome.damaged or outcome.notes else None
    if revival is not None:
        revival.begin(shipment, doubtful=bool(outcome.notes), waits=waits())
    try:
        while shipment.step():
            if enough():
                outcome.why = "there was no time left"
                return
    finally:
        folder.keep(state)
    if revival is not None and shipment is native:
        revival.hold()
        outcome.revived = revival.journals
    unread = len(folder.segments()) - len(held)
    if unread:
        outcome.why = f"{unread} of its files cannot be read"
    outcome.files, outcome.files_left = Spool(lambda: folder.files).send_all(backend)


def _end_runs(folder: Folder, backend: Backend, outcome: Outcome, state: State, touched: int) -> None:
    """The process is gone: what it carried on, and had not ended in its journal, ends with its last trace. Under an
    alias a journal holds what it sent under it, and what it held before."""
    about = folder.about()
    if outcome.why is None and about is not None and about.here:
        with contextlib.suppress(EndpointNotFound, NotImplementedHere):
            names = [*state.names(folder.id), *outcome.revived]
            outcome.ended = sum(backend.gone(name, touched) for name in names)
