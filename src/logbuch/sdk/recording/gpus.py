"""NVIDIA's GPUs through NVML, the library of their driver: what they are, and how they are at the moment.

Names of values are MLflow's where it has them. A sensor that fails is left out; it spoils no other.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

logger = logging.getLogger("logbuch")
_MEGA = 1e6
_JOULES_PER_WATT_HOUR = 3600.0


class Gpus:
    """The GPUs of this machine; none where the library or the driver is missing."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            self._library: Any = importlib.import_module("pynvml")
            self._library.nvmlInit()
            count = self._library.nvmlDeviceGetCount()
            self._handles = [self._library.nvmlDeviceGetHandleByIndex(number) for number in range(count)]
        except Exception:
            logger.debug("no GPU to sample", exc_info=True)

    def __len__(self) -> int:
        return len(self._handles)

    def describe(self) -> list[dict[str, Any]]:
        """Each GPU's model, its memory in megabytes (10**6 bytes), and its UUID."""
        found = []
        for handle in self._handles:
            about = {
                "model": self._asked("nvmlDeviceGetName", handle),
                "uuid": self._asked("nvmlDeviceGetUUID", handle),
                "memory_megabytes": self._tried(partial(self._memory_total, handle)),
            }
            found.append({key: value for key, value in about.items() if value is not None})
        return found

    def driver(self) -> dict[str, str]:
        """The versions of the driver and of the CUDA that it brings."""
        version = self._asked("nvmlSystemGetDriverVersion") if self._handles else None
        cuda = self._tried(lambda: int(self._library.nvmlSystemGetCudaDriverVersion())) if self._handles else None
        found = {"driver": version, "cuda": f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None}
        return {key: value for key, value in found.items() if value is not None}

    def sample(self) -> dict[str, float]:
        """Values of now: ``gpu_0_utilization_percentage`` and so on, and the memory that this process holds on each."""
        found: dict[str, float] = {}
        for number, handle in enumerate(self._handles):
            for read in (self._memory, self._utilization, self._power, self._temperature):
                values: Mapping[str, float] = self._tried(partial(read, handle)) or {}
                found |= {f"gpu_{number}_{name}": value for name, value in values.items()}
            own = self._tried(partial(self._own_memory, handle))
            if own is not None:
                found[f"process_gpu_{number}_memory_usage_megabytes"] = own
        return found

    def energy(self, number: int) -> float | None:
        """Watt hours that a GPU has used since its driver was loaded; None where it does not count them."""
        joules = self._tried(lambda: self._library.nvmlDeviceGetTotalEnergyConsumption(self._handles[number]) / 1000)
        return joules / _JOULES_PER_WATT_HOUR if joules is not None else None

    def _memory(self, handle: Any) -> dict[str, float]:
        memory = self._library.nvmlDeviceGetMemoryInfo(handle)
        return {
            "memory_usage_percentage": memory.used / memory.total * 100,
            "memory_usage_megabytes": memory.used / _MEGA,
        }

    def _memory_total(self, handle: Any) -> float:
        return float(self._library.nvmlDeviceGetMemoryInfo(handle).total / _MEGA)

    def _own_memory(self, handle: Any) -> float | None:
        """None where this process is not among those on the GPU; in a container its number may be another one."""
        own = [
            process.usedGpuMemory
            for process in self._library.nvmlDeviceGetComputeRunningProcesses(handle)
            if process.pid == os.getpid() and process.usedGpuMemory is not None
        ]
        return float(sum(own)) / _MEGA if own else None

    def _utilization(self, handle: Any) -> dict[str, float]:
        return {"utilization_percentage": float(self._library.nvmlDeviceGetUtilizationRates(handle).gpu)}

    def _power(self, handle: Any) -> dict[str, float]:
        watts = self._library.nvmlDeviceGetPowerUsage(handle) / 1000
        limit = self._tried(lambda: self._library.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000)
        share = {"power_usage_percentage": watts / limit * 100} if limit else {}
        return {"power_usage_watts": watts} | share

    def _temperature(self, handle: Any) -> dict[str, float]:
        sensor = self._library.NVML_TEMPERATURE_GPU
        return {"temperature_celsius": float(self._library.nvmlDeviceGetTemperature(handle, sensor))}

    def _asked(self, name: str, *arguments: Any) -> str | None:
        value = self._tried(lambda: getattr(self._library, name)(*arguments))
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def _tried(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Exception:
            logger.debug("a GPU reading failed", exc_info=True)
            return None
