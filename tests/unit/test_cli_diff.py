"""``logbuch diff``: differences between runs in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three runs: other learning rates, a param that one lacks, other packages in the last, other results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGBUCH_TRACKING_URI", raising=False)
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    found = []
    for number in range(3):
        with logbuch.start_run(run_name=f"run{number}") as run:
            logbuch.log_params({"lr": number, "model": "small"})
            logbuch.log_metric("loss", 1 / (number + 1))
            logbuch.log_metric("system/cpu_utilization_percentage", number)
            logbuch.set_tag("logbuch.host", "here")
            if number == 1:
                logbuch.log_param("only", "x" * 100)
        found.append(str(run.info.run_id))
    with logbuch.start_run(run_id=found[2]):
        logbuch.log_text("torch==2.0\n", "logbuch/requirements.txt")
    with logbuch.start_run(run_id=found[1]):
        logbuch.log_text("torch==1.0\n", "logbuch/requirements.txt")
    with logbuch.start_run(run_id=found[0]):
        logbuch.log_text("torch==1.0\n", "logbuch/requirements.txt")
    logbuch.flush()
    return found


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *arguments])


def test_only_differences_are_shown(runs: list[str]) -> None:
    done = ask(*runs[:2])
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines()]
    assert lines[0] == ["run0", "run1"]
    assert ["param", "lr", "0", "1"] in lines
    assert ["only", "–", "x" * 39 + "…"] in lines
    assert ["metric", "loss", "1", "0.5"] in lines
    assert "model" not in done.output
    assert "torch" not in done.output
    assert "cpu" not in done.output
    assert "x" * 100 in ask("--full", *runs[:2]).output


def test_many_runs_at_once_with_their_packages(runs: list[str]) -> None:
    answer = json.loads(ask("--json", *runs).output)
    assert answer["names"] == ["run0", "run1", "run2"]
    found = {(one["side"], one["name"]): one["values"] for one in answer["differences"]}
    assert found["param", "lr"] == ["0", "1", "2"]
    assert found["package", "torch"] == ["1.0", "1.0", "2.0"]
    assert ("param", "model") not in found
    assert answer["equal"] > 1
    assert answer["missing"] == []


def test_what_was_not_recorded_is_told(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_PACKAGES", "false")
    with logbuch.start_run(run_name="bare") as bare:
        pass
    logbuch.flush()
    found = logbuch.diff_runs([runs[0], bare.info.run_id])
    assert found.missing == ("bare has recorded no logbuch/requirements.txt.",)


@pytest.mark.parametrize("given", [[], ["one"], ["same", "same"]])
def test_two_different_runs_are_needed(runs: list[str], given: list[str]) -> None:
    done = ask(*given)
    assert done.exit_code != 0
    assert "Traceback" not in done.output


def test_an_unknown_run_is_one_line(runs: list[str]) -> None:
    done = ask(runs[0], "0" * 32)
    assert done.exit_code != 0
    assert "0" * 32 in str(done.exception)
