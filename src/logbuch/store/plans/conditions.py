"""The search language's tree as SQL conditions on runs and experiments, with bound values only."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, literal, not_, or_, select, true
from sqlalchemy import Text as SqlText

from logbuch import limits
from logbuch.errors import InvalidFilter
from logbuch.filter import And, Compare, IsNull, Key, Kind, Node, Not, Op, Or, Part
from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import LOST, RunStatus
from logbuch.store import schema
from logbuch.store.experiments import LOCATION_SCHEME
from logbuch.store.inputs import CONTEXT_TAG
from logbuch.store.metrics import ordinal
from logbuch.store.seam import Seam

Condition = ColumnElement[bool]
Test = Callable[[Any], Condition]
"""A condition on a row of one of the tables below, given its columns."""

TABLES = {Kind.METRIC: schema.latest, Kind.PARAM: schema.params, Kind.TAG: schema.tags}
"""Where the values of keys stand, a row a run and key."""

PARTS = {Part.LAST: "value", Part.MIN: "min", Part.MAX: "max"}
"""The columns of :data:`schema.latest` with a metric's values; least and greatest are NULL where all was NaN."""

_ORDER: dict[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.LT: operator.lt,
    Op.LE: operator.le,
}


class Conditions:
    """Turns trees into conditions for one search: over runs, or over experiments."""

    def __init__(self, seam: Seam, entity: FromClause, ids: Mapping[str, int], *, probing: bool = False) -> None:
        """``probing`` conditions are asked of few rows of many, one after the other."""
        self._seam = seam
        self._entity = entity
        self._ids = ids
        self._probing = probing

    def of(self, node: Node | None) -> Condition:
        """The condition of a tree; true for none."""
        match node:
            case None:
                return true()
            case And(terms):
                return and_(*(self.of(term) for term in terms))
            case Or(terms):
                return or_(*(self.of(term) for term in terms))
            case Not(term):
                return not_(self.of(term))
            case IsNull(key, negated):
                present = self._present(key)
                return present if negated else not_(present)
            case Compare():
                return self._compare(node)

    def _compare(self, term: Compare) -> Condition:
        kind = term.key.kind
        if term.op in (Op.LIKE, Op.ILIKE):
            _pattern(str(term.value))
        if kind is Kind.ATTRIBUTE:
            return self._attribute(term)
        if kind is Kind.DATASET:
            return self._dataset(term.key.name, lambda column: self.text(column, term))
        if self._entity is schema.experiments:
            return self._experiment_tag(term.key.name, lambda column: self.text(column, term))
        return self._keyed(term.key, self.test(term))

    def indexed_parts(self, value: ColumnElement[str]) -> Sequence[Condition]:
        """Conditions of which exactly one holds of each param or tag, and for each of which there is an index."""
        return self._seam.indexed_parts(value)

    def test(self, term: Compare) -> Test:
        """A comparison with the value of a metric, param or tag."""
        if term.key.kind is Kind.METRIC:
            return lambda row: number(row[PARTS[term.key.part]], term.op, term.value)
        if isinstance(term.value, float):  # a param, by size
            return lambda row: number(row.number, term.op, term.value)
        return lambda row: self.text(row.value, term)

    def _present(self, key: Key) -> Condition:
        if key.kind is Kind.ATTRIBUTE:
            column = self._column(key.name)
            return and_(column.is_not(None), column != "") if _is_text(column) else column.is_not(None)
        if key.kind is Kind.DATASET:
            return self._dataset(key.name, lambda column: column.is_not(None))
        if self._entity is schema.experiments:
            return self._experiment_tag(key.name, lambda _: true())
        if key.part is not Part.LAST:
            return self._keyed(key, lambda row: row[PARTS[key.part]].is_not(None))
        return self._keyed(key, lambda _: true())

    def key_id(self, name: str) -> int | None:
        """The id of a metric's, param's or tag's key; None for one that was never logged."""
        return self._ids.get(name)

    def _keyed(self, key: Key, test: Test) -> Condition:
        id_ = self.key_id(key.name)
        if id_ is None:
            return false()
        own = TABLES[key.kind].c
        same = select(1).where(own.run == schema.runs.c.id, own.key == id_, test(own)).correlate(schema.runs)
        return exists(self._seam.probed(same) if self._probing else same)

    def _experiment_tag(self, name: str, test: Callable[[Any], Condition]) -> Condition:
        own = schema.experiment_tags.alias()
        same = own.c.experiment == schema.experiments.c.id
        return exists(select(1).where(same, own.c.key == name, test(own.c.value)))

    def _dataset(self, name: str, test: Callable[[Any], Condition]) -> Condition:
        used = schema.inputs.alias()
        if name == "context":
            own = schema.input_tags.alias()
            return exists(select(1).where(own.c.run == schema.runs.c.id, own.c.key == CONTEXT_TAG, test(own.c.value)))
        described = schema.datasets.alias()
        return exists(
            select(1)
            .select_from(used.join(described, described.c.id == used.c.dataset))
            .where(used.c.run == schema.runs.c.id, test(described.c[name]))
        )

    def _attribute(self, term: Compare) -> Condition:
        if term.key.name == "status":
            return _status({word for word in (*RunStatus, LOST) if matches(str(word), term)})
        column = self._column(term.key.name)
        if term.key.name == "experiment_id":
            return self.text(func.cast(column, SqlText), term)
        if _is_text(column):
            return self.text(column, term)
        # A run without an end has none that compares: two-valued logic, so that NOT means what it says.
        return and_(column.is_not(None), _integer(column, term.op, term.value))

    def _column(self, name: str) -> Any:
        if name == "artifact_uri":
            return artifact_uri()
        if name == "duration":
            return duration()
        names = {"run_name": "name", "experiment_id": "id" if self._entity is schema.experiments else "experiment"}
        return self._entity.c[names.get(name, name)]

    def text(self, column: Any, term: Compare) -> Condition:
        """A comparison of texts."""
        value = term.value
        if isinstance(value, tuple):
            inside: Condition = column.in_(list(value))
            return inside if term.op is Op.IN else not_(inside)
        assert isinstance(value, str)
        if term.op in (Op.LIKE, Op.ILIKE):
            return self._seam.like(column, _pattern(value), ignore_case=term.op is Op.ILIKE)
        compared: Condition = _ORDER[term.op](column, value)
        return compared


