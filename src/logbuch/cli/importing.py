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
from logbuch.errors import Unavailable
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
    help="Where the artifacts lie: what the MLflow server was given as --artifacts-destination, or, of an installation "
    "that was copied, the folder that they are in by now. Absent: mlartifacts and mlruns beside the database.",
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


_experiment = click.option("--experiment", default="", metavar="NAME", help="Its name here. Absent: the folder's.")


@group.command()
@click.argument("folder", type=_FOLDER)
@into
@_experiment
def tensorboard(folder: Path, experiment: str, **options: Any) -> None:
    """Import TensorBoard's event files: every folder below FOLDER that holds some is a run.

    Scalars, hyperparameters, histograms, pictures, sounds and texts are taken, of PyTorch, TensorFlow and JAX.
    """

    def open_(report: Report) -> Source:
        from logbuch.transfer import doors

        return doors.tensorboard(folder, report, experiment)

    bring(open_, options)


@group.command()
@click.argument("folder", type=_FOLDER)
@into
@click.option("--experiment", default="", metavar="NAME", help="One for all runs. Absent: their projects.")
def wandb(folder: Path, experiment: str, **options: Any) -> None:
    """Import runs that W&B's client has left on this disk, offline or not: FOLDER is its wandb folder, or one run's.

    Config, history, summary, histograms, system metrics, console output and files are taken. Nothing is asked of
    W&B's servers.
    """

    def open_(report: Report) -> Source:
        from logbuch.transfer import doors

        return doors.wandb(folder, report, experiment)

    bring(open_, options)


@group.command("csv")
@click.argument("places", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PLACE...")
@into
@_experiment
@click.option("--run", default="", metavar="COLUMN", help="Which run a row is of. Absent: the file's name.")
@click.option("--step", default="", metavar="COLUMN", help="The step. Absent: rows are counted.")
@click.option("--time", default="", metavar="COLUMN", help="The time: a date, or Unix time in s, ms, µs or ns.")
@click.option("--key", default="", metavar="COLUMN", help="The metric's name, of a table with a row a point.")
@click.option("--value", default="", metavar="COLUMN", help="Its value.")
@click.option("--param", "params", multiple=True, metavar="COLUMN", help="A param, not a metric. May be repeated.")
def tables(places: tuple[Path, ...], experiment: str, params: tuple[str, ...], **options: Any) -> None:
    """Import CSV files and JSON lines; PLACE is a file or a folder of them.

    Columns that are not named are guessed from their names, and the guess is printed. Known are tables with a row a
    step, a point or a run, and what W&B and MLflow save as CSV.
    """
    from logbuch.transfer.layout import Wanted

    names = {name: options.pop(name) for name in ("run", "step", "time", "key", "value")}

    def open_(report: Report) -> Source:
        from logbuch.transfer import doors

        return doors.tables(places, report, Wanted(**names, params=params), experiment)

    bring(open_, options)


def bring(open_: Callable[[Report], Source], options: dict[str, Any]) -> None:
    """Imports from a source into the place that the options name, prints the report and ends with its code."""
    check_place(options["report_file"])
    report = Report()
    source = open_(report)
    try:
        target = _target(report, options)
    except BaseException:
        source.close()
        raise
    try:
        carry(source, target, report, files=not options["no_artifacts"])
    except Unavailable as error:
        raise Unavailable(f"{error.message.rstrip('.')}. Started again, the import goes on from here.") from None
    finish(report, options, source, target)


def check_place(report: Path | None) -> None:
    """Before a move that may take an hour: whether its report can be written where it is wanted."""
    if report is not None and not report.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder {report.parent} for the report.")


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
