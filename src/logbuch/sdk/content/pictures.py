"""Pictures of a run: single files, and series over steps under the names that MLflow gives them."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.sdk.artifacts import files
from logbuch.sdk.connection import Connection
from logbuch.sdk.content import render
from logbuch.sdk.content.series import stem
from logbuch.sdk.writer import RunWriter

LOGGED_TAG = "mlflow.loggedImages"
FOLDER = "images"


def log(
    connection: Connection,
    writer: RunWriter,
    image: Any,
    artifact_file: str | None,
    key: str | None,
    step: int | None,
    timestamp: int | None,
) -> None:
    """Keeps a picture, either as ``artifact_file`` or in the series ``key``."""
    if (artifact_file is None) == (key is None):
        raise InvalidInput("Give either artifact_file or key (with step).")
    if artifact_file is not None and (step is not None or timestamp is not None):
        raise InvalidInput("step and timestamp belong to a key, not to an artifact_file.")
    picture = render.as_picture(image)
    if artifact_file is not None:
        suffix = PurePosixPath(artifact_file).suffix or ".png"
        files.put_content(connection, writer, artifact_file, render.picture(picture, suffix))
        return
    name = stem(FOLDER, str(key), step, timestamp)
    files.put_content(connection, writer, f"{name}.png", render.picture(picture, ".png"))
    files.put_content(connection, writer, f"{name}+compressed.webp", render.thumbnail(picture))
    writer.tags({LOGGED_TAG: "True"})


def keep(connection: Connection, writer: RunWriter, image: Any) -> dict[str, str]:
    """Keeps the picture of a table's cell; the answer stands in its place."""
    picture = render.as_picture(image)
    name = f"{FOLDER}/{uuid.uuid4()}"
    full, small = f"{name}.png", f"{name}+compressed.webp"
    files.put_content(connection, writer, full, render.picture(picture, ".png"))
    files.put_content(connection, writer, small, render.thumbnail(picture))
    return {"type": "image", "filepath": full, "compressed_filepath": small}
