"""``logbuch.alert``: kept like a metric, never in the way; and ``logbuch alerts`` over a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch import limits
from logbuch.cli.main import cli
from logbuch.sdk import alertlimit, alerts
from logbuch.sdk.alertlimit import BURST, HELD_BACK_TAG, REFILL_SECONDS, SAME_SECONDS, Limiter


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(alerts, "limiter", Limiter())
    monkeypatch.setattr("logbuch.sdk.active.limiter", alerts.limiter)
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    return tmp_path


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_an_alert_is_kept_with_its_run() -> None:
    with logbuch.start_run(run_name="ada") as run:
        logbuch.alert("Perplexity is stuck", "It was 31.2\nfor an epoch.", level="error")
    (found,) = alerts.list_alerts()
    assert (found.run_id, found.run_name, found.level) == (run.info.run_id, "ada", "error")
    assert (found.title, found.text) == ("Perplexity is stuck", "It was 31.2\nfor an epoch.")
    assert found.rule_id is None and found.acknowledged_time is None


def test_whatever_is_given_nothing_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with logbuch.start_run():
        logbuch.alert(None)  # type: ignore[arg-type]
        logbuch.alert("x" * 1000, "y\0\ud800" * 9000, "LOUD")
        logbuch.alert(Odd(), Odd(), Odd())  # type: ignore[arg-type]
        logbuch.alert("", 7, "warn")  # type: ignore[arg-type]
        logbuch.alert("elsewhere", run_id="no such run")
    titles = [alert.title for alert in reversed(alerts.list_alerts())]
    assert titles == ["None", "x" * (limits.ALERT_TITLE_LENGTH - 1) + "…", "<Odd>", "Alert"]
    assert "the alert 'elsewhere' was not raised" in capsys.readouterr().err


def test_without_a_run_one_is_begun() -> None:
    logbuch.alert("early")
    run = logbuch.active_run()
    logbuch.end_run()
    assert run is not None and [alert.run_id for alert in alerts.list_alerts()] == [run.info.run_id]


def test_too_many_are_held_back_and_counted() -> None:
    with logbuch.start_run() as run:
        for _ in range(50):
            logbuch.alert("loss is NaN")
    assert len(alerts.list_alerts()) == 1
    assert logbuch.get_run(run.info.run_id).data.tags[HELD_BACK_TAG] == "49"


def test_the_limiter_lets_a_title_through_once_a_minute_and_bounds_the_rest() -> None:
    now = [0.0]
    limiter = Limiter(lambda: now[0])
    assert limiter.admit("r", "a") == 0
    assert limiter.admit("r", "a") is None and limiter.admit("r", "a") is None
    assert limiter.admit("s", "a") == 0
    now[0] += SAME_SECONDS
    assert limiter.admit("r", "a") == 2
    assert [limiter.admit("r", f"t{n}") for n in range(BURST + 5)].count(0) == BURST - 1
    now[0] += REFILL_SECONDS
    assert (limiter.admit("r", "u"), limiter.admit("r", "v")) == (0, None)
    assert limiter.held_back("r") == 2 + 6 + 1
    assert limiter.held_back("unknown") == 0


def test_the_limiter_remembers_a_bounded_number_of_runs() -> None:
    now = [0.0]
    limiter = Limiter(lambda: now[0])
    for number in range(3000):
        limiter.admit(f"run {number}", "a")
        limiter.admit("busy", "a")
    assert len(limiter._runs) == 1000
    assert limiter.admit("busy", "a") is None and limiter.admit("run 2999", "a") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    with alertlimit.limiter._lock:  # as if another thread were in it
        child = os.fork()
        if not child:
            os._exit(0 if alertlimit.limiter._lock.acquire(timeout=60) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_alerts_are_shown_and_acknowledged_by_commands() -> None:
    logbuch.get_experiment("0")  # makes the store
    assert ask("alerts", "list").output == "No alerts.\n"
    with logbuch.start_run(run_name="ada") as run:
        logbuch.alert("first", "why")
        logbuch.alert("second", level="info")
    shown = ask("alerts", "list", "Default").output.splitlines()
    assert shown[0].endswith(f"info     ada ({run.info.run_id})  second")
    assert shown[2].strip() == "why"
    found = json.loads(ask("alerts", "list", "--run", run.info.run_id, "--json").output)
    assert [alert["title"] for alert in found] == ["second", "first"]
    assert ask("alerts", "ack", found[0]["alert_id"]).output == "Acknowledged 1 alert.\n"
    assert "(seen by " in ask("alerts", "list").output
    assert json.loads(ask("alerts", "ack", "--experiment", "Default", "--json").output) == {"acknowledged": 1}
    assert ask("alerts", "list", "--open").output == "No alerts.\n"
    assert ask("alerts", "ack").exit_code == 2
    assert ask("alerts", "ack", "999").exception.message == "There is no alert with id=999."  # type: ignore[union-attr]


def test_rules_are_added_listed_and_removed_by_commands() -> None:
    logbuch.get_experiment("0")  # makes the store
    added = ask("alerts", "rules", "add", "Default", "eval/loss NaN", "--level", "error")
    assert added.output.startswith("Rule 1: eval/loss is nan (error).")
    (rule,) = json.loads(ask("alerts", "rules", "list", "Default", "--json").output)
    assert (rule["condition"], rule["level"]) == ("eval/loss is nan", "error")
    assert ask("alerts", "rules", "list", "Default").output == "    1  error    eval/loss is nan\n"
    assert ask("alerts", "rules", "remove", "1").output == "Removed rule 1.\n"
    assert ask("alerts", "rules", "list", "Default").output == "No rules.\n"
    bad = ask("alerts", "rules", "add", "Default", "loss maybe")
    assert "Conditions look like" in bad.exception.message  # type: ignore[union-attr]
    assert ask("alerts", "rules", "list", "nowhere").exit_code == 1
