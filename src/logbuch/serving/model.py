"""The model that is served: how it predicts, what it takes, and whether requests may share a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from logbuch.serving.schema import Signature

_ROW_BY_ROW = frozenset({"sklearn", "xgboost", "lightgbm", "pytorch", "keras"})
"""Flavors whose answer for a row does not hang on the rows beside it. A Python function or a language model that draws
may do otherwise, so each of their requests is predicted alone."""


class Predicting(Protocol):
    """A loaded model."""

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Served:
    """One model behind the endpoints."""

    loaded: Predicting
    signature: Signature
    shares: bool = False
    """Whether the rows of several requests may go through one prediction."""
    source: str = ""
    """Where the model comes from, for the metrics."""


def row_by_row(flavors: Mapping[str, Any]) -> bool:
    """Whether a model of these flavors predicts row by row."""
    return bool(_ROW_BY_ROW & flavors.keys())
