"""How much processor time work in the background may take: a small share of what the server uses for its own work.

After each piece of work it rests until the server has used so much more that the piece was a small share of it. A
share of a core that is free would be no measure: where one training logs a little, a twentieth of a core is many times
what the server uses for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

OF_WORK = 0.015
"""Of the processor time that the whole process uses,"""
OF_CORE = 0.003
"""and besides, of one core; so much is nothing to any machine, and enough for dozens of trainings."""
AT_REST, OF_IDLE_CORE = 0.01, 0.2
"""Where the process uses less than so much of a core, nobody waits for it: then so much of a core is taken, and never
more."""
_LOOK_SECONDS = 1.0


class Budget:
    """``end`` ends every rest; ``used`` is the processor time of the process and ``clock`` a monotonic one, in s."""

    def __init__(
        self,
        end: threading.Event,
        used: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._end, self._used, self._clock = end, used, clock

    def rest(self, seconds: float) -> None:
        """Rests after work that took so much processor time, until it is earned."""
        begin, before = self._clock(), self._used()
        wait = seconds / OF_IDLE_CORE
        while not self._end.wait(min(wait, _LOOK_SECONDS)):
            lasted, used = self._clock() - begin, self._used() - before
            idle = used < AT_REST * lasted
            earned = OF_IDLE_CORE * lasted if idle else OF_WORK * used + OF_CORE * lasted
            if earned >= seconds or lasted <= 0:
                return
            wait = (seconds - earned) * lasted / earned
