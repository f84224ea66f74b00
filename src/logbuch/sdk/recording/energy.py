"""Energy that is measured: of GPUs by their own counters or their power over time, of CPUs by RAPL.

RAPL is the power meter of Intel's and AMD's CPUs; Linux shows it as counters in microjoules below
``/sys/class/powercap``, usually to root alone. What is not measured is not guessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from logbuch.sdk.recording.gpus import Gpus

POWERCAP = Path("/sys/class/powercap")
_MICROJOULES_PER_WATT_HOUR = 3.6e9
_SECONDS_PER_HOUR = 3600.0


@dataclass(slots=True)
class _Counter:
    """A package's counter, which begins anew at ``limit``."""

    file: Path
    limit: int
    last: int
    total: int = 0

    def read(self) -> int:
        """Microjoules since it was made."""
        now = int(self.file.read_text())
        step = now - self.last
        self.total += step if step >= 0 else step + self.limit + 1
        self.last = now
        return self.total


class Energy:
    """Watt hours since this was made, growing with each reading."""

    def __init__(self, gpus: Gpus, powercap: Path = POWERCAP, clock: Callable[[], float] = time.monotonic) -> None:
        self._gpus, self._clock = gpus, clock
        self._packages = _packages(powercap)
        self._begin = [gpus.energy(number) for number in range(len(gpus))]
        self._integrated = [0.0] * len(gpus)
        self._watts: list[float | None] = [None] * len(gpus)
        self._then = clock()

    def sample(self, values: dict[str, float]) -> dict[str, float]:
        """``gpu_0_energy_watt_hours`` and so on, ``cpu_energy_watt_hours``, and ``energy_watt_hours``, their sum.

        ``values`` are those of the GPUs at the same moment: their power counts where they have no counter.
        """
        now = self._clock()
        hours, self._then = (now - self._then) / _SECONDS_PER_HOUR, now
        found = {}
        for number in range(len(self._gpus)):
            used = self._of_gpu(number, values.get(f"gpu_{number}_power_usage_watts"), hours)
            if used is not None:
                found[f"gpu_{number}_energy_watt_hours"] = used
        cpu = self._of_cpu()
        if cpu is not None:
            found["cpu_energy_watt_hours"] = cpu
        return found | ({"energy_watt_hours": sum(found.values())} if found else {})

    def measured(self) -> str:
        """What is measured, and how: "GPU 0 (counter), GPU 1 (power), CPU (RAPL)"; "" if nothing is."""
        found = [
            f"GPU {number} ({'power' if start is None else 'counter'})" for number, start in enumerate(self._begin)
        ]
        return ", ".join([*found, "CPU (RAPL)"] if self._packages else found)

    def _of_gpu(self, number: int, watts: float | None, hours: float) -> float | None:
        begin = self._begin[number]
        if begin is not None:
            now = self._gpus.energy(number)
            return now - begin if now is not None else None
        before, self._watts[number] = self._watts[number], watts
        if watts is None:
            return None
        # The mean of both ends: the trapezoidal rule.
        self._integrated[number] += (watts if before is None else (watts + before) / 2) * hours
        return self._integrated[number]

    def _of_cpu(self) -> float | None:
        try:
            total = sum(package.read() for package in self._packages)
        except (OSError, ValueError):
            self._packages = []
        return total / _MICROJOULES_PER_WATT_HOUR if self._packages else None


def _packages(powercap: Path) -> list[_Counter]:
    """The counters of whole CPU packages; those of their parts are contained in them."""
    found = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):
                file = zone / "energy_uj"
                found.append(_Counter(file, int((zone / "max_energy_range_uj").read_text()), int(file.read_text())))
        except (OSError, ValueError):  # not for this user
            continue
    return found