def number(column: Any, op: Op, value: Any) -> Condition:
    """A comparison of metric values by their ordinals, as IEEE 754 compares the numbers; NaN equals itself alone."""
    wanted = float(value)
    if math.isnan(wanted):
        same: Condition = column == ordinal.NAN
        return {Op.EQ: same, Op.NE: not_(same)}.get(op, false())
    low = ordinal.NEGATIVE_ZERO if wanted == 0 else ordinal.encode(wanted)
    high = ordinal.ZERO if wanted == 0 else ordinal.encode(wanted)
    conditions: dict[Op, Condition] = {
        Op.EQ: column.between(low, high),
        Op.NE: not_(column.between(low, high)),
        Op.GT: and_(column > high, column != ordinal.NAN),
        Op.GE: and_(column >= low, column != ordinal.NAN),
        Op.LT: column < low,
        Op.LE: column <= high,
    }
    return conditions[op]


def duration() -> ColumnElement[int]:
    """How long a run took, ms, as SQL; NULL of a run that has not ended."""
    taken: ColumnElement[int] = schema.runs.c.end_time - schema.runs.c.start_time
    return taken


def artifact_uri() -> ColumnElement[str]:
    """A run's artifact address, as SQL."""
    runs = schema.runs.c
    parts = (
        literal(LOCATION_SCHEME),
        func.cast(func.coalesce(runs.home, runs.experiment), SqlText),
        literal("/"),
        runs.run_id,
    )
    joined: Any = parts[0]
    for part in (*parts[1:], literal("/artifacts")):
        joined = joined.op("||")(part)
    text: ColumnElement[str] = func.cast(joined, SqlText)
    return text


def _integer(column: Any, op: Op, value: Any) -> Condition:
    """A comparison of a whole-number column with any number: fractions and numbers beyond 64 bits included."""
    if isinstance(value, float) and not value.is_integer():
        if op in (Op.EQ, Op.NE) or math.isnan(value):
            return true() if op is Op.NE else false()
        if math.isinf(value):
            return true() if (value > 0) == (op in (Op.LT, Op.LE)) else false()
        value, op = (math.floor(value), Op.GT if op in (Op.GT, Op.GE) else Op.LE)
    whole = int(value)
    if not INT64_MIN <= whole <= INT64_MAX:
        above = op in (Op.LT, Op.LE, Op.NE) if whole > 0 else op in (Op.GT, Op.GE, Op.NE)
        return true() if above else false()
    compared: Condition = _ORDER[op](column, whole)
    return compared


def _status(words: set[str]) -> Condition:
    """That a run stands at one of these; a running one is either RUNNING or LOST."""
    table, running = schema.runs.c, RunStatus.RUNNING
    both = {running, LOST} <= words
    condition: Condition = table.status.in_(
        [status.wire for status in RunStatus if status in words and (both or status is not running)]
    )
    if both or not words & {running, LOST}:
        return condition
    alive: Condition = table.lost_time.is_(None) if running in words else table.lost_time.is_not(None)
    return or_(condition, and_(table.status == running.wire, alive))


def _is_text(column: Any) -> bool:
    return column.type.python_type is str


def matches(text: str, term: Compare) -> bool:
    """A text comparison in Python, for the few words that a status can be."""
    value = term.value
    if isinstance(value, tuple):
        return (text in value) == (term.op is Op.IN)
    assert isinstance(value, str)
    if term.op in (Op.LIKE, Op.ILIKE):
        folded = (text.lower(), value.lower()) if term.op is Op.ILIKE else (text, value)
        return _like(folded[0], _pattern(folded[1]))
    matched: bool = _ORDER[term.op](text, value)
    return matched


def _pattern(text: str) -> str:
    """A LIKE pattern without needless wildcards; one that would be slow on long values is refused."""
    while "%%" in text:
        text = text.replace("%%", "%")
    if len(text) > limits.LIKE_LENGTH or text.count("%") > limits.LIKE_WILDCARDS:
        raise InvalidFilter(
            f"A LIKE pattern has at most {limits.LIKE_LENGTH} characters and {limits.LIKE_WILDCARDS} wildcards %."
        )
    return text


def _like(text: str, pattern: str) -> bool:
    """LIKE in Python, on short texts: one row of the usual table of matching prefixes at a time."""
    reached = [True] + [False] * len(text)
    for character in pattern:
        if character == "%":
            reached = list(accumulate(reached, operator.or_))
        else:
            hits = [before and character in ("_", own) for before, own in zip(reached, text, strict=False)]
            reached = [False, *hits]
    return reached[-1]
