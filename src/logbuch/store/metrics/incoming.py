"""Points of one run as they come in: of any keys, in columns, before their keys have inner ids."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store.metrics.arriving import Column


@dataclass(frozen=True, slots=True)
class Incoming:
    """Parallel columns: point ``i`` is of the key ``names[index[i]]``. The index must be in range."""

    names: Sequence[str]
    index: Column
    steps: Column
    timestamps: Column
    values: Column

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def of(cls, metrics: Sequence[Metric]) -> Incoming:
        """The columns of these points. Whoever has just decoded them calls this at once: they are still at hand in the
        processor's cache, which makes it three times as quick as a moment later in another thread."""
        places: dict[str, int] = {}
        index = [places.setdefault(metric.key, len(places)) for metric in metrics]
        return cls(
            list(places),
            array("q", index),
            _whole("step", [metric.step for metric in metrics]),
            _whole("timestamp", [metric.timestamp for metric in metrics]),
            array("d", [metric.value for metric in metrics]),
        )


def _whole(name: str, values: list[int]) -> array[int]:
    try:
        return array("q", values)
    except OverflowError:
        wrong = next(value for value in values if not INT64_MIN <= value <= INT64_MAX)
        raise InvalidInput(f"Invalid value {wrong} for parameter '{name}': it does not fit 64 bits.") from None
