"""Pictures of a run: single files, and series over steps under the names that MLflow gives them."""

from __future__ import annotations

import time
import uuid
from pathlib import PurePosixPath
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.sdk import files, render, values
from logbuch.sdk.connection import Connection
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
    stem = _stem(str(key), step, timestamp)
    files.put_content(connection, writer, f"{stem}.png", render.picture(picture, ".png"))
    files.put_content(connection, writer, f"{stem}+compressed.webp", render.thumbnail(picture))
    writer.tags({LOGGED_TAG: "True"})


def keep(connection: Connection, writer: RunWriter, image: Any) -> dict[str, str]:
    """Keeps the picture of a table's cell; the answer stands in its place."""
    picture = render.as_picture(image)
    stem = f"{FOLDER}/{uuid.uuid4()}"
    full, small = f"{stem}.png", f"{stem}+compressed.webp"
    files.put_content(connection, writer, full, render.picture(picture, ".png"))
    files.put_content(connection, writer, small, render.thumbnail(picture))
    return {"type": "image", "filepath": full, "compressed_filepath": small}


def _stem(key: str, step: int | None, timestamp: int | None) -> str:
    """``images/<key>+step+<step>+timestamp+<ms>+<uuid>``, the key's slashes as ~, as MLflow's page reads it."""
    values.check_key(key, "image key")
    number = values.as_integer(step, "step") if step is not None else 0
    moment = values.as_integer(timestamp, "timestamp") if timestamp is not None else time.time_ns() // 1_000_000
    return f"{FOLDER}/{key.replace('/', '~')}+step+{number}+timestamp+{moment}+{uuid.uuid4()}"
