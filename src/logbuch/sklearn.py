"""scikit-learn, under MLflow's name and place: ``logbuch.sklearn.autolog()``, ``log_model`` and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logbuch.integrations import lazy
from logbuch.integrations.autolog import SKLEARN

if TYPE_CHECKING:
    from logbuch.models.flavors.sklearn import load_model, log_model, save_model

__all__ = ["autolog", "load_model", "log_model", "save_model"]
__getattr__ = lazy.names(
    __name__, dict.fromkeys(("load_model", "log_model", "save_model"), "logbuch.models.flavors.sklearn")
)


def autolog(
    *,
    log_datasets: bool = True,
    log_models: bool = True,
    log_model_signatures: bool = True,
    log_input_examples: bool = False,
    registered_model_name: str | None = None,
    max_tuning_runs: int | None = 5,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Logs every ``fit`` of an estimator, pipeline or search: params, metrics on the training data, what the estimator
    is and which data it saw, and the model as ``model``: of a search the best one. Of a search also all candidates as a
    table, and the best ``max_tuning_runs`` (None: all) as child runs. Other options of MLflow's are taken."""
    if disable:
        SKLEARN.turn_off()
    else:
        options = {
            "log_datasets": log_datasets,
            "log_models": log_models,
            "log_model_signatures": log_model_signatures,
            "log_input_examples": log_input_examples,
            "registered_model_name": registered_model_name,
            "max_tuning_runs": max_tuning_runs,
            "extra_tags": extra_tags,
        }
        SKLEARN.turn_on(options, mlflows)
