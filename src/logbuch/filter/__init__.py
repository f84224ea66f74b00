"""The search language: text to a tree, for filters and orders. ``logbuch.store`` turns the tree into SQL.

MLflow's grammar, and more: OR, NOT, parentheses, keys with ``/``, ``-`` and ``:`` without quotes, IN on every text,
IS NULL on every kind, params by size (``params.lr > 0.001``), and NaN and ±Infinity as values of metrics.
"""

from __future__ import annotations

from logbuch.filter.entities import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Entity,
    Field,
    ValueType,
)
from logbuch.filter.nodes import And, Compare, IsNull, Key, Kind, Node, Not, Op, Or, OrderBy, Part
from logbuch.filter.order import parse_order_by
from logbuch.filter.parser import parse_filter
from logbuch.filter.writing import equalities

__all__ = [
    "EXPERIMENTS",
    "LOGGED_MODELS",
    "MODEL_VERSIONS",
    "REGISTERED_MODELS",
    "RUNS",
    "And",
    "Compare",
    "Entity",
    "Field",
    "IsNull",
    "Key",
    "Kind",
    "Node",
    "Not",
    "Op",
    "Or",
    "OrderBy",
    "Part",
    "ValueType",
    "equalities",
    "parse_filter",
    "parse_order_by",
]
