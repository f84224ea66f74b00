"""What trainings cost: arithmetic by hand, months, and the command over a folder."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli
from logbuch.cost import Prices, Usages, by_month, devices, of_runs, rating
from support.fresh import fresh

__all__ = ["fresh"]
HOUR = 3_600_000
PRICES = Prices(gpu_hour=2.0, kilowatt_hour=0.4, co2_grams=380)


def ms(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


class Run(NamedTuple):
    start: int
    end: int
    gpus: str = ""
    use: float = math.nan
    watt_hours: float = math.nan


def usages(*runs: Run) -> Usages:
    start, end, gpus, use, watt_hours = zip(*runs, strict=True) if runs else [()] * 5
    kinds = tuple(dict.fromkeys(gpus))
    return Usages(
        np.array(start, np.int64), np.array(end, np.int64), np.array([kinds.index(text) for text in gpus], np.int64),
        np.array(use, np.float64), np.array(watt_hours, np.float64), kinds,
    )  # fmt: skip


def test_devices_are_read_from_the_tag() -> None:
    assert devices("2 × NVIDIA A100-SXM4-80GB, 1 × NVIDIA T4") == [(2, "NVIDIA A100-SXM4-80GB"), (1, "NVIDIA T4")]
    assert devices("") == []
    assert (rating("NVIDIA A100-SXM4-80GB", PRICES), rating("NVIDIA L4", PRICES)) == (400, 72)
    assert rating("NVIDIA L40S", PRICES) == 350
    assert rating("NVIDIA H100 PCIe", PRICES) == 350
    assert (rating("NVIDIA RTX A4000", PRICES), rating("NVIDIA RTX A1000", PRICES)) == (140, 50)
    assert (rating("NVIDIA T400 4GB", PRICES), rating("Tesla T4", PRICES)) == (30, 70)
    assert rating("NVIDIA GeForce RTX 3080 Ti", PRICES) == 350
    assert (rating("Tesla P100-PCIE-16GB", PRICES), rating("Tesla P100-SXM2-16GB", PRICES)) == (250, 300)
    for other in ("NVIDIA A10G", "NVIDIA GH200 480GB", "NVIDIA GeForce RTX 4090 Laptop GPU", "Tesla V100S-PCIE-32GB",
                  "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "NVIDIA RTX A400"):  # fmt: skip
        assert rating(other, PRICES) is None, other
    assert rating("Other", PRICES) is None and rating("Other", Prices(gpu_watts=90)) == 90


def test_measured_energy_goes_before_an_estimate() -> None:
    measured = Run(0, 3 * HOUR, "2 × NVIDIA A100", watt_hours=1500.0)
    guessed = Run(0, 2 * HOUR, "1 × NVIDIA T4", use=0.5)
    full = Run(0, HOUR, "1 × NVIDIA T4")
    nothing = Run(0, HOUR)
    found = of_runs(usages(measured, guessed, full, nothing), PRICES)
    assert (found.runs, found.hours, found.gpu_hours, found.unknown) == (4, 7.0, 9.0, 1)
    assert (found.watt_hours, found.estimated) == (1640.0, 140.0)
    assert found.money == pytest.approx(9 * 2 + 1.64 * 0.4)
    assert found.co2_grams == pytest.approx(1.64 * 380)
    bare = of_runs(usages(measured), Prices())
    assert (bare.money, bare.co2_grams, bare.watt_hours) == (None, None, 1500.0)
    assert of_runs(usages(measured).with_others(usages(guessed, full, nothing)), PRICES) == found
    assert (of_runs(usages(), PRICES).runs, by_month(usages(), PRICES)) == (0, {})


def test_a_gpu_whose_power_nobody_knows_makes_the_energy_unknown() -> None:
    found = of_runs(usages(Run(0, HOUR, "1 × NVIDIA T4, 1 × Other"), Run(0, HOUR, "1 × NVIDIA T4")), PRICES)
    assert (found.unknown, found.estimated, found.gpu_hours) == (1, 70.0, 3.0)


def test_a_run_is_shared_between_the_months_it_reached_into() -> None:
    run = Run(ms(2026, 12, 31, 18), ms(2027, 1, 1, 6), "1 × NVIDIA T4", watt_hours=120.0)
    short = Run(ms(2027, 1, 5), ms(2027, 1, 5))
    found = by_month(usages(run, short), PRICES)
    assert list(found) == ["2026-12", "2027-01"]
    assert (found["2026-12"].gpu_hours, found["2026-12"].watt_hours) == (6.0, 60.0)
    assert (found["2027-01"].gpu_hours, found["2027-01"].watt_hours, found["2027-01"].runs) == (6.0, 60.0, 2)
    long = Run(ms(2026, 1, 1), ms(2026, 4, 1))
    assert [round(one.hours) for one in by_month(usages(long), PRICES).values()] == [31 * 24, 28 * 24, 31 * 24]


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["cost", *arguments])


def test_the_command_says_what_an_experiment_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    monkeypatch.setenv("LOGBUCH_PRICE_KILOWATT_HOUR", "0.5")
    monkeypatch.setenv("LOGBUCH_PRICE_GPU_HOUR", "dear")
    client = logbuch.LogbuchClient()
    run_id = client.create_run("0", start_time=ms(2026, 11, 1)).info.run_id
    client.set_tag(run_id, "logbuch.gpu", "2 × NVIDIA T4")
    client.log_metric(run_id, "system/energy_watt_hours", 250.0)
    client.log_metric(run_id, "system/gpu_0_energy_watt_hours", 200.0)
    client.set_terminated(run_id, "FINISHED", ms(2026, 11, 1, 2))
    asked = ask("Default", "--json", "--by", "month")
    assert asked.exit_code == 0, asked.exception
    found = json.loads(asked.output)
    assert (found["cost"]["gpu_hours"], found["cost"]["watt_hours"], found["cost"]["money"]) == (4.0, 250.0, 0.125)
    assert [month["month"] for month in found["months"]] == ["2026-11"]
    assert ask("--run", run_id).output == "1 run, 2.00 h, 4.00 GPU h, 0.250 kWh, 0.12 EUR\n"
    assert ask("--by", "month").output.splitlines()[0].startswith("2026-11  1 run")
    assert ask("--run", run_id, "Default").exit_code == 2
    assert "There is no run" in str(ask("--run", "0" * 32).exception)
