"""Which records of a refused batch are to blame: found by halving, so that every good one still arrives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from logbuch.errors import EndpointNotFound, LogbuchError, NotFound, PermissionDenied, Unavailable
from logbuch.sdk.backends.backend import Batch
from logbuch.sdk.shipping.parcels import Parcel, pack
from logbuch.sdk.shipping.records import Kind, Record

Subject = tuple[Kind, str]
NOT_NOW = (Unavailable, PermissionDenied, EndpointNotFound)
"""Errors after which the same call may work later."""
_SUSPECT = 5
_HOPELESS = 50


class CulpritSearch:
    """``send`` tries a parcel. Afterwards ``sent`` counts what was taken, ``blamed`` holds what was refused and why,
    and ``waiting`` what is still to be sent, in its order."""

    def __init__(self, send: Callable[[Parcel], LogbuchError | None]) -> None:
        self.sent = 0
        self.blamed: list[tuple[Record, LogbuchError]] = []
        self.waiting: list[Record] = []
        self.obstacle: LogbuchError | None = None
        """Why the search was broken off."""
        self._send = send
        self._done: set[int] = set()
        self._refusals: Counter[Subject] = Counter()
        self._taken: set[Subject] = set()
        self._guilty: dict[Subject, LogbuchError] = {}
        self._points: defaultdict[Subject, list[Record]] = defaultdict(list)

    def run(self, parcel: Parcel, error: LogbuchError) -> None:
        """Looks into a parcel that was refused with this error."""
        records = parcel.records
        for record in records:
            if record.kind is Kind.METRIC:  # of tags and params the order matters: they are not tried out of turn
                self._points[_subject(record)].append(record)
        if self._concerns_run(parcel, error):
            self.blamed = [(record, error) for record in records]
            return
        self._refused(records, error)
        if type(error) is LogbuchError and not self.sent and not self.waiting:
            # Nothing at all was taken: the trouble is the server's.
            self.blamed, self.obstacle, self._done = [], error, set()
        if self.obstacle is not None:
            self.waiting = [record for record in records if id(record) not in self._done]

    def _concerns_run(self, parcel: Parcel, error: LogbuchError) -> bool:
        """Whether the run as a whole takes nothing: then it refuses a batch without records in the same words."""
        if isinstance(error, NotFound):
            return True
        if type(error) is LogbuchError or len(parcel.records) == 1:
            return False
        verdict = self._send(Parcel(Batch(parcel.records[0].run_id)))
        return type(verdict) is type(error) and str(verdict) == str(error)

    def _offer(self, records: Sequence[Record]) -> None:
        left: list[Record] = []
        for record in records:
            guilt = self._guilty.get(_subject(record))
            if guilt is not None and id(record) not in self._done:
                self._blame(record, guilt)
            if id(record) not in self._done:
                left.append(record)
        for part in pack(left):
            if self.obstacle is None:
                self._try(part)

    def _try(self, part: Parcel) -> None:
        verdict = self._send(part)
        if verdict is None:
            self.sent += len(part.records)
            self._done.update(map(id, part.records))
            self._taken.update(map(_subject, part.records))
        elif isinstance(verdict, NOT_NOW):
            self.obstacle = verdict
        else:
            self._refused(part.records, verdict)

    def _refused(self, records: Sequence[Record], error: LogbuchError) -> None:
        if len(records) > 1:
            middle = len(records) // 2
            self._offer(records[:middle])
            self._offer(records[middle:])
            return
        (record,) = records
        self._blame(record, error)
        subject = _subject(record)
        self._refusals[subject] += 1
        if self._refusals[subject] == _SUSPECT and subject not in self._taken:
            self._suspect(subject, error)
        if type(error) is LogbuchError and not self.sent and len(self.blamed) >= _HOPELESS:
            self.obstacle = error

    def _suspect(self, subject: Subject, error: LogbuchError) -> None:
        """If the last and the middle one of a metric's points are refused too, it is the metric that is refused."""
        left = [record for record in self._points[subject] if id(record) not in self._done]
        for record in [left[-1], left[len(left) // 2]] if len(left) > 1 else []:
            if self.obstacle is None and id(record) not in self._done:
                self._try(pack([record])[0])
        if subject[0] is Kind.METRIC and subject not in self._taken and self.obstacle is None:
            self._guilty[subject] = error

    def _blame(self, record: Record, error: LogbuchError) -> None:
        self._done.add(id(record))
        self.blamed.append((record, error))


def _subject(record: Record) -> Subject:
    return record.kind, record.body[0]
