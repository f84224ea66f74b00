"""Hugging Face transformers, under MLflow's name and place: ``logbuch.transformers.autolog()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logbuch.integrations import lazy
from logbuch.integrations.autolog import TRANSFORMERS

if TYPE_CHECKING:
    from logbuch.integrations.transformers import LogbuchCallback
    from logbuch.models.flavors.transformers import load_model, log_model, save_model

__all__ = ["LogbuchCallback", "autolog", "load_model", "log_model", "save_model"]
__getattr__ = lazy.names(
    __name__,
    {
        "LogbuchCallback": "logbuch.integrations.transformers",
        **dict.fromkeys(("load_model", "log_model", "save_model"), "logbuch.models.flavors.transformers"),
    },
)


def autolog(
    *,
    log_model_checkpoints: bool = False,
    log_args: bool = True,
    log_config: bool = True,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Gives every ``Trainer`` that is made from now on a ``LogbuchCallback`` with these options. Other options of
    MLflow's are taken."""
    if disable:
        TRANSFORMERS.turn_off()
        return
    callback = {"log_model_checkpoints": log_model_checkpoints, "log_args": log_args, "log_config": log_config}
    TRANSFORMERS.turn_on({"callback": callback, "extra_tags": extra_tags}, mlflows)
