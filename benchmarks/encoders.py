"""How points travel: MLflow's JSON, which every server here reads, and Logbuch's own columns."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
import numpy as np

from benchmarks.client import MLFLOW, NATIVE, Refused
from benchmarks.generator import Block
from benchmarks.servers import Server
from logbuch.wire import ingest

BATCH = 1000
"""MLflow takes no more points in one request."""


class Encoder(Protocol):
    """Turns blocks of points into requests, one journal or connection long."""

    name: str
    path: str
    content_type: str

    def bodies(self, block: Block) -> Iterator[bytes]:
        """The requests for a block, in the order in which they are to be sent."""

    def check(self, answer: bytes) -> None:
        """Raises Refused unless the answer acknowledges every point of its request."""


class JsonBatches:
    """``runs/log-batch``, at most 1,000 points a request."""

    name = "log-batch"
    path = MLFLOW + "runs/log-batch"
    content_type = "application/json"

    def bodies(self, block: Block) -> Iterator[bytes]:
        points = [
            {"key": key, "value": value, "timestamp": timestamp, "step": step}
            for step, timestamp, row in zip(
                block.steps.tolist(), block.timestamps.tolist(), block.values.tolist(), strict=True
            )
            for key, value in zip(block.keys, row, strict=True)
        ]
        for start in range(0, len(points), BATCH):
            yield msgspec.json.encode({"run_id": block.run_id, "metrics": points[start : start + BATCH]})

    def check(self, answer: bytes) -> None:
        """The status alone acknowledges."""


class NativeIngest:
    """Logbuch's own protocol: a block a request, as one record of columns, in a journal of this encoder's own."""

    name = "ingest"
    path = NATIVE + "ingest"
    content_type = ingest.CONTENT_TYPE

    def __init__(self) -> None:
        self._journal, self._first, self._chain = uuid.uuid4().hex, 1, b""

    def bodies(self, block: Block) -> Iterator[bytes]:
        yield self.batch([_columns(block)])

    def batch(self, records: Sequence[ingest.Record]) -> bytes:
        """The next batch of the journal."""
        first, before, entries = self._first, self._chain, []
        for record in records:
            encoded = ingest.encode_record(record)
            self._chain = ingest.link(self._chain, encoded)
            entries.append((1, self._chain, encoded))
        self._first += len(entries)
        return ingest.encode_batch(self._journal, first, before, entries)

    @staticmethod
    def check(answer: bytes) -> None:
        refused = msgspec.json.decode(answer).get("refused")
        if refused:
            raise Refused(f"the server refused {refused!r:.300}")


def _columns(block: Block) -> ingest.Metrics:
    steps, keys = block.values.shape
    columns = (
        np.tile(np.arange(keys, dtype="<u4"), steps),
        np.repeat(block.steps.astype("<i8"), keys),
        np.repeat(block.timestamps.astype("<i8"), keys),
        np.ascontiguousarray(block.values, dtype="<f8"),
    )
    return ingest.Metrics(block.run_id, block.keys, *(memoryview(column.tobytes()) for column in columns))


def encoders(server: Server) -> list[type[Encoder]]:
    """The encoders whose requests a server reads: the slowest first."""
    return [JsonBatches, NativeIngest] if server.kind == "logbuch" else [JsonBatches]
