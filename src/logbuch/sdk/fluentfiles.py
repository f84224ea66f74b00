"""Files of the active run by functions: ``logbuch.log_artifact`` and the like. Names are MLflow's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.sdk import experiments, values
from logbuch.sdk.artifacts import files
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.connection import connect
from logbuch.sdk.content import pictures, render, tablefiles
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.target import client_of, operations, target


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Keeps a file, or a folder with all it holds, as it is now."""
    LogbuchClient.log_artifact(*client_of(run_id), local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str],
    artifact_path: str | None = None,
    run_id: str | None = None,
    compress: str | None = None,
) -> None:
    """Keeps the content of a folder; with ``compress`` (``tar.gz`` or ``tar.zst``) as one archive of its name."""
    LogbuchClient.log_artifacts(*client_of(run_id), local_dir, artifact_path, compress)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Keeps text as a file in UTF-8."""
    if not isinstance(text, str):
        raise InvalidInput(f"log_text takes text, not {values.shown(text)}.")
    files.put_content(*target(run_id), artifact_file, text.encode())


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Keeps a dict or list as JSON, or as YAML if the name ends in .yaml or .yml.

    Without PyYAML such a file holds JSON too, which is valid YAML.
    """
    files.put_content(*target(run_id), artifact_file, render.dictionary(dictionary, artifact_file))


def log_stream(stream: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Keeps what a binary stream holds."""
    files.put_content(*target(run_id), artifact_file, stream.read())


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
    """Keeps a figure of matplotlib or plotly; the name's suffix says in which format."""
    files.put_content(*target(None), artifact_file, render.figure(figure, artifact_file, save_kwargs))


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """Keeps a picture under a name, or under a ``key`` as one of a series over steps. See :class:`Image`."""
    connection, writer = target(None)
    pictures.log(connection, writer, image, artifact_file, key, step, timestamp)
    operations(connection, synchronous, Files.DUE)


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Appends rows, of a dict of columns or a DataFrame, to a table in a JSON file."""
    tablefiles.log(*target(run_id), data, artifact_file)


def load_table(
    artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None
) -> Any:
    """The rows of a table of all runs of the current experiment (or of some) as one DataFrame."""
    return LogbuchClient().load_table(experiments.current_id(connect()), artifact_file, run_ids, extra_columns)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Where the active run's files are kept."""
    connection, writer = target(None)
    return connection.backend.artifact_uri(writer.info, artifact_path or "")
