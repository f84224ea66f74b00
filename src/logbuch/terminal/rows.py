"""The tracker's answers as rows of runs. Nothing is asked here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logbuch.alerts import Level
from logbuch.model import Noun, RunStatus
from logbuch.terminal.known import Known
from logbuch.terminal.speed import Speed

STABILITY = "logbuch.stability"
GOING = (RunStatus.RUNNING, RunStatus.SCHEDULED)
PARTS = ("last", "step", "min", "max")


class Row(Noun, frozen=True, kw_only=True):
    """A run as it stands.

    ``seconds`` is how long it has run, ``progress`` a part of 1, ``best`` the best ``value`` that its ``metric`` ever
    had, where the direction is known. Use of GPUs is their mean in percent, ``gpu_memory_megabytes`` their sum (10⁶
    bytes), ``gpu_memory_percent`` the fullest. ``curve`` is the metric over the steps. None is what is not known.
    """

    run_id: str
    name: str
    experiment_id: str
    experiment: str
    status: str
    start_time: int
    end_time: int | None
    seconds: float
    step: int | None = None
    progress: float | None = None
    metric: str | None = None
    lower: bool | None = None
    value: float | None = None
    best: float | None = None
    curve: tuple[float | None, ...] = ()
    steps_per_second: float | None = None
    gpu_percent: float | None = None
    gpu_memory_megabytes: float | None = None
    gpu_memory_percent: float | None = None
    stability: str | None = None
    alerts: int = 0
    alert_level: Level | None = None

    @property
    def going(self) -> bool:
        return self.status in GOING


@dataclass(slots=True)
class Memory:
    """What is remembered of a run from one look to the next."""

    known: Known = field(default_factory=Known)
    curve: tuple[float | None, ...] = ()
    drawn: Any = None
    """How the metric stood when the curve was asked for."""
    verdict: str | None = None
    alerts: int = 0
    level: Level | None = None
    speed: Speed = field(default_factory=Speed)


class Table:
    """An answer of ``/runs/table``."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.heads: Sequence[Mapping[str, Any]] = answer["runs"]
        self.total: int = answer["total"]
        self._columns: Mapping[str, Mapping[str, Sequence[Any]]] = answer["columns"]

    def metric(self, place: int, key: str | None, part: str = "last") -> float | None:
        """A number of a run by its place in the table; NaN and ±Infinity come as words."""
        value = self._columns.get(f"metrics.{key}", {}).get(part, ())
        found = value[place] if value else None
        return None if found is None else float(found)

    def tag(self, place: int, key: str) -> str | None:
        values = self._columns.get(f"tags.{key}", {}).get("value")
        return values[place] if values else None

    def standing(self, place: int, known: Known) -> tuple[Any, ...]:
        """What changes when the main metric has got a point. As text: NaN does not equal itself."""
        return tuple(str(self.metric(place, known.metric, part)) for part in PARTS)


def rows(table: Table, memories: Mapping[str, Memory], experiments: Mapping[str, str], now: float) -> list[Row]:
    """The rows of a table, in its order; ``experiments`` are names by ID, ``now`` is in seconds."""
    return [
        _row(table, place, memories.get(head["run_id"]) or Memory(), experiments, now)
        for place, head in enumerate(table.heads)
    ]


def _row(table: Table, place: int, memory: Memory, experiments: Mapping[str, str], now: float) -> Row:
    head, known = table.heads[place], memory.known
    at = step(table, place, known)
    going = head["status"] in GOING
    seconds = _seconds(head, now)
    epoch = table.metric(place, known.epoch)
    return Row(
        run_id=head["run_id"],
        name=head["name"],
        experiment_id=head["experiment_id"],
        experiment=experiments.get(head["experiment_id"], head["experiment_id"]),
        status=head["status"],
        start_time=head["start_time"],
        end_time=_end(head),
        seconds=seconds,
        step=at,
        progress=progress(known, at, epoch),
        metric=known.metric,
        lower=known.lower,
        value=table.metric(place, known.metric),
        best=_best(table, place, known),
        curve=memory.curve,
        steps_per_second=_speed(memory.speed if going else None, at, seconds, now),
        gpu_percent=_mean(_values(table, place, known.uses)) if going else None,
        gpu_memory_megabytes=_sum(_values(table, place, known.memories)) if going else None,
        gpu_memory_percent=max(_values(table, place, known.shares), default=None) if going else None,
        stability=table.tag(place, STABILITY) or memory.verdict,
        alerts=memory.alerts,
        alert_level=memory.level,
    )


def step(table: Table, place: int, known: Known) -> int | None:
    """The highest step at which the main metric or the loss stands."""
    steps = [table.metric(place, key, "step") for key in (known.metric, known.loss, known.epoch)]
    return max((int(value) for value in steps if value is not None), default=None)


def progress(known: Known, at: int | None, epoch: float | None) -> float | None:
    """How much of a run is done, as a part of 1; None where it does not say how far it is to go."""
    if known.steps and at is not None:
        return min(1.0, max(0.0, at / known.steps))
    if known.epochs and epoch is not None and math.isfinite(epoch):
        return min(1.0, max(0.0, epoch / known.epochs))
    return None


def count_alerts(alerts: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, Level]]:
    """Open alerts by run: how many, and the gravest."""
    found: dict[str, tuple[int, Level]] = {}
    for alert in alerts:
        level = Level(alert["level"])
        count, worst = found.get(alert["run_id"], (0, level))
        found[alert["run_id"]] = (count + 1, max(worst, level, key=lambda one: one.rank))
    return found


def _best(table: Table, place: int, known: Known) -> float | None:
    return None if known.lower is None else table.metric(place, known.metric, "min" if known.lower else "max")


def _end(head: Mapping[str, Any]) -> int | None:
    """A lost run ended when it was last heard of."""
    end: int | None = head["end_time"]
    return head["lost_time"] if end is None else end


def _seconds(head: Mapping[str, Any], now: float) -> float:
    end = _end(head)
    start: int = head["start_time"]
    return max(0.0, (now if end is None else end / 1000) - start / 1000)


def _speed(speed: Speed | None, at: int | None, seconds: float, now: float) -> float | None:
    """As it was seen; of a run that was not watched, that of its whole time."""
    seen = None if speed is None else speed.at(now)
    if seen is not None or at is None or seconds <= 0:
        return seen
    return at / seconds


def _values(table: Table, place: int, keys: Iterable[str]) -> list[float]:
    values = (table.metric(place, key) for key in keys)
    return [value for value in values if value is not None and math.isfinite(value)]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sum(values: Sequence[float]) -> float | None:
    return sum(values) if values else None
