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
    max_tuning_runs: int | None = 5,
    extra_tags: Mapping[str, Any] | None = None,
    disable: bool = False,
    **mlflows: Any,
) -> None:
    """Logs every ``fit`` of an estimator, pipeline or search: params, metrics on the training data, what the estimator
    is and which data it saw. Of a search also all candidates as a table, and the best ``max_tuning_runs`` (None: all)
    as child runs. Other options of MLflow's are taken."""
    if disable:
        SKLEARN.turn_off()
    else:
        SKLEARN.turn_on(
            {"log_datasets": log_datasets, "max_tuning_runs": max_tuning_runs, "extra_tags": extra_tags}, mlflows
        )
