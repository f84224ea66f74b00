"""What ``save_model``, ``log_model`` and ``load_model`` of all flavors share."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models import loading, recording, saving
from logbuch.models.flavors.flavor import Flavor

_EXTRAS = tuple(saving.Extras.__dataclass_fields__)
_RECORDING = ("registered_model_name", "params", "tags", "model_type", "step")
# MLflow's options without a counterpart: an environment is written from requirements, and registering does not wait.
_MLFLOWS = (
    "await_registration_for",
    "conda_env",
    "serialization_format",
    "example_no_conversion",
    "run_id",
    "model_id",
)


def save(flavor: Flavor, model: Any, path: str | Path, options: Mapping[str, Any]) -> None:
    """Saves with the options that every flavor has; an unknown one is an error."""
    _check(flavor, options, _EXTRAS)
    saving.save(flavor, model, path, _extras(options))


def log(
    flavor: Flavor, model: Any, artifact_path: str | None, name: str | None, options: Mapping[str, Any]
) -> recording.LoggedModelInfo:
    """Logs with the options that every flavor has; ``artifact_path`` is the older name of ``name``."""
    _check(flavor, options, (*_EXTRAS, *_RECORDING))
    chosen = {key: options[key] for key in _RECORDING if key in options}
    return recording.log(flavor, model, name if name is not None else artifact_path, _extras(options), **chosen)


def native(flavor: str, address: str | Path, allow_pickle: bool) -> Any:
    """The library's own object of a model that has this flavor."""
    loaded = loading.load_model(address, allow_pickle=allow_pickle)
    if flavor not in loaded.metadata.flavors:
        raise InvalidInput(f"{str(address)!r} has no flavor {flavor!r}: it has {', '.join(loaded.metadata.flavors)}.")
    return loaded.native


def _extras(options: Mapping[str, Any]) -> saving.Extras:
    return saving.Extras(**{key: options[key] for key in _EXTRAS if key in options})


def _check(flavor: Flavor, options: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [key for key in options if key not in known and key not in _MLFLOWS]
    if unknown:
        caller = inspect.stack()[2].function
        raise InvalidInput(f"{flavor.name}.{caller} has no option {unknown[0]!r}: it has {', '.join(known)}.")
