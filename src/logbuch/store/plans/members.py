"""The runs of which one comparison holds, by an index of values: the other way round than to ask run after run."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Select, Table, false, select, true, union_all

from logbuch.filter import Compare, IsNull, Key, Kind, Op, Part
from logbuch.store import schema
from logbuch.store.plans.conditions import PARTS, TABLES, Condition, Conditions

RUN_ID = Key(Kind.ATTRIBUTE, "run_id")
NAME = Key(Kind.ATTRIBUTE, "run_name")


@dataclass(frozen=True, slots=True)
class Members:
    """A query of inner ids of runs. Without ``ranged`` it goes through all values of the key to find them."""

    query: Select[Any] | CompoundSelect[Any]
    ranged: bool
    of: Table
    """The table that is read."""


def members(conditions: Conditions, term: Compare | IsNull, experiments: Sequence[int]) -> Members | None:
    """The runs of which a condition on a metric, param, tag, data set, name or run ID holds; None where no index knows
    them.

    ``experiments`` narrows metrics and names; runs of others may be among those of params, tags and data sets.
    """
    if isinstance(term, IsNull) and not term.negated:
        return None
    if term.key == RUN_ID:
        return _of_run_ids(conditions, term)
    if term.key == NAME:
        return _of_names(conditions, term, experiments)
    if term.key.kind is Kind.DATASET:
        return _of_datasets(conditions, term)
    if term.key.kind not in TABLES or (term.key.kind is Kind.METRIC and not experiments):
        return None
    table = TABLES[term.key.kind]
    key = conditions.key_id(term.key.name)
    if key is None:
        return Members(select(table.c.run).where(false()), True, table)
    rows = select(table.c.run).where(table.c.key == key)
    if term.key.kind is Kind.METRIC:
        rows = rows.where(table.c.experiment.in_(experiments))
        last = term.key.part is Part.LAST
        ranged = last and (isinstance(term, IsNull) or term.op is not Op.NE)
        return Members(rows.where(_tested(conditions, term, table)), ranged, table)
    if isinstance(term, IsNull):
        return Members(_in_parts(conditions, rows, table.c.value), True, table)
    return _of_texts(conditions, term, rows.where(_tested(conditions, term, table)), table.c.value, table)


def _of_texts(conditions: Conditions, term: Compare, rows: Select[Any], column: Any, table: Table) -> Members:
    """Rows of which a comparison holds, narrowed to what an index of the texts has to be read for."""
    start = _start(column, term)
    ranged = bool(start) or term.op in (Op.EQ, Op.IN)
    return Members(_in_parts(conditions, rows.where(*start), column), ranged, table)


def _in_parts(conditions: Conditions, rows: Select[Any], column: Any) -> Select[Any] | CompoundSelect[Any]:
    parts = [rows.where(own) for own in conditions.indexed_parts(column)]
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _tested(conditions: Conditions, term: Compare | IsNull, table: Table) -> Condition:
    if not isinstance(term, IsNull):
        return conditions.test(term)(table.c)
    present: Condition = true() if term.key.part is Part.LAST else table.c[PARTS[term.key.part]].is_not(None)
    return present


def _of_names(conditions: Conditions, term: Compare | IsNull, experiments: Sequence[int]) -> Members | None:
    if isinstance(term, IsNull) or not experiments:
        return None
    runs = schema.runs.c
    # Both views are named, so that the index is sought by what follows them too.
    ours = runs.experiment.in_(experiments) & runs.deleted.in_([False, True])
    rows = select(runs.id.label("run")).where(ours, conditions.text(runs.name, term))
    return _of_texts(conditions, term, rows, runs.name, schema.runs)


def _of_run_ids(conditions: Conditions, term: Compare | IsNull) -> Members | None:
    if isinstance(term, IsNull) or term.op not in (Op.EQ, Op.IN):
        return None
    return Members(select(schema.runs.c.id).where(conditions.text(schema.runs.c.run_id, term)), True, schema.runs)


def _of_datasets(conditions: Conditions, term: Compare | IsNull) -> Members | None:
    """Data sets are few, and each knows its runs; the contexts in which they were used have no index."""
    if isinstance(term, IsNull) or term.key.name == "context":
        return None
    used = schema.inputs.join(schema.datasets, schema.datasets.c.id == schema.inputs.c.dataset)
    test = conditions.text(schema.datasets.c[term.key.name], term)
    return Members(select(schema.inputs.c.run).select_from(used).where(test), True, schema.inputs)


def _start(column: Any, term: Compare) -> list[Condition]:
    """What LIKE says of the start of texts, in words that an index understands."""
    first = re.split("[%_]", str(term.value), maxsplit=1)[0] if term.op is Op.LIKE else ""
    after = following(first)
    return ([column >= first] if first else []) + ([column < after] if after else [])


def following(start: str) -> str:
    """A text above all that begin so, and above no other that ``start`` is not; empty where there is none."""
    kept = start.rstrip(chr(sys.maxunicode))
    if not kept:
        return ""
    next_ = ord(kept[-1]) + 1
    # The code points of surrogates are no text: the next character comes after them.
    return kept[:-1] + chr(0xE000 if next_ == 0xD800 else next_)
