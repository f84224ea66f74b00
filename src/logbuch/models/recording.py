"""Logging a model: a logged model of the run with its files, its digest recorded, registered if wanted."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import logbuch
from logbuch.errors import EndpointNotFound, InvalidInput, NotImplementedHere, Unavailable
from logbuch.models import digests, places
from logbuch.models.flavors.flavor import Flavor
from logbuch.models.info import ModelInfo, read_metadata
from logbuch.models.saving import Extras, Origin, save
from logbuch.models.schema import ModelSignature

logger = logging.getLogger("logbuch")
_DEFAULT_NAME = "model"
_NO_LOGGED_MODELS = (EndpointNotFound, NotImplementedHere, Unavailable)


@dataclass(frozen=True, slots=True)
class LoggedModelInfo:
    """What ``log_model`` returns. ``model_id`` is None where the files lie in the run's artifacts."""

    model_uri: str
    name: str
    run_id: str
    model_id: str | None
    digest: str
    metadata: ModelInfo
    registered_model_version: str | None = None

    @property
    def artifact_path(self) -> str:
        return self.name

    @property
    def flavors(self) -> Mapping[str, Mapping[str, Any]]:
        return self.metadata.flavors

    @property
    def signature(self) -> ModelSignature | None:
        return self.metadata.signature

    @property
    def model_uuid(self) -> str:
        return self.metadata.model_uuid

    @property
    def utc_time_created(self) -> str:
        return self.metadata.utc_time_created


def log(
    flavor: Flavor,
    model: Any,
    name: str | None,
    extras: Extras,
    registered_model_name: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
) -> LoggedModelInfo:
    """Saves a model and logs it to the active run, or to one that is begun for it.

    The files become a logged model's. Where the server knows none, or cannot be asked now, they become artifacts of
    the run, below ``name``.
    """
    path = _checked(name)
    active = logbuch.active_run()
    run_id = (logbuch.start_run() if active is None else active).info.run_id
    with tempfile.TemporaryDirectory(prefix="logbuch-model-") as place:
        folder = Path(place) / "model"
        # The model is saved before anything is asked of a server: one that cannot be saved leaves no trace there.
        save(flavor, model, folder, extras, Origin(run_id, path))
        made = _made(run_id, path, params, tags, model_type)
        info = _addressed(folder, made)
        if made is not None and not _fill(folder, run_id, made, step):
            made, info = None, _addressed(folder, None)
        found = digests.digest(folder)
        if made is None:
            _log_to_run(folder, run_id, path, found)
        uri = f"runs:/{run_id}/{path}" if made is None else f"models:/{made}"
    version = None
    if registered_model_name:
        version = logbuch.register_model(uri, registered_model_name).version
    return LoggedModelInfo(uri, path, run_id, made, found, info, version)


def _checked(name: Any) -> str:
    wanted: Any = _DEFAULT_NAME if name is None else name
    if not isinstance(wanted, str) or not wanted or any(part in ("", ".", "..") for part in wanted.split("/")):
        raise InvalidInput(f"Invalid name {wanted!r} of a model: it must be a text of normal path parts.")
    return str(wanted)


def _made(
    run_id: str,
    name: str,
    params: Mapping[str, Any] | None,
    tags: Mapping[str, Any] | None,
    model_type: str | None,
) -> str | None:
    """The ID of a new logged model; None where there are none, or where its name is a path, which they have not."""
    if "/" in name:
        return None
    client = logbuch.LogbuchClient()
    try:
        experiment = client.get_run(run_id).info.experiment_id
        return client.create_logged_model(experiment, name, run_id, tags, params, model_type).model_id
    except _NO_LOGGED_MODELS:
        return None


def _addressed(folder: Path, model_id: str | None) -> ModelInfo:
    """The MLmodel file with the model's ID in it."""
    info = dataclasses.replace(read_metadata(folder), model_id=model_id)
    info.write(folder)
    return info


def _fill(folder: Path, run_id: str, model_id: str, step: int) -> bool:
    """Uploads a logged model's files. False where the server went away meanwhile: that is no error of a training."""
    client = logbuch.LogbuchClient()
    try:
        client.log_model_artifacts(model_id, folder)
        client.set_logged_model_tags(model_id, {digests.TAG: digests.digest(folder)})
        client.finalize_logged_model(model_id, "READY")
        client.log_outputs(run_id, [_Output(model_id, step)])
    except Unavailable as error:
        logger.warning("the logged model %s is not whole, its files go to run %s: %s", model_id, run_id, error)
        return False
    except BaseException:
        with contextlib.suppress(logbuch.LogbuchError):
            client.finalize_logged_model(model_id, "FAILED")
        raise
    return True


@dataclass(frozen=True, slots=True)
class _Output:
    model_id: str
    step: int


def _log_to_run(folder: Path, run_id: str, name: str, digest: str) -> None:
    client = logbuch.LogbuchClient()
    client.log_artifacts(run_id, folder, name)
    client.set_tag(run_id, places.tag_of(name), digest)
