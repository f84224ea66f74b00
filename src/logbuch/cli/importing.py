"""``logbuch import``: what other trackers hold becomes Logbuch's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli import places
from logbuch.cli.asking import answers, print_json
from logbuch.cli.progress import progress
from logbuch.transfer.report import Report

if TYPE_CHECKING:
    from logbuch.transfer.source import Source
    from logbuch.transfer.target import Target

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("import")
def group() -> None:
    """Take over runs from elsewhere.

    The source is only read. What cannot be taken over is named, and then the exit code is 1. An import that was
    interrupted is simply started again: what is there already is not taken twice.
    """


def into(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all imports: where to, and the report."""
    for one in (
        click.option("--report", "report_file", type=_FILE, help="Write the whole report to this file, as JSON."),
        click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out."),
        places.of_store,
        click.option("--tracking-uri", metavar="URI", help="A running Logbuch server to import into."),
        answers,
    ):
        command = one(command)
    return command


@group.command()
@click.argument("source")
@into
@click.option(
    "--source-artifacts",
    type=_FOLDER,
    help="The folder that the MLflow server was given as --artifacts-destination. "
    "Absent: mlartifacts beside the database.",
)
@click.option(
    "--keep-largest",
    is_flag=True,
    help="Leave ±1.7976931348623157e308 as it is. MLflow's database holds ±Inf so, and it is restored.",
)
def mlflow(source: str, source_artifacts: Path | None, keep_largest: bool, **options: Any) -> None:
    """Import an MLflow installation.

    SOURCE is its database (a file such as mlflow.db, or a URI: sqlite:///…, postgresql://…, mysql://…), an mlruns
    folder, or the address of a running MLflow server.
    """

    def open_(report: Report) -> Source:
        from logbuch.transfer import doors

        return doors.mlflow(source, report, artifacts=source_artifacts, infinities=not keep_largest)

    bring(open_, options)


@group.command()
@click.argument("folder", type=_FOLDER)
@into
def export(folder: Path, **options: Any) -> None:
    """Import what `logbuch export` wrote to FOLDER."""

    def open_(report: Report) -> Source:
        from logbuch.transfer import doors

        return doors.exported(folder, report)

    bring(open_, options)


def bring(open_: Callable[[Report], Source], options: dict[str, Any]) -> None:
    """Imports from a source into the place that the options name, prints the report and ends with its code."""
    report = Report()
    source = open_(report)
    try:
        target = _target(report, options)
    except BaseException:
        source.close()
        raise
    finish(carry(source, target, report, files=not options["no_artifacts"]), options, source, target)


def carry(source: Source, target: Target, report: Report, *, files: bool) -> Report:
    """One move with its progress shown."""
    from logbuch.transfer.moving import Move, closing_both

    with closing_both(source, target), progress(source.totals()) as told:
        return Move(source, target, report, told, files=files).run()


def finish(report: Report, options: Mapping[str, Any], source: Source, target: Target) -> None:
    """Prints a report, keeps it, and ends the command: 0 if everything is there, else 1."""
    file: Path | None = options["report_file"]
    if options["as_json"]:
        print_json(report.as_data())
    else:
        for line in (f"{source.name} → {target.name}", *report.lines()):
            click.echo(line)
    if file is not None:
        file.write_text(json.dumps(report.as_data(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if report.complete and not options["as_json"]:
        click.echo("Everything is there.")
    if not report.complete:
        click.echo(f"{len(report.missing)} things are missing or differ.", err=True)
        sys.exit(1)


def _target(report: Report, options: dict[str, Any]) -> Target:
    from logbuch.transfer import doors

    if options["tracking_uri"]:
        return doors.server(options["tracking_uri"], report)
    where = places.meant(options)
    return doors.store(where.uri, where.roots, report)
