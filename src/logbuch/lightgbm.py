"""LightGBM, under MLflow's name and place: ``logbuch.lightgbm.autolog()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logbuch.integrations import lazy
from logbuch.integrations.autolog import LIGHTGBM

if TYPE_CHECKING:
    from logbuch.integrations.lightgbm import LogbuchCallback, log_summary
    from logbuch.models.flavors.lightgbm import load_model, log_model, save_model

__all__ = ["LogbuchCallback", "autolog", "load_model", "log_model", "log_summary", "save_model"]
__getattr__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(("LogbuchCallback", "log_summary"), "logbuch.integrations.lightgbm"),
        **dict.fromkeys(("load_model", "log_model", "save_model"), "logbuch.models.flavors.lightgbm"),
    },
)


def autolog(
    *,
    log_datasets: bool = True,
    log_models: bool = True,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Logs every ``lightgbm.train``, also that of the scikit-learn classes: params, every round's metrics, the best
    round, the importance of features, and the booster as ``model``. Other options of MLflow's are taken."""
    if disable:
        LIGHTGBM.turn_off()
    else:
        options = {
            "log_datasets": log_datasets,
            "log_models": log_models,
            "registered_model_name": registered_model_name,
            "extra_tags": extra_tags,
        }
        LIGHTGBM.turn_on(options, mlflows)
