"""What Logbuch wants to reach, each target stated as a ratio within one run or as a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import LESS_IS_BETTER, Findings, better, unit

LARGE_QUERIES = ("no filter", "metric and param", "order by metric", "tag prefix", "tag substring", "deep page")
MORE_QUERIES = (*LARGE_QUERIES, "order by param", "part of a name")
BY_KEY, BY_KEY_POSTGRES = "bare SQLite", "bare PostgreSQL"
COPY = "copy over loopback"
SHIPPED = (("20×500", "20×50"), ("20×2500", "20×50"), ("20×15000", "20×50"), ("1000×300", "1000×1"))
"""Requests of Logbuch's own protocol, and what of the same points one of MLflow's holds at most. These are what the SDK
ships where the server's CPU counts: of a loop that logs as fast as it can, and of a backlog. Of a training that logs a
thousand points twice a second it ships as many, and then the commit costs both protocols the same."""
_MLFLOWS = ("MLflow default", "MLflow tuned")


@dataclass(frozen=True, slots=True)
class Target:
    """``figure`` is to be ``factor`` times better than the ``against`` subject's, or than an ``other`` figure.

    Without ``against`` and ``other``, ``factor`` is a bound in the figure's own unit.
    """

    figure: str
    factor: float
    against: str | None = None
    other: str | None = None

    @property
    def is_bound(self) -> bool:
        return self.against is None and self.other is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target held against what a subject reached: the ratio, or the figure itself where the target is a bound."""

    target: Target
    subject: str
    ours: float
    theirs: float | None
    reached: float
    met: bool


TARGETS = (
    *(Target("log-metric, requests/CPU-s", 100, name) for name in _MLFLOWS),
    Target("log-metric, requests/CPU-s", 8, "FastTrackML"),
    Target("log-metric, requests/s", 1 / 3, "bare ASGI app"),
    Target("runs/create, requests/s", 1, "FastTrackML"),
    *(Target("log-batch 20×50, points/CPU-s", 100, name) for name in _MLFLOWS),
    Target("log-batch 20×50, points/CPU-s", 30, "FastTrackML"),
    *(Target("log-batch 1000×1, points/CPU-s", 30, name) for name in _MLFLOWS),
    *(Target(f"ingest {shape}, points/CPU-s", 3, other=f"log-batch {most}, points/CPU-s") for shape, most in SHIPPED),
    *(Target(f"large file {way}, MB/s", 2, name) for way in ("up", "down") for name in _MLFLOWS),
    *(Target(f"large file {way}, MB/s", 0.6, COPY) for way in ("up", "down")),
    Target("large file memory grows by, MB", 64),
    *(Target("10 KiB files up, requests/s", 5, name) for name in _MLFLOWS),
    Target("10 KiB files down, requests/s", 50, "MLflow default"),  # which stalls; without that no server has 50 times
    *(Target("search order by metric, ms", 500, name) for name in _MLFLOWS),
    Target("search order by metric, ms", 10, "FastTrackML"),
    *(Target(f"large search {query}, ms", 1 / 3, BY_KEY) for query in LARGE_QUERIES),
    *(Target(f"huge search {query}, ms", 1000) for query in MORE_QUERIES),
    Target("large search deep page, ms", 1 / 2, other="large search no filter, ms"),
    *(Target(f"large search {query}, ms", 25) for query in MORE_QUERIES),
    *(Target(f"large search {query}, ms p95", 60) for query in MORE_QUERIES),
    *(Target("get-history all pages, s", 20, name) for name in _MLFLOWS),
    Target("get-history all pages, s", 3, "FastTrackML"),
    Target("long series 2000 buckets, ms", 50),
    Target("long series noisy, bytes/point", 12),
    Target(
        "long series smooth without free pages, bytes/point",
        1,
        other="long series noisy without free pages, bytes/point",
    ),
    Target("wide server memory at most, MB", 1000),
    Target("wide first page of the table, ms", 100),
    Target("big database start, s", 1),
    Target("idle memory, MB", 150),
    Target("log_metric, µs", 2.5),
    Target("log_metric, µs p99", 15),
    Target("log_metric beside a busy thread, µs p99", 50),
    Target("log_metrics of 20, µs", 12),
    Target("import logbuch, ms", 60),
    Target("a million points stored after 1.5 times the loop, s", 2),
    Target("training, × untracked", 1.02),
    Target("training without a server, × untracked", 1.02),
    Target("training beside a black hole, × untracked", 1.02),
    Target("CPU of training beside a black hole, × untracked", 1.02),
)


def verdicts(findings: Findings, subject: str) -> Iterator[Verdict]:
    """The targets for which one run has all figures, held against one subject."""
    for target in TARGETS:
        ours = findings.get(subject, target.figure)
        if ours is None:
            continue
        if target.is_bound:
            met = ours <= target.factor if unit(target.figure) in LESS_IS_BETTER else ours >= target.factor
            yield Verdict(target, subject, ours, None, ours, met)
            continue
        theirs = findings.get(target.against or subject, target.other or target.figure)
        ratio = better(target.figure, ours, theirs) if theirs is not None else None
        if ratio is not None:
            yield Verdict(target, subject, ours, theirs, ratio, ratio >= target.factor)
