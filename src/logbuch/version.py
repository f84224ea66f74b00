"""The version of Logbuch, and of MLflow whose protocol it speaks."""

__version__ = "0.1.0"
MLFLOW_PROTOCOL = "3.18.0"
