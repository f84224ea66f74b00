"""Tables, the page, and the pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import page, report
from benchmarks.figures import Findings
from benchmarks.sizes import PLAIN, QUICK, Sizes, chosen


@pytest.fixture
def findings() -> Findings:
    found = Findings()
    name = "log-metric, requests/CPU-s"
    found.add("bare ASGI app", {"log-metric, requests/s": 30_000.0})
    found.add("Logbuch (SQLite)", {name: 13_500.0, "log-metric, requests/s": 9_000.0, "start, s": 0.4321})
    found.add("MLflow default", {name: 90.0})
    found.add("FastTrackML", {name: 2_000.0})
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0.0, "0"), (0.01234, "0.0123"), (14.449, "14.4"), (99.96, "100"), (9758.6, "9,759"),
        (1e6, "1,000,000"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_no_exponent(value: float | None, text: str) -> None:
    assert report.number(value) == text


def test_targets_say_what_was_reached_and_whether_it_is_enough(findings: Findings) -> None:
    lines = report.targets(findings).splitlines()[2:]
    name = "log-metric, requests/CPU-s"
    assert lines == [
        f"| SQLite | {name} | 13,500 | MLflow default | 90 | 150 × | 100 × | yes |",
        f"| SQLite | {name} | 13,500 | FastTrackML | 2,000 | 6.75 × | 8 × | **no** |",
        "| SQLite | log-metric, requests/s | 9,000 | bare ASGI app | 30,000 | 0.3 × | 0.333 × | **no** |",
    ]


def test_figures_have_a_column_for_each_subject(findings: Findings) -> None:
    head, _, *rows = report.figures(findings).splitlines()
    assert head == "|  | bare ASGI app | Logbuch (SQLite) | MLflow default | FastTrackML |"
    assert rows[0] == "| log-metric, requests/s | 30,000 | 9,000 | – | – |"
    assert rows[-1] == "| start, s | – | 0.432 | – | – |"


def test_ratios_leave_out_what_nobody_else_was_measured_by(findings: Findings) -> None:
    rows = report.ratios(findings).splitlines()[2:]
    assert rows == [
        "| log-metric, requests/CPU-s | – | 150 | 6.75 |",
        "| log-metric, requests/s | 0.3 | – | – |",
    ]


def test_empty_findings_make_no_empty_tables() -> None:
    assert report.targets(Findings()).endswith(".")
    assert report.ratios(Findings()).endswith(".")


def test_the_page_is_written_with_its_pictures_and_raw_figures(findings: Findings, tmp_path: Path) -> None:
    findings.add("MLflow default", {"search no filter, ms": 200.0})
    findings.failures.append("FastTrackML: history: gone")
    text = page.write(findings, PLAIN, "make bench", tmp_path, 65 * 60, 0.05)
    assert "in one run of 65 minutes" in text
    assert "FastTrackML: history: gone" in text
    assert "**no**" in text
    raw = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert raw["figures"]["Logbuch (SQLite)"]["start, s"] == 0.4321
    assert raw["sizes"]["large_runs"] == 100_000
    for name in ("ratios.svg", "search.svg"):
        assert f"({name})" in text
        assert "<svg" in (tmp_path / name).read_text(encoding="utf-8")


def test_pictures_come_out_the_same_for_the_same_figures(findings: Findings, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        page.write(findings, PLAIN, "make bench", tmp_path / folder, 60, 0.0)
    assert (tmp_path / "one" / "ratios.svg").read_bytes() == (tmp_path / "two" / "ratios.svg").read_bytes()


@pytest.mark.parametrize(("sizes", "said"), [(QUICK, "Amounts are reduced"), (PLAIN, "`--full-wide`")])
def test_a_page_says_when_less_was_done_than_the_targets_mean(
    findings: Findings, tmp_path: Path, sizes: Sizes, said: str
) -> None:
    assert said in page.write(findings, sizes, "make bench", tmp_path, 60, 0.0)


def test_the_full_form_does_what_the_targets_mean(findings: Findings, tmp_path: Path) -> None:
    sizes = chosen(quick=False, full_wide=True, big_gb=10)
    assert sizes.wide == (1500, 1500, 150)
    text = page.write(findings, sizes, "make bench", tmp_path, 60, 0.0)
    assert "are reduced" not in text
    assert "`--full-wide`" not in text
