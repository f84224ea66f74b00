"""A PyTorch module described by what its constructors were called with, so that it can be built again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models import sources

_LEFT_OUT = ("device", "dtype", "_weight", "_freeze")
_PLAIN = (bool, int, float, str, type(None))


def describe(module: Any, init_args: Mapping[str, Any] | None, own: dict[str, type]) -> dict[str, Any]:
    """The class and arguments, or children, of a module and all that it was built from. ``own`` collects the classes
    that are not installed. ``InvalidInput`` names the argument that the module does not show."""
    import torch

    kind = type(module)
    if type(module).forward is torch.nn.Module.forward and init_args is None and kind.__module__.startswith("torch."):
        return _container(module, own)
    if kind is torch.nn.Sequential:
        return _container(module, own)
    return {"class": _name(kind, own), "args": _arguments(module, init_args, own)}


def _container(module: Any, own: dict[str, type]) -> dict[str, Any]:
    children = [[name, describe(child, None, own)] for name, child in module.named_children()]
    return {"class": _name(type(module), own), "children": children}


def _name(kind: type, own: dict[str, type]) -> str:
    if sources.is_installed(kind):
        return f"{kind.__module__}:{kind.__qualname__}"
    if own.setdefault(kind.__name__, kind) is not kind:
        raise InvalidInput(f"The model has two classes called {kind.__name__!r}.")
    return f":{kind.__name__}"


def _arguments(module: Any, given: Mapping[str, Any] | None, own: dict[str, type]) -> dict[str, Any]:
    found = {}
    for name, parameter in list(inspect.signature(type(module).__init__).parameters.items())[1:]:
        if given is not None and name in given:
            found[name] = _kept(name, given[name], module, own)
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or name in _LEFT_OUT:
            continue
        elif hasattr(module, name) and _is_keepable(getattr(module, name), name):
            found[name] = _kept(name, getattr(module, name), module, own)
        elif parameter.default is parameter.empty:
            raise InvalidInput(
                f"{type(module).__name__} does not show its argument {name!r}: keep it as an attribute of that name, "
                f"or give init_args={{{name!r}: …}}."
            )
    return found


def _is_keepable(value: Any, name: str) -> bool:
    if name == "bias":
        return True
    import torch

    if isinstance(value, (list, tuple)):
        return all(_is_keepable(one, "") for one in value)
    return isinstance(value, (*_PLAIN, torch.nn.Module))


def _kept(name: str, value: Any, module: Any, own: dict[str, type]) -> Any:
    import torch

    if isinstance(value, torch.nn.Module):
        return {"module": describe(value, None, own)}
    if name == "bias" and (value is None or isinstance(value, torch.Tensor)):
        return value is not None
    if isinstance(value, tuple):
        return {"tuple": [_kept("", one, module, own) for one in value]}
    if isinstance(value, _PLAIN) or (isinstance(value, list) and all(isinstance(one, _PLAIN) for one in value)):
        return {"value": value}
    raise InvalidInput(f"The argument {name!r} of {type(module).__name__}, a {type(value).__name__}, cannot be kept.")
