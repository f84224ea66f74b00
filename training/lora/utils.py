"""What a training script needs beside the training: the tracker set up, its callback, parameters counted."""

from __future__ import annotations

from typing import Any

import tracking
from loading import count_parameters
from mlflow_callback import MLflowCallback, create_mlflow_callback

__all__ = ["MLflowCallback", "count_parameters", "create_mlflow_callback", "setup_mlflow"]


def setup_mlflow(config: Any) -> str | None:
    """Says where runs go (``config.mlflow_tracking_uri``) and which experiment they belong to
    (``config.mlflow_experiment_name``), which is created where it is missing.

    Returns the experiment's ID; "" while no server answers, when runs are kept in the journal until one does; None if
    there is no tracker, or if it refuses.
    """
    if tracking.mlflow is None:
        print("Logbuch is not installed: training without a tracker.")
        return None
    try:
        tracking.mlflow.set_tracking_uri(config.mlflow_tracking_uri)
        experiment = tracking.mlflow.set_experiment(config.mlflow_experiment_name)
    except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
        print(f"Warning: could not set up tracking: {error}\nTraining without a tracker.")
        return None
    if not experiment.experiment_id:
        print(f"No answer from {config.mlflow_tracking_uri}: the run is kept here and sent when a server answers.")
        return ""
    print(f"Experiment {experiment.name} ({experiment.experiment_id}) at {config.mlflow_tracking_uri}")
    return str(experiment.experiment_id)
