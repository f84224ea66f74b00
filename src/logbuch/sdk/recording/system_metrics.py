"""CPU, memory, disk, network and GPU of the machine, sampled from a thread while a run lasts.

Names and units are MLflow's where it has them: megabytes are 10**6 bytes; network, disk traffic and energy count from
the start of the run. However many runs a process has, one thread reads the machine for all of them.
"""

from __future__ import annotations

import contextlib
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
from logbuch.sdk.recording.energy import Energy
from logbuch.sdk.recording.gpus import Gpus

logger = logging.getLogger("logbuch")
PREFIX = "system/"
ENERGY_TAG = "logbuch.energy"
"""The tag that says of what energy is measured, and how."""
_MEGA = 1e6
_CORES_SHOWN = 32
_FIRST_SECONDS = 1.0
_TOGETHER_SECONDS = 0.5

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
    """Samples until it is stopped. ``log`` takes the metrics of one step, ``set_tags`` what is measured."""

    def __init__(
        self,
        run: Run,
        log: Callable[[Mapping[str, float], int], None],
        set_tags: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._log, self._set_tags = log, set_tags
        node = _node or settings.SYSTEM_METRICS_NODE.get()
        self._prefix = f"{PREFIX}{node}/" if node else PREFIX
        steps = [point.step for point in run.data.metric_points if point.key.startswith(self._prefix)]
        self._step = max(steps, default=-1) + 1
        self._interval = _interval if _interval is not None else settings.SYSTEM_METRICS_INTERVAL.number()
        self._samples = _samples if _samples is not None else max(1, int(settings.SYSTEM_METRICS_SAMPLES.number()))
        self._gathered: list[dict[str, float]] = []
        self._before: dict[str, float] | None = None
        self.due = time.monotonic() + min(self._interval, _FIRST_SECONDS)
        _watch.join(self)

    def stop(self) -> None:
        """No sample follows when this returns."""
        _watch.leave(self)

    @property
    def begun(self) -> bool:
        return self._before is not None

    def begin(self, counters: Mapping[str, float], energy: str) -> None:
        """Counters count from here on; ``energy`` says of what it is measured."""
        self._before = dict(counters)
        if energy:
            self._set_tags({ENERGY_TAG: energy})

    def postpone(self) -> None:
        """A reading has failed."""
        self.due = time.monotonic() + self._interval

    def take(self, values: Mapping[str, float], counters: Mapping[str, float]) -> None:
        """A reading of the machine."""
        assert self._before is not None
        before = self._before
        counted = {name: value - before.setdefault(name, value) for name, value in counters.items()}
        self._gathered.append({**values, **counted})
        if len(self._gathered) >= self._samples:
            gathered, self._gathered = self._gathered, []
            self._publish(gathered)
        self.due = max(self.due + self._interval, time.monotonic() + self._interval / 2)

    def _publish(self, gathered: list[dict[str, float]]) -> None:
        names = {name for sample in gathered for name in sample}
        means = {}
        for name in sorted(names):
            values = [sample[name] for sample in gathered if name in sample]
            means[self._prefix + name] = sum(values) / len(values)
        self._log(means, self._step)
        self._step += 1


class _Watch:
    """The thread that reads the machine for all monitors of the process; it ends with the last of them."""

    def __init__(self) -> None:
        self._monitors: list[Monitor] = []
        self._changed = threading.Condition()
        self._reading = threading.Lock()
        self._thread: threading.Thread | None = None
        self._sampler: Sampler | None = None
        self._failed = False

    def join(self, monitor: Monitor) -> None:
        with self._changed:
            self._monitors.append(monitor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="logbuch-system-metrics", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def leave(self, monitor: Monitor) -> None:
        with self._changed:
            if monitor in self._monitors:
                self._monitors.remove(monitor)
            self._changed.notify_all()
        if self._reading.acquire(timeout=2):  # a reading that is under way ends before the run does
            self._reading.release()

    def _run(self) -> None:
        try:
            self._sampler = self._sampler or Sampler()
        except ImportError:
            logger.warning("system metrics need the package psutil, which is not installed")
            return
        while (due := self._next()) is not None:
            with self._reading:
                self._read(self._sampler, due)

    def _next(self) -> list[Monitor] | None:
        """Waits for the next reading: the monitors that want it, or None if there are none left."""
        with self._changed:
            while self._monitors:
                fresh = [monitor for monitor in self._monitors if not monitor.begun]
                if fresh:
                    return fresh
                now = time.monotonic()
                first = min(monitor.due for monitor in self._monitors)
                if first <= now:
                    # Those that are nearly due take part, so that several runs cost one reading.
                    return [monitor for monitor in self._monitors if monitor.due <= now + _TOGETHER_SECONDS]
                self._changed.wait(first - now)
            self._thread = None
            return None

    def _read(self, sampler: Sampler, due: list[Monitor]) -> None:
        try:
            values = sampler.sample()
            for monitor in due:
                if not monitor.begun:
                    monitor.begin(sampler.counters, sampler.measured)
                elif monitor in self._monitors:
                    monitor.take(values, sampler.counters)
        except Exception as error:
            for monitor in due:
                if not monitor.begun:
                    monitor.begin({}, "")
                monitor.postpone()
            if not self._failed:  # said once: the same sensor would fail every few seconds
                self._failed = True
                logger.warning("system metrics are incomplete: a sample failed: %s", error, exc_info=True)


_watch = _Watch()


class Sampler:
    """Reads the machine. ``counters`` are what grows, as the last reading found it. ``ImportError`` without psutil."""

    def __init__(self) -> None:
        psutil: Any = importlib.import_module("psutil")
        self._psutil = psutil
        self._process = psutil.Process()
        # The first readings have nothing to compare with and are always 0.
        psutil.cpu_percent(percpu=True)
        self._process.cpu_percent()
        self._gpus = Gpus()
        self._energy = Energy(self._gpus)
        self.counters: dict[str, float] = {}

    @property
    def measured(self) -> str:
        """Of what energy is measured."""
        return self._energy.measured()

    def sample(self) -> dict[str, float]:
        """One reading, under MLflow's names without the prefix ``system/``; it renews :attr:`counters` too."""
        gpus = self._gpus.sample()
        self.counters = self._traffic() | self._energy.sample(gpus)
        return self._cpu() | self._memory() | self._storage() | self._own() | gpus

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
        return {
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / _MEGA,
            "disk_available_megabytes": disk.free / _MEGA,
        }

    def _own(self) -> dict[str, float]:
        """This process: its CPU (100 is a whole core), its memory, its threads."""
        with contextlib.suppress(self._psutil.Error), self._process.oneshot():
            return {
                "process_cpu_utilization_percentage": self._process.cpu_percent(),
                "process_memory_usage_megabytes": self._process.memory_info().rss / _MEGA,
                "process_threads": float(self._process.num_threads()),
            }
        return {}

    def _traffic(self) -> dict[str, float]:
        found = {}
        network, disk = self._psutil.net_io_counters(), self._psutil.disk_io_counters()
        if network is not None:
            found["network_receive_megabytes"] = network.bytes_recv / _MEGA
            found["network_transmit_megabytes"] = network.bytes_sent / _MEGA
        if disk is not None:
            found["disk_read_megabytes"] = disk.read_bytes / _MEGA
            found["disk_write_megabytes"] = disk.write_bytes / _MEGA
        return found


def _after_fork() -> None:
    """The parent's thread and its NVML are not this process's."""
    global _watch
    _watch = _Watch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
