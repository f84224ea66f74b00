"""A journal on its way to a stock MLflow server, call by call over MLflow's protocol.

Such a server knows no journals. How far one was sent is kept beside it alone, so after a kill some records may be
sent twice, which changes nothing: exact duplicates are dropped, and params and tags have the same values. Runs that
were made without a server get their ID from it when it is there; the journal remembers which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError, NotFound
from logbuch.model import Tag, ViewType
from logbuch.sdk.backends.backend import Backend, own_error
from logbuch.sdk.journal.course import Batch, Course
from logbuch.sdk.journal.note import State
from logbuch.sdk.shipping.culprits import NOT_NOW, CulpritSearch
from logbuch.sdk.shipping.parcels import Parcel, pack
from logbuch.sdk.shipping.records import Kind, Record
from logbuch.sdk.shipping.shipment import Clerk
from logbuch.wire import ingest

MADE_TAG = "logbuch.run_id"
"""The ID that the journal gave to a run which the server knows under its own."""
_DOUBTS = 5
_decode = msgspec.msgpack.Decoder(ingest.Record).decode


@dataclass(frozen=True, slots=True)
class Step:
    """A record that is a call of its own."""

    record: Any
    shipment: RestShipment

    def perform(self, backend: Backend) -> None:
        self.shipment.perform(self.record, backend)

    def describe(self) -> str:
        return str(self.record.__struct_config__.tag)


class RestShipment:
    """Like :class:`logbuch.sdk.shipping.shipment.Shipment`, for a server that knows no journals."""

    def __init__(
        self, backend: Backend, course: Course, state: State, save: Callable[[State], None], clerk: Clerk
    ) -> None:
        self.state = state
        self._backend, self._course, self._save, self._clerk = backend, course, save, clerk
        self._batch: Batch | None = None
        self._left: list[Record] = []
        self._refused = self._doubts = 0

    def step(self) -> bool:
        """Sends the next records; False if nothing is left. Raises why some must wait."""
        if self._batch is None:
            self._batch = self._course.next()
            if self._batch is None:
                return False
            self._left = [record for item in self._batch.items for record in self._records(item.raw)]
        left, why = self._send_all(pack(self._left))
        self._left = [record for parcel in left for record in parcel.records]
        if why is not None:
            raise why
        self._doubts = 0
        counted = sum(item.counts for item in self._batch.items)
        self._course.accept(self._batch)
        self.state.number, self.state.chain = self._course.number, self._course.chain.hex()
        self._save(self.state)
        self._clerk.taken(self._batch.last, max(0, counted - self._refused))
        self._batch, self._refused = None, 0
        return True

    def perform(self, record: Any, backend: Backend) -> None:
        """What a record other than metrics, params and tags asks for."""
        match record:
            case ingest.NewExperiment(name=name, tags=pairs):
                self._experiment(name, pairs)
            case ingest.NewRun():
                self._run(record)
            case ingest.Attach(run_id=run_id):
                backend.get_run(self._known_as(run_id))
            case ingest.DeleteTag(run_id=run_id, key=key):
                backend.delete_tag(self._known_as(run_id), key)
            case ingest.Inputs(run_id=run_id, datasets=datasets):
                backend.log_inputs(self._known_as(run_id), [used.noun() for used in datasets])
            case ingest.Update(run_id=run_id, status=status, end_time=end_time, name=name):
                backend.update_run(self._known_as(run_id), status, end_time, name)
            case ingest.DeleteRun(run_id=run_id):
                backend.delete_run(self._known_as(run_id))
            case ingest.RestoreRun(run_id=run_id):
                backend.restore_run(self._known_as(run_id))
            case ingest.Alert():
                raise InvalidInput("This server keeps no alerts.")
            case ingest.Log() | ingest.Histogram():  # a run that begins when the server is there sends them as files
                raise InvalidInput("This server keeps neither console output nor histograms.")

    # -- records -------------------------------------------------------------------------------------------------------

    def _records(self, raw: bytes) -> Iterator[Record]:
        record: Any = _decode(raw)
        run_id = getattr(record, "run_id", "")
        if isinstance(record, ingest.Metrics):
            columns: Any = (
                memoryview(record.index).cast("I"),
                memoryview(record.steps).cast("q"),
                memoryview(record.timestamps).cast("q"),
                memoryview(record.values).cast("d"),
            )
            for index, step, timestamp, value in zip(*columns, strict=True):
                yield Record(Kind.METRIC, run_id, (record.names[index], value, timestamp, step))
        elif isinstance(record, ingest.Params):
            for pair in record.params:
                yield Record(Kind.PARAM, run_id, pair)
        elif isinstance(record, ingest.Tags):
            for pair in record.tags:
                yield Record(Kind.TAG, run_id, pair)
        else:
            yield Record(Kind.CALL, run_id, (Step(record, self),))

    def _known_as(self, run_id: str) -> str:
        return self.state.runs.get(run_id, run_id)

    def _experiment(self, name: str, pairs: Sequence[tuple[str, str]]) -> str:
        try:
            return self._backend.get_experiment_by_name(name).experiment_id
        except NotFound:
            return self._backend.create_experiment(name, "", _tags(pairs))

    def _run(self, record: ingest.NewRun) -> None:
        """Makes a run, unless it was made before and the answer was lost."""
        if record.run_id in self.state.runs:
            return
        experiment_id = record.experiment_id or self._experiment(record.experiment, ())
        wanted = f"tags.`{MADE_TAG}` = '{record.run_id}'"
        found, _ = self._backend.search_runs([experiment_id], wanted, ViewType.ALL, 1, (), "")
        if found:
            made = found[0]
        else:
            tags = [*_tags(record.tags), Tag(key=MADE_TAG, value=record.run_id)]
            made = self._backend.create_run(experiment_id, record.name, record.user_id, record.start_time, tags)
        self.state.runs[record.run_id] = made.info.run_id
        self._backend.aliases[record.run_id] = made.info.run_id
        self._save(self.state)

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send_all(self, parcels: Sequence[Parcel]) -> tuple[Sequence[Parcel], LogbuchError | None]:
        """Sends parcels in order; returns those that are still to be sent, and why."""
        at = 0
        while at < len(parcels):
            end = at
            while end < len(parcels) and parcels[end].batch is not None:
                end += 1
            kept, why = self._send_batches(parcels[at:end]) if end > at else self._do(parcels[at])
            at = max(end, at + 1)
            if kept:
                return [*kept, *parcels[at:]], why
        return (), None

    def _send_batches(self, parcels: Sequence[Parcel]) -> tuple[list[Parcel], LogbuchError | None]:
        verdicts = self._verdicts(parcels)
        kept: list[Parcel] = []
        for parcel, verdict in zip(parcels, verdicts, strict=True):
            if verdict is None:
                continue
            if self._not_now(verdict):
                kept.append(parcel)
            else:
                kept += self._search_culprits(parcel, verdict)
        return kept, next((verdict for verdict in verdicts if verdict is not None), None) if kept else None

    def _verdicts(self, parcels: Sequence[Parcel]) -> list[LogbuchError | None]:
        batches = [parcel.batch for parcel in parcels if parcel.batch is not None]
        for batch in batches:
            batch.run_id = self._known_as(batch.run_id)
        try:
            return self._backend.log_batches(batches)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not end the thread
            return [own_error(error)] * len(parcels)

    def _do(self, parcel: Parcel) -> tuple[list[Parcel], LogbuchError | None]:
        (record,) = parcel.records
        try:
            record.body[0].perform(self._backend)
        except Exception as failure:  # noqa: BLE001  whatever it is, it must not end the thread
            error = own_error(failure)
            if self._not_now(error) and not isinstance(error, EndpointNotFound):
                return [parcel], error
            self._refuse(record, error)
        return [], None

    def _not_now(self, error: LogbuchError) -> bool:
        """Whether the same call may work later. An internal error may be the server's trouble or the record's fault:
        after some attempts it is looked into."""
        if isinstance(error, NOT_NOW):
            return True
        if type(error) is LogbuchError:
            self._doubts += 1
            return self._doubts <= _DOUBTS
        return False

    def _search_culprits(self, parcel: Parcel, error: LogbuchError) -> list[Parcel]:
        """Sends a refused parcel again in parts, refuses what is to blame, and returns what must wait."""
        search = CulpritSearch(lambda part: self._verdicts([part])[0])
        search.run(parcel, error)
        for record, reason in search.blamed:
            self._refuse(record, reason)
        return pack(search.waiting)

    def _refuse(self, record: Record, error: LogbuchError) -> None:
        self._refused += 1
        subject = record.body[0]
        what = subject.describe() if record.kind is Kind.CALL else f"{record.kind.name.lower()} {subject!r}"
        self._clerk.refused(record.run_id, 1, what, error)


def _tags(pairs: Sequence[tuple[str, str]]) -> list[Tag]:
    return [Tag(key=key, value=value) for key, value in pairs]
