"""Where the artifacts of an MLflow installation lie on this machine, and the files there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from logbuch.errors import LogbuchError
from logbuch.files.roots import open_root
from logbuch.logged import LoggedModel, LoggedModelStatus
from logbuch.model import Run
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile

PROXIED = "mlflow-artifacts"
_IN_MEMORY = 8 * 1024 * 1024
DEFAULT_PROXIED = "mlartifacts"
_TELLING = ("mlflow.log-model.history", "mlflow.loggedArtifacts")
"""Tags by which a run says that it has artifacts."""


class ArtifactFolders:
    """Finds the files of runs. ``base`` is the folder that relative places begin at, that of MLflow's server.

    ``proxied`` is what the server was started with as ``--artifacts-destination``.
    """

    def __init__(self, base: Path, proxied: Path | None, report: Report) -> None:
        self._base, self._report = base, report
        self._proxied = proxied or base / DEFAULT_PROXIED

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
        if uri.startswith("s3://"):
            yield from self._in_bucket(uri.rstrip("/"), whose)
            return
        folder = self.folder(uri)
        if folder is None:
            self._report.lost(f"artifacts of {whose}", f"{uri!r} is no folder here")
        elif folder.is_dir():
            yield from self.below(folder, whose)
        elif telling:
            self._report.lost(f"artifacts of {whose}", f"there is no folder {folder}")
        else:
            self._report.note(f"{whose.rpartition(' ')[0]}s without a folder for artifacts")

    def _in_bucket(self, uri: str, whose: str) -> Iterator[SourceFile]:
        try:
            for found in open_root(uri).walk():
                if not found.pending:
                    yield SourceFile(found.key, found.size, f"{uri}/{found.key}")
        except LogbuchError as error:
            self._report.lost(f"artifacts of {whose}", error.message)

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


def open_file(file: SourceFile) -> BinaryIO:
    """A file of :meth:`ArtifactFolders.files`."""
    if not file.place.startswith("s3://"):
        return Path(file.place).open("rb")
    held: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever asked for it closes it
    with closing(open_root(file.place.removesuffix(f"/{file.path}")).open(file.path)) as opened:
        for start in range(0, opened.stat.size, opened.window):
            held.write(opened.read(start, min(opened.window, opened.stat.size - start)))
    held.seek(0)
    made: BinaryIO = held
    return made
