from __future__ import annotations

import sys
import threading
import time
from types import SimpleNamespace

import pytest

import logbuch
from logbuch.errors import InvalidInput
from logbuch.model import LifecycleStage, Run, RunInfo, RunStatus
from logbuch.sdk import system_metrics

MLFLOWS = {
    "cpu_utilization_percentage",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
    "disk_usage_percentage",
    "disk_usage_megabytes",
    "disk_available_megabytes",
    "network_receive_megabytes",
    "network_transmit_megabytes",
}


def test_the_names_are_mlflows() -> None:
    assert system_metrics.Sampler().sample().keys() >= MLFLOWS


def test_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_power(handle: int) -> int:
        raise RuntimeError("not supported")

    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=2e9, total=8e9),
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=90),
        nvmlDeviceGetPowerUsage=no_power,
        nvmlDeviceGetTemperature=lambda handle, sensor: 60,
        NVML_TEMPERATURE_GPU=0,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    sample = system_metrics.Sampler().sample()
    assert {key: value for key, value in sample.items() if key.startswith("gpu")} == {
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_memory_usage_megabytes": 2000.0,
        "gpu_0_utilization_percentage": 90.0,
        "gpu_0_temperature_celsius": 60.0,
    }


def wait_for(run_id: str, key: str, count: int) -> list[int]:
    client, deadline = logbuch.LogbuchClient(), time.monotonic() + 5
    while time.monotonic() < deadline:
        steps = [point.step for point in client.get_metric_history(run_id, key)]
        if len(steps) >= count:
            return steps
        time.sleep(0.02)
    raise AssertionError(f"{key} has not been sampled")


def test_a_run_is_sampled_and_goes_on_when_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    logbuch.set_system_metrics_sampling_interval(0.02)
    key = "system/cpu_utilization_percentage"
    with logbuch.start_run() as run:
        wait_for(run.info.run_id, key, 2)
    before = len(logbuch.LogbuchClient().get_metric_history(run.info.run_id, key))
    with logbuch.start_run(run_id=run.info.run_id):
        steps = wait_for(run.info.run_id, key, before + 1)
    assert steps == list(range(len(steps)))


def test_samples_are_averaged_under_the_nodes_name() -> None:
    logbuch.set_system_metrics_sampling_interval(0.02)
    logbuch.set_system_metrics_samples_before_logging(3)
    logbuch.set_system_metrics_node_id("n1")
    with logbuch.start_run(log_system_metrics=True) as run:
        wait_for(run.info.run_id, "system/n1/disk_usage_percentage", 1)


def test_who_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not system_metrics.wanted(None)
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    assert system_metrics.wanted(None)
    assert not system_metrics.wanted(False)
    logbuch.disable_system_metrics_logging()
    assert not system_metrics.wanted(None)
    logbuch.enable_system_metrics_logging()
    assert system_metrics.wanted(None)


def test_settings_are_checked() -> None:
    with pytest.raises(InvalidInput):
        logbuch.set_system_metrics_sampling_interval(0)
    with pytest.raises(InvalidInput):
        logbuch.set_system_metrics_samples_before_logging(0)


def test_failing_samples_are_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def broken(self: object) -> dict[str, float]:
        tried.release()
        raise OSError("sensor gone")

    monkeypatch.setattr(system_metrics.Sampler, "sample", broken)
    monkeypatch.setattr(system_metrics, "_interval", 0.01)
    info = RunInfo(
        run_id="r",
        experiment_id="0",
        run_name="n",
        user_id="u",
        status=RunStatus.RUNNING,
        start_time=1,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    monitor = system_metrics.Monitor(Run(info=info), lambda metrics, step: None)
    assert all(tried.acquire(timeout=5) for _ in range(3))
    monitor.stop()
    assert caplog.text.count("system metrics are incomplete") == 1
