"""The written result: docs/benchmarks/README.md, figures.json, and the pictures."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import load, machine, plot, report
from benchmarks.figures import Findings
from benchmarks.sizes import PLAIN, Sizes

_KINDS = {"logbuch": "Logbuch", "mlflow": "MLflow", "fasttrackml": "FastTrackML"}
PAGE = """# Benchmarks

Written by `{command}` on {day}, in one run of {minutes:.0f} minutes. Other work kept {others:.2f} cores busy
meanwhile (over about 0.2, distrust the times and compare CPU time).

- Machine: {shape}.
- Versions: {versions}.

A ratio says how many times better Logbuch is; under 1 it is worse. {reduced}

## How it is measured

- One server after the other on one machine, each in a fresh folder, started as its users start it. *MLflow default* is
  `mlflow server` with its own settings; *tuned* is one worker and no job execution, its fastest here. Peers use SQLite.
- *CPU-s* are seconds of user and system time of the whole tree of server processes, with the database server's where
  there is one. They count until the server has rested for {sizes.quiet_seconds:g} s, so that work that is put
  off (sealing, checkpoints) is part of them. This is the honest column: requests a second are bound by the load
  generator too, which runs on the same cores.
- Short requests are driven by {driver}; batches by an asyncio client that has its requests encoded beforehand, but
  encodes those of the long series and the wide runs as it goes. Where it was the narrow place, a note says so.
- After each workload what was acknowledged is read back through the API and compared, value by value; of searches the
  page that is timed and all pages of each filter are compared with what the generator knows. {failed}
- Times of searches, histories and charts are those of the whole exchange, read but not parsed.
- Bytes a point are those by which the database's files grow, with a write-ahead log where that is said; *without free
  pages* leaves out what later points will fill.
- Slow servers get fewer points, and MLflow its experiment and its long history straight into its tables; both favours
  them.

| workload | work |
|-|-|
| log-metric, runs/create | one point a request at 32 connections, one run a request at 8, for {sizes.seconds:g} s |
| log-batch | keys × steps a request, {batches} |
| ingest | the same by Logbuch's own protocol |
| search | pages of 100 whole runs of 44 columns among {sizes.runs:,}; the deep one is page {sizes.deep_page} |
| large search | the same among {sizes.large_runs:,} runs of 50 columns; the deep one is page {sizes.large_deep_page} |
| huge search | the same among {sizes.huge_runs:,} runs of 21 columns, put straight into the tables: only if asked for |
| get-history | {sizes.history_points:,} points of one metric, pages of 25,000 |
| long series | {sizes.long_points:,} noisy float64 values of one metric (smooth: a fifth as many), 2,000 buckets |
| wide | {sizes.wide[0]:,} runs × {sizes.wide[1]:,} metrics × {sizes.wide[2]:,} steps; a page of 200 runs × 20 columns |
| big database | a database of {sizes.big_gb:g} GB, not in the operating system's cache where it lets go of it |

Limits: *bare ASGI app* only answers, on the same uvicorn, uvloop and httptools; *bare SQLite* inserts with
`synchronous=FULL` a row (or 1,000) a commit, and in searches fetches the rows of the same 100 runs by primary key from
Logbuch's own file, as *bare PostgreSQL* does from its own database; *msgspec decoding* turns the request's JSON into
objects.

## Targets

{targets}
{pictures}
## Figures

{figures}

## Ratios

{ratios}
{notes}"""


def write(findings: Findings, sizes: Sizes, command: str, folder: Path, seconds: float, others: float) -> str:
    """Writes everything into a folder; gives the page."""
    folder.mkdir(parents=True, exist_ok=True)
    subjects = list(findings.figures)
    shape, versions = machine.shape(), machine.versions(subjects)
    raw = {"command": command, "day": time.strftime("%Y-%m-%d"), "seconds": round(seconds), "other_cores": others}
    raw |= {"machine": shape, "versions": versions, "sizes": asdict(sizes), "driver": load.driver()}
    raw |= asdict(findings)
    (folder / "figures.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    pictures = plot.draw(findings, folder)
    text = PAGE.format(
        command=command,
        day=raw["day"],
        minutes=seconds / 60,
        shape=", ".join(f"{name} {value}" for name, value in shape.items()),
        others=others,
        versions=", ".join(f"{name} {value}" for name, value in versions.items()),
        sizes=sizes,
        batches=_batches(sizes),
        driver=load.driver(),
        reduced=_reduced(sizes),
        failed=f"**{len(findings.failures)} failed, see below.**" if findings.failures else "Nothing was missing.",
        targets=report.targets(findings),
        figures=report.figures(findings),
        ratios=report.ratios(findings),
        pictures="".join(f"\n![{Path(name).stem}]({name})\n" for name in pictures),
        notes=_notes(findings),
    )
    (folder / "README.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    return text


def _reduced(sizes: Sizes) -> str:
    small = [name for name in ("runs", "large_runs", "history_points", "long_points") if
             getattr(sizes, name) < getattr(PLAIN, name)]  # fmt: skip
    if small:
        return "**Amounts are reduced: this run proves that everything works, its figures say little.**"
    if sizes.wide[0] < 1500 or sizes.big_gb < 10:
        return (
            "The targets of the wide experiment are meant for 1,500 runs (`--full-wide`) and that of the big database "
            "for 10 GB (`--big-gb 10`)."
        )
    return ""


def _batches(sizes: Sizes) -> str:
    points = ", ".join(f"{sizes.points_for(kind):,} for {name}" for kind, name in _KINDS.items())
    return f"points {points}; runs that log at the same time: {sizes.lanes}"


def _notes(findings: Findings) -> str:
    parts = []
    for title, lines in (("Failed", findings.failures), ("Notes", findings.notes)):
        if lines:
            parts.append(f"\n## {title}\n\n" + "\n".join(f"- {line}" for line in lines) + "\n")
    return "".join(parts)
