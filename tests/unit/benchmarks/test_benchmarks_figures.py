"""Figures: units, ratios, percentiles."""

from __future__ import annotations

import pytest
from benchmarks.figures import Findings, better, latency, percentile, unit


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "ratio"),
    [
        ("log-metric, requests/CPU-s", 900.0, 90.0, 10.0),
        ("log-metric, requests/CPU-s", 90.0, 900.0, 0.1),
        ("search, ms", 5.0, 50.0, 10.0),
        ("search, ms p95", 50.0, 5.0, 0.1),
        ("log-batch 20×50, bytes/point", 8.0, 240.0, 30.0),
    ],
)
def test_a_ratio_over_one_is_better_whatever_the_unit(name: str, ours: float, theirs: float, ratio: float) -> None:
    assert better(name, ours, theirs) == pytest.approx(ratio)


@pytest.mark.parametrize(("ours", "theirs"), [(0.0, 1.0), (1.0, 0.0)])
def test_there_is_no_ratio_with_nothing(ours: float, theirs: float) -> None:
    assert better("start, s", ours, theirs) is None


def test_a_name_without_a_known_unit_is_an_error() -> None:
    assert unit("a, b, points/s") == "points/s"
    with pytest.raises(KeyError, match="furlongs"):
        Findings().add("Logbuch", {"log-metric, furlongs": 1.0})


def test_findings_keep_the_order_in_which_figures_came() -> None:
    findings = Findings()
    findings.add("one", {"b, s": 1.0})
    findings.add("two", {"a, s": 2.0, "b, s": 3.0})
    findings.add("one", {"c, s": 4.0})
    assert findings.names() == ["b, s", "c, s", "a, s"]
    assert findings.get("one", "c, s") == 4.0
    assert findings.get("one", "a, s") is None
    assert findings.get("three", "a, s") is None


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.95) == 95.0
    assert percentile(values, 1.0) == 100.0
    assert percentile([7.0], 0.95) == 7.0


def test_latencies_are_given_in_milliseconds() -> None:
    spent = [0.001] * 9 + [0.5]
    assert latency("search", spent) == {"search, ms": pytest.approx(1.0)}
    assert latency("search", spent, tail=True)["search, ms p95"] == pytest.approx(500.0)
