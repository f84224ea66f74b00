"""``logbuch check`` and ``logbuch best``: what they say, of runs in a folder."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli
from logbuch.sdk.connection import connect


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


def test_check_says_how_many_records_were_lost_and_where(folder: str) -> None:
    """What this process itself refuses and counts, as where a disk is full, is told of the run."""
    with logbuch.start_run() as run:
        logbuch.log_param("lr", 1)
        for step in range(200):
            if not 80 <= step < 120:
                logbuch.log_metric("loss", 2 - step / 200, step=step)
    connect().sender.losses.add(run.info.run_id, 40)
    with logbuch.start_run(run_id=run.info.run_id):
        pass  # the end of a run tells what was lost
    logbuch.flush()
    assert logbuch.get_run(run.info.run_id).data.tags["logbuch.records_lost"] == "40"
    lines = ask("check", run.info.run_id).output.splitlines()
    assert lines[0] == "Stable. 160 points of the loss."
    assert "  records lost       40 records were refused or dropped; loss has a hole from step 79 to 120" in lines


def test_steps_and_times_are_told_in_full(folder: str) -> None:
    first, minute, begun = 12_345_000, 60_000, 1_700_000_000_000
    with logbuch.start_run() as run:
        client, own = logbuch.LogbuchClient(), run.info.run_id
        for number in range(100):
            logbuch.log_metric("loss", 9.0 if number == 60 else 2 - number / 100, step=first + number)
            used, then = 90.0 if number < 50 else 5.0, begun + number * minute
            client.log_metric(own, "system/gpu_0_utilization_percentage", used, timestamp=then, step=number)
    logbuch.flush()
    said = ask("check", own).output
    assert "loss, step 12345060 to 12345061: 9 beside 1.4" in said
    assert re.search(r"gpu_0_utilization_percentage, at 2023-11-1\d \d\d:\d\d:\d\d", said)


def test_a_record_that_was_refused_is_told_without_a_place(folder: str) -> None:
    run_id = train(0.1, 1, 1.0)
    logbuch.LogbuchClient().set_tag(run_id, "logbuch.records_lost", "1")
    logbuch.flush()
    assert "  records lost       1 record was refused or dropped" in ask("check", run_id).output.splitlines()
    finding = json.loads(ask("check", "--json", run_id).output)["findings"][0]
    assert (finding["kind"], finding["metric"], finding["count"]) == ("lost", "", 1)


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


@pytest.mark.parametrize("command", [("check",), ("diff", "x"), ("reproduce", "--print"), ("cost", "--run")])
def test_a_run_that_is_not_there_is_told_with_what_helps(folder: str, command: tuple[str, ...]) -> None:
    run_id = quick(1, 1.0)
    for wrong in ("0" * 32, 'it\'s "that" one', "a\nb"):
        said = str(ask(*command[:1], *command[1:], wrong).exception)
        told = "x" if command[0] == "diff" else wrong
        assert said == f"There is no run {told!r}. The page shows the IDs of runs, and so does logbuch best EXPERIMENT."
    arguments = (command[0], "lr1", run_id) if command[0] == "diff" else (*command, "lr1")
    assert str(ask(*arguments).exception) == f"There is no run 'lr1'. Of this name is {run_id}."


def test_a_run_without_a_loss_is_told_which_names_are_known(folder: str) -> None:
    with logbuch.start_run() as run:
        logbuch.log_metric("widgets", 1.0)
    logbuch.flush()
    assert ask("check", run.info.run_id).output == (
        "It logs no loss that is known by its name, such as loss or train/loss: only NaN is looked for.\n"
    )


def test_best_says_why_and_keeps_how_it_is_judged(folder: str) -> None:
    runs = [quick(lr, loss) for lr, loss in enumerate([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.25, 0.35, 0.45, 0.55])]
    done = ask("best", "Default", "--why", "--keep", "--read", "best", "--baseline", runs[0])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "loss, by the best value, lower is better, of 12 finished runs:"
    assert f"baseline   0.9  lr0  {runs[0]}; the best is -0.7 from it (-77.78%)" in lines[3]
    assert lines[5].startswith("The params together explain ")
    assert lines[6].startswith("  lr  ")
    assert lines[6].endswith("; best run 7, usually 0")
    assert logbuch.get_experiment("0").tags["logbuch.baseline"] == runs[0]
    answer = json.loads(ask("best", "Default", "--why", "--json").output)
    assert (answer["best"]["reading"], answer["best"]["baseline"]["run_id"]) == ("best", runs[0])
    assert answer["importance"]["effects"][0]["key"] == "lr"
    assert logbuch.param_importance("Default").effects[0].correlation == pytest.approx(-93 / 143, rel=1e-9)
    differ = ask("diff", runs[7]).output
    assert "lr0 is the baseline." in differ
    assert "0.2 (-77.78%)" in differ
    assert logbuch.diff_runs([runs[7], runs[0]]).run_ids == (runs[0], runs[7])
    assert ask("best", "Default", "--keep", "--baseline", "none").exit_code == 0
    assert "baseline" not in ask("best", "Default").output
    assert ask("diff", runs[7]).exit_code != 0


def quick(lr: int, loss: float) -> str:
    with logbuch.start_run(run_name=f"lr{lr}") as run:
        logbuch.log_param("lr", lr)
        logbuch.log_metric("loss", loss)
    logbuch.flush()
    return str(run.info.run_id)


def test_a_baseline_has_to_be_kept_and_to_exist(folder: str) -> None:
    quick(1, 1.0)
    assert "say --keep too" in ask("best", "Default", "--baseline", "x").output
    for wrong in ("0" * 32, "nonsense"):
        done = ask("best", "Default", "--keep", "--baseline", wrong)
        assert done.exit_code != 0
        assert wrong in str(done.exception)
    assert "too few runs: 1" in ask("best", "Default", "--why").output
