"""Numbers for Prometheus. Several worker processes share a folder, so that any of them answers for all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes keep their numbers; set before this module is imported."""
CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The numbers of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter("logbuch_serving_requests", "Answers by HTTP status.", ["status"], registry=registry)
        self.seconds = Histogram(
            "logbuch_serving_request_seconds", "Time until an answer.", buckets=_SECONDS, registry=registry
        )
        self.predicting = Histogram(
            "logbuch_serving_predict_seconds", "Time in the model.", buckets=_SECONDS, registry=registry
        )
        self.rows = Histogram("logbuch_serving_predict_rows", "Rows of a prediction.", buckets=_ROWS, registry=registry)
        self.waiting = Gauge(
            "logbuch_serving_waiting_requests", "Requests in the queue.", multiprocess_mode="livesum", registry=registry
        )
        self.refused = Counter(
            "logbuch_serving_refused", "Requests refused because the queue was full.", registry=registry
        )

    @contextmanager
    def prediction(self, rows: int) -> Iterator[None]:
        """Notes a prediction of so many rows and how long it took."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.predicting.observe(time.perf_counter() - begun)
            self.rows.observe(rows)

    def text(self) -> bytes:
        """All numbers in Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if not folder:
            return generate_latest(self._registry)
        _forget_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead(folder: Path) -> None:
    """Gauges of workers that are gone count no more."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _alive(pid):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
