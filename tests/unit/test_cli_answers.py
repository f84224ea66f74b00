"""``logbuch check`` and ``logbuch best``: what they say, of runs in a folder."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGBUCH_TRACKING_URI", raising=False)
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    return str(tmp_path / "store")


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def train(lr: float, seed: int, loss: float, spike: float | None = None) -> str:
    with logbuch.start_run(run_name=f"lr{lr}-{seed}") as run:
        logbuch.log_params({"lr": lr, "seed": seed})
        for step in range(100):
            value = loss + 2 * math.exp(-step / 20)
            logbuch.log_metric("loss", spike if spike and step == 60 else value, step=step)
    logbuch.flush()
    return str(run.info.run_id)


def test_check_says_what_was_found(folder: str) -> None:
    bad, good = train(0.1, 1, 1.0, spike=30.0), train(0.1, 2, 1.0)
    done = ask("check", good)
    assert (done.exit_code, done.output) == (0, "Stable. 100 points of the loss.\n")
    done = ask("check", "--exit-code", bad)
    assert done.exit_code == 3
    assert done.output.splitlines()[0] == "Unstable. 100 points of the loss."
    assert "spike              loss, step 60 to 61: 30 beside " in done.output
    answer = json.loads(ask("check", "--json", bad).output)
    assert (answer["word"], answer["findings"][0]["kind"], answer["findings"][0]["start"]) == ("unstable", "spike", 60)


def test_best_names_the_run_and_says_how_sure_that_is(folder: str) -> None:
    first = [train(0.1, seed, loss) for seed, loss in enumerate((0.50, 0.52, 0.51))]
    for seed, loss in enumerate((0.80, 0.83, 0.79)):
        train(0.2, seed, loss)
    done = ask("best", "Default")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "loss, lower is better, of 6 finished runs:"
    assert first[0] in lines[1]
    assert "3 seeds:" in lines[2]
    assert lines[-1].startswith("The lead is larger than the noise of the seeds (Welch's test, p = ")
    answer = json.loads(ask("best", "0", "--json").output)
    assert (answer["best"]["run_ids"][0], answer["lower"], answer["runs"]) == (first[0], True, 6)
    found = logbuch.best_run("Default")
    assert (found.best.run_ids[0], found.significant) == (first[0], True)
    assert logbuch.check_run(first[0]).word == "stable"


@pytest.mark.parametrize(
    "arguments", [("check", "0" * 32), ("best", "nothing here"), ("best", "0"), ("best", "0", "--metric", "never")]
)
def test_what_is_missing_is_one_line(folder: str, arguments: tuple[str, ...]) -> None:
    train(0.1, 1, 1.0) if "never" in arguments else None
    done = ask(*arguments)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
