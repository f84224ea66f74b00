"""The loop that measures clients, on a small scale."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.clients import loop
from benchmarks.figures import Findings, unit
from benchmarks.sizes import QUICK
from benchmarks.targets import verdicts
from benchmarks.turns import Portion
from benchmarks.workloads import client


def test_calls_are_measured_one_by_one() -> None:
    seen: list[tuple[int, int]] = []
    taken = loop.calls(lambda values, step: seen.append((len(values), step)), 200, 20)
    assert seen == [(20, step) for step in range(200)]
    assert len(taken) == 180  # the first tenth is for warming up
    assert loop.percentile([1000, 3000, 2000], 0.5) == 2.0


def test_a_busy_thread_ends_with_the_measurement() -> None:
    assert len(loop.beside_a_busy_thread(lambda values, step: None, 50)) == 45


@pytest.mark.slow
def test_our_client_without_a_server_logs_to_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = client.Peer("Logbuch", "logbuch", "logbuch", client.Path(client.sys.executable))
    assert ours.installed()
    found = client._run(ours, str(tmp_path / "runs"), "--points", "500")
    assert 0 < found["loop"] <= found["stored"]
    figures = client.measure(ours, QUICK)
    assert all(unit(name) for name in figures)


def test_points_that_are_stored_before_time_count_below_zero() -> None:
    found = client.of_points(2.0, 2.5)
    assert found["a million points stored after 1.5 times the loop, s"] == -0.5
    (verdict,) = verdicts(Findings({"Logbuch (SQLite)": found}), "Logbuch (SQLite)")
    assert verdict.met


def test_trainings_are_compared_with_the_one_beside_them() -> None:
    """What counts is the middle one of some pairs of processes."""
    pairs = [Portion(seconds, 1.5) for seconds in (1.3, 1.01, 0.99)]
    found = client.of_pairs({"training beside a black hole": pairs})
    assert found["training beside a black hole, × untracked"] == 1.01
    assert found["CPU of training beside a black hole, × untracked"] == 1.5
    met = {verdict.target.figure: verdict.met for verdict in verdicts(Findings({"Logbuch": found}), "Logbuch")}
    assert met == {
        "training beside a black hole, × untracked": True,
        "CPU of training beside a black hole, × untracked": False,
    }


@pytest.mark.slow
def test_a_training_in_turns_is_measured_by_what_it_was_before() -> None:
    untracked = client.Peer("", "untracked", "", client.Path(client.sys.executable))
    found = client._slower(untracked, untracked, "", QUICK)
    assert found.seconds > 0
    assert found.cpu > 0


def test_what_is_not_installed_is_left_out() -> None:
    assert not client.Peer("None", "aim", "no_such_module", Path("/nowhere/python")).installed()
    assert not client.Peer("None", "aim", "no_such_module", client.Path(client.sys.executable)).installed()
