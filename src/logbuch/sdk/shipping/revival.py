"""Runs whose beginning a damaged journal does not tell any more: they are made all the same, so that what is left has a
place. Without that one flipped byte would cost a whole run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence

import msgspec

from logbuch.errors import NotFound
from logbuch.sdk import values
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.journal.course import Course
from logbuch.sdk.journal.folder import FilePart
from logbuch.sdk.shipping.rest import RestShipment
from logbuch.sdk.shipping.shipment import Shipment
from logbuch.wire import ingest

NOTE = (
    "The journal was damaged where it told how this run began: its name, its experiment and some of its tags are lost."
)
_BEGINNINGS = frozenset({"run", "attach"})


class _Subject(msgspec.Struct, array_like=True):
    """The beginning of every record; ``name`` is the run's ID, or the experiment's name."""

    kind: str
    name: str = ""


_subject = msgspec.msgpack.Decoder(_Subject).decode


class Revival:
    """Of the runs in a damaged journal that was acknowledged up to entry ``behind``. ``journals`` are the IDs under
    which a native server was told of them."""

    def __init__(self, parts: Sequence[FilePart], behind: int, backend: Backend) -> None:
        self.journals: list[str] = []
        self._backend = backend
        subjects = list(_subjects(parts))
        begun = {one.name for number, one in subjects if one.kind in _BEGINNINGS or number <= behind}
        experiments = [one.name for _, one in subjects if one.kind == "experiment"]
        self._experiment = experiments[-1] if experiments else ""
        about = dict.fromkeys(one.name for _, one in subjects if one.kind != "experiment")
        self._without_beginning = [run_id for run_id in about if run_id and run_id not in begun]
        new = [(number, one.name) for number, one in subjects if one.kind == "run" and number > behind]
        self._without_hold = [run_id for number, run_id in new if _lacks(parts, number + 1)]

    def begin(self, shipment: Shipment | RestShipment, *, doubtful: bool, waits: bool) -> None:
        """Makes the runs that nobody knows, before what is left of them is sent. Those that another journal brings are
        waited for as long as it ``waits``; if it is ``doubtful`` which they are, all of them."""
        needs = shipment.state.needs
        for run_id in [run_id for run_id in self._without_beginning if not _is_known(self._backend, run_id)]:
            if waits and (doubtful or run_id in needs):
                needs += [run_id] if run_id not in needs else []
                continue
            record = _beginning(run_id, self._experiment)
            if isinstance(shipment, RestShipment):
                shipment.perform(record, self._backend)
            else:
                self._send(record, ingest.Hold(run_id))

    def hold(self) -> None:
        """Says which runs the process held, where the entry that did is lost: behind that which made the run."""
        for run_id in [run_id for run_id in self._without_hold if _is_known(self._backend, run_id)]:
            self._send(ingest.Hold(run_id))

    def _send(self, *records: ingest.Record) -> None:
        """Sends records as a journal of their own."""
        journal, chain, entries = uuid.uuid4().hex, b"", []
        for record in records:
            raw = ingest.encode_record(record)
            chain = ingest.link(chain, raw)
            entries.append((1, chain, raw))
        self._backend.ingest(journal, 1, b"", entries)
        self.journals.append(journal)


def _lacks(parts: Sequence[FilePart], number: int) -> bool:
    return not any(first <= number <= last for part in parts for first, last in part.runs())


def _subjects(parts: Sequence[FilePart]) -> Iterator[tuple[int, _Subject]]:
    """What all records that can be read are about, each with its number."""
    course = Course(lambda: parts)
    course.seek((course.first_held() or 1) - 1, None)
    while (batch := course.next()) is not None:
        for item in batch.items:
            yield item.last, _subject(item.raw)
        course.accept(batch)


def _is_known(backend: Backend, run_id: str) -> bool:
    try:
        backend.get_run(run_id)
    except NotFound:
        return False
    return True


def _beginning(run_id: str, experiment: str) -> ingest.NewRun:
    now = time.time_ns() // 1_000_000
    return ingest.NewRun(run_id, experiment, "" if experiment else "0", "", "", now, [(values.NOTE_TAG, NOTE)])
