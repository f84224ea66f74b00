"""What has no answer is said in one line, which names what is missing and what would help."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import msgspec
import pytest

import logbuch
from logbuch.answers import Best, Group
from logbuch.cli.asking import need_store
from logbuch.cli.main import main
from logbuch.errors import StoreRefused
from logbuch.sdk import answers
from logbuch.sdk.connection import connect

RUNS = {"nan": {"eval/loss": math.nan}, "one": {"eval/loss": 1.0, "thing": 2.0, "dark": math.nan}, "empty": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Experiments whose runs have no finite value, one run, none, and none that has finished."""
    folder = str(tmp_path_factory.mktemp("missing") / "store")
    logbuch.set_tracking_uri(folder)
    for name, metrics in RUNS.items():
        logbuch.set_experiment(name)
        if metrics is not None:
            with logbuch.start_run():
                logbuch.log_metrics(metrics)
    logbuch.set_experiment("going")
    logbuch.start_run()
    logbuch.log_metric("eval/loss", 1.0)
    logbuch.end_run("FAILED")
    logbuch.flush()
    return folder


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("best nope", "There is no experiment 'nope'. There are"),
        ("best on", "There is no experiment 'on'. There are 'one'"),
        ("best empty", "Experiment 'empty' has no runs."),
        ("best going", "No run of experiment 'going' has finished (of 1): only such are judged."),
        ("best nan", "no finished run of experiment 'nan' (of 1) has a finite value of 'eval/loss'. By its best"),
        ("best one --metric eval_loss", "has logged 'eval_loss'. There are eval/loss, dark, thing."),
        ("best one --metric thing", "'thing' does not tell whether lower or higher is better: say which (--lower"),
        ("best one --metric dark --lower", "has a finite value of 'dark'"),
        ("best one --filter params.lr='5'", "The filter finds no run of experiment 'one'."),
        ("best one --filter colour=5", "runs have no attribute 'colour'"),
        ("best one --keep --baseline 77", "There is no run '77'. The page shows the IDs of runs"),
        ("diff 77 78", "There is no run '77'. The page shows the IDs of runs"),
        ("check 77", "There is no run '77'. The page shows the IDs of runs"),
        ("cost --run 77", "There is no run '77'. The page shows the IDs of runs"),
        ("cost nope", "There is no experiment 'nope'."),
        ("reproduce 77", "There is no run '77'. The page shows the IDs of runs"),
        ("top --once --experiment nope", "There is no experiment 'nope'."),
        ("alerts rules add one nonsense", "Conditions look like 'eval/loss is nan'"),
    ],
)
def test_one_line_says_what_is_missing(
    folder: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: str, said: str
) -> None:
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", folder)
    logbuch.set_tracking_uri(folder)
    monkeypatch.setattr("sys.argv", ["logbuch", *asked.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capfd.readouterr().err
    assert ended.value.code == 1, told
    assert told.count("\n") == 1
    assert said in told


def test_one_run_is_the_best_and_says_what_it_cannot_tell(folder: str, capfd: pytest.CaptureFixture[str]) -> None:
    logbuch.set_tracking_uri(folder)
    found = logbuch.best_run("one")
    assert (found.runs, found.p_value, found.reason) == (1, None, "there is no other configuration")
    assert logbuch.param_importance("one").reason == "there are too few runs: 1, and at least 10 are needed"
    with pytest.raises(logbuch.exceptions.LogbuchError, match="Give 2 to 100 different runs, not 1"):
        logbuch.diff_runs(found.best.run_ids)


def test_a_server_that_knows_no_readings_is_asked_without_one(folder: str) -> None:
    logbuch.set_tracking_uri(folder)
    assert "reading" not in answers._question(connect(), "one", None, "", None, None)
    group = Group(run_ids=("a",), names=("a",), values=(1.0,), mean=1.0)
    told = {"metric": "loss", "lower": True, "runs": 1, "best": msgspec.structs.asdict(group)}
    assert msgspec.convert(told, Best).reading == "last"


@pytest.mark.parametrize(
    "asked",
    ["best hello", "check 77", "diff 77 78", "cost hello", "reproduce 77", "alerts list", "webhooks list",
     "artifacts list -r 77", "artifacts download -r 77 -a model"],
)  # fmt: skip
def test_who_asks_in_a_folder_without_runs_hears_so_and_leaves_none(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["logbuch", *asked.split(), "--tracking-uri", str(tmp_path / "elsewhere")])
    with pytest.raises(SystemExit, match="1"):
        main()
    said = capsys.readouterr().err
    assert f"There are no runs here: {tmp_path / 'elsewhere' / 'logbuch.db'} does not exist." in said
    assert "--tracking-uri" in said
    assert list(tmp_path.iterdir()) == []


def test_a_store_whose_first_training_was_killed_is_one(tmp_path: Path) -> None:
    """Its journal is there before its database is."""
    (tmp_path / "journals").mkdir()
    need_store(str(tmp_path))
    with pytest.raises(StoreRefused, match="There are no runs here"):
        need_store(str(tmp_path / "journals"))
    need_store("http://127.0.0.1:9")
