"""Files of runs by id: kept, listed, downloaded. Names and signatures are MLflow's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.model import FileInfo
from logbuch.sdk.artifacts import archives, files
from logbuch.sdk.connection import Connection
from logbuch.sdk.content import pictures, render, tablefiles
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.waiting import done
from logbuch.sdk.writer import RunWriter


class ArtifactClient:
    """What :class:`LogbuchClient` does with files. What is kept is queued; what reads waits for that."""

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    def _writer(self, run_id: str) -> tuple[Connection, RunWriter]:
        raise NotImplementedError

    def log_artifact(self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Keeps a file, or a folder with all it holds, as it is now."""
        connection, writer = self._writer(run_id)
        place = Path(local_path)
        folder = files.join(artifact_path, place.resolve().name) if place.is_dir() else artifact_path
        for file, name in files.local_files(place):
            files.put_file(connection, writer, file, files.join(folder, name))

    def log_artifacts(
        self,
        run_id: str,
        local_dir: str | os.PathLike[str],
        artifact_path: str | None = None,
        compress: str | None = None,
    ) -> None:
        """Keeps the content of a folder; with ``compress`` (``tar.gz`` or ``tar.zst``) as one archive of its name."""
        connection, writer = self._writer(run_id)
        if not Path(local_dir).is_dir():
            raise InvalidInput(f"No such folder: {str(local_dir)!r}")
        if compress is not None:
            files.put_archive(connection, writer, Path(local_dir), artifact_path, compress)
            return
        for file, name in files.local_files(local_dir):
            files.put_file(connection, writer, file, files.join(artifact_path, name))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keeps text as a file in UTF-8."""
        self._put(run_id, artifact_file, text.encode())

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Keeps a dict or list as JSON, or as YAML if the name ends in .yaml or .yml.

        Without PyYAML such a file holds JSON too, which is valid YAML.
        """
        self._put(run_id, artifact_file, render.dictionary(dictionary, artifact_file))

    def log_stream(self, run_id: str, stream: Any, artifact_file: str) -> None:
        """Keeps what a binary stream holds."""
        self._put(run_id, artifact_file, stream.read())

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Keeps a figure of matplotlib or plotly; the name's suffix says in which format."""
        self._put(run_id, artifact_file, render.figure(figure, artifact_file, save_kwargs))

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Keeps a picture under a name, or under a ``key`` as one of a series over steps. See :class:`Image`."""
        connection, writer = self._writer(run_id)
        pictures.log(connection, writer, image, artifact_file, key, step, timestamp)
        done(connection, synchronous, Files.DUE)

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Appends rows, of a dict of columns or a DataFrame, to a table in a JSON file."""
        connection, writer = self._writer(run_id)
        tablefiles.log(connection, writer, data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> Any:
        """The rows of a table of all runs of an experiment (or of some) as one DataFrame. ``extra_columns`` are
        fields of the runs: ``run_id`` and those of :func:`search_runs`."""
        backend = self._connection.settle(Files.DUE)
        return tablefiles.load(backend, str(experiment_id), artifact_file, run_ids, extra_columns or ())

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and folders directly below a path of a run's artifacts."""
        backend = self._connection.settle(Files.DUE)
        return backend.list_artifacts(backend.get_run(run_id).info, path or "")

    def download_artifacts(self, run_id: str, path: str, dst_path: str | None = None, unpack: bool = False) -> str:
        """Downloads a file or a folder and returns the local path; below a new temporary folder by default.

        With ``unpack`` an archive (``tar.gz``, ``tar.zst``) becomes the folder that was packed.
        """
        found = files.fetch(self._connection.settle(Files.DUE), run_id, path, dst_path)
        return str(archives.unpacked(found) if unpack else found)

    def download_location(self, location: str, path: str | None = None, dst_path: str | None = None) -> Path:
        """Downloads what lies below ``mlflow-artifacts:/…``, where a server keeps the files of a model."""
        return files.fetch_location(self._connection.settle(Files.DUE), location, path or "", dst_path)

    def get_artifact_uri(self, run_id: str, artifact_path: str | None = None) -> str:
        """Where a run's files are kept."""
        connection, writer = self._writer(run_id)
        return connection.backend.artifact_uri(writer.info, artifact_path or "")

    def _put(self, run_id: str, path: str, content: bytes) -> None:
        files.put_content(*self._writer(run_id), path, content)
