"""The processor time of a process and of one of its threads, to the nanosecond."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.named import LENGTH

_PROCESS_CLOCK = 2
"""All of a process's threads, those that have ended too: CPUCLOCK_SCHED of the Linux kernel."""


def of_process(pid: int) -> float:
    """Seconds; what ``clock_getcpuclockid(3)`` is for, of which Python has only that of threads."""
    return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)


def of_thread(pid: int, name: str) -> float:
    """Seconds of the threads of that name; 0 where there is none. They are to be those of :mod:`benchmarks.named`."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            if (task / "comm").read_text().rstrip("\n") == name[:LENGTH]:
                found += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return found / 1e9
