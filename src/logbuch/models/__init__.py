"""Models: MLflow's MLmodel format, read and written without pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logbuch.integrations import lazy

if TYPE_CHECKING:
    from logbuch.models.digests import digest
    from logbuch.models.inference import infer_signature
    from logbuch.models.info import ModelInfo, read_metadata
    from logbuch.models.loading import LoadedModel, load_model
    from logbuch.models.pickles import needs_pickle
    from logbuch.models.recording import LoggedModelInfo
    from logbuch.models.schema import ColumnSpec, ModelSignature, ParamSpec, TensorSpec

_HOMES = {
    "digests": ("digest",),
    "inference": ("infer_signature",),
    "info": ("ModelInfo", "read_metadata"),
    "loading": ("LoadedModel", "load_model"),
    "pickles": ("needs_pickle",),
    "recording": ("LoggedModelInfo",),
    "schema": ("ColumnSpec", "ModelSignature", "ParamSpec", "TensorSpec"),
}
__all__ = [
    "ColumnSpec",
    "LoadedModel",
    "LoggedModelInfo",
    "ModelInfo",
    "ModelSignature",
    "ParamSpec",
    "TensorSpec",
    "digest",
    "infer_signature",
    "load_model",
    "needs_pickle",
    "read_metadata",
]
__getattr__ = lazy.names(__name__, {name: f"logbuch.models.{home}" for home, names in _HOMES.items() for name in names})
