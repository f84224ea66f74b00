"""The errors under MLflow's name and place: ``from logbuch.exceptions import MlflowException``."""

from __future__ import annotations

from logbuch.errors import LogbuchError

MlflowException = LogbuchError

__all__ = ["LogbuchError", "MlflowException"]
