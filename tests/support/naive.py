"""Searching as its documentation says it, run after run in Python: what the store's answers are held against."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from logbuch.filter import And, Compare, IsNull, Key, Kind, Node, Not, Op, Or, OrderBy, Part

COMPARISONS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.LT: operator.lt,
    Op.LE: operator.le,
}


@dataclass(slots=True)
class NaiveRun:
    run_id: str
    attributes: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    earlier: dict[str, float] = field(default_factory=dict)
    """Of metrics that have two points, the first."""
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[dict[str, str]] = field(default_factory=list)
    """Each with name and digest, and the context if there is one."""

    def values(self, key: Key) -> list[Any]:
        """What the run has of a key: a value, none, or of data sets one each."""
        if key.kind is Kind.DATASET:
            return [dataset[key.name] for dataset in self.datasets if key.name in dataset]
        if key.part is not Part.LAST:
            return self._extreme(key)
        kinds = {Kind.METRIC: self.metrics, Kind.PARAM: self.params, Kind.TAG: self.tags}
        found: Any = kinds.get(key.kind, self.attributes).get(key.name)
        return [] if found is None else [found]

    def _extreme(self, key: Key) -> list[float]:
        """The least or the greatest number that was logged; NaN is none."""
        logged = [points[key.name] for points in (self.metrics, self.earlier) if key.name in points]
        numbers = sorted((value for value in logged if not math.isnan(value)), key=_signed)
        return numbers[:1] if key.part is Part.MIN else numbers[-1:]


def matches(run: NaiveRun, node: Node | None) -> bool:
    match node:
        case None:
            return True
        case And(terms):
            return all(matches(run, term) for term in terms)
        case Or(terms):
            return any(matches(run, term) for term in terms)
        case Not(term):
            return not matches(run, term)
        case IsNull(key, negated):
            return any(value != "" or key.kind is not Kind.ATTRIBUTE for value in run.values(key)) == negated
        case Compare(key, op, wanted):
            return any(_compares(key, op, value, wanted) for value in run.values(key))


def _compares(key: Key, op: Op, value: Any, wanted: Any) -> bool:
    if key.kind is Kind.PARAM and isinstance(wanted, float):
        number = as_number(value)
        return number is not None and COMPARISONS[op](number, wanted)
    if op in (Op.IN, Op.NOT_IN):
        return (value in wanted) == (op is Op.IN)
    if op in (Op.LIKE, Op.ILIKE):
        pattern = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in wanted)
        return re.fullmatch(pattern, value, re.DOTALL | (re.IGNORECASE if op is Op.ILIKE else 0)) is not None
    if isinstance(wanted, float) and math.isnan(wanted) and op in (Op.EQ, Op.NE):
        return math.isnan(value) == (op is Op.EQ)
    return COMPARISONS[op](value, wanted)


def as_number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def ordered(runs: Sequence[NaiveRun], order: Sequence[OrderBy], *, by_size: bool = False) -> list[NaiveRun]:
    """Numbers, then NaN, then what is absent, in both directions; ties go to the newest, then to the ID."""
    result = sorted(runs, key=lambda run: run.run_id)
    result.sort(key=lambda run: run.attributes["start_time"], reverse=True)
    for wanted in reversed(order):
        result = _by(result, wanted, by_size)
    return result


def _by(runs: Sequence[NaiveRun], wanted: OrderBy, by_size: bool) -> list[NaiveRun]:
    size = by_size and wanted.key.kind is Kind.PARAM
    groups: dict[int, list[tuple[Any, NaiveRun]]] = {0: [], 1: [], 2: [], 3: []}
    for run in runs:
        value = next(iter(run.values(wanted.key)), None)
        number = as_number(value) if size and value is not None else None
        shown = number if number is not None else value
        rank = 3 if value is None else (2 if size and number is None else int(shown != shown))
        groups[rank].append((_signed(shown), run))
    for rank in (0, 2):
        groups[rank].sort(key=lambda pair: pair[0], reverse=not wanted.ascending)
    return [run for rank in sorted(groups) for _, run in groups[rank]]


def _signed(value: Any) -> Any:
    """-0.0 is less than 0.0 in an order, though not in a comparison."""
    return (value, math.copysign(1, value)) if isinstance(value, float) else value
