"""What is worth to be shown of a run, by the names of its metrics and params."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from logbuch.answers import METRIC_TAG, direction, main_metric
from logbuch.stability.parts import SYSTEM, parts

_USE = re.compile(r"^system/(.+/)?gpu_\d+_utilization_percentage$")
_MEMORY = re.compile(r"^system/(.+/)?gpu_\d+_memory_usage_megabytes$")
_SHARE = re.compile(r"^system/(.+/)?gpu_\d+_memory_usage_percentage$")
_PART = re.compile(r"[/.]")
_STEPS = ("total_steps", "max_steps", "num_training_steps", "num_train_steps", "train_steps", "num_steps", "max_iters",
          "num_iterations", "n_steps", "steps")  # fmt: skip
_EPOCHS = ("num_train_epochs", "max_epochs", "num_epochs", "total_epochs", "n_epochs", "epochs")
MOST_GPUS = 16


@dataclass(frozen=True, slots=True)
class Known:
    """What is asked for of a run.

    ``metric`` is the one it is judged by, ``lower`` whether less of it is better, ``loss`` what tells its step.
    ``steps`` and ``epochs`` are how many it is to make, and ``epoch`` the metric that counts epochs.
    """

    metric: str | None = None
    lower: bool | None = None
    loss: str | None = None
    epoch: str | None = None
    uses: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    steps: int | None = None
    epochs: float | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The metrics to ask for."""
        single = (key for key in (self.metric, self.loss, self.epoch) if key is not None)
        return frozenset([*single, *self.uses, *self.memories, *self.shares])


def known(metrics: Iterable[str], params: Mapping[str, str], tags: Mapping[str, str]) -> Known:
    """What to show of a run with these metrics and params; ``tags`` are those of its experiment."""
    keys = sorted(metrics)
    metric = tags.get(METRIC_TAG)
    if metric not in keys:
        metric = main_metric(dict.fromkeys(keys, 1))
    return Known(
        metric=metric,
        lower=None if metric is None else direction(metric, tags),
        loss=parts(keys).loss,
        epoch=min((key for key in keys if _PART.split(key)[-1] == "epoch"), key=len, default=None),
        uses=_matching(_USE, keys),
        memories=_matching(_MEMORY, keys),
        shares=_matching(_SHARE, keys),
        steps=_whole(_count(params, _STEPS)),
        epochs=_count(params, _EPOCHS),
    )


def curves(metrics: Iterable[str], first: str | None, most: int) -> list[str]:
    """The metrics whose curves are shown: the main one, losses and evaluations, others; those of the system last."""
    rest = set(metrics) - {first}
    own = {key for key in rest if not key.startswith(SYSTEM)}
    gpus = {key for key in rest if _USE.search(key)}
    chosen = [] if first is None else [first]
    while own and len(chosen) < most:
        best = main_metric(dict.fromkeys(own, 1))
        assert best is not None
        chosen.append(best)
        own.remove(best)
    return [*chosen, *sorted(gpus)][:most]


def _matching(pattern: re.Pattern[str], keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in keys if pattern.search(key))[:MOST_GPUS]


def _count(params: Mapping[str, str], names: Iterable[str]) -> float | None:
    """The first of these params that is a positive number; -1 and 0 stand for "no limit"."""
    by_name = {_PART.split(key)[-1].lower(): value for key, value in params.items()}
    for name in names:
        try:
            value = float(by_name.get(name, ""))
        except ValueError:
            continue
        if value > 0 and math.isfinite(value):
            return value
    return None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value) or None
