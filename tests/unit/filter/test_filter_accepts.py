"""What the language takes, and what it means. Rows marked MLflow were checked against MLflow 3.18's own parser."""

from __future__ import annotations

import math

import pytest

from logbuch.filter import EXPERIMENTS, RUNS, And, Compare, IsNull, Key, Kind, Node, Not, Op, Or, Part, parse_filter


def metric(name: str, op: str, value: float) -> Compare:
    return Compare(Key(Kind.METRIC, name), Op(op), value)


def param(name: str, op: str, value: str | tuple[str, ...]) -> Compare:
    return Compare(Key(Kind.PARAM, name), Op(op), value)


def tag(name: str, op: str, value: str | tuple[str, ...]) -> Compare:
    return Compare(Key(Kind.TAG, name), Op(op), value)


def attribute(name: str, op: str, value: str | float | tuple[str, ...]) -> Compare:
    return Compare(Key(Kind.ATTRIBUTE, name), Op(op), value)


def dataset(name: str, op: str, value: str | tuple[str, ...]) -> Compare:
    return Compare(Key(Kind.DATASET, name), Op(op), value)


A, B, C = metric("a", "<", 1.0), metric("b", ">", 2.0), param("c", "=", "x")

MLFLOW: list[tuple[str, Node | None]] = [
    # numbers
    ("metrics.a < 1", A),
    ("metrics.a<1", A),
    (" metrics.a\n<\t1 ", A),
    ("metrics.a <\u00a01", A),
    ("metrics.a<-1", metric("a", "<", -1)),
    ("metrics.a >=-1", metric("a", ">=", -1)),
    ("metrics.a < 1e3", metric("a", "<", 1000)),
    ("metrics.a < -1.5E-3", metric("a", "<", -0.0015)),
    ("metrics.a<.5", metric("a", "<", 0.5)),
    ("metrics.a<-.5", metric("a", "<", -0.5)),
    ("metrics.a < 5.", metric("a", "<", 5)),
    ("metrics.a < 007", metric("a", "<", 7)),
    ("metrics.a < 1e400", metric("a", "<", math.inf)),
    ("metrics.a < 123456789012345678901234567890", metric("a", "<", 123456789012345678901234567890.0)),
    ("metrics.a != 1", metric("a", "!=", 1)),
    # keys
    ("metric.a < 1", A),
    ("`metrics`.a < 1", A),
    ("`metrics`.`a` < 1", A),
    ("metrics.a.b.c < 2", metric("a.b.c", "<", 2)),
    ("metrics.`a.b` < 2", metric("a.b", "<", 2)),
    ("metrics.`val/loss` < 2", metric("val/loss", "<", 2)),
    ('metrics."val/loss" < 2', metric("val/loss", "<", 2)),
    ("metrics.'val/loss' < 2", metric("val/loss", "<", 2)),
    ("metrics.`a b`<2", metric("a b", "<", 2)),
    ("metrics.1a < 2", metric("1a", "<", 2)),
    ("metrics._a < 2", metric("_a", "<", 2)),
    ("metrics.日本 < 2", metric("日本", "<", 2)),
    ("params..a = 'x'", param(".a", "=", "x")),
    ("params.a. = 'x'", param("a.", "=", "x")),
    ("params.a::text = 'x'", param("a::text", "=", "x")),
    ("tags.mlflow.source.name = 'b'", tag("mlflow.source.name", "=", "b")),
    ("tags.is = 'b'", tag("is", "=", "b")),
    ("tags.not = 'b'", tag("not", "=", "b")),
    ("tags.and = 'b'", tag("and", "=", "b")),
    ("tags.or = 'b'", tag("or", "=", "b")),
    # texts
    ("params.c = 'x'", C),
    ('params.c="x"', C),
    ("param.c = 'x'", C),
    ("parameter.c = 'x'", C),
    ("parameters.c = 'x'", C),
    ("params.a = ''", param("a", "=", "")),
    ('params.a = "it\'s"', param("a", "=", "it's")),
    ("params.a = 'say \"hi\"'", param("a", "=", 'say "hi"')),
    (r"params.a = 'a\nb'", param("a", "=", r"a\nb")),
    (r"params.a = 'a\\b'", param("a", "=", r"a\\b")),
    (r"params.a = 'it\'s'", param("a", "=", r"it\'s")),
    (r"params.a = 'C:\data\'", param("a", "=", "C:\\data\\")),
    (r"params.a = 'C:\' AND params.c = " + '"x"', And((param("a", "=", "C:\\"), C))),
    ("params.a = 'x\ny'", param("a", "=", "x\ny")),
    ("params.a = '😀'", param("a", "=", "😀")),
    ("params.a = 'AND'", param("a", "=", "AND")),
    ("params.a like 'x%'", param("a", "LIKE", "x%")),
    ('params.a LIKE"x"', param("a", "LIKE", "x")),
    ("tag.a iLike '%_'", tag("a", "ILIKE", "%_")),
    # absence
    ("params.a IS NULL", IsNull(Key(Kind.PARAM, "a"))),
    ("tags.a is  not null", IsNull(Key(Kind.TAG, "a"), negated=True)),
    # attributes
    ("status = 'RUNNING'", attribute("status", "=", "RUNNING")),
    ("`status` = 'RUNNING'", attribute("status", "=", "RUNNING")),
    ("\"status\" = 'RUNNING'", attribute("status", "=", "RUNNING")),
    ("attributes.status = 'RUNNING'", attribute("status", "=", "RUNNING")),
    ("attribute.\"status\" = 'RUNNING'", attribute("status", "=", "RUNNING")),
    ("attr.`status` != 'x'", attribute("status", "!=", "x")),
    ("run.status = 'running'", attribute("status", "=", "running")),
    ("run_name LIKE 'x%'", attribute("run_name", "LIKE", "x%")),
    ("`run name` = 'x'", attribute("run_name", "=", "x")),
    ("attributes.`Run name` = 'x'", attribute("run_name", "=", "x")),
    ("\"Run Name\" = 'x'", attribute("run_name", "=", "x")),
    ("user_id = 'u'", attribute("user_id", "=", "u")),
    ("artifact_uri LIKE '%x'", attribute("artifact_uri", "LIKE", "%x")),
    ("start_time > 1", attribute("start_time", ">", 1)),
    ("created > 1", attribute("start_time", ">", 1)),
    ("attributes.Created > 1", attribute("start_time", ">", 1)),
    ("end_time <= -5", attribute("end_time", "<=", -5)),
    ("start_time > 1.5", attribute("start_time", ">", 1.5)),
    ("start_time > 1e3", attribute("start_time", ">", 1000.0)),
    # lists
    ("run_id IN ('x')", attribute("run_id", "IN", ("x",))),
    ("run_id in('x',\"y\")", attribute("run_id", "IN", ("x", "y"))),
    ("run_id IN ('x',)", attribute("run_id", "IN", ("x",))),
    ("run_id IN (('x', 'y'))", attribute("run_id", "IN", ("x", "y"))),
    ("attributes.run_id NOT  in ('x')", attribute("run_id", "NOT IN", ("x",))),
    ("dataset.context NOT IN ('train')", dataset("context", "NOT IN", ("train",))),
    ("datasets.name = 'x'", dataset("name", "=", "x")),
    ("dataset.`digest` ILIKE 'x'", dataset("digest", "ILIKE", "x")),
    # AND, and what MLflow takes for one
    ("metrics.a < 1 AND metrics.b > 2", And((A, B))),
    ("metrics.a < 1 and metrics.b > 2 AnD params.c = 'x'", And((A, B, C))),
    ("params.c = 'x'AND metrics.a < 1", And((C, A))),
    ("metrics.a < 1 metrics.b > 2", And((A, B))),
    ("params.c='x'params.c='x'", And((C, C))),
    ("metrics.a < 1 AND", A),
    ("AND metrics.a < 1", A),
    ("metrics.a < 1 AND AND metrics.b > 2", And((A, B))),
    ("AND", None),
    ("", None),
]

