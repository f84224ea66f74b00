"""XGBoost, under MLflow's name and place: ``logbuch.xgboost.autolog()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logbuch.integrations import lazy
from logbuch.integrations.autolog import XGBOOST

if TYPE_CHECKING:
    from logbuch.integrations.xgboost import LogbuchCallback, log_summary
    from logbuch.models.flavors.xgboost import load_model, log_model, save_model

__all__ = ["LogbuchCallback", "autolog", "load_model", "log_model", "log_summary", "save_model"]
__getattr__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(("LogbuchCallback", "log_summary"), "logbuch.integrations.xgboost"),
        **dict.fromkeys(("load_model", "log_model", "save_model"), "logbuch.models.flavors.xgboost"),
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
    """Logs every ``xgboost.train``, also that of the scikit-learn classes: params, every round's metrics, the best
    round, the importance of features, and the booster as ``model``. Other options of MLflow's are taken."""
    if disable:
        XGBOOST.turn_off()
    else:
        options = {
            "log_datasets": log_datasets,
            "log_models": log_models,
            "registered_model_name": registered_model_name,
            "extra_tags": extra_tags,
        }
        XGBOOST.turn_on(options, mlflows)
