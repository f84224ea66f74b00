"""The nouns under MLflow's names and place: ``from logbuch.entities import Metric``."""

from __future__ import annotations

from logbuch.sdk.entities import *  # noqa: F403  its __all__ is the list
from logbuch.sdk.entities import __all__ as __all__
