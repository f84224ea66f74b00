"""From a model's address to its folder on this machine, and to the digest that was recorded when it was logged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import logbuch
from logbuch.errors import InvalidInput, NotFound
from logbuch.models.digests import TAG
from logbuch.models.info import FILE
from logbuch.sdk.registry import modeluris

_FOLDER = re.compile(r"mlflow-artifacts:/[^/]+/models/(m-[0-9a-f]{32})/artifacts")
_OF_RUN = re.compile(r"(?:runs:/|mlflow-artifacts:/[^/]+/)([0-9a-f]{32})/(?:artifacts/)?(.+)")
SCHEMES = ("runs:/", "models:/", "mlflow-artifacts:/")


@dataclass(frozen=True, slots=True)
class Place:
    """A model's folder. ``recorded`` is the digest from when it was logged, None where none was recorded."""

    folder: Path
    recorded: str | None


def find(address: str | Path, target: str | None = None) -> Place:
    """Downloads a model (below ``target``, by default to a new temporary folder), or takes a folder as it is."""
    text = str(address)
    if not text.startswith(SCHEMES):
        folder = Path(logbuch.download_artifacts(text))
        if not folder.is_dir():
            raise InvalidInput(f"{text!r} is no model's folder.")
        return Place(folder, None)
    recorded = _recorded(text)
    folder = Path(logbuch.download_artifacts(text, dst_path=target))
    if not (folder / FILE).is_file():
        raise NotFound(f"{text!r} holds no model: it has no file {FILE}.")
    return Place(folder, recorded)


def tag_of(path: str) -> str:
    """The run's tag that keeps the digest of a model below this path of its artifacts."""
    return f"{TAG}/{path}"


def _recorded(address: str) -> str | None:
    client = logbuch.LogbuchClient()
    if address.startswith(modeluris.SCHEME):
        model_id = address.removeprefix(modeluris.SCHEME)
        if re.fullmatch(r"m-[0-9a-f]{32}", model_id):
            return _of_model(client, model_id)
        address = "/".join(part for part in modeluris.location(client, address) if part)
    if address.startswith(modeluris.SCHEME):
        return _recorded(address)
    found = _FOLDER.fullmatch(address)
    if found:
        return _of_model(client, found[1])
    of_run = _OF_RUN.fullmatch(address)
    return _of_run(client, of_run[1], of_run[2].strip("/")) if of_run else None


def _of_model(client: logbuch.LogbuchClient, model_id: str) -> str | None:
    return client.get_logged_model(model_id).tags.get(TAG)


def _of_run(client: logbuch.LogbuchClient, run_id: str, path: str) -> str | None:
    try:
        found = client.get_run(run_id).data.tags.get(tag_of(path))
    except NotFound:
        return None
    if found is not None:
        return found
    model_id = client.logged_model_of_run(run_id, path)
    return _of_model(client, model_id) if model_id else None
