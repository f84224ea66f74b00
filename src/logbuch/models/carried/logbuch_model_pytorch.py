"""Loads a PyTorch module from its architecture (JSON), the source of own classes, and weights as safetensors.

Stands alone: it needs PyYAML, PyTorch, safetensors and NumPy.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The module, ready to predict."""
    import safetensors.torch

    root = Path(folder)
    kept = json.loads((root / entry["architecture"]).read_text(encoding="utf-8"))
    code = entry.get("class_code")
    model = build(kept["module"], None if code is None else _run(root / "code" / code))
    if kept["dtype"]:
        model = model.to(_dtype(kept["dtype"]))
    safetensors.torch.load_model(model, root / entry["state_dict"])
    return model.eval()


def build(spec: dict[str, Any], own: ModuleType | None) -> Any:
    """A module from its description: the class, the arguments of its constructor, or the children of a container."""
    kind = _class(spec["class"], own)
    if "children" not in spec:
        return kind(**{name: _value(value, own) for name, value in spec["args"].items()})
    children = [(name, build(child, own)) for name, child in spec["children"]]
    if kind.__name__ == "ModuleList":
        return kind([child for _, child in children])
    if kind.__name__ == "ModuleDict":
        return kind(dict(children))
    made = kind()
    for name, child in children:
        made.add_module(name, child)
    return made


class Model:
    """Calls the module without gradients; arrays in, arrays out."""

    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        import torch

        with torch.no_grad():
            if isinstance(data, dict):
                answer = self.native(**{name: self._tensor(value) for name, value in data.items()}, **(params or {}))
            else:
                answer = self.native(self._tensor(data), **(params or {}))
        return _plain(answer)

    def _tensor(self, data: Any) -> Any:
        import numpy as np
        import torch

        if not isinstance(data, torch.Tensor):
            data = torch.from_numpy(np.array(data.to_numpy() if hasattr(data, "to_numpy") else data))
        first = next(self.native.parameters(), None)
        wanted = torch.get_default_dtype() if first is None else first.dtype
        device = None if first is None else first.device
        return data.to(device=device, dtype=wanted if data.is_floating_point() else None)


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    del flavors
    return Model(native)


def _plain(answer: Any) -> Any:
    if hasattr(answer, "detach"):
        return answer.detach().cpu().numpy()
    if isinstance(answer, dict):
        return {key: _plain(value) for key, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [_plain(value) for value in answer]
    return answer


def _value(value: Any, own: ModuleType | None) -> Any:
    if isinstance(value, dict) and "module" in value:
        return build(value["module"], own)
    if isinstance(value, dict) and "tuple" in value:
        return tuple(_value(one, own) for one in value["tuple"])
    return value["value"] if isinstance(value, dict) else value


def _class(name: str, own: ModuleType | None) -> Any:
    import torch

    module, _, path = name.rpartition(":")
    found: Any = own if not module else importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    # A name must not lead to just anything that is installed.
    if not isinstance(found, type) or not issubclass(found, torch.nn.Module):
        raise ValueError(f"{name} is no module of PyTorch")
    return found


def _dtype(name: str) -> Any:
    import torch

    found = getattr(torch, name)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"{name} is no type of PyTorch")
    return found


def _run(file: Path) -> ModuleType:
    """The module of a file of the model, under a name of its own so that two models do not meet."""
    own = f"_logbuch_{abs(hash(str(file.resolve()))):x}"
    spec = importlib.util.spec_from_file_location(own, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module
    spec.loader.exec_module(module)
    return module


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["pytorch"]), flavors)
