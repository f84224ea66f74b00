"""``logbuch top --once`` and ``--json``, and what it says where it cannot run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli
from logbuch.model import Metric
from logbuch.sdk.client import LogbuchClient
from support.fresh import fresh

__all__ = ["fresh"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A run that goes on and one that has failed, in two experiments."""
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    client = LogbuchClient()
    for name, status in (("first", None), ("second", "FAILED")):
        experiment_id = client.create_experiment(name)
        run_id = client.create_run(experiment_id, run_name=f"{name} run " + "long " * 10).info.run_id
        client.log_param(run_id, "max_steps", 4)
        client.log_batch(run_id, metrics=[Metric(key="loss", value=3.0 - at, timestamp=1, step=at) for at in range(3)])
        client.log_metric(run_id, "system/gpu_0_utilization_percentage", 55.0)
        if status:
            client.set_terminated(run_id, status)
    logbuch.flush()
    return str(tmp_path / "store")


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["top", *arguments])


def test_once_prints_what_is_running_whole(store: str) -> None:
    done = ask("--once", "--tracking-uri", store)
    assert done.exit_code == 0, done.output
    titles, line = done.output.splitlines()
    assert titles.split() == ["Run", "Status", "Time", "Step", "Metric", "Last", "Best", "Curve", "Steps/s", "GPU",
                              "Stability", "Alerts"]  # fmt: skip
    assert line.startswith("first run " + "long " * 9)
    assert "running" in line
    assert line.split()[-7:] == ["1", "1", "█▅▁", line.split()[-4], "55%", "short", "–"]
    assert "2  50%  loss" in line


def test_all_shows_what_ended_lately(store: str) -> None:
    lines = ask("--once", "--all", "--tracking-uri", store).output.splitlines()
    assert [line.split()[0] for line in lines] == ["Run", "first", "second"]
    assert "Experiment" in lines[0]
    (line,) = [line for line in lines if "second run" in line]
    assert "failed" in line
    assert "55%" not in line
    lines = ask("--once", "--all", "--experiment", "second", "--tracking-uri", store).output.splitlines()
    assert len(lines) == 2
    assert "Experiment" not in lines[0]


def test_json_is_for_programs(store: str) -> None:
    answer = json.loads(ask("--json", "--tracking-uri", store).output)
    (run,) = answer["runs"]
    assert (answer["total"], answer["uri"]) == (1, f"sqlite:///{store}/logbuch.db")
    assert (run["experiment"], run["status"], run["step"], run["progress"]) == ("first", "RUNNING", 2, 0.5)
    assert (run["metric"], run["lower"], run["value"], run["best"]) == ("loss", True, 1.0, 1.0)
    assert (run["curve"], run["gpu_percent"], run["stability"]) == ([3.0, 2.0, 1.0], 55.0, "short")


def test_nothing_is_running(tmp_path: Path) -> None:
    done = ask("--once", "--tracking-uri", str(tmp_path / "none"))
    assert (done.exit_code, done.output) == (0, f"No run is running at sqlite:///{tmp_path}/none/logbuch.db.\n")
    assert json.loads(ask("--json", "--tracking-uri", str(tmp_path / "none")).output)["runs"] == []


@pytest.mark.parametrize("how", ["--once", "--json"])
def test_an_experiment_that_does_not_exist_is_one_line(store: str, how: str) -> None:
    done = ask(how, "--experiment", "nothing here", "--tracking-uri", store)
    assert done.exit_code != 0
    assert "nothing here" in str(done.exception)


def test_the_live_view_needs_a_terminal(store: str) -> None:
    done = ask("--tracking-uri", store)
    assert done.exit_code == 2
    assert "needs a terminal: say --once or --json" in done.output


def test_without_the_package_one_line_says_what_to_install(store: str) -> None:
    missing = (
        "import sys; sys.modules['textual'] = None; from logbuch.cli.main import main; sys.argv[1:] = ['top'{}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", missing.format("")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "logbuch top needs the package textual: pip install 'logbuch[top]'\n"
    once = missing.format(f", '--once', '--tracking-uri', '{store}'")
    done = subprocess.run([sys.executable, "-c", once], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "first run" in done.stdout
