"""Finds out what an address means, and opens it as a source or a target."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidInput
from logbuch.files.roots import Files
from logbuch.store import open_store
from logbuch.transfer.layout import Wanted
from logbuch.transfer.report import Report
from logbuch.transfer.source import Source
from logbuch.transfer.target import Target

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def mlflow(place: str, report: Report, *, artifacts: Path | None = None, infinities: bool = True) -> Source:
    """An MLflow installation: a server's address, a database's URI or file, or an ``mlruns`` folder."""
    if _ADDRESS.match(place):
        return _server(place, report, infinities=infinities)
    folder = Path(unquote(urlsplit(place).path) if place.startswith("file:") else place)
    if folder.is_dir():
        return _mlruns(folder, report, artifacts)
    if "://" not in place and not folder.is_file():
        raise InvalidInput(f"There is no {place!r}: a database, an mlruns folder or a server's address is wanted.")
    from logbuch.transfer.sources.mlflow_database import MlflowDatabase

    return MlflowDatabase(place, report, artifacts=artifacts, infinities=infinities)


def _mlruns(folder: Path, report: Report, artifacts: Path | None) -> Source:
    """An ``mlruns`` folder; of one that lies beside a database, or of a database alone, its owner hears."""
    from logbuch.transfer import beside
    from logbuch.transfer.sources.mlruns import MlrunsFolder

    others = [file for file in beside.installations(folder) if file.is_file()]
    told = " and ".join(f"logbuch import mlflow {shlex.quote(str(file))}" for file in others)
    try:
        found = MlrunsFolder(folder, report, artifacts=artifacts)
    except InvalidInput as error:
        if not others:
            raise
        raise InvalidInput(f"{error.message} What is in its databases moves in with: {told}") from None
    if others:
        report.said.append(f"{found.name} alone; the databases beside it move in with: {told}")
    return found


def exported(folder: Path, report: Report) -> Source:
    """What ``logbuch export`` wrote."""
    from logbuch.transfer.sources.export import ExportSource

    return ExportSource(folder, report)


def tensorboard(folder: Path, report: Report, experiment: str) -> Source:
    """A folder of TensorBoard's event files, as one experiment."""
    from logbuch.transfer.sources.tensorboard import TensorBoardFolder

    return TensorBoardFolder(folder, report, experiment=experiment)


def wandb(folder: Path, report: Report, experiment: str) -> Source:
    """A folder of W&B's runs; their projects become experiments unless one is named."""
    from logbuch.transfer.sources.wandb import WandbFolder

    return WandbFolder(folder, report, experiment=experiment)


def tables(places: Sequence[Path], report: Report, wanted: Wanted, experiment: str) -> Source:
    """CSV files and JSON lines, as one experiment."""
    from logbuch.transfer.sources.csv_files import CsvFiles

    return CsvFiles(places, report, wanted, experiment=experiment)


def running(address: str, report: Report, names: Sequence[str], filter_text: str) -> Source:
    """A running server: these experiments, all where none is named, and of them the runs that a search finds."""
    return _server(address, report, infinities=False, names=names, filter_text=filter_text)


def _server(
    address: str, report: Report, *, infinities: bool, names: Sequence[str] = (), filter_text: str = ""
) -> Source:
    """A server by what it is: Logbuch keeps ±Inf itself, and more than MLflow's protocol tells."""
    from logbuch.transfer.sources.logbuch_server import LogbuchServerSource, is_logbuch
    from logbuch.transfer.sources.tracking_server import TrackingServer

    if is_logbuch(address):
        return LogbuchServerSource(address, report, infinities=False, names=names, filter_text=filter_text)
    return TrackingServer(address, report, infinities=infinities, names=names, filter_text=filter_text)


def kept(uri: str, roots: Sequence[str], report: Report, names: Sequence[str], filter_text: str) -> Source:
    """A Logbuch database, likewise."""
    from logbuch.transfer.sources.store import StoreSource

    files = Files.at(roots[0], roots[1:])
    return StoreSource(open_store(uri, seal=False), files, report, names=names, filter_text=filter_text)


def server(address: str, report: Report) -> Target:
    """A running Logbuch server."""
    from logbuch.transfer.targets.logbuch_server import LogbuchServer

    return LogbuchServer(address, report)


def store(uri: str, roots: Sequence[str], report: Report) -> Target:
    """A Logbuch database, made if there is none, and its artifact roots, the default one first."""
    from logbuch.transfer.targets.store import StoreTarget

    return StoreTarget(open_store(uri, seal=False), Files.at(roots[0], roots[1:]), report)
