"""``logbuch gc``: removes for good what was deleted, and what nothing refers to."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from logbuch import settings
from logbuch.cli.options import option
from logbuch.cli.server import artifact_root, default_store_uri, names, store_uri_of

if TYPE_CHECKING:
    from logbuch.server.cleaning import Report

STATUSES = ("FINISHED", "FAILED", "KILLED")


@click.command()
@option("--backend-store-uri", settings.BACKEND_STORE_URI, metavar="URI")
@option("--default-artifact-root", settings.ARTIFACT_ROOT, metavar="ROOT")
@option("--artifacts-destination", settings.ARTIFACTS_DESTINATION, metavar="ROOT")
@option("--artifact-roots", settings.ARTIFACT_ROOTS, metavar="ROOTS")
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
    uri = store_uri_of(options["backend_store_uri"] or default_store_uri())
    root = artifact_root(options["artifacts_destination"] or options["default_artifact_root"], uri)
    now = time.time_ns() // 1_000_000
    rule = Rule(
        now=now,
        before=now - period + (1 if not period else 0),
        statuses=tuple(RunStatus(status.upper()) for status in options["statuses"]),
        experiment_ids=names(options["experiment_ids"]) or (),
        run_ids=names(options["run_ids"]) or (),
    )
    files = Files.at(root, names(options["artifact_roots"]) or ())
    store = open_store(uri, seal=False)
    try:
        cleaning = Cleaning(store, files, dry=options["dry_run"])
        cleaning.runs(rule)
        cleaning.erased()
        if not (rule.statuses or rule.run_ids or rule.experiment_ids):
            cleaning.uploads()
            cleaning.orphans()
    finally:
        store.close()
    _tell(cleaning.report, dry=options["dry_run"], as_json=options["as_json"])
    sys.exit(1 if cleaning.report.failed else 0)


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
