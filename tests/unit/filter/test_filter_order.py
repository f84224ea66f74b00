"""order_by clauses. Rows of MLFLOW were checked against MLflow 3.18's own parser."""

from __future__ import annotations

import pytest

from logbuch.errors import InvalidFilter
from logbuch.filter import EXPERIMENTS, RUNS, Key, Kind, OrderBy, Part, parse_order_by
from logbuch.limits import ORDER_BY_CLAUSES

MLFLOW = [
    ("metrics.a", Kind.METRIC, "a", True),
    ("metrics.a ASC", Kind.METRIC, "a", True),
    ("metrics.a\tDesc", Kind.METRIC, "a", False),
    ("metrics.`a b` desc", Kind.METRIC, "a b", False),
    ('metrics."a b"', Kind.METRIC, "a b", True),
    ("metrics.'a b' desc", Kind.METRIC, "a b", False),
    ("metrics.`val/loss` ASC", Kind.METRIC, "val/loss", True),
    ("`metrics`.a desc", Kind.METRIC, "a", False),
    ("`metrics.a` desc", Kind.METRIC, "a", False),
    ('"metrics.a b" desc', Kind.METRIC, "a b", False),
    ("metrics.desc", Kind.METRIC, "desc", True),
    ("metrics.desc desc", Kind.METRIC, "desc", False),
    ("metrics.a.b.c desc", Kind.METRIC, "a.b.c", False),
    ("params.x", Kind.PARAM, "x", True),
    ("tags.mlflow.user desc", Kind.TAG, "mlflow.user", False),
    ("start_time desc", Kind.ATTRIBUTE, "start_time", False),
    ("attributes.start_time", Kind.ATTRIBUTE, "start_time", True),
    ("run.end_time", Kind.ATTRIBUTE, "end_time", True),
    ("`start_time` DESC", Kind.ATTRIBUTE, "start_time", False),
    ('"status"', Kind.ATTRIBUTE, "status", True),
    ("Created desc", Kind.ATTRIBUTE, "start_time", False),
    ("run_name", Kind.ATTRIBUTE, "run_name", True),
    ("run_id", Kind.ATTRIBUTE, "run_id", True),
    ("user_id", Kind.ATTRIBUTE, "user_id", True),
    ("artifact_uri", Kind.ATTRIBUTE, "artifact_uri", True),
]

EXTENSIONS = [
    ("metrics.val/loss ASC", Kind.METRIC, "val/loss", True),
    ("metrics.val/loss", Kind.METRIC, "val/loss", True),
    ("params.a-b:c desc", Kind.PARAM, "a-b:c", False),
    (" metrics.a desc ", Kind.METRIC, "a", False),
    ("`Run Name` desc", Kind.ATTRIBUTE, "run_name", False),
    ("`metrics.a`", Kind.METRIC, "a", True),
]

REFUSED = [
    ("", "empty"),
    ("  ", "empty"),
    ("desc", "have no attribute"),
    ("metrics", "have no attribute"),
    ("metrics.", "key is missing"),
    ("foo", "Valid attributes are"),
    ("foo.bar", "no kind of key"),
    ("METRICS.a", "did you mean metrics"),
    ("start_tme", "did you mean start_time"),
    ("lifecycle_stage", "have no attribute"),
    ("dataset.name", "cannot be ordered by a dataset"),
    ("run name", "have no attribute"),
    ("start_time down", "expected ASC or DESC"),
    ("metrics.a foo", "expected ASC or DESC"),
    ("metrics.a ASC DESC", "one key, then ASC or DESC"),
    ("metrics.a desc nulls last", "one key, then ASC or DESC"),
    ("metrics.a, metrics.b", "one key, then ASC or DESC"),
    ("metrics.a;", "unexpected character"),
    ("-metrics.a", "did you mean metrics"),
    ("(metrics.a) desc", "expected a key"),
    ("max(params.a)", "max takes a metric"),
    ("max(metrics.a", "never closed"),
    ("max(metrics.a) foo", "expected ASC or DESC"),
    ("last(metrics.a)", "have no attribute"),
    ("1", "expected a key"),
    ("'start_time'", "expected a key"),
    ("`status", "never closed"),
    ("metrics.a = 1", "one key, then ASC or DESC"),
    ("metrics.\ud800", "cannot be stored"),
]


def test_least_and_greatest_values() -> None:
    found = parse_order_by(["min(metrics.`a b`) DESC", "MAX(metrics.a)", "metrics.a"], RUNS)
    assert found == (
        OrderBy(Key(Kind.METRIC, "a b", Part.MIN), ascending=False),
        OrderBy(Key(Kind.METRIC, "a", Part.MAX)),
        OrderBy(Key(Kind.METRIC, "a")),
    )
    with pytest.raises(InvalidFilter, match="have no attribute"):
        parse_order_by(["min(creation_time)"], EXPERIMENTS)


@pytest.mark.parametrize(("clause", "kind", "name", "ascending"), MLFLOW + EXTENSIONS)
def test_runs(clause: str, kind: Kind, name: str, ascending: bool) -> None:
    assert parse_order_by([clause], RUNS) == (OrderBy(Key(kind, name), ascending),)


@pytest.mark.parametrize(("clause", "message"), REFUSED)
def test_refused(clause: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_order_by([clause], RUNS)
    assert message in caught.value.message
    assert caught.value.message.startswith("Invalid order_by")
    caught.value.message.encode()


@pytest.mark.parametrize(
    ("clause", "name", "ascending"),
    [
        ("name", "name", True),
        ("attribute.name desc", "name", False),
        ("`name` desc", "name", False),
        ("experiment_id", "experiment_id", True),
        ("creation_time DESC", "creation_time", False),
        ("last_update_time ASC", "last_update_time", True),
    ],
)
def test_experiments(clause: str, name: str, ascending: bool) -> None:
    assert parse_order_by([clause], EXPERIMENTS) == (OrderBy(Key(Kind.ATTRIBUTE, name), ascending),)


@pytest.mark.parametrize("clause", ["tags.a", "metrics.a", "created", "attr.name", "name foo"])
def test_experiments_refused(clause: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_order_by([clause], EXPERIMENTS)


def test_several_keep_their_order() -> None:
    orders = parse_order_by(["metrics.a", "params.a DESC", "start_time"], RUNS)
    assert [order.key.kind for order in orders] == [Kind.METRIC, Kind.PARAM, Kind.ATTRIBUTE]
    assert parse_order_by([], RUNS) == ()


@pytest.mark.parametrize(
    "clauses", [["metrics.a", "metric.`a` desc"], ["start_time", "created DESC"], ["tags.a", "params.a", "tag.a"]]
)
def test_a_field_twice_is_refused_for_runs(clauses: list[str]) -> None:
    with pytest.raises(InvalidFilter, match="duplicate fields"):
        parse_order_by(clauses, RUNS)


def test_a_field_twice_passes_for_experiments_as_in_mlflow() -> None:
    assert len(parse_order_by(["name", "name desc"], EXPERIMENTS)) == 2


def test_too_many_clauses() -> None:
    clauses = [f"metrics.m{number}" for number in range(ORDER_BY_CLAUSES + 1)]
    assert len(parse_order_by(clauses[1:], RUNS)) == ORDER_BY_CLAUSES
    with pytest.raises(InvalidFilter, match="at most 20 clauses"):
        parse_order_by(clauses, RUNS)


def test_the_place_counts_in_its_clause() -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_order_by(["metrics.a", "metrics.b down"], RUNS)
    assert (caught.value.position, caught.value.length) == (10, 4)
    assert "'metrics.b down'" in caught.value.message
