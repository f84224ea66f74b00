"""``logbuch export``: the way out."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli import places
from logbuch.cli.asking import answers
from logbuch.cli.importing import carry, check_place, finish
from logbuch.errors import NotFound, Unavailable
from logbuch.transfer.report import Report

if TYPE_CHECKING:
    from logbuch.transfer.source import Source
    from logbuch.transfer.target import Target


class _Ways(click.Group):
    """Where the first word names no way out, it is a folder, or an option of exporting into one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["folder", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Ways)
def export() -> None:
    """Write runs to a folder (logbuch export FOLDER) or into MLflow (logbuch export mlflow URI)."""


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all exports: from where, which runs, and the report."""
    report = click.Path(dir_okay=False, path_type=Path)
    for add in (
        places.of_store,
        answers,
        click.option("--report", "report_file", type=report, help="Write the report to this file, as JSON."),
        click.option("--tracking-uri", metavar="URI", help="Export from this running server."),
        click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out."),
        click.option("--filter", "filter_text", default="", metavar="SEARCH", help="Only runs that this search finds."),
        click.option("--experiment", "names", multiple=True, metavar="NAME", help="Only this one. May be repeated."),
    ):
        command = add(command)
    return command


@export.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_chosen
def folder(folder: Path, **options: Any) -> None:
    """Write everything, or what a search finds, to FOLDER, as Parquet and JSON lines with the artifacts.

    Deleted runs are part of it. `logbuch import export FOLDER` reads it, and so does any program: the format is
    documented in docs/reference/export.md, and stays.
    """
    from logbuch.transfer.targets.export import ExportFolder

    check_place(options["report_file"])
    report = Report()
    source = _source(report, options)
    try:
        target = ExportFolder(folder, report)
    except BaseException:
        source.close()
        raise
    try:
        carry(source, target, report, files=not options["no_artifacts"])
        target.publish()
    except OSError as error:
        target.discard()
        raise Unavailable(f"{folder} cannot be written: {error.strerror or error}.") from None
    except BaseException:
        target.discard()
        raise
    finish(report, options, source, target)


@export.command()
@click.argument("uri")
@_chosen
@click.option("--mlflow", "program", metavar="COMMAND", help="The MLflow to use for a database. Absent: mlflow.")
@click.option(
    "--mlflow-artifacts",
    "files",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the artifacts of a database. Absent: mlartifacts beside it.",
)
def mlflow(uri: str, program: str | None, files: Path | None, **options: Any) -> None:
    """Write everything, or what a search finds, into MLflow.

    URI is the address of a running MLflow server, or a database (a file such as fresh.db, or a URI), which is made if
    it is not there. For a database MLflow has to be installed: its own server is started on it for as long as the
    export takes.

    MLflow gives runs IDs of its own; the one that a run had stands in its tag logbuch.run_id. Started again, it goes
    on.
    """
    check_place(options["report_file"])
    if uri.startswith(("http://", "https://")):
        finish(*_send(uri, options))
        return
    from logbuch.transfer.sources.mlflow_database import check_room
    from logbuch.transfer.targets import mlflow_process

    name, beside = check_room(uri)
    command, place = mlflow_process.program(program), (files or beside).absolute()
    where = uri if "://" in uri else f"sqlite:///{uri}"
    with mlflow_process.served(command, where, place) as address:
        done = _send(address, options)
    if not options["as_json"]:
        shown = shlex.join(mlflow_process.command("mlflow", name, place))
        click.echo(f"To look at it: {shown}")
    finish(*done)


def _send(address: str, options: dict[str, Any]) -> tuple[Report, dict[str, Any], Source, Target]:
    """Exports into a running MLflow server; what :func:`finish` wants to know."""
    from logbuch.transfer.targets.mlflow_server import MlflowServer

    report = Report()
    source = _source(report, options)
    target = MlflowServer(address, report)
    return carry(source, target, report, files=not options["no_artifacts"]), options, source, target


def _source(report: Report, options: dict[str, Any]) -> Source:
    source = _opened(report, options)
    try:
        _need_all(options["names"], source)
    except BaseException:
        source.close()
        raise
    return source


def _need_all(names: Sequence[str], source: Source) -> None:
    """An experiment that is not there is an error before anything is written, not an export without it."""
    found = {one.name for one in source.experiments()} if names else set()
    for name in names:
        if name not in found:
            raise NotFound(f"There is no experiment {name!r} in {source.name}.")


def _opened(report: Report, options: dict[str, Any]) -> Source:
    from logbuch.transfer import doors

    names, filter_text = options["names"], options["filter_text"]
    if options["tracking_uri"]:
        return doors.running(options["tracking_uri"], report, names, filter_text)
    where = places.existing(options)
    return doors.kept(where.uri, where.roots, report, names, filter_text)
