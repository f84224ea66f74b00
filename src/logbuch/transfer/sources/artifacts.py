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
        if run.info.artifact_uri.startswith("s3://"):
            yield from self._in_bucket(run)
            return
        folder = self.folder(run.info.artifact_uri)
        if folder is None:
            self._report.lost(f"artifacts of run {run.info.run_id}", f"{run.info.artifact_uri!r} is no folder here")
            return
        if folder.is_dir():
            yield from self.below(folder, run)
        elif any(key in run.data.tags for key in _TELLING):
            self._report.lost(f"artifacts of run {run.info.run_id}", f"there is no folder {folder}")
        else:
            self._report.note("runs without a folder for artifacts")

    def _in_bucket(self, run: Run) -> Iterator[SourceFile]:
        uri = run.info.artifact_uri.rstrip("/")
        try:
            for found in open_root(uri).walk():
                if not found.pending:
                    yield SourceFile(found.key, found.size, f"{uri}/{found.key}")
        except LogbuchError as error:
            self._report.lost(f"artifacts of run {run.info.run_id}", error.message)

    def below(self, folder: Path, run: Run) -> Iterator[SourceFile]:
        """The files of a folder, which are the artifacts of a run."""
        whose = f"run {run.info.run_id}"

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
