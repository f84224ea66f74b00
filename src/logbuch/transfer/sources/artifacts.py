"""Where the artifacts of an MLflow installation lie on this machine, and the files there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from logbuch.errors import LogbuchError
from logbuch.logged import LoggedModel, LoggedModelStatus
from logbuch.model import Run
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile
from logbuch.transfer.sources.buckets import SCHEME, Buckets

PROXIED = "mlflow-artifacts"
DEFAULT_PROXIED, DEFAULT_LOCAL = "mlartifacts", "mlruns"
"""The folders in which MLflow keeps artifacts unless told otherwise, with a server and without one."""
ELSEWHERE = "runs and models whose artifacts were found by the end of their address, which names another place"
_TELLING = ("mlflow.log-model.history", "mlflow.loggedArtifacts")
"""Tags by which a run says that it has artifacts."""
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_LEAST = 2
"""Segments at the end of an address by which it is known elsewhere: the run or model, and ``artifacts``."""


class ArtifactFolders:
    """Finds the files of runs. ``base`` is the folder that relative places begin at, that of MLflow's server.

    ``given`` is what the server was started with as ``--artifacts-destination``, or where the artifacts lie by now.
    """

    def __init__(self, base: Path, given: Path | None, report: Report) -> None:
        self._base, self._report = base, report
        self._proxied = given or base / DEFAULT_PROXIED
        self._copies = (self._proxied, base / DEFAULT_LOCAL, base / DEFAULT_PROXIED)
        self._buckets = Buckets()

    def folder(self, uri: str) -> Path | None:
        """The folder of an artifact URI; None where it is none on this machine."""
        parts = urlsplit(uri)
        path = unquote(parts.path)
        if parts.scheme == PROXIED:
            return self._proxied / path.lstrip("/")
        if parts.scheme == "file" and parts.netloc in ("", "localhost"):
            return Path(path)
        if parts.scheme == "" and uri:
            return self._base / uri
        return None

    def files(self, run: Run) -> Iterator[SourceFile]:
        """The files of a run. No link is followed."""
        telling = any(key in run.data.tags for key in _TELLING)
        return self._at(run.info.artifact_uri, f"run {run.info.run_id}", telling=telling)

    def of_model(self, model: LoggedModel) -> Iterator[SourceFile]:
        """The files of a logged model. No link is followed."""
        ready = model.status is LoggedModelStatus.READY
        return self._at(model.artifact_location, f"logged model {model.model_id}", telling=ready)

    def _at(self, uri: str, whose: str, *, telling: bool) -> Iterator[SourceFile]:
        """The files at an address; with ``telling`` they are missed where there is no folder."""
        folder = self.folder(uri)
        if folder is None or not folder.is_dir():
            moved = self._moved(uri)
            if moved is not None:
                self._report.note(ELSEWHERE)
                folder = moved
            elif uri.startswith(SCHEME):
                yield from self._in_bucket(uri, whose, telling=telling)
                return
        if folder is None:
            self._report.lost(f"artifacts of {whose}", f"{uri!r} cannot be reached from here{_HELP}")
        elif folder.is_dir():
            yield from self.below(folder, whose)
        elif telling:
            self._report.lost(f"artifacts of {whose}", f"there is no folder {folder}{_HELP}")
        else:
            self._report.note(f"{whose.rpartition(' ')[0]}s without a folder for artifacts")

    def _moved(self, uri: str) -> Path | None:
        """The folder that an address names by its end, the longest that there is: an installation that was copied from
        another machine has its artifacts elsewhere, in the same order."""
        text = uri.replace("\\", "/") if _DRIVE.match(uri) else unquote(urlsplit(uri).path)
        parts = [part for part in text.split("/") if part not in ("", ".", "..")]
        for start in range(len(parts) - _LEAST + 1):
            for root in self._copies:
                folder = root.joinpath(*parts[start:])
                if folder.is_dir():
                    return folder
        return None

    def _in_bucket(self, uri: str, whose: str, *, telling: bool) -> Iterator[SourceFile]:
        found = False
        try:
            for file in self._buckets.below(uri):
                found = True
                yield file
        except LogbuchError as error:
            self._report.lost(f"artifacts of {whose}", error.message)
        else:
            if telling and not found:
                self._report.lost(f"artifacts of {whose}", f"nothing lies at {uri}")

    def below(self, folder: Path, whose: str) -> Iterator[SourceFile]:
        """The files of a folder, which are the artifacts of ``whose``."""

        def lost(error: OSError) -> None:
            self._report.lost(f"artifacts of {whose}", f"{error.filename}: {error.strerror}")

        for place, folders, names in os.walk(folder, onerror=lost):
            for name in sorted(names + [one for one in folders if (Path(place) / one).is_symlink()]):
                file = Path(place) / name
                if file.is_symlink() or not file.is_file():
                    self._report.lost(f"artifact {file} of {whose}", "it is a link or no file, and is not followed")
                    continue
                yield SourceFile(file.relative_to(folder).as_posix(), file.stat().st_size, str(file))

    def open(self, file: SourceFile) -> BinaryIO:
        """A file of :meth:`files`."""
        return self._buckets.open(file) if file.place.startswith(SCHEME) else Path(file.place).open("rb")


_HELP = "; where the artifacts lie by now, --source-artifacts says"
