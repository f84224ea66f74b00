"""PyTorch: modules, kept as architecture, source of own classes, and weights as safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models import architecture, sources
from logbuch.models.carried import logbuch_model_pytorch as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo

_ARCHITECTURE, _WEIGHTS, _CODE = "data/architecture.json", "data/model.safetensors", "model_code.py"


class Pytorch(Flavor):
    name = "pytorch"
    loader = loader
    packages = ("torch", "safetensors", "numpy", "pandas")

    def __init__(self, init_args: Mapping[str, Any] | None = None) -> None:
        self._init_args = init_args

    def write(self, model: Any, folder: Path) -> Saved:
        import safetensors.torch
        import torch

        if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
            raise InvalidInput(f"{type(model).__name__} is no module of PyTorch that can be kept without pickle.")
        own: dict[str, type] = {}
        kept = {"module": architecture.describe(model, self._init_args, own), "dtype": _dtype(model)}
        code = {_CODE: sources.standalone(*own.values())} if own else {}
        (folder / "data").mkdir()
        (folder / _ARCHITECTURE).write_text(json.dumps(kept), encoding="utf-8")
        safetensors.torch.save_model(model, str(folder / _WEIGHTS))
        entry = {
            "model_data": "data",
            "architecture": _ARCHITECTURE,
            "state_dict": _WEIGHTS,
            "class_code": _CODE if code else None,
            "pytorch_version": str(torch.__version__),
            "code": None,
        }
        _check(model, folder, entry, code)
        return Saved(entry, code=code)


def _dtype(model: Any) -> str | None:
    """The one type of all floating-point parameters; None where they have several, or there are none."""
    found = {str(tensor.dtype).removeprefix("torch.") for tensor in model.parameters() if tensor.is_floating_point()}
    return found.pop() if len(found) == 1 else None


def _check(model: Any, folder: Path, entry: Mapping[str, Any], code: Mapping[str, str]) -> None:
    """Builds the module again and compares: what its constructor was given is only known from its attributes."""
    (folder / "code").mkdir()
    for name, source in code.items():
        (folder / "code" / name).write_text(source, encoding="utf-8")
    try:
        again = loader.load(folder, dict(entry))
    except Exception as error:
        raise InvalidInput(
            f"{type(model).__name__} cannot be built again from its attributes: {type(error).__name__}: {error}. "
            "Give init_args, what its constructor was called with."
        ) from error
    found = _difference(model, again)
    if found:
        raise InvalidInput(
            f"{type(model).__name__} built again differs in {found}: give init_args, what its constructor was called "
            "with."
        )


def _difference(model: Any, again: Any) -> str | None:
    import torch

    wanted, got = model.state_dict(), again.state_dict()
    for name in {**wanted, **got}:
        one, other = wanted.get(name), got.get(name)
        if one is None or other is None or one.dtype != other.dtype or not torch.equal(one.cpu(), other.cpu()):
            return f"the tensor {name!r}"
    pairs = zip(model.named_modules(), again.named_modules(), strict=False)
    for (name, one), (_, other) in pairs:
        if one.extra_repr() != other.extra_repr() or type(one).__name__ != type(other).__name__:
            return f"the module {name!r}"
        for key, value in vars(one).items():
            if key != "training" and isinstance(value, (bool, int, float, str)) and vars(other).get(key) != value:
                return f"the attribute {key!r} of the module {name!r}"
    return None


def save_model(
    pytorch_model: Any, path: str | Path, *, init_args: Mapping[str, Any] | None = None, **options: Any
) -> None:
    """Saves a module to a folder. ``init_args`` is what the constructor of its class was called with, needed where
    the module does not keep them as attributes of the same names."""
    calls.save(Pytorch(init_args), pytorch_model, path, options)


def log_model(
    pytorch_model: Any,
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    init_args: Mapping[str, Any] | None = None,
    **options: Any,
) -> LoggedModelInfo:
    """Logs a module to the active run, as :func:`save_model` saves it."""
    return calls.log(Pytorch(init_args), pytorch_model, artifact_path, name, options)


def load_model(model_uri: str | Path, *, allow_pickle: bool = False) -> Any:
    """The module of a model, in evaluation mode."""
    return calls.native("pytorch", model_uri, allow_pickle)
