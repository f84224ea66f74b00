from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import logbuch
from logbuch.errors import InvalidInput
from logbuch.model import LifecycleStage, Run, RunInfo, RunStatus
from logbuch.sdk.recording import system_metrics
from logbuch.sdk.recording.energy import Energy
from logbuch.sdk.recording.gpus import Gpus

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
    sampler = system_metrics.Sampler()
    assert {*sampler.sample(), *sampler.counters} >= MLFLOWS


def test_other_values_of_the_machine_and_of_this_process() -> None:
    sampler = system_metrics.Sampler()
    sample = sampler.sample()
    assert sample["process_memory_usage_megabytes"] > 10
    assert sample["process_threads"] >= 1
    assert "process_cpu_utilization_percentage" in sample
    assert {"network_receive_megabytes", "network_transmit_megabytes"} <= sampler.counters.keys()


class Failing:
    """A sensor that this GPU lacks."""

    def __call__(self, *arguments: object) -> None:
        raise RuntimeError("not supported")


def fake_nvml(**more: object) -> SimpleNamespace:
    """NVML with two GPUs, as NVIDIA's bindings offer it."""
    processes = [
        SimpleNamespace(pid=os.getpid(), usedGpuMemory=500_000_000),
        SimpleNamespace(pid=1, usedGpuMemory=9_000_000_000),
        SimpleNamespace(pid=os.getpid(), usedGpuMemory=None),
    ]
    offered: dict[str, object] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetName": lambda handle: b"NVIDIA A100" if handle else "NVIDIA H100",
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlSystemGetDriverVersion": lambda: "575.1",
        "nvmlSystemGetCudaDriverVersion": lambda: 12090,
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=2e9, total=8e9),
        "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=90 - handle),
        "nvmlDeviceGetPowerUsage": lambda handle: 200_000,
        "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 400_000,
        "nvmlDeviceGetTemperature": lambda handle, sensor: 60,
        "nvmlDeviceGetComputeRunningProcesses": lambda handle: [] if handle else processes,
        "nvmlDeviceGetTotalEnergyConsumption": Failing(),
        "NVML_TEMPERATURE_GPU": 0,
    }
    return SimpleNamespace(**(offered | more))


def test_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    sample = Gpus().sample()
    assert {key: value for key, value in sample.items() if "gpu_0" in key} == {
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_memory_usage_megabytes": 2000.0,
        "gpu_0_utilization_percentage": 90.0,
        "gpu_0_power_usage_watts": 200.0,
        "gpu_0_power_usage_percentage": 50.0,
        "gpu_0_temperature_celsius": 60.0,
        "process_gpu_0_memory_usage_megabytes": 500.0,
    }
    assert sample["gpu_1_utilization_percentage"] == 89.0
    assert "process_gpu_1_memory_usage_megabytes" not in sample


def test_a_sensor_that_fails_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    library = fake_nvml(nvmlDeviceGetEnforcedPowerLimit=Failing(), nvmlDeviceGetTemperature=Failing())
    library.nvmlDeviceGetMemoryInfo = Failing()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert {key: value for key, value in Gpus().sample().items() if key.startswith("gpu_0")} == {
        "gpu_0_utilization_percentage": 90.0,
        "gpu_0_power_usage_watts": 200.0,
    }


@pytest.mark.parametrize("broken", [None, fake_nvml(nvmlInit=Failing()), fake_nvml(nvmlDeviceGetCount=Failing())])
def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch, broken: object) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", broken)
    found = Gpus()
    assert (len(found), found.describe(), found.driver(), found.sample()) == (0, [], {}, {})


def test_what_gpus_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    assert Gpus().describe() == [
        {"model": "NVIDIA H100", "uuid": "GPU-0", "memory_megabytes": 8000.0},
        {"model": "NVIDIA A100", "uuid": "GPU-1", "memory_megabytes": 8000.0},
    ]
    assert Gpus().driver() == {"driver": "575.1", "cuda": "12.9"}


# -- energy ------------------------------------------------------------------------------------------------------------


def rapl(folder: Path, name: str, zone: str, used: int, limit: int = 1_000_000_000_000) -> Path:
    """A package as Linux shows it."""
    place = folder / zone
    place.mkdir(parents=True, exist_ok=True)
    (place / "name").write_text(f"{name}\n")
    (place / "max_energy_range_uj").write_text(f"{limit}\n")
    (place / "energy_uj").write_text(f"{used}\n")
    return place / "energy_uj"


