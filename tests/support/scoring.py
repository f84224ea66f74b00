"""A model without a library, as the scoring server sees it, and a client that speaks ASGI."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from logbuch.serving import schema
from logbuch.serving.app import Options, create_app
from logbuch.serving.model import Served

COLUMNS = [
    {"name": "a", "type": "long", "required": True},
    {"name": "b", "type": "double", "required": True},
    {"name": "s", "type": "string", "required": True},
    {"name": "flag", "type": "boolean", "required": False},
    {"name": "day", "type": "datetime", "required": False},
    {"name": "small", "type": "integer", "required": False},
    {"name": "raw", "type": "binary", "required": False},
    {"name": "tags", "type": "array", "items": {"type": "string"}, "required": False},
]
PARAMS = [{"name": "factor", "type": "double", "default": 1.0, "shape": None}]
TENSOR = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]
NAMED_TENSORS = [
    {"name": "x", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}},
    {"name": "y", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}},
]
TEXTS = [{"type": "string", "required": True}]


@dataclass
class Model:
    """Answers with ``function(data, params)`` and remembers what it was asked."""

    function: Callable[[Any, dict[str, Any]], Any]
    pause: float = 0.0
    asked: list[Any] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        self.asked.append(data)
        self.threads.add(threading.get_ident())
        if self.pause:
            time.sleep(self.pause)
        return self.function(data, params or {})


def scaled(data: Any, params: dict[str, Any]) -> Any:
    """The column a, times the param."""
    if (data["a"] == 99).any():
        raise RuntimeError("99 is too much")
    return data["a"].to_numpy() * params.get("factor", 1.0)


def served(
    inputs: list[dict[str, Any]] | None = COLUMNS,
    params: list[dict[str, Any]] | None = PARAMS,
    function: Callable[[Any, dict[str, Any]], Any] = scaled,
    *,
    shares: bool = False,
    pause: float = 0.0,
) -> Served:
    return Served(Model(function, pause), schema.read(inputs, params), shares, "a model")


def client(model: Served, options: Options | None = None) -> httpx.AsyncClient:
    app = create_app(model, options or Options())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:5001")
