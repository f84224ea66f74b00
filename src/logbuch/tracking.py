"""The client under MLflow's name and place: ``from logbuch.tracking import MlflowClient``."""

from __future__ import annotations

from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.fluent import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

MlflowClient = LogbuchClient

__all__ = ["LogbuchClient", "MlflowClient", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]
