"""``logbuch artifacts``: list, upload and download the files of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from logbuch.cli.asking import need_store


@click.group()
def artifacts() -> None:
    """List, upload and download the files of a run."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for add in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--tracking-uri", metavar="URI", help="The server or folder; by default as for a training."),
    ):
        command = add(command)
    return command


@artifacts.command("list")
@click.option("--run-id", "-r", required=True, help="The run.")
@click.option("--artifact-path", "-a", default="", metavar="PATH", help="A folder of its files.")
@click.option("--recursive", "-R", is_flag=True, help="With all that the folders hold.")
@_shared
def list_(run_id: str, artifact_path: str, recursive: bool, tracking_uri: str | None, as_json: bool) -> None:
    """List the files of a run."""
    from logbuch import LogbuchClient

    need_store(tracking_uri)
    client = LogbuchClient(tracking_uri)
    found = _listed(client, run_id, artifact_path, recursive)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(info) for info in found]))
        return
    for info in found:
        click.echo(f"{'' if info.is_dir else info.file_size:>14} {info.path}{'/' if info.is_dir else ''}")


@artifacts.command()
@click.option("--run-id", "-r", required=True, help="The run.")
@click.option("--artifact-path", "-a", metavar="PATH", help="The folder of the run to put it into.")
@click.option("--compress", metavar="KIND", help="Send a folder as one archive: tar.gz or tar.zst.")
@click.argument("local", type=click.Path(exists=True, path_type=Path))
@_shared
def upload(
    run_id: str, artifact_path: str | None, compress: str | None, local: Path, tracking_uri: str | None, as_json: bool
) -> None:
    """Upload LOCAL, a file or the content of a folder. What was cut goes on where it was cut."""
    from logbuch.errors import InvalidInput
    from logbuch.sdk.artifacts import transfers
    from logbuch.sdk.connection import connect

    if compress is not None and not local.is_dir():
        raise InvalidInput("--compress is for folders.")
    need_store(tracking_uri)
    sent = transfers.upload(connect(tracking_uri).backend, run_id, local, artifact_path, compress)
    if as_json:
        click.echo(json.dumps({"run_id": run_id, "files": sent}))
    else:
        click.echo(f"{len(sent)} file{'' if len(sent) == 1 else 's'} uploaded to run {run_id}")


@artifacts.command()
@click.option("--run-id", "-r", help="The run.")
@click.option("--artifact-path", "-a", metavar="PATH", help="A file or folder of the run; by default all.")
@click.option("--artifact-uri", "-u", metavar="URI", help="Instead of both: runs:/RUN/PATH or mlflow-artifacts:/….")
@click.option("--dst-path", "-d", metavar="FOLDER", help="Where to; by default a new temporary folder.")
@click.option("--unpack", is_flag=True, help="Unpack a tar.gz or tar.zst into a folder of its name.")
@_shared
def download(
    run_id: str | None,
    artifact_path: str | None,
    artifact_uri: str | None,
    dst_path: str | None,
    unpack: bool,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """Download files of a run and print where they are."""
    from logbuch.sdk.artifacts import archives
    from logbuch.sdk.artifacts.downloads import download_artifacts

    if run_id is not None:
        need_store(tracking_uri)
    place = download_artifacts(artifact_uri, run_id, artifact_path, dst_path, tracking_uri)
    if unpack:
        place = str(archives.unpacked(Path(place)))
    click.echo(json.dumps({"path": place}) if as_json else place)


def _listed(client: Any, run_id: str, path: str, recursive: bool) -> list[Any]:
    found = []
    for info in client.list_artifacts(run_id, path):
        found.append(info)
        if recursive and info.is_dir:
            found += _listed(client, run_id, info.path, recursive)
    return found