def test_power_is_integrated_where_there_is_no_counter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    now = [0.0]
    energy = Energy(Gpus(), tmp_path, lambda: now[0])
    assert energy.sample({"gpu_0_power_usage_watts": 100.0})["gpu_0_energy_watt_hours"] == 0
    now[0] = 1800
    found = energy.sample({"gpu_0_power_usage_watts": 300.0})
    assert found == {"gpu_0_energy_watt_hours": pytest.approx(100), "energy_watt_hours": pytest.approx(100)}
    assert energy.measured() == "GPU 0 (power), GPU 1 (power)"


def test_counters_of_gpus_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    joules = [1000.0]
    monkeypatch.setitem(
        sys.modules,
        "pynvml",
        fake_nvml(nvmlDeviceGetTotalEnergyConsumption=lambda handle: joules[0] * 1000, nvmlDeviceGetCount=lambda: 1),
    )
    energy = Energy(Gpus(), tmp_path)
    joules[0] += 7200
    assert energy.sample({}) == {"gpu_0_energy_watt_hours": pytest.approx(2), "energy_watt_hours": pytest.approx(2)}
    assert energy.measured() == "GPU 0 (counter)"


def test_packages_are_summed_and_begin_anew_at_their_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    first = rapl(tmp_path, "package-0", "intel-rapl:0", 5_000_000_000, limit=9_999_999_999)
    second = rapl(tmp_path, "package-1", "intel-rapl:1", 0)
    rapl(tmp_path, "dram", "intel-rapl:0:0", 0)
    rapl(tmp_path, "psys", "intel-rapl:2", 0)
    energy = Energy(Gpus(), tmp_path)
    first.write_text("1400000000")
    second.write_text("800000000")
    found = energy.sample({})
    assert found == {"cpu_energy_watt_hours": pytest.approx(2), "energy_watt_hours": pytest.approx(2)}
    assert energy.measured() == "CPU (RAPL)"
    first.write_text("")
    assert energy.sample({}) == {}


def test_energy_that_nobody_measures_is_not_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    (tmp_path / "intel-rapl:0").mkdir()
    energy = Energy(Gpus(), tmp_path)
    assert (energy.sample({}), energy.measured()) == ({}, "")


# -- runs --------------------------------------------------------------------------------------------------------------


def wait_for(run_id: str, key: str, count: int) -> list[int]:
    client, deadline = logbuch.LogbuchClient(), time.monotonic() + 60
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
    assert all(tried.acquire(timeout=60) for _ in range(3))
    monitor.stop()
    assert caplog.text.count("system metrics are incomplete") == 1


def test_counters_begin_at_zero_with_each_run_and_runs_share_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[float] = []

    class Fake:
        counters: dict[str, float] = {}  # noqa: RUF012
        measured = "CPU (RAPL)"

        def sample(self) -> dict[str, float]:
            readings.append(10.0 * len(readings))
            self.counters = {"network_receive_megabytes": readings[-1]}
            return {"cpu_utilization_percentage": 1.0}

    monkeypatch.setattr(system_metrics, "Sampler", Fake)
    monkeypatch.setattr(system_metrics, "_watch", system_metrics._Watch())
    logbuch.set_system_metrics_sampling_interval(0.05)
    key = "system/network_receive_megabytes"
    with logbuch.start_run(log_system_metrics=True) as outer:
        wait_for(outer.info.run_id, key, 3)
        with logbuch.start_run(nested=True, log_system_metrics=True) as inner:
            wait_for(inner.info.run_id, key, 5)
    client = logbuch.LogbuchClient()
    found = [[point.value for point in client.get_metric_history(run.info.run_id, key)] for run in (outer, inner)]
    assert all(values[0] in (10.0, 20.0) and values == sorted(values) for values in found)
    assert len(readings) < len(found[0]) + len(found[1]), "two runs cost one reading"
    assert logbuch.get_run(outer.info.run_id).data.tags["logbuch.energy"] == "CPU (RAPL)"


def test_the_thread_ends_with_the_last_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with logbuch.start_run(log_system_metrics=True):
        thread = system_metrics._watch._thread
        assert thread is not None
    thread.join(60)
    assert not thread.is_alive()
    with logbuch.start_run(log_system_metrics=True):
        assert system_metrics._watch._thread is not None


@pytest.mark.parametrize("name", ["LOGBUCH_SYSTEM_METRICS", "LOGBUCH_ENABLE_SYSTEM_METRICS_LOGGING"])
def test_the_environment_is_read_at_the_start_of_a_run(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not system_metrics.wanted(None)
    monkeypatch.setenv(name, "true")
    assert system_metrics.wanted(None)
