"""The training programs use what Logbuch gives to everybody, and nothing else of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import logbuch

TRAINING = Path(__file__).parents[2] / "training"


def used(tree: ast.AST) -> Iterator[str]:
    """The modules of Logbuch that are imported, and the names that are asked of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "logbuch")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "logbuch":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and _is_logbuch(node.value):
            yield f"logbuch.{node.attr}"


def _is_logbuch(node: ast.AST) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("logbuch", "_logbuch")


def test_only_public_names() -> None:
    files = sorted(TRAINING.rglob("*.py"))
    found = {name for file in files for name in used(ast.parse(file.read_text(encoding="utf-8")))}
    assert {"logbuch", "logbuch.start_run", "logbuch.log_metrics"} <= found
    for name in sorted(found - {"logbuch"}):
        first, *rest = name.split(".")[1:]
        assert first in logbuch.__all__, name
        if rest:
            assert rest[0] in getattr(logbuch, first).__all__, name
