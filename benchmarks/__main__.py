"""``make bench``: measures what is installed, prints a table with ratios, and writes it to docs/benchmarks."""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

from benchmarks import trackers
from benchmarks.workloads import Figures, measure

TARGET = Path(__file__).parents[1] / "docs" / "benchmarks" / "README.md"
SIZES = {"logbuch": {"points": 20_000, "batches": 200}, "mlflow": {"points": 1_000, "batches": 20}}
LESS_IS_BETTER = (", s", "MB", "ms", "bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="runs in the searched experiment")
    options = parser.parse_args()
    found: dict[str, Figures] = {}
    for name in trackers.available():
        print(f"measuring {name} …", flush=True)
        with getattr(trackers, name)() as tracker:
            found[tracker.name] = measure(tracker, runs=options.runs, **SIZES[name])
    table = _table(found)
    print(table)
    TARGET.write_text(_page(table, options.runs), encoding="utf-8")


def _table(found: dict[str, Figures]) -> str:
    names = list(found)
    lines = [f"| | {' | '.join(names)} | ratio |", "|-" * (len(names) + 2) + "|"]
    for figure, value in found[names[0]].items():
        cells = " | ".join(f"{found[name][figure]:,.4g}" for name in names)
        lines.append(f"| {figure} | {cells} | {_ratio(figure, value, found, names)} |")
    return "\n".join(lines)


def _ratio(figure: str, value: float, found: dict[str, Figures], names: list[str]) -> str:
    """How many times better the first is than the second."""
    if len(names) < 2 or not value or not found[names[1]][figure]:
        return "–"
    other = found[names[1]][figure]
    better = other / value if any(unit in figure for unit in LESS_IS_BETTER) else value / other
    return f"{better:,.3g} ×"


PAGE = """# Benchmarks

Written by `make bench` on {day}: {cores} cores, {system}, Python {python}, SQLite, one server after the other on one
machine. A ratio says how many times better Logbuch is.

Load comes from a plain asyncio client on the same machine, so requests a second are bound by the client too; requests
a second of server CPU are the honest row. Logbuch commits every request durably (`synchronous=FULL`) before it answers.
After each workload every acknowledged point was read back.

- log-metric: one point a request, 32 connections
- log-batch: 20 keys × 50 steps a request, one connection
- search: pages of 100 whole runs among {runs:,} runs with 10 metrics and 10 params each, median of 7

{table}
"""


def _page(table: str, runs: int) -> str:
    return PAGE.format(
        day=time.strftime("%Y-%m-%d"),
        cores=os.cpu_count(),
        system=platform.system(),
        python=platform.python_version(),
        runs=runs,
        table=table,
    )


if __name__ == "__main__":
    main()
