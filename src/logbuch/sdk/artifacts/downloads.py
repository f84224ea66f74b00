"""Reading artifacts by address: ``runs:/<run>/<path>``, or a run's id and a path."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import FileInfo
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.content import render
from logbuch.sdk.registry import modeluris

_MODEL_FOLDER = re.compile(r"mlflow-artifacts:/[^/]+/models/m-[0-9a-f]{32}/artifacts")


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Downloads a file or a folder and returns its local path.

    Either ``artifact_uri`` (``runs:/<run>/<path>``, ``models:/<name>/<version>`` and the other addresses of models,
    ``mlflow-artifacts:/…``, or a local file) or ``run_id`` with ``artifact_path``. It lands below ``dst_path``, by
    default a new temporary folder; a local file stays in place unless ``dst_path`` is given.
    """
    if artifact_uri is not None and run_id is not None:
        raise InvalidInput("Give either artifact_uri or run_id, not both.")
    local = _local(artifact_uri) if artifact_uri is not None else None
    if local is not None:
        return str(_copied(local, dst_path))
    client = LogbuchClient(tracking_uri)
    if artifact_uri is not None:
        artifact_uri, artifact_path = _located(client, artifact_uri, artifact_path)
        if _MODEL_FOLDER.match(artifact_uri):
            return str(client.download_location(artifact_uri, artifact_path, dst_path))
    run, path = _of_run(artifact_uri, run_id, artifact_path)
    try:
        return client.download_artifacts(run, path, dst_path)
    except NotFound:
        name, _, rest = path.partition("/")
        model_id = client.logged_model_of_run(run, name)
        if model_id is None:
            raise
        return str(client.download_location(client.get_logged_model(model_id).artifact_location, rest, dst_path))


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """The files and folders directly below a path of a run's artifacts."""
    run, path = _of_run(artifact_uri, run_id, artifact_path)
    return LogbuchClient(tracking_uri).list_artifacts(run, path)


def load_text(artifact_uri: str) -> str:
    """The text of an artifact."""
    return _content(artifact_uri).decode()


def load_dict(artifact_uri: str) -> Any:
    """The value of a JSON (or, with PyYAML, YAML) artifact."""
    return render.parse_dictionary(_content(artifact_uri), artifact_uri)


def load_image(artifact_uri: str) -> Any:
    """The picture of an artifact, as a PIL image."""
    return render.as_picture(io.BytesIO(_content(artifact_uri)))


def _located(client: LogbuchClient, uri: str, path: str | None) -> tuple[str, str | None]:
    """The address of a model's files for that of a model; any other address as it is."""
    if not uri.startswith(modeluris.SCHEME):
        return uri, path
    found, below = modeluris.location(client, uri)
    return found, "/".join(part for part in (below, path) if part)


def _content(uri: str) -> bytes:
    path = Path(download_artifacts(uri))
    try:
        return path.read_bytes()
    finally:
        if _local(uri) is None:
            shutil.rmtree(_temporary_root(path), ignore_errors=True)


def _temporary_root(path: Path) -> Path:
    """The temporary folder that a download was put into."""
    return next(folder for folder in path.parents if folder.name.startswith("logbuch-"))


def _of_run(uri: str | None, run_id: str | None, path: str | None) -> tuple[str, str]:
    if run_id is not None:
        return run_id, path or ""
    if uri is None:
        raise InvalidInput("Give an artifact_uri, or a run_id with an artifact_path.")
    parts = urlsplit(uri)
    segments = [unquote(part) for part in parts.path.strip("/").split("/")]
    if parts.scheme == "runs" and segments[0]:
        return segments[0], "/".join([*segments[1:], *([path] if path else [])])
    if parts.scheme == "mlflow-artifacts" and len(segments) >= 3 and segments[2] == "artifacts":
        return segments[1], "/".join([*segments[3:], *([path] if path else [])])
    raise InvalidInput(
        f"{uri!r} names no artifact: use runs:/<run id>/<path>, models:/<name>/<version>, mlflow-artifacts:/… "
        "or the path of a local file."
    )


def _local(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if len(parts.scheme) < 2 else None


def _copied(source: Path, target: str | None) -> Path:
    if not source.exists():
        raise InvalidInput(f"No such file or folder: {str(source)!r}")
    if target is None:
        return source
    Path(target).mkdir(parents=True, exist_ok=True)
    place = Path(target) / source.name
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, place)
    return place
