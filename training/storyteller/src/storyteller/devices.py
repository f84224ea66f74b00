"""Where a training runs: device, precision, processes."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from storyteller.config import TrainingConfig
from storyteller.errors import ConfigError

_GIGA = 1e9
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_PEAK_SIZES = {"cpu": 384}
_PEAK_SECONDS = 0.3


@dataclass(frozen=True)
class Device:
    """One process's device and its place among all. ``amp`` is None in full precision."""

    torch: torch.device
    amp: torch.dtype | None
    compiled: bool
    rank: int = 0
    world: int = 1
    sharded: bool = False
    """Whether each process has a part of the weights only."""

    @property
    def leads(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.amp is None:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[Any] = torch.autocast(self.torch.type, dtype=self.amp)
        return context

    def seed(self, number: int) -> None:
        """Seeds what draws on this device; seeding those that are not there too takes a hundred times as long."""
        if self.torch.type == "cpu":
            torch.default_generator.manual_seed(number)
        else:
            torch.manual_seed(number)

    def summed(self, *values: torch.Tensor | float) -> list[float]:
        """The values, summed over all processes."""
        together = torch.tensor([float(value) for value in values], dtype=torch.float64, device=self.torch)
        if self.world > 1:
            dist.all_reduce(together)
        return [float(value) for value in together.tolist()]

    def any(self, value: bool) -> bool:
        """Whether it is so in any process; all of them must ask."""
        return self.summed(value)[0] > 0 if self.world > 1 else value

    def memory_gb(self) -> float:
        """The most that was in use, in 10^9 bytes: of the GPU, or of the process."""
        if self.torch.type == "cuda":
            return float(torch.cuda.max_memory_allocated(self.torch)) / _GIGA
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / _GIGA

    def peak_flops(self) -> float:
        """Operations a second of a matrix product, the best of 0.3 s: what MFU is a share of."""
        dtype = self.amp or torch.float32
        size = _PEAK_SIZES.get(self.torch.type, 4096)
        a = torch.ones(size, size, device=self.torch, dtype=dtype)
        best, begun = 0.0, time.perf_counter()
        while time.perf_counter() - begun < _PEAK_SECONDS:
            at = time.perf_counter()
            float((a @ a)[0, 0])
            best = max(best, 2 * size**3 / (time.perf_counter() - at))
        return best


@contextlib.contextmanager
def device_of(config: TrainingConfig) -> Iterator[Device]:
    """The device that a configuration means. Under torchrun the processes find each other, and part at the end."""
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    chosen = named("training.device", config.device, int(os.environ.get("LOCAL_RANK", "0")) if world > 1 else None)
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    torch.use_deterministic_algorithms(config.deterministic)
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    amp = chosen.type == "cuda" if config.use_amp == "auto" else config.use_amp == "true"
    sharded = config.parallel == "fsdp" and world > 1
    compiled = chosen.type == "cuda" and not sharded if config.compile == "auto" else config.compile == "true"
    dtype = getattr(torch, config.amp_dtype) if amp else None
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
        torch.set_float32_matmul_precision("high")
    try:
        if world > 1:
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        yield Device(chosen, dtype, compiled, rank, world, sharded)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def named(key: str, name: str, local_rank: int | None = None) -> torch.device:
    """The device of a name, ``auto`` the best that is there; ``ConfigError`` with the key if it is not to be had."""
    if name == "auto":
        mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise ConfigError(f"Invalid {key} {name!r}: {reason}.") from None
    return torch.device("cuda", local_rank) if device.type == "cuda" and local_rank is not None else device
