"""The native ingest protocol, receiving side: bytes to entries that know how to perform themselves.

All checks of form are made here, before anything reaches the write thread. A record that cannot be read becomes one
that is refused when its turn comes: what stands behind it is not held up.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from logbuch import limits
from logbuch.errors import BadRequest, InvalidInput, LogbuchError, TooLarge
from logbuch.wire import ingest
from logbuch.wire.ingest import Envelope, Metrics, Record, Target

_GZIP = 16 + zlib.MAX_WBITS
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Version(msgspec.Struct, array_like=True):
    """The beginning of every batch, whatever follows it."""

    version: int


class _Subject(msgspec.Struct, array_like=True):
    """The beginning of most records."""

    kind: str
    run_id: str


_version = msgspec.msgpack.Decoder(_Version)
_envelope = msgspec.msgpack.Decoder(Envelope)
_record: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)
_subject = msgspec.msgpack.Decoder(_Subject)


@dataclass(frozen=True, slots=True)
class Taken:
    """A record that was received, for the entries ``first`` to ``last`` of its journal.

    ``chain`` is the journal's behind ``last``, in hexadecimal digits; ``run_id`` is None for what is about no run.
    """

    first: int
    last: int
    chain: str
    run_id: str | None
    experiment: str | None
    perform: Callable[[Target], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was received. ``before`` is the chain before its first entry."""

    journal: str
    before: str
    entries: Sequence[Taken]

    @property
    def locks(self) -> set[str]:
        """The names of all that is written; those of the runs are their IDs, the others hold a colon."""
        names = {f"journal:{self.journal}"}
        for entry in self.entries:
            if entry.run_id is not None:
                names.add(entry.run_id)
            if entry.experiment is not None:
                names.add(f"experiment:{entry.experiment}")
        return names


@dataclass(frozen=True, slots=True)
class Columns:
    """The points of a :class:`Metrics` record in arrays of equal length."""

    run_id: str
    names: Sequence[str]
    index: NDArray[np.intp]
    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, record: Metrics) -> Columns:
        """The columns of a record; InvalidInput where their lengths differ or the index points beyond the names."""
        index = _column(record.index, "<u4", np.intp, "index")
        steps = _column(record.steps, "<i8", np.int64, "steps")
        timestamps = _column(record.timestamps, "<i8", np.int64, "timestamps")
        values = _column(record.values, "<f8", np.float64, "values")
        if not len(index) == len(steps) == len(timestamps) == len(values):
            lengths = f"{len(index)}, {len(steps)}, {len(timestamps)} and {len(values)}"
            raise InvalidInput(f"The columns of a record must have equal lengths; they hold {lengths} numbers.")
        if len(index) and int(index.max()) >= len(record.names):
            raise InvalidInput(f"'index' points to name {int(index.max())}; there are {len(record.names)}.")
        return cls(record.run_id, record.names, index, steps, timestamps, values)

    def perform(self, target: Target) -> None:
        target.metrics(self.run_id, self.names, self.index, self.steps, self.timestamps, self.values)


def decode(body: bytes, *, compressed: bool = False) -> Batch:
    """A batch from a request's body. Raises BadRequest for what is no batch of a version that is spoken here, and
    TooLarge for one that grows beyond the limit when it is decompressed."""
    if compressed:
        body = _decompressed(body)
    try:
        version = _version.decode(body).version
        if version not in ingest.VERSIONS:
            spoken = ", ".join(map(str, ingest.VERSIONS))
            raise BadRequest(f"Version {version} of the ingest protocol is not spoken here, but {spoken}.")
        envelope = _envelope.decode(body)
    except _UNREADABLE as error:
        raise BadRequest(f"The body is no batch: {_reason(error)}") from None
    if not ingest.is_journal(envelope.journal):
        raise BadRequest(f"The body is no batch: {limits.clip(envelope.journal)!r} is no journal ID.")
    entries, last = [], envelope.first - 1
    for entry in envelope.entries:
        first, last = last + 1, last + entry.span
        entries.append(_taken(first, last, entry.chain.hex(), entry.record))
    return Batch(envelope.journal, envelope.before.hex(), entries)


def _taken(first: int, last: int, chain: str, raw: memoryview) -> Taken:
    try:
        record: Any = _record.decode(raw)
        performer: Any = Columns.of(record) if isinstance(record, Metrics) else record
    except _UNREADABLE as error:
        problem = InvalidInput(f"The record cannot be read: {_reason(error)}")
        return Taken(first, last, chain, _run_id(raw), None, _refusing(problem))
    except LogbuchError as error:
        return Taken(first, last, chain, record.run_id, None, _refusing(error))
    experiment = record.name if isinstance(record, ingest.NewExperiment) else None
    return Taken(first, last, chain, getattr(record, "run_id", None), experiment, performer.perform)


def _run_id(raw: memoryview) -> str | None:
    """The run that an unreadable record names, as far as one can tell."""
    try:
        found = _subject.decode(raw)
    except _UNREADABLE:
        return None
    return None if found.kind == ingest.NewExperiment.__struct_config__.tag else found.run_id


def _refusing(problem: LogbuchError) -> Callable[[Target], None]:
    def perform(target: Target) -> None:  # noqa: ARG001
        raise problem

    return perform


def _column(raw: memoryview, wire: str, kind: Any, name: str) -> NDArray[Any]:
    """A column as a whole, in the machine's own form and aligned."""
    size = np.dtype(wire).itemsize
    if len(raw) % size:
        raise InvalidInput(f"'{name}' holds {len(raw)} bytes; its numbers take {size} each.")
    return np.frombuffer(raw, wire).astype(kind)


def _decompressed(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        whole = unpacker.decompress(body, limits.INGEST_BODY_BYTES + 1)
    except zlib.error as error:
        raise BadRequest(f"The body is not compressed with gzip: {error}") from None
    if len(whole) > limits.INGEST_BODY_BYTES:
        raise TooLarge(f"The decompressed body has more than {limits.INGEST_BODY_BYTES} bytes.")
    if not unpacker.eof or unpacker.unused_data:
        raise BadRequest("The body is not compressed with gzip: it is not one whole stream.")
    return whole


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
