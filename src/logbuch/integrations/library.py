"""``autolog`` of one library: turned on when the library is there or comes, and off again."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from logbuch.integrations import importing
from logbuch.integrations.patches import Patches
from logbuch.integrations.quiet import quietly, warn

_TAKEN = frozenset("exclusive silent disable_for_unsupported_versions log_trace log_traces".split())
_WITHOUT_EFFECT = frozenset(
    "log_models log_input_examples log_model_signatures registered_model_name model_format serialization_format "
    "log_every_n_epoch log_every_n_step pos_label log_model_allowlist".split()
)
"""Options that MLflow's ``autolog`` has besides. A script that gives them runs; the latter are said to do nothing,
where a library has none of that name."""


class Library:
    """A training library: the module whose import turns its logging on, and where stands what is replaced then."""

    def __init__(self, name: str, modules: tuple[str, ...], home: str) -> None:
        self.name = name
        self.patches = Patches()
        self.beside = Patches()
        """What a callback of ours needs to be the only one, with or without ``autolog``."""
        self.options: dict[str, Any] = {}
        self._modules = modules
        self._home = home

    def turn_on(self, options: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        """Logs every training of the library from now on. ``more`` are options of MLflow's."""
        self._check(more)
        self.options = dict(options)
        self.patches.live = True
        for module in self._modules:
            importing.when_imported(module, lambda module=module: self._patch(module))  # type: ignore[misc]

    def turn_off(self) -> None:
        """Leaves the library as it was."""
        for module in self._modules:
            importing.forget(module)
        self.patches.restore()
        self.beside.restore()

    def _patch(self, module: str) -> None:
        if self.patches.live:
            with quietly(f"trainings with {self.name}"):
                importlib.import_module(self._home).patch(self, module)

    def _check(self, more: Mapping[str, Any]) -> None:
        for name, value in more.items():
            call = f"logbuch.{self.name}.autolog({name}={value!r})"
            if name not in _TAKEN | _WITHOUT_EFFECT:
                raise TypeError(f"{call}: there is no such option")
            if name in _WITHOUT_EFFECT and value:
                warn(call, "this option has no effect")