EXTENSIONS: list[tuple[str, Node | None]] = [
    ("  \n ", None),
    ("metrics.val/loss < 2.0", metric("val/loss", "<", 2)),
    ("metrics.val/loss<2", metric("val/loss", "<", 2)),
    ("params.a-b:c = 'x'", param("a-b:c", "=", "x")),
    ("metrics.top-1>-5", metric("top-1", ">", -5)),
    ("metrics.1 < 2", metric("1", "<", 2)),
    ("`metrics`.val/loss < 2", metric("val/loss", "<", 2)),
    ("tags.in = 'b'", tag("in", "=", "b")),
    ("params.from = 'b'", param("from", "=", "b")),
    ("metrics.a < 1e+5", metric("a", "<", 1e5)),
    ("metrics.a < 1.e-05", metric("a", "<", 1e-5)),
    ("metrics.a = NaN", metric("a", "=", math.nan)),
    ("metrics.a != nan", metric("a", "!=", math.nan)),
    ("metrics.a = Infinity", metric("a", "=", math.inf)),
    ("metrics.a < inf", metric("a", "<", math.inf)),
    ("metrics.a>-Infinity", metric("a", ">", -math.inf)),
    ("metrics.a >= -inf", metric("a", ">=", -math.inf)),
    ("params.a = 'it''s'", param("a", "=", "it's")),
    ('params.a = "a""b"', param("a", "=", 'a"b')),
    ("params.`a``b` = 'x'", param("a`b", "=", "x")),
    ("params.a IN ('x', 'y')", param("a", "IN", ("x", "y"))),
    ("params.a IN ('y', 'x', 'y')", param("a", "IN", ("y", "x"))),
    ("tags.a NOT IN ('x')", tag("a", "NOT IN", ("x",))),
    ("status IN ('RUNNING', 'FINISHED')", attribute("status", "IN", ("RUNNING", "FINISHED"))),
    ("`run name` not in ('a')", attribute("run_name", "NOT IN", ("a",))),
    ("metrics.a IS NULL", IsNull(Key(Kind.METRIC, "a"))),
    ("min(metrics.a) < 1", Compare(Key(Kind.METRIC, "a", Part.MIN), Op.LT, 1.0)),
    ("MAX ( metrics.`a b` ) > 1", Compare(Key(Kind.METRIC, "a b", Part.MAX), Op.GT, 1.0)),
    ("max(metric.a) IS NULL", IsNull(Key(Kind.METRIC, "a", Part.MAX))),
    ("NOT (min(metrics.a) < 1)", Not(Compare(Key(Kind.METRIC, "a", Part.MIN), Op.LT, 1.0))),
    ("end_time IS NOT NULL", IsNull(Key(Kind.ATTRIBUTE, "end_time"), negated=True)),
    ("dataset.name IS NULL", IsNull(Key(Kind.DATASET, "name"))),
    ("metrics.a < 1 OR metrics.b > 2", Or((A, B))),
    ("metrics.a < 1 or metrics.b > 2 OR params.c = 'x'", Or((A, B, C))),
    ("metrics.a < 1 AND metrics.b > 2 OR params.c = 'x'", Or((And((A, B)), C))),
    ("metrics.a < 1 OR metrics.b > 2 AND params.c = 'x'", Or((A, And((B, C))))),
    ("metrics.a < 1 AND (metrics.b > 2 OR params.c = 'x')", And((A, Or((B, C))))),
    ("(metrics.a < 1)", A),
    ("((metrics.a < 1)AND(metrics.b > 2))", And((A, B))),
    ("(metrics.a < 1 AND metrics.b > 2) AND params.c = 'x'", And((And((A, B)), C))),
    ("NOT metrics.a < 1", Not(A)),
    ("not(metrics.a < 1)", Not(A)),
    ("NOT metrics.a < 1 AND metrics.b > 2", And((Not(A), B))),
    ("NOT NOT metrics.a < 1", Not(Not(A))),
    ("NOT (metrics.a < 1 OR params.c = 'x')", Not(Or((A, C)))),
    ("NOT params.c IN ('x')", Not(param("c", "IN", ("x",)))),
]

