"""``logbuch gc``: removes for good what was deleted, and what nothing refers to."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli.places import existing, of_store
from logbuch.cli.server import names

if TYPE_CHECKING:
    from logbuch.server.cleaning import Report
    from logbuch.store import Store
    from logbuch.store.retention import Rule

STATUSES = ("FINISHED", "FAILED", "KILLED")


@click.command()
@of_store
@click.option("--older-than", metavar="PERIOD", default="0s", help="Only what was deleted, or ended, so long ago: 30d.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES, case_sensitive=False),
    help="Also runs that are not deleted but ended so, and no others. May be repeated; needs --older-than.",
)
@click.option("--experiment-ids", metavar="IDS", help="Only runs of these experiments (comma-separated).")
@click.option("--run-ids", metavar="IDS", help="Only these runs (comma-separated).")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def gc(**options: Any) -> None:
    """Remove for good: deleted runs with their files, what nothing refers to, and uploads that nobody finished.

    It may run beside a server. An experiment whose tag logbuch.retention is 90d keeps its runs so long after their end.
    Runs that a registered model version comes from, and runs with the tag logbuch.keep, stay.
    """
    from logbuch.files.roots import Files
    from logbuch.limits import parse_period
    from logbuch.model import RunStatus
    from logbuch.server.cleaning import Cleaning
    from logbuch.store import open_store
    from logbuch.store.retention import Rule

    period = parse_period(options["older_than"])
    if options["statuses"] and not period:
        raise click.UsageError(
            "--status removes runs that nobody has deleted: say how old they are to be (--older-than)."
        )
    where = existing(options)
    now = time.time_ns() // 1_000_000
    rule = Rule(
        now=now,
        before=now - period + (1 if not period else 0),
        statuses=tuple(RunStatus(status.upper()) for status in options["statuses"]),
        experiment_ids=names(options["experiment_ids"]) or (),
        run_ids=names(options["run_ids"]) or (),
    )
    files = Files.at(where.roots[0], where.roots[1:])
    store = open_store(where.uri, seal=False)
    try:
        _check(store, rule)
        cleaning = Cleaning(store, files, dry=options["dry_run"])
        cleaning.runs(rule)
        cleaning.erased()
        if not (rule.statuses or rule.run_ids or rule.experiment_ids):
            cleaning.uploads()
            cleaning.orphans()
    finally:
        store.close()
    if cleaning.report.folders and not cleaning.report.files and not files.list(""):
        click.echo(f"Warning: {files.where} holds no files. Is it the server's --default-artifact-root?", err=True)
    _tell(cleaning.report, dry=options["dry_run"], as_json=options["as_json"])
    sys.exit(1 if cleaning.report.failed else 0)


def _check(store: Store, rule: Rule) -> None:
    """NotFound for a run or experiment that is named and not there: a slip would look like a clean store."""
    from logbuch.store import experiments, runs

    for run_id in rule.run_ids:
        store.read(runs.row, run_id)
    for experiment_id in rule.experiment_ids:
        store.read(experiments.get, experiment_id)


def _tell(report: Report, *, dry: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(report) | {"dry_run": dry}))
        return
    for run_id, reason in report.runs.items():
        click.echo(f"run {run_id} ({reason})")
    for run_id in report.kept:
        click.echo(f"kept: run {run_id}, which a registered model or the tag logbuch.keep holds")
    for id_ in report.experiments:
        click.echo(f"experiment {id_}")
    for key in report.uploads:
        click.echo(f"unfinished upload of {key}")
    for line in report.failed:
        click.echo(f"not removed: {line}", err=True)
    done = "Would remove" if dry else "Removed"
    click.echo(
        f"{done} {len(report.runs)} runs, {report.files} files in {len(report.folders)} folders "
        f"({report.bytes:,} bytes), {len(report.uploads)} unfinished uploads."
    )
