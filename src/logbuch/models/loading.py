"""Loading models: of Logbuch and of the real client, each by the loader that is built in here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput, InvalidState, PermissionDenied
from logbuch.models import loaders, pickles, places
from logbuch.models.digests import WRITTEN_HERE, digest
from logbuch.models.info import ModelInfo, read_metadata
from logbuch.models.schema import ColumnSpec

logger = logging.getLogger("logbuch")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that predicts. ``native`` is the library's own object; ``digest`` that of the folder it came from, and
    ``trusted`` what was let through, if anything, because the caller allowed pickle."""

    metadata: ModelInfo
    native: Any
    digest: str
    folder: Path
    trusted: str | None
    _wrapped: Any

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """What the model answers to ``data``: a DataFrame, an array, a dict of arrays, a list, or texts, as its
        signature says. ``InvalidInput`` names the columns that are missing and the params that it does not have."""
        return self._wrapped.predict(self._columns(data), self._params(params))

    def _columns(self, data: Any) -> Any:
        """The columns that the signature names, in its order."""
        signature = self.metadata.signature
        specs = signature.inputs if signature is not None else None
        if not specs or not hasattr(data, "columns"):
            return data
        named = {spec.name: spec for spec in specs if isinstance(spec, ColumnSpec) and spec.name is not None}
        if len(named) != len(specs):
            return data
        missing = [name for name, spec in named.items() if spec.required and name not in data.columns]
        if missing:
            raise InvalidInput(f"The data lack columns that the model wants: {', '.join(map(repr, missing))}.")
        return data[[name for name in named if name in data.columns]]

    def _params(self, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The params given, and the defaults of the others."""
        signature = self.metadata.signature
        specs = signature.params if signature is not None else None
        known = {spec.name: spec.default for spec in specs or ()}
        unknown = [name for name in given or {} if name not in known]
        if unknown:
            raise InvalidInput(f"The model has no params {', '.join(map(repr, unknown))}: it has {sorted(known)}.")
        return {**known, **(given or {})} or None


def load_model(uri_or_folder: str | Path, *, allow_pickle: bool = False) -> LoadedModel:
    """Loads a model: ``runs:/<run>/<path>``, ``models:/<name>/<version>`` and the other addresses of models, or a
    folder.

    The folder is compared with the digest that was recorded when the model was logged: ``InvalidState`` if they
    differ. A model that needs pickle, or brings code that nothing vouches for, is refused with ``PermissionDenied``;
    with ``allow_pickle`` it is loaded, and a warning names the digest that was trusted.
    """
    place = places.find(uri_or_folder)
    return load(place, uri_or_folder, allow_pickle)


def load(place: places.Place, address: str | Path, allow_pickle: bool) -> LoadedModel:
    """Loads a model that has been brought to this machine."""
    folder, info = place.folder, read_metadata(place.folder)
    found = verify(place, address)
    refused = consent(folder, info, vouched=place.recorded is not None or found in WRITTEN_HERE)
    if refused and not allow_pickle:
        raise PermissionDenied(
            f"{str(address)!r} was not loaded, for {refused}, which can run any code: allow it with "
            f"allow_pickle=True (--allow-pickle) if you trust {found}."
        )
    native, wrapped = loaders.load(folder, info)
    if refused:
        logger.warning("%s was loaded although %s: trusted %s", str(address), refused, found)
    return LoadedModel(info, native, found, folder, refused, wrapped)


def verify(place: places.Place, address: str | Path) -> str:
    """The digest of a model's folder; InvalidState if it is another than the one recorded when it was logged."""
    found = digest(place.folder)
    if place.recorded is not None and place.recorded != found:
        raise InvalidState(
            f"{str(address)!r} is not what was logged: its digest is {found}, recorded was {place.recorded}. "
            "Nothing of it is used; bring its files back, or log it again."
        )
    return found


def consent(folder: Path, info: ModelInfo, *, vouched: bool) -> str | None:
    """What the caller has to allow before loading. A recorded digest vouches for the code of a model and the modules
    that it names, and so does that this process saved it."""
    found = pickles.reason(folder, info)
    if found or vouched:
        return found
    imported = pickles.foreign_modules(folder, info)
    return loaders.brings_code(info) or (f"it imports {', '.join(imported)}" if imported else None)
