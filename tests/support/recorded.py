"""Curves of real trainings with both programs, and what was done to each: :mod:`support.recording` has made them.

``tests/data/trainings.npz`` holds three arrays. ``about`` is a JSON text, a list of trainings: ``name``, ``program``
(``storyteller`` or ``lora``), ``label`` (a :class:`~logbuch.stability.findings.Kind`; null for a training to which
nothing was done), ``why`` (what was done), and ``curves``, from the metric's name to the range [begin, end) of its
points in the two other arrays, ``steps`` (int32) and ``values`` (float32).

A label says what was done to a training, not what a check finds in it. Speeds are not kept: they are the machine's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from logbuch.stability.findings import Kind
from logbuch.stability.verdict import Watch, Watched
from support.curves import Labelled, curve

FILE = Path(__file__).parents[1] / "data" / "trainings.npz"
Points = tuple[NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True)
class Training:
    """One training: ``curves`` are steps and values by metric."""

    name: str
    program: str
    label: Kind | None
    why: str
    curves: dict[str, Points]


def trainings() -> Iterator[Training]:
    """All that are kept."""
    with np.load(FILE) as kept:
        about, steps, values = json.loads(str(kept["about"])), kept["steps"], kept["values"]
    for one in about:
        curves = {metric: (steps[begin:end], values[begin:end]) for metric, (begin, end) in one["curves"].items()}
        label = Kind(one["label"]) if one["label"] else None
        yield Training(one["name"], one["program"], label, one["why"], curves)


def write(found: list[Training], file: Path = FILE) -> None:
    """Keeps trainings in place of those that were kept."""
    about, columns, place = [], [], 0
    for one in found:
        ranges = {}
        for metric, points in one.curves.items():
            ranges[metric] = (place, place + len(points[0]))
            columns.append(points)
            place += len(points[0])
        label = str(one.label) if one.label else None
        about.append({"name": one.name, "program": one.program, "label": label, "why": one.why, "curves": ranges})
    steps, values = (np.concatenate([points[side] for points in columns]) for side in (0, 1))
    file.parent.mkdir(exist_ok=True)
    np.savez_compressed(file, about=json.dumps(about), steps=steps.astype("int32"), values=values.astype("float32"))


def labelled() -> Iterator[Labelled]:
    """The trainings as the checks get them."""
    for one in trainings():
        yield Labelled(f"{one.program} {one.name}", one.label, partial(watch, one))


def watch(training: Training) -> Watch:
    def watched(*names: str) -> tuple[Watched, ...]:
        found = [(name, *training.curves[name]) for name in names if name in training.curves]
        return tuple(Watched(name, curve(values.astype("f8"), steps)) for name, steps, values in found)

    return Watch(
        loss=next(iter(watched("train/loss")), None),
        evaluation=next(iter(watched("val/loss", "eval/loss")), None),
        gradients=watched("train/grad_norm"),
        rates=watched("train/learning_rate"),
    )
