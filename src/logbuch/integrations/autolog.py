"""``logbuch.autolog()``: every training library that is there, or that is imported later, logs by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logbuch.integrations.library import Library

SKLEARN = Library("sklearn", ("sklearn",), "logbuch.integrations.sklearn.patched")
XGBOOST = Library("xgboost", ("xgboost",), "logbuch.integrations.xgboost")
LIGHTGBM = Library("lightgbm", ("lightgbm",), "logbuch.integrations.lightgbm")
TRANSFORMERS = Library("transformers", ("transformers.trainer",), "logbuch.integrations.transformers")
KERAS = Library("keras", ("keras",), "logbuch.integrations.keras")
PYTORCH = Library("pytorch", ("lightning.pytorch", "pytorch_lightning"), "logbuch.integrations.lightning")
LIBRARIES = (SKLEARN, XGBOOST, LIGHTGBM, TRANSFORMERS, PYTORCH, KERAS)


def autolog(
    *,
    disable: bool = False,
    log_datasets: bool = True,
    log_models: bool = True,
    extra_tags: Mapping[str, Any] | None = None,
    exclude_flavors: Iterable[str] | None = None,
    **mlflows: Any,
) -> None:
    """Turns automatic logging on for all libraries, whether they are imported already or later; ``disable`` turns it
    off and leaves them as they were.

    A training logs to the active run, or to one of its own. ``exclude_flavors`` names libraries that are left out, of
    sklearn, xgboost, lightgbm, transformers, pytorch and keras. ``extra_tags`` are set on each run. ``log_models``
    keeps the models of the first three. Other options of MLflow's ``autolog`` are taken.
    """
    left_out = set(exclude_flavors or ())
    unknown = left_out - {library.name for library in LIBRARIES}
    if unknown:
        raise ValueError(f"logbuch.autolog(exclude_flavors=…): there is no {sorted(unknown)}")
    options = {"log_datasets": log_datasets, "log_models": log_models, "extra_tags": extra_tags}
    for library in LIBRARIES:
        if disable:
            library.turn_off()
        elif library.name not in left_out:
            library.turn_on(options, mlflows)
