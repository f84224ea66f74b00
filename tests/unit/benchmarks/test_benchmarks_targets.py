"""Targets, each against the figures of one run."""

from __future__ import annotations

import pytest
from benchmarks.figures import Findings, unit
from benchmarks.targets import TARGETS, Verdict, verdicts
from benchmarks.workloads import batch

OURS = "Logbuch (SQLite)"


def judged(ours: dict[str, float], others: dict[str, dict[str, float]] | None = None) -> list[Verdict]:
    findings = Findings()
    findings.add(OURS, ours)
    for subject, figures in (others or {}).items():
        findings.add(subject, figures)
    return list(verdicts(findings, OURS))


def test_every_target_names_a_figure_with_a_known_unit() -> None:
    for target in TARGETS:
        assert unit(target.figure)
        assert target.other is None or unit(target.other) == unit(target.figure)


@pytest.mark.parametrize(("ours", "met"), [(9_000.0, True), (8_900.0, False)])
def test_a_ratio_to_a_peer(ours: float, met: bool) -> None:
    name = "log-metric, requests/CPU-s"
    (verdict,) = judged({name: ours}, {"MLflow tuned": {name: 90.0}})
    assert (verdict.met, verdict.theirs) == (met, 90.0)
    assert verdict.reached == pytest.approx(ours / 90)


@pytest.mark.parametrize(("ours", "met"), [(29.0, True), (31.0, False)])
def test_within_three_times_of_the_rows_by_primary_key(ours: float, met: bool) -> None:
    name = "large search tag substring, ms"
    by_key = [v for v in judged({name: ours}, {"bare SQLite": {name: 10.0}}) if not v.target.is_bound]
    assert [verdict.met for verdict in by_key] == [met]


@pytest.mark.parametrize(("ours", "met"), [(12.0, True), (12.1, False)])
def test_a_bound_includes_its_limit(ours: float, met: bool) -> None:
    (verdict,) = judged({"long series noisy, bytes/point": ours})
    assert (verdict.met, verdict.theirs, verdict.reached) == (met, None, ours)


def test_our_own_protocols_are_compared_with_each_other() -> None:
    figures = {"ingest 20×500, points/CPU-s": 3.1e6, "log-batch 20×50, points/CPU-s": 1e6}
    (verdict,) = judged(figures)
    assert verdict.met
    assert verdict.theirs == 1e6


def test_what_was_not_measured_is_not_judged() -> None:
    name = "log-metric, requests/CPU-s"
    assert judged({name: 1e6}) == []
    assert judged({"start, s": 1.0}, {"MLflow tuned": {name: 1.0}}) == []


def test_targets_of_batches_are_of_shapes_that_are_measured() -> None:
    shapes = {f"{keys}×{steps}" for keys, steps in (*batch.SHAPES, *batch.LARGER)}
    named = {
        target.figure.split()[1].rstrip(",") for target in TARGETS if target.figure.startswith(("log-b", "ingest"))
    }
    assert named <= shapes
