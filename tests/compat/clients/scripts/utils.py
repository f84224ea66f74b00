"""Finding or making the experiment, as training scripts do it; without a tracker the training goes on."""

import mlflow


def setup_mlflow(config):
    """The id of the configured experiment, or None where no tracker answers."""
    mlflow.set_tracking_uri(config.mlflow_tracking_uri)
    try:
        found = mlflow.get_experiment_by_name(config.mlflow_experiment_name)
        if found is not None:
            return found.experiment_id
        return mlflow.create_experiment(config.mlflow_experiment_name)
    except Exception as error:
        print(f"no tracking: {error}")
        return None
