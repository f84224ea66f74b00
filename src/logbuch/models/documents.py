"""YAML files of models: plain values only, and no larger than they look.

Such a file comes from whoever logged the model. A few hundred bytes of it can stand for gigabytes, by aliases of
aliases, or provoke errors of other kinds than YAML's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from logbuch.errors import InvalidInput

LARGEST = 16 * 1024 * 1024
"""Bytes of a file, and characters and values of it with all aliases written out."""
_SHOWN = 300


def read(file: Path) -> Any:
    """The value of a YAML file; ``InvalidInput`` if it cannot be read."""
    if file.stat().st_size > LARGEST:
        raise InvalidInput(f"The file {file.name} of {str(file.parent)!r} is larger than {LARGEST} bytes.")
    try:
        return _value(file.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001  whatever a damaged or hostile file provokes
        said = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
        raise InvalidInput(f"The file {file.name} of {str(file.parent)!r} cannot be read: {said}") from None


def _value(text: str) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How large a node is with its aliases written out; an error if that is more than a file may have."""
    if node in known:
        if not known[node]:
            raise yaml.YAMLError("a value holds itself")
        return known[node]
    known[node] = 0
    if isinstance(node, yaml.MappingNode):
        size = 1 + sum(_size(part, known) for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        size = 1 + sum(_size(part, known) for part in node.value)
    else:
        size = 1 + len(node.value)
    if size > LARGEST:
        raise yaml.YAMLError("its aliases stand for more than a file may hold")
    known[node] = size
    return size
