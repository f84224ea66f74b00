"""Measuring a stretch of work: wall time until it is acknowledged, and all the CPU time that it costs the server."""

from __future__ import annotations

import os
import time
from types import TracebackType

from benchmarks.servers import Server

BOUND = 0.85
"""Of a core: a load generator that was busier than this, which has but one thread, bounds what was measured."""

SEALING_SECONDS = 4.0
"""Longer than others is waited for Logbuch, which seals a run five seconds after its last point: that work counts."""


class Meter:
    """``with Meter(server, quiet, "what") as spent: …``, then ``spent.seconds`` and ``spent.cpu``.

    CPU time counts until the server has rested again for ``quiet`` seconds, so that what it puts off is part of it.
    """

    def __init__(self, server: Server, quiet: float, what: str) -> None:
        self._server, self._processes, self._what = server, server.processes, what
        self._quiet = quiet + SEALING_SECONDS if server.kind == "logbuch" else quiet
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> Meter:
        self._cpu, self._begun = self._processes.cpu_seconds(), time.perf_counter()
        self._client = _client_seconds()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._begun
        if error is None:
            self._note((_client_seconds() - self._client) / self.seconds)
            self._processes.rest(self._quiet)
            self.cpu = max(self._processes.cpu_seconds() - self._cpu, 0.01)

    def _note(self, share: float) -> None:
        if share > BOUND:
            self._server.notes.append(
                f"{self._server.title}, {self._what}: the load generator kept {share:.2f} cores busy, so what is given "
                "a second is bound by it."
            )


def _client_seconds() -> float:
    """CPU time of this process and of the load generators that it ran."""
    return sum(os.times()[:4])
