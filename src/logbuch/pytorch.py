"""PyTorch and Lightning, under MLflow's name and place: ``logbuch.pytorch.autolog()`` and ``watch``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from logbuch.integrations import lazy
from logbuch.integrations.autolog import PYTORCH

if TYPE_CHECKING:
    from logbuch.integrations.lightning import LogbuchLogger
    from logbuch.integrations.watching import Watch, watch
    from logbuch.models.flavors.pytorch import load_model, log_model, save_model

__all__ = ["LogbuchLogger", "Watch", "autolog", "load_model", "log_model", "save_model", "watch"]
__getattr__ = lazy.names(
    __name__,
    {
        "LogbuchLogger": "logbuch.integrations.lightning",
        "Watch": "logbuch.integrations.watching",
        "load_model": "logbuch.models.flavors.pytorch",
        "log_model": "logbuch.models.flavors.pytorch",
        "save_model": "logbuch.models.flavors.pytorch",
        "watch": "logbuch.integrations.watching",
    },
)


def autolog(
    *,
    checkpoint: Literal[True, False, "all"] = False,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Gives every Trainer of Lightning a ``LogbuchLogger`` when it begins to fit; ``checkpoint`` is its ``log_model``.
    Other options of MLflow's are taken."""
    if disable:
        PYTORCH.turn_off()
    else:
        PYTORCH.turn_on({"checkpoint": checkpoint, "extra_tags": extra_tags}, mlflows)
