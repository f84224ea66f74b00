"""``make bench``: measures what is installed in one run, prints tables of figures and ratios, and writes them down."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

from benchmarks import page, plan, report, servers
from benchmarks.figures import Findings
from benchmarks.machine import Neighbours
from benchmarks.plan import Bench
from benchmarks.sizes import chosen

ROOT = Path(__file__).parents[1]
PUBLISHED, SCRATCH = ROOT / "docs" / "benchmarks", ROOT / "test-output" / "benchmarks"


def main() -> int:
    options = _options()
    sizes = chosen(quick=options.quick, full_wide=options.full_wide or options.full, big_gb=options.big_gb)
    bench = Bench(options.only, options.peers, sizes, Findings(), Neighbours())
    begun = time.monotonic()
    bench.run()
    seconds = time.monotonic() - begun
    folder = options.out or (PUBLISHED if options.whole else SCRATCH)
    page.write(bench.findings, sizes, _command(), folder, seconds, bench.neighbours.cores())
    for title, text in (
        ("Targets", report.targets(bench.findings)),
        ("Figures", report.figures(bench.findings)),
        ("Ratios", report.ratios(bench.findings)),
    ):
        print(f"\n{title}\n\n{text}")
    print(f"\n{seconds / 60:.1f} minutes; written to {folder}")
    for failure in bench.findings.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if bench.findings.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    here = servers.installed()
    parser.add_argument("--only", type=_names(plan.NAMES), help=f"workloads: {', '.join(plan.NAMES)}")
    parser.add_argument("--peers", type=_names(servers.MAKERS), help=f"trackers; here are {', '.join(here)}")
    parser.add_argument("--quick", action="store_true", help="small amounts: proves that everything works")
    parser.add_argument("--full-wide", action="store_true", help="the wide experiment with 1,500 runs")
    parser.add_argument("--big-gb", type=float, metavar="N", help="size of the database of the big start")
    parser.add_argument("--full", action="store_true", help="--full-wide --big-gb 10, and huge-search")
    parser.add_argument("--out", type=Path, help="folder for the page; absent: docs/benchmarks for a whole run")
    options = parser.parse_args()
    if options.full and options.big_gb is None:
        options.big_gb = 10.0
    options.whole = not options.quick and options.only is None and options.peers is None
    options.only = options.only or list(plan.NAMES if options.full else plan.USUAL)
    options.peers = [name for name in here if options.peers is None or name in options.peers]
    return options


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        strange = [name for name in names if name not in known]
        if strange:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(strange)}; there are {', '.join(known)}")
        return names

    return parse


def _command() -> str:
    arguments = shlex.join(sys.argv[1:])
    return f"make bench ARGS={shlex.quote(arguments)}" if arguments else "make bench"


if __name__ == "__main__":
    sys.exit(main())
