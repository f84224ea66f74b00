"""The model that a training has made, logged as ``model`` of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun
from logbuch.models import ModelSignature, infer_signature

NAME = "model"
_ROWS = 5
"""So many rows of the training data are the example, and what the signature is inferred from."""


def log(
    run: TrainingRun, options: Mapping[str, Any], log_model: Callable[..., object], model: Any, rows: Any = None
) -> None:
    """Logs a model by its flavor's ``log_model``, unless the option ``log_models`` is off. ``rows`` are training data
    that its ``predict`` takes."""
    if run.run_id is None or not options.get("log_models", True):
        return
    with quietly("the model"):
        example = rows.iloc[:_ROWS] if hasattr(rows, "iloc") else rows[:_ROWS] if rows is not None else None
        log_model(
            model,
            name=NAME,
            registered_model_name=options.get("registered_model_name"),
            signature=_signature(model, example) if options.get("log_model_signatures", True) else None,
            input_example=example if options.get("log_input_examples") else None,
        )


def _signature(model: Any, example: Any) -> ModelSignature | None:
    """What the model takes and gives; None where that has no type in MLflow's schema."""
    if example is not None:
        with quietly("the model's signature"):
            return infer_signature(example, model.predict(example))
    return None
