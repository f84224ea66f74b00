"""Weights, gradients and the optimiser's states in parts, one for each process (FSDP): a model that no device holds
whole can be trained. On disk all is whole, so that a checkpoint goes on with any number of processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from storyteller.devices import Device
from storyteller.model import Storyteller


def shard(model: Storyteller, device: Device) -> None:
    """Takes from each process all but its part; a block's weights come together while it runs."""
    mesh = init_device_mesh(device.torch.type, (device.world,))
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "losses")


def is_sharded(model: torch.nn.Module) -> bool:
    return isinstance(model, FSDPModule)


def whole(state: Any) -> Any:
    """A state with every part put together, on the processor; all processes must ask at once."""
    if isinstance(state, DTensor):
        return state.full_tensor().cpu()
    if isinstance(state, Mapping):
        return {key: whole(value) for key, value in state.items()}
    return [whole(value) for value in state] if isinstance(state, list) else state


def gathered(model: Storyteller, device: Device) -> Storyteller:
    """The model itself or, of a sharded one, a whole copy on the processor, whose weights the first process alone has;
    all processes must ask at once."""
    if not is_sharded(model):
        return model
    state = whole(model.state_dict())
    with torch.device("cpu" if device.leads else "meta"):
        copy = Storyteller(model.config)
    if device.leads:
        copy.load_state_dict(state)
    return copy


def parted(state: dict[str, Any], optimizer: Optimizer) -> dict[str, Any]:
    """A whole state of an optimiser, as it is loaded by one whose weights are sharded."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]

    def part(value: Any, weight: torch.Tensor) -> Any:
        if isinstance(weight, DTensor) and isinstance(value, torch.Tensor) and value.shape == weight.shape:
            return distribute_tensor(value.to(weight.device), weight.device_mesh, weight.placements)
        return value

    states = {
        number: {key: part(value, weights[number]) for key, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": states}
