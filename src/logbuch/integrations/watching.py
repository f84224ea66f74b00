"""Plain PyTorch: norms and histograms of a model's gradients and parameters, as its optimizer sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

import logbuch
from logbuch.errors import InvalidInput
from logbuch.integrations.quiet import quietly

What = Literal["gradients", "parameters", "all"]
_BINS = 64
_WRAPPERS = ("module.", "_orig_mod.")


class Watch:
    """What :func:`watch` returns. ``remove`` ends it; so does leaving its ``with`` block."""

    def __init__(self, names: dict[int, str], parts: tuple[str, ...], log_freq: int, step: Callable[[], int] | None):
        self._names, self._parts, self._log_freq, self._step = names, parts, log_freq, step
        self._counts: dict[int, int] = {}
        self._hook: Any = register_optimizer_step_pre_hook(self._before_step) if names else None

    def remove(self) -> None:
        """Takes the hook away."""
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _before_step(self, optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        with quietly("gradients and parameters"):
            watched = [
                (self._names[id(parameter)], parameter)
                for group in optimizer.param_groups
                for parameter in group["params"]
                if id(parameter) in self._names
            ]
            if not watched or _skipped(optimizer):
                return
            count = self._counts[id(optimizer)] = self._counts.get(id(optimizer), -1) + 1
            if count % self._log_freq == 0:
                self._log(watched, _scale(optimizer), self._step() if self._step is not None else count)

    def _log(self, watched: list[tuple[str, torch.nn.Parameter]], scale: float, step: int) -> None:
        if "gradients" in self._parts:
            gradients = [(name, parameter.grad, scale) for name, parameter in watched if parameter.grad is not None]
            _log_tensors("gradients", gradients, step)
        if "parameters" in self._parts:
            _log_tensors("parameters", [(name, parameter.data, 1.0) for name, parameter in watched], step)


def watch(
    model: torch.nn.Module, log_freq: int = 100, what: What = "gradients", *, step: Callable[[], int] | None = None
) -> Watch:
    """Logs a model's gradients, parameters or both at every ``log_freq``-th step of its optimizer.

    Metrics are the L2 norms: ``gradients/norm`` of the whole and ``gradients/norm/<parameter>`` of each; histograms of
    the finite values are ``gradients/<parameter>``; for parameters likewise. They are taken just before the optimizer
    uses them: gradients of all accumulated batches, clipped if they are, and without the scale of a GradScaler; a step
    that it skips is not counted. The step is the number of the optimizer's step from 0, or what ``step`` returns. They
    go to the active run. Under DDP only the first rank logs; of sharded tensors only what lies on that rank counts.

    Raises ``InvalidInput`` for another ``what`` and for a ``log_freq`` below 1.
    """
    parts = {"gradients": ("gradients",), "parameters": ("parameters",), "all": ("gradients", "parameters")}.get(what)
    if parts is None:
        raise InvalidInput(f"watch(what={what!r}): it must be 'gradients', 'parameters' or 'all'.")
    if log_freq < 1:
        raise InvalidInput(f"watch(log_freq={log_freq!r}): it must be an integer of at least 1.")
    names = {id(parameter): _bare(name) for name, parameter in model.named_parameters()} if _first_rank() else {}
    return Watch(names, parts, log_freq, step)


def _log_tensors(kind: str, tensors: list[tuple[str, Any, float]], step: int) -> None:
    if logbuch.active_run() is None or not tensors:
        return
    dense = [(name, _dense(tensor) / scale) for name, tensor, scale in tensors]
    norms = torch.stack([torch.linalg.vector_norm(values) for _, values in dense]).cpu()
    found = {f"{kind}/norm/{name}": value for (name, _), value in zip(dense, norms.tolist(), strict=True)}
    logbuch.log_metrics({f"{kind}/norm": float(torch.linalg.vector_norm(norms)), **found}, step=step)
    for name, values in dense:
        counted = _count(values)
        if counted is not None:
            logbuch.log_histogram(f"{kind}/{name}", counted, step=step)


def _count(values: torch.Tensor) -> tuple[list[float], list[float]] | None:
    """Counts of the finite values in bins of equal width, and the bins' edges, reckoned where the tensor lies."""
    finite = values[torch.isfinite(values)]
    if not finite.numel():
        return None
    if finite.numel() >= 2**24:  # beyond it a count in 32 bits grows no more
        finite = finite.double()
    low, high = (float(bound) for bound in torch.aminmax(finite))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = [low + (high - low) * number / _BINS for number in range(_BINS)]
    return torch.histc(finite, _BINS, low, high).tolist(), [*edges, high]


def _dense(tensor: Any) -> torch.Tensor:
    """A tensor's values on this rank as floats of 32 bits."""
    found = tensor.detach()
    if hasattr(found, "to_local"):
        found = found.to_local()
    return (found.coalesce().values() if found.is_sparse else found).float()


def _scale(optimizer: Any) -> float:
    """By what a fused optimizer's gradients are still multiplied; others get them unscaled."""
    scale = getattr(optimizer, "grad_scale", None)
    return float(scale) if scale is not None else 1.0


def _skipped(optimizer: Any) -> bool:
    """Whether a fused optimizer will skip the step, because the scaled gradients have overflown."""
    found = getattr(optimizer, "found_inf", None)
    return found is not None and bool(found)


def _bare(name: str) -> str:
    """A parameter's name without those of wrappers."""
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def _first_rank() -> bool:
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return True
    return bool(torch.distributed.get_rank() == 0)
