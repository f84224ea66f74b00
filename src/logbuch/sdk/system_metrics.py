"""CPU, memory, disk, network and GPU of the machine, sampled from a thread while a run lasts.

Names and units are MLflow's: megabytes are 10**6 bytes, network counts from the start of the run. A GPU is read through
``pynvml`` where that is installed.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from logbuch import settings
from logbuch.errors import InvalidInput
from logbuch.model import Run

logger = logging.getLogger("logbuch")
PREFIX = "system/"
_MEGA = 1e6
_CORES_SHOWN = 32
_FIRST_SECONDS = 1.0

_enabled: bool | None = None
_interval: float | None = None
_samples: int | None = None
_node: str | None = None


def enable_system_metrics_logging() -> None:
    """Samples system metrics in every run that starts from now on."""
    global _enabled
    _enabled = True


def disable_system_metrics_logging() -> None:
    """Ends what :func:`enable_system_metrics_logging` began; a run may still ask for it."""
    global _enabled
    _enabled = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Seconds between two samples; None for the setting's default."""
    global _interval
    if interval is not None and not interval > 0:
        raise InvalidInput(f"The sampling interval must be more than 0 seconds, not {interval!r}.")
    _interval = interval


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """How many samples are averaged into one logged point; None for the setting's default."""
    global _samples
    if samples is not None and samples < 1:
        raise InvalidInput(f"The number of samples must be at least 1, not {samples!r}.")
    _samples = samples


def set_system_metrics_node_id(node_id: str | None) -> None:
    """The name of this machine in the metrics: ``system/<node>/…``; None for none."""
    global _node
    _node = node_id


def wanted(asked: bool | None) -> bool:
    """Whether a run samples: what the caller said, else what the process was told, else the environment."""
    if asked is not None:
        return asked
    return _enabled if _enabled is not None else settings.SYSTEM_METRICS.flag()


class Monitor:
    """Samples until it is stopped. ``log`` takes the metrics of one step."""

    def __init__(self, run: Run, log: Callable[[Mapping[str, float], int], None]) -> None:
        self._log = log
        self._stop = threading.Event()
        node = _node or settings.SYSTEM_METRICS_NODE.get()
        self._prefix = f"{PREFIX}{node}/" if node else PREFIX
        steps = [point.step for point in run.data.metric_points if point.key.startswith(self._prefix)]
        self._step = max(steps, default=-1) + 1
        self._interval = _interval if _interval is not None else settings.SYSTEM_METRICS_INTERVAL.number()
        self._samples = _samples if _samples is not None else max(1, int(settings.SYSTEM_METRICS_SAMPLES.number()))
        self._thread = threading.Thread(target=self._run, name="logbuch-system-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(2)

    def _run(self) -> None:
        try:
            sampler = Sampler()
        except ImportError:
            logger.warning("system metrics need the package psutil, which is not installed")
            return
        gathered: list[dict[str, float]] = []
        failed = 0
        pause = min(self._interval, _FIRST_SECONDS)
        while not self._stop.wait(pause):
            begin = time.monotonic()
            try:
                gathered.append(sampler.sample())
            except Exception as error:
                failed += 1
                if failed == 1:  # said once: the same sensor would fail every few seconds
                    logger.warning("system metrics are incomplete: a sample failed: %s", error, exc_info=True)
            if len(gathered) >= self._samples:
                self._publish(gathered)
                gathered = []
            pause = max(0.0, self._interval - (time.monotonic() - begin))

    def _publish(self, gathered: list[dict[str, float]]) -> None:
        names = {name for sample in gathered for name in sample}
        means = {}
        for name in names:
            values = [sample[name] for sample in gathered if name in sample]
            means[self._prefix + name] = sum(values) / len(values)
        self._log(means, self._step)
        self._step += 1


class Sampler:
    """Reads the machine. ``ImportError`` without psutil."""

    def __init__(self) -> None:
        psutil: Any = importlib.import_module("psutil")
        self._psutil = psutil
        psutil.cpu_percent(percpu=True)  # the first reading has nothing to compare with and is always 0
        self._network = psutil.net_io_counters()
        self._disk = psutil.disk_io_counters()
        self._gpus = _Gpus()

    def sample(self) -> dict[str, float]:
        """One reading, under MLflow's names without the prefix ``system/``."""
        return self._cpu() | self._memory() | self._storage() | self._traffic() | self._gpus.sample()

    def _cpu(self) -> dict[str, float]:
        cores = self._psutil.cpu_percent(percpu=True)
        found = {"cpu_utilization_percentage": sum(cores) / len(cores)}
        if 1 < len(cores) <= _CORES_SHOWN:
            found |= {f"cpu_{number}_utilization_percentage": share for number, share in enumerate(cores)}
        return found

    def _memory(self) -> dict[str, float]:
        memory = self._psutil.virtual_memory()
        return {
            "system_memory_usage_megabytes": memory.used / _MEGA,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "system_memory_available_megabytes": memory.available / _MEGA,
        }

    def _storage(self) -> dict[str, float]:
        disk = self._psutil.disk_usage(os.sep)
        found = {
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / _MEGA,
            "disk_available_megabytes": disk.free / _MEGA,
        }
        traffic = self._psutil.disk_io_counters()
        if traffic is not None and self._disk is not None:
            found["disk_read_megabytes"] = (traffic.read_bytes - self._disk.read_bytes) / _MEGA
            found["disk_write_megabytes"] = (traffic.write_bytes - self._disk.write_bytes) / _MEGA
        return found

    def _traffic(self) -> dict[str, float]:
        now = self._psutil.net_io_counters()
        if now is None or self._network is None:
            return {}
        return {
            "network_receive_megabytes": (now.bytes_recv - self._network.bytes_recv) / _MEGA,
            "network_transmit_megabytes": (now.bytes_sent - self._network.bytes_sent) / _MEGA,
        }


class _Gpus:
    """NVIDIA's GPUs; none where the library or the driver is missing."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            self._library: Any = importlib.import_module("pynvml")
            self._library.nvmlInit()
            count = self._library.nvmlDeviceGetCount()
            self._handles = [self._library.nvmlDeviceGetHandleByIndex(number) for number in range(count)]
        except Exception:
            logger.debug("no GPU to sample", exc_info=True)

    def sample(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for number, handle in enumerate(self._handles):
            for read in (self._memory, self._utilization, self._power, self._temperature):
                try:
                    found |= {f"gpu_{number}_{name}": value for name, value in read(handle).items()}
                except Exception:
                    logger.debug("a GPU reading failed", exc_info=True)
        return found

    def _memory(self, handle: Any) -> dict[str, float]:
        memory = self._library.nvmlDeviceGetMemoryInfo(handle)
        return {
            "memory_usage_percentage": memory.used / memory.total * 100,
            "memory_usage_megabytes": memory.used / _MEGA,
        }

    def _utilization(self, handle: Any) -> dict[str, float]:
        return {"utilization_percentage": float(self._library.nvmlDeviceGetUtilizationRates(handle).gpu)}

    def _power(self, handle: Any) -> dict[str, float]:
        watts = self._library.nvmlDeviceGetPowerUsage(handle) / 1000
        limit = self._library.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000
        return {"power_usage_watts": watts, "power_usage_percentage": watts / limit * 100}

    def _temperature(self, handle: Any) -> dict[str, float]:
        sensor = self._library.NVML_TEMPERATURE_GPU
        return {"temperature_celsius": float(self._library.nvmlDeviceGetTemperature(handle, sensor))}
