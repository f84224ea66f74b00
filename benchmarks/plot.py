"""The pictures: ratios beside each target, and search times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Findings
from benchmarks.generator import QUERIES
from benchmarks.report import OURS, number
from benchmarks.targets import Target, Verdict, verdicts

INK, QUIET, MET, MISSED = "#1f2933", "#d9dee3", "#1f7a4d", "#b3261e"
COLORS = {
    "Logbuch (SQLite)": "#1f5fa8",
    "Logbuch (PostgreSQL)": "#7fb0dd",
    "MLflow default": "#b5651d",
    "MLflow tuned": "#dfb07c",
    "FastTrackML": "#6b7280",
}


def draw(findings: Findings, folder: Path) -> list[str]:
    """Writes the pictures for which there are figures; gives the names of the files."""
    import matplotlib as mpl

    mpl.use("svg")
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "logbuch",
        "font.family": "sans-serif",
        "text.color": INK,
    }
    style |= {"axes.edgecolor": QUIET, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}
    written = []
    with mpl.rc_context(style):
        found = [verdict for verdict in verdicts(findings, OURS[0]) if not verdict.target.is_bound]
        if found:
            _ratios(found, folder / "ratios.svg")
            written.append("ratios.svg")
        if _searches(findings, folder / "search.svg"):
            written.append("search.svg")
    return written


def _ratios(found: Sequence[Verdict], file: Path) -> None:
    """A line for each target: a dot for the ratio that was reached, a bar for the one that is wanted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.2 + 0.28 * len(found)), layout="constrained")
    axes = figure.subplots()
    places = range(len(found))
    ends = [sorted((verdict.reached, verdict.target.factor)) for verdict in found]
    axes.hlines(places, *zip(*ends, strict=True), color=QUIET, linewidth=1.5, zorder=1)
    axes.scatter([v.target.factor for v in found], places, marker="|", s=120, color=INK, label="target", zorder=2)
    for met, color, label in ((True, MET, "reached"), (False, MISSED, "missed")):
        at = [place for place in places if found[place].met is met]
        axes.scatter(
            [found[place].reached for place in at], at, s=36, color=color, label=label if at else None, zorder=3
        )
    names = [f"{v.target.figure}  –  {beside(v.target)}" for v in found]
    axes.set_yticks(list(places), names, fontsize=8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{number(value)} ×")
    axes.axvline(1, color=QUIET, linewidth=1, zorder=0)
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title("How many times better Logbuch (SQLite) is", loc="left", fontsize=11)
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    figure.savefig(file, metadata={"Date": None})


def beside(target: Target) -> str:
    """What a target compares with; of another figure the name without its unit, which is the same."""
    return target.against or str(target.other).rpartition(", ")[0]


def _searches(findings: Findings, file: Path) -> bool:
    """Median times of each query, a group of bars for each query; False where none was measured."""
    from matplotlib.figure import Figure

    names = [*(query.name for query in QUERIES), "deep page"]
    subjects = [s for s in findings.figures if findings.get(s, f"search {names[0]}, ms") is not None]
    if not subjects:
        return False
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(subjects)
    for place, subject in enumerate(subjects):
        heights = [findings.get(subject, f"search {name}, ms") or 0 for name in names]
        at = [group + (place - (len(subjects) - 1) / 2) * width for group in range(len(names))]
        axes.bar(at, heights, 0.92 * width, label=subject, color=COLORS.get(subject, QUIET))
    axes.set_xticks(range(len(names)), names, fontsize=9)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{number(value)} ms")
    axes.grid(axis="y", color=QUIET, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title("A page of 100 whole runs, median", loc="left", fontsize=11)
    axes.legend(fontsize=8, frameon=False, ncols=len(subjects), loc="upper center", bbox_to_anchor=(0.5, -0.08))
    figure.savefig(file, metadata={"Date": None})
    return True
