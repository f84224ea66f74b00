"""The smallest tracked training: what a first-time user of MLflow types."""

import mlflow

mlflow.set_experiment("hello-mlflow")

with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.01)
    mlflow.log_param("batch_size", 32)
    for step in range(10):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    print("✓ Run completed!")
