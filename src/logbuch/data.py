"""Data sets for ``log_input``, under MLflow's name and place: ``logbuch.data.from_pandas(...)``."""

from __future__ import annotations

from logbuch.sdk.data import Dataset, from_numpy, from_pandas

__all__ = ["Dataset", "from_numpy", "from_pandas"]
