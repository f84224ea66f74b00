"""When a sender also sends what other processes have left: now and then, while all is well."""

from __future__ import annotations

import time
from collections.abc import Callable

from logbuch.sdk.shipping.remarks import Remarks

_SWEEP_SECONDS, _SWEEP_SHARE = 30.0, 1.0
_UNSENT = "what earlier runs have left could not be sent"
Enough = Callable[[], bool]


class Sweeper:
    """Calls ``sweep``, which goes on until it is told that it is enough; what goes wrong is remarked, once."""

    def __init__(self, sweep: Callable[[Enough], None], remarks: Remarks) -> None:
        self.wanted = False
        """Whether it shall be done soon, though nothing else is to be sent."""
        self._sweep, self._remarks = sweep, remarks
        self._swept = -_SWEEP_SECONDS

    def look(self, busy: Enough, over: Enough) -> None:
        """Sweeps if it is time, until it is ``over``; for a second only while the process is ``busy``, for what it logs
        itself comes first."""
        if time.monotonic() - self._swept <= _SWEEP_SECONDS:
            return
        self._swept = begin = time.monotonic()

        def enough() -> bool:
            late = time.monotonic() > begin + _SWEEP_SHARE and busy()
            if late:  # the rest soon
                self._swept = time.monotonic() + 2 * _SWEEP_SHARE - _SWEEP_SECONDS
            return late or over()

        self._remarks.attempt(_UNSENT, lambda: self._sweep(enough))

    def until(self, deadline: float) -> None:
        """Sweeps once more, until a deadline (monotonic seconds)."""
        self._remarks.attempt(_UNSENT, lambda: self._sweep(lambda: time.monotonic() > deadline))
