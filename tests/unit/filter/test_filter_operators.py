"""Every kind of key under every operator: taken exactly where the tables say so."""

from __future__ import annotations

import pytest

from logbuch.errors import InvalidFilter
from logbuch.filter import EXPERIMENTS, RUNS, Entity, Kind, Op, parse_filter

NUMERIC = {"=", "!=", ">", ">=", "<", "<="}
TEXT = {"=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"}

# key, operators that it takes, a value of its type
RUN_KEYS = [
    ("metrics.m", NUMERIC, "1.5"),
    ("params.p", TEXT, "'v'"),
    ("params.size", {">", ">=", "<", "<="}, "0.001"),
    ("tags.t", TEXT, "'v'"),
    ("run_id", TEXT, "'v'"),
    ("run_name", TEXT, "'v'"),
    ("status", TEXT, "'v'"),
    ("user_id", TEXT, "'v'"),
    ("artifact_uri", TEXT, "'v'"),
    ("start_time", NUMERIC, "15"),
    ("end_time", NUMERIC, "15"),
    ("dataset.name", TEXT, "'v'"),
    ("dataset.digest", TEXT, "'v'"),
    ("dataset.context", TEXT, "'v'"),
]
EXPERIMENT_KEYS = [
    ("name", TEXT, "'v'"),
    ("experiment_id", {"=", "!=", "IN", "NOT IN"}, "'7'"),
    ("creation_time", NUMERIC, "15"),
    ("last_update_time", NUMERIC, "15"),
    ("tags.t", TEXT, "'v'"),
]
CASES = [(RUNS, *row) for row in RUN_KEYS] + [(EXPERIMENTS, *row) for row in EXPERIMENT_KEYS]


@pytest.mark.parametrize("op", list(Op))
@pytest.mark.parametrize(("entity", "key", "taken", "value"), CASES, ids=[f"{c[0].name}-{c[1]}" for c in CASES])
def test_operator(entity: Entity, key: str, taken: set[str], value: str, op: Op) -> None:
    text = f"{key} {op.value} ({value})" if op in (Op.IN, Op.NOT_IN) else f"{key} {op.value} {value}"
    if key == "params.size" and op.value in TEXT:
        with pytest.raises(InvalidFilter, match="in quotes"):
            parse_filter(text, entity)
    elif key == "params.p" and op.value not in TEXT:
        with pytest.raises(InvalidFilter, match="compares with a number without quotes"):
            parse_filter(text, entity)
    elif op.value in taken:
        assert parse_filter(text, entity) is not None
    else:
        with pytest.raises(InvalidFilter, match="cannot be compared with"):
            parse_filter(text, entity)


@pytest.mark.parametrize(("entity", "key", "taken", "value"), CASES, ids=[f"{c[0].name}-{c[1]}" for c in CASES])
def test_every_key_may_be_null(entity: Entity, key: str, taken: set[str], value: str) -> None:
    assert parse_filter(f"{key} IS NULL", entity) is not None
    assert parse_filter(f"{key} IS NOT NULL", entity) is not None


@pytest.mark.parametrize("entity", [RUNS, EXPERIMENTS], ids=lambda entity: entity.name)
def test_the_tables_are_whole(entity: Entity) -> None:
    kinds = set(entity.open_kinds) | set(entity.fixed_kinds)
    assert kinds == set(entity.prefixes.values())
    assert Kind.ATTRIBUTE in entity.fixed_kinds
    for kind, fields in entity.fixed_kinds.items():
        for name, field in fields.items():
            assert all(entity.canonical(kind, spelling) == name for spelling in (name, *field.aliases))
