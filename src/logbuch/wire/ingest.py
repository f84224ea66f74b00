"""The native ingest protocol, sending side: what a journal's records say, and how they become bytes.

A batch is MessagePack: ``[version, journal, first, before, entries]``, each entry ``[span, chain, record]``, each
record an array that begins with its kind. Metrics travel in columns of raw little-endian numbers. The whole protocol
is described in docs/reference/ingest.md; :mod:`logbuch.wire.intake` is the receiving side.

This module is imported in a training process: it costs no numpy.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec

from logbuch import limits
from logbuch.model import Dataset, DatasetInput, Param, RunStatus, Tag

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
VERSIONS = (VERSION,)
"""The versions of the protocol that the server takes."""
CONTENT_TYPE = "application/vnd.logbuch.batch"
CONTENT_ENCODING = "gzip"
CHAIN_BYTES = 32
"""The longest value of a chain."""
_GZIP = 16 + zlib.MAX_WBITS

Pairs = Annotated[list[tuple[str, str]], msgspec.Meta(max_length=limits.ENTITIES_PER_BATCH)]


class Target(Protocol):
    """Where records are entered: the store's ledger. Every method raises ``LogbuchError`` for what breaks a rule."""

    def experiment(self, name: str, tags: Sequence[Tag]) -> None: ...
    def run(
        self,
        run_id: str,
        experiment: str,
        experiment_id: str,
        name: str,
        user_id: str,
        start_time: int,
        tags: Sequence[Tag],
    ) -> None: ...
    def attach(self, run_id: str) -> None: ...
    def hold(self, run_id: str) -> None: ...
    def metrics(
        self,
        run_id: str,
        names: Sequence[str],
        index: NDArray[np.intp],
        steps: NDArray[np.int64],
        timestamps: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None: ...
    def params(self, run_id: str, params: Sequence[Param]) -> None: ...
    def tags(self, run_id: str, tags: Sequence[Tag]) -> None: ...
    def delete_tag(self, run_id: str, key: str) -> None: ...
    def inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None: ...
    def update(self, run_id: str, status: RunStatus | None, end_time: int | None, name: str) -> None: ...
    def delete(self, run_id: str) -> None: ...
    def restore(self, run_id: str) -> None: ...
    def log(
        self,
        run_id: str,
        source: str,
        stream: str,
        times: Sequence[int],
        texts: Sequence[str],
        open_line: str,
        open_time: int,
        dropped: int,
    ) -> None: ...
    def histogram(
        self,
        run_id: str,
        key: str,
        step: int,
        timestamp: int,
        edges: memoryview,
        counts: memoryview,
        nan: int,
        infinite: int,
    ) -> None: ...
    def alert(self, run_id: str, time: int, level: str, title: str, text: str) -> None: ...


# -- records -----------------------------------------------------------------------------------------------------------


class _Record(msgspec.Struct, array_like=True, frozen=True):
    """Base of all records: an array of its kind and its fields, in this order."""


class NewExperiment(_Record, tag="experiment", frozen=True):
    """Makes an experiment if none has this name; the tags are for a new one."""

    name: str
    tags: Pairs = []

    def perform(self, target: Target) -> None:
        target.experiment(self.name, _tags(self.tags))


class NewRun(_Record, tag="run", frozen=True):
    """Makes a run with an ID of the client's, in the experiment of an ID or, without one, of a name."""

    run_id: str
    experiment: str
    experiment_id: str = ""
    name: str = ""
    user_id: str = ""
    start_time: int = 0
    tags: Pairs = []

    def perform(self, target: Target) -> None:
        target.run(
            self.run_id,
            self.experiment,
            self.experiment_id,
            self.name,
            self.user_id,
            self.start_time,
            _tags(self.tags),
        )


class Attach(_Record, tag="attach", frozen=True):
    """Says that what follows is about a run that exists: refused if it does not, or is deleted."""

    run_id: str

    def perform(self, target: Target) -> None:
        target.attach(self.run_id)


class Hold(_Record, tag="hold", frozen=True):
    """Says that the journal's process carries on the run, and gives signs of life until it has set its end: without
    them the run is lost."""

    run_id: str

    def perform(self, target: Target) -> None:
        target.hold(self.run_id)


class Metrics(_Record, tag="metrics", frozen=True):
    """Points of one run. Point ``i`` is of the key ``names[index[i]]``.

    The columns are raw little-endian numbers without a gap: index uint32, steps int64, timestamps int64 (Unix ms) and
    values float64. See :class:`Points`, which makes them.
    """

    run_id: str
    names: Annotated[list[str], msgspec.Meta(max_length=limits.INGEST_KEYS)]
    index: memoryview
    steps: memoryview
    timestamps: memoryview
    values: memoryview


class Params(_Record, tag="params", frozen=True):
    """Logs params: all of them or, if one breaks a rule, none."""

    run_id: str
    params: Pairs

    def perform(self, target: Target) -> None:
        target.params(self.run_id, [Param(key=key, value=value) for key, value in self.params])


class Tags(_Record, tag="tags", frozen=True):
    """Sets tags: all of them or, if one breaks a rule, none."""

    run_id: str
    tags: Pairs

    def perform(self, target: Target) -> None:
        target.tags(self.run_id, _tags(self.tags))


class DeleteTag(_Record, tag="delete-tag", frozen=True):
    run_id: str
    key: str

    def perform(self, target: Target) -> None:
        target.delete_tag(self.run_id, self.key)


class UsedDataset(msgspec.Struct, array_like=True, frozen=True):
    """A data set that a run used; ``tags`` are of this use."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: Pairs = []

    def noun(self) -> DatasetInput:
        dataset = Dataset(
            name=self.name,
            digest=self.digest,
            source_type=self.source_type,
            source=self.source,
            schema=self.schema,
            profile=self.profile,
        )
        return DatasetInput(dataset=dataset, tags=_tags(self.tags))


class Inputs(_Record, tag="inputs", frozen=True):
    """Notes the data sets that a run used."""

    run_id: str
    datasets: Annotated[list[UsedDataset], msgspec.Meta(max_length=limits.DATASETS_PER_CALL)]

    def perform(self, target: Target) -> None:
        target.inputs(self.run_id, [used.noun() for used in self.datasets])


class Update(_Record, tag="update", frozen=True):
    """Sets what is given: the status, the end (Unix ms), the name."""

    run_id: str
    status: RunStatus | None = None
    end_time: int | None = None
    name: str = ""

    def perform(self, target: Target) -> None:
        target.update(self.run_id, self.status, self.end_time, self.name)


class DeleteRun(_Record, tag="delete", frozen=True):
    """Marks a run as deleted; again is no error."""

    run_id: str

    def perform(self, target: Target) -> None:
        target.delete(self.run_id)


class RestoreRun(_Record, tag="restore", frozen=True):
    """Takes the mark back; again is no error."""

    run_id: str

    def perform(self, target: Target) -> None:
        target.restore(self.run_id)


LogText = Annotated[str, msgspec.Meta(max_length=limits.LOG_LINE_LENGTH)]
Numbers = Annotated[list[int], msgspec.Meta(max_length=limits.LOG_LINES_PER_RECORD)]


class Log(_Record, tag="log", frozen=True):
    """Lines of console output, with the time of each (Unix ms), and the line without an end that follows them as it
    stood at ``open_time``. ``source`` names one of several processes; ``dropped`` counts lines that were left out."""

    run_id: str
    stream: str
    times: Numbers
    texts: Annotated[list[LogText], msgspec.Meta(max_length=limits.LOG_LINES_PER_RECORD)]
    open_line: LogText = ""
    open_time: int = 0
    dropped: int = 0
    source: str = ""

    def perform(self, target: Target) -> None:
        target.log(
            self.run_id,
            self.source,
            self.stream,
            self.times,
            self.texts,
            self.open_line,
            self.open_time,
            self.dropped,
        )


class Histogram(_Record, tag="histogram", frozen=True):
    """A histogram of a key at a step: edges float64 × (n + 1), ascending, and counts float64 × n, both little-endian;
    how many values were NaN or infinite, and so in no bin."""

    run_id: str
    key: str
    step: int
    timestamp: int
    edges: memoryview
    counts: memoryview
    nan: int = 0
    infinite: int = 0

    def perform(self, target: Target) -> None:
        target.histogram(
            self.run_id, self.key, self.step, self.timestamp, self.edges, self.counts, self.nan, self.infinite
        )


class Alert(_Record, tag="alert", frozen=True):
    """Something that somebody should know, at ``time`` (Unix ms); the level is info, warning or error."""

    run_id: str
    time: int
    level: str
    title: Annotated[str, msgspec.Meta(max_length=limits.ALERT_TITLE_LENGTH)]
    text: Annotated[str, msgspec.Meta(max_length=limits.ALERT_TEXT_LENGTH)] = ""

    def perform(self, target: Target) -> None:
        target.alert(self.run_id, self.time, self.level, self.title, self.text)


def histogram(
    run_id: str,
    key: str,
    step: int,
    timestamp: int,
    edges: Sequence[float],
    counts: Sequence[float],
    nan: int,
    infinite: int,
) -> Histogram:
    """A histogram's record from lists of numbers."""
    borders, heights = _little_endian(array("d", edges)), _little_endian(array("d", counts))
    return Histogram(run_id, key, step, timestamp, borders, heights, nan, infinite)


Record = (
    NewExperiment
    | NewRun
    | Attach
    | Hold
    | Metrics
    | Params
    | Tags
    | DeleteTag
    | Inputs
    | Update
    | DeleteRun
    | RestoreRun
    | Log
    | Histogram
    | Alert
)
KINDS: tuple[str, ...] = tuple(
    str(type_.__struct_config__.tag)
    for type_ in (
        NewExperiment, NewRun, Attach, Hold, Metrics, Params, Tags, DeleteTag, Inputs, Update, DeleteRun, RestoreRun,
        Log, Histogram, Alert,
    )
)  # fmt: skip
"""The kinds of records."""


def _tags(pairs: Sequence[tuple[str, str]]) -> tuple[Tag, ...]:
    return tuple(Tag(key=key, value=value) for key, value in pairs)


# -- batches -----------------------------------------------------------------------------------------------------------


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """A record in a batch: how many entries of the journal it stands for, and the chain behind the last of them.

    The record is bytes in bytes: one that is damaged spoils no other.
    """

    span: Annotated[int, msgspec.Meta(ge=1, le=2**40)]
    chain: Annotated[bytes, msgspec.Meta(max_length=CHAIN_BYTES)]
    record: memoryview


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """A batch: the journal, the number of its first entry, and the chain before that one."""

    version: int
    journal: str
    first: Annotated[int, msgspec.Meta(ge=1, le=2**62)]
    before: Annotated[bytes, msgspec.Meta(max_length=CHAIN_BYTES)]
    entries: Annotated[list[Entry], msgspec.Meta(min_length=1, max_length=limits.INGEST_RECORDS)]


_encoder = msgspec.msgpack.Encoder()
_JOURNAL = re.compile(r"[0-9a-f]{32}")


def is_journal(text: str) -> bool:
    """Whether a text may be a journal's ID: a UUID in 32 lower-case hexadecimal digits."""
    return _JOURNAL.fullmatch(text) is not None


class Points:
    """Gathers points of one run into the columns of a :class:`Metrics` record."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._names: dict[str, int] = {}
        self._index = array("I")
        self._steps, self._timestamps, self._values = array("q"), array("q"), array("d")

    def add(self, key: str, step: int, timestamp: int, value: float) -> None:
        """One point; ``OverflowError`` for a step or timestamp (ms) beyond 64 bits."""
        index = self._names.setdefault(key, len(self._names))
        self._steps.append(step)
        try:
            self._timestamps.append(timestamp)
            self._values.append(value)
        except (OverflowError, TypeError):
            del self._steps[len(self._index) :], self._timestamps[len(self._index) :]
            raise
        self._index.append(index)

    def __len__(self) -> int:
        return len(self._index)

    def record(self) -> Metrics:
        """What was gathered so far, without a copy: nothing may be added while the record is in use."""
        return Metrics(
            self.run_id,
            list(self._names),
            _little_endian(self._index),
            _little_endian(self._steps),
            _little_endian(self._timestamps),
            _little_endian(self._values),
        )


def _little_endian(column: array[Any]) -> memoryview:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return memoryview(column).cast("B")


def encode_record(record: Record) -> bytes:
    """A record's bytes."""
    return _encoder.encode(record)


def encode_batch(
    journal: str, first: int, before: bytes, entries: Sequence[tuple[int, bytes, bytes]], version: int = VERSION
) -> bytes:
    """A batch's bytes. ``entries`` are (span, chain, record's bytes); see :class:`Entry` and :class:`Envelope`."""
    rows = [Entry(span, chain, memoryview(record)) for span, chain, record in entries]
    return _encoder.encode(Envelope(version, journal, first, before, rows))


def compress(body: bytes) -> bytes:
    """A body for ``Content-Encoding: gzip``. Level 1: higher ones cost several times more and save hardly a byte."""
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


def link(chain: bytes, entry: bytes) -> bytes:
    """The chain behind an entry: 16 bytes that depend on all entries up to it. A journal begins with ``b""``."""
    hashed = blake2b(chain, digest_size=16)
    hashed.update(entry)
    return hashed.digest()