FOR_EXPERIMENTS: list[tuple[str, Node]] = [
    ("name = 'x'", attribute("name", "=", "x")),
    ("attribute.name ILIKE '%x'", attribute("name", "ILIKE", "%x")),
    ("attributes.`name` != 'x'", attribute("name", "!=", "x")),
    ("name IN ('x', 'y')", attribute("name", "IN", ("x", "y"))),
    ("experiment_id = '1'", attribute("experiment_id", "=", "1")),
    ("experiment_id != ' 01 '", attribute("experiment_id", "!=", "1")),
    ("experiment_id IN ('1','2')", attribute("experiment_id", "IN", ("1", "2"))),
    ("experiment_id NOT IN ('1')", attribute("experiment_id", "NOT IN", ("1",))),
    ("creation_time > 5", attribute("creation_time", ">", 5)),
    ("last_update_time <= -5", attribute("last_update_time", "<=", -5)),
    ("tag.a = 'x'", tag("a", "=", "x")),
    ("tags.`a b` IS NOT NULL", IsNull(Key(Kind.TAG, "a b"), negated=True)),
    ("name = 'x' AND tags.a LIKE 'y'", And((attribute("name", "=", "x"), tag("a", "LIKE", "y")))),
]


@pytest.mark.parametrize(("text", "node"), MLFLOW)
def test_mlflow_grammar(text: str, node: Node | None) -> None:
    assert parse_filter(text, RUNS) == node


@pytest.mark.parametrize(("text", "node"), EXTENSIONS)
def test_extensions(text: str, node: Node | None) -> None:
    assert parse_filter(text, RUNS) == node


@pytest.mark.parametrize(("text", "node"), FOR_EXPERIMENTS)
def test_experiments(text: str, node: Node) -> None:
    assert parse_filter(text, EXPERIMENTS) == node


def test_none_matches_everything() -> None:
    assert parse_filter(None, RUNS) is None


@pytest.mark.parametrize(
    ("text", "kind"), [("metrics.a = 1", float), ("start_time = 1", int), ("start_time = 1.0", float)]
)
def test_metrics_are_floats_and_times_stay_integers(text: str, kind: type) -> None:
    node = parse_filter(text, RUNS)
    assert isinstance(node, Compare)
    assert type(node.value) is kind
