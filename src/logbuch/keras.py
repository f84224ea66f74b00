"""Keras, under MLflow's name and place: ``logbuch.keras.autolog()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logbuch.integrations import lazy
from logbuch.integrations.autolog import KERAS

if TYPE_CHECKING:
    from logbuch.integrations.keras import LogbuchCallback

__all__ = ["LogbuchCallback", "autolog"]
__getattr__ = lazy.names(__name__, {"LogbuchCallback": "logbuch.integrations.keras"})


def autolog(
    *,
    log_every_n_steps: int | None = None,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Logs every ``fit`` of a model of Keras as ``LogbuchCallback`` does. Other options of MLflow's are taken."""
    if disable:
        KERAS.turn_off()
    else:
        KERAS.turn_on({"log_every_n_steps": log_every_n_steps, "extra_tags": extra_tags}, mlflows)
