"""``logbuch export``: the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from logbuch.cli import places
from logbuch.cli.importing import carry, finish
from logbuch.transfer.report import Report
from logbuch.transfer.source import Source


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--experiment", "names", multiple=True, metavar="NAME", help="Only this experiment. May be repeated.")
@click.option("--filter", "filter_text", default="", metavar="SEARCH", help="Only runs that this search finds.")
@click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out.")
@click.option("--tracking-uri", metavar="URI", help="Export from this running server.")
@click.option(
    "--report", "report_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there, as JSON."
)
@places.of_store
def export(folder: Path, report_file: Path | None, **options: Any) -> None:
    """Write everything, or what a search finds, to FOLDER, as Parquet and JSON lines with the artifacts.

    Deleted runs are part of it. `logbuch import export FOLDER` reads it, and so does any program: the format is
    documented in docs/reference/export.md, and stays.
    """
    from logbuch.transfer.targets.export import ExportFolder

    report = Report()
    source = _source(report, options)
    try:
        target = ExportFolder(folder, report)
    except BaseException:
        source.close()
        raise
    carry(source, target, report, files=not options["no_artifacts"])
    target.publish()
    finish(report, report_file, source, target)


def _source(report: Report, options: dict[str, Any]) -> Source:
    from logbuch.transfer import doors

    names, filter_text = options["names"], options["filter_text"]
    if options["tracking_uri"]:
        return doors.running(options["tracking_uri"], report, names, filter_text)
    where = places.existing(options)
    return doors.kept(where.uri, where.roots, report, names, filter_text)
