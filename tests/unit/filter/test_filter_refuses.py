"""What the language refuses, what the message says, and the place that it points at."""

from __future__ import annotations

import pytest

from logbuch.errors import InvalidFilter
from logbuch.filter import EXPERIMENTS, RUNS, parse_filter

# (filter, what of it is marked, a part of the message)
RUNS_REFUSED = [
    # values
    ("params.lr = 0.1", "0.1", "write '0.1'"),
    ("params.lr = abc", "abc", "write 'abc'"),
    ("params.lr = `abc`", "`abc`", "write 'abc'"),
    ("params.lr = NULL", "NULL", "text in quotes"),
    ("tags.a = metrics.b", "metrics.b", "text in quotes"),
    ("status = RUNNING", "RUNNING", "write 'RUNNING'"),
    ("dataset.name = 1", "1", "text in quotes"),
    ("metrics.a = '1'", "'1'", "number without quotes"),
    ("metrics.a < metrics.b", "metrics.b", "compares with a number"),
    ("metrics.a < (1)", "(", "compares with a number"),
    ("start_time > '1'", "'1'", "number without quotes"),
    ("start_time > NaN", "NaN", "compares with a number"),
    ("start_time > 1e999", "1e999", "too large"),
    ("start_time > 9223372036854775808", "9223372036854775808", "64 bits"),
    ("metrics.a < - 1", "-", "unexpected character"),
    ("metrics.a < +1", "+", "no + sign"),
    ("metrics.a < --1", "-", "unexpected character"),
    ("metrics.a < 0x10", "0x10", "no number"),
    ("metrics.a < 1_000", "1_000", "no number"),
    ("metrics.a < 1e", "1e", "no number"),
    ("metrics.a < 1.0.0", "1.0.0", "no number"),
    ("metrics.a < 1AND metrics.b > 2", "1AND", "spaces between"),
    # operators
    ("metrics.a == 1", "==", "write ="),
    ("metrics.a <> 1", "<>", "write !="),
    ("metrics.a => 1", "=>", "write >="),
    ("metrics.a !< 1", "!<", "there are"),
    ("metrics.a LIKE '1'", "LIKE", "cannot be compared with LIKE"),
    ("metrics.a IN (1)", "IN", "cannot be compared with IN"),
    ("start_time NOT IN (1)", "NOT", "cannot be compared with NOT IN"),
    ("start_time ILIKE 'x'", "ILIKE", "cannot be compared with ILIKE"),
    ("params.a > '1'", "'1'", "compares with a number without quotes"),
    ("tags.a > '1'", ">", "it takes =, !=, LIKE, ILIKE, IN, NOT IN, IS NULL"),
    ("tags.a <= '1'", "<=", "cannot be compared"),
    ("status >= 'a'", ">=", "cannot be compared"),
    ("dataset.name < 'a'", "<", "cannot be compared"),
    ("params.a NOT LIKE 'x'", "NOT", "write NOT params.a LIKE"),
    ("params.a RLIKE 'x'", "RLIKE", "expected an operator"),
    ("metrics.a BETWEEN 1 AND 2", "BETWEEN", "expected an operator"),
    ("metrics.a", "", "expected an operator"),
    ("metrics.a NOT", "NOT", "expected an operator"),
    ("params.a IS", "", "expected NULL"),
    ("params.a IS NOT", "", "expected NULL"),
    ("params.a IS TRUE", "TRUE", "expected NULL"),
    ("params.batch size = '8'", "size", "needs backticks"),
    ("metrics.a <", "", "compares with a number"),
    # least and greatest values
    ("min(params.a) > 1", "params.a", "min takes a metric"),
    ("min(status) = 'x'", "status", "min takes a metric"),
    ("max(1) > 1", "1", "expected a metric"),
    ("max() > 1", ")", "expected a metric"),
    ("max(metrics.a > 1", "(", "never closed"),
    ("max(metrics.a", "(", "never closed"),
    ("max(", "", "expected a metric"),
    ("min(max(metrics.a)) > 1", "max", "have no attribute"),
    ("avg(metrics.a) > 1", "avg", "have no attribute"),
    ("min metrics.a > 1", "min", "have no attribute"),
    # keys
    ("METRICS.a < 1", "METRICS.a", "did you mean metrics"),
    ("foo.a < 1", "foo.a", "Valid ones are metrics"),
    ("Status = 'x'", "Status", "did you mean status"),
    ("statu = 'x'", "statu", "did you mean status"),
    ("`RUN NAME` = 'x'", "`RUN NAME`", "did you mean"),
    ("run name = 'x'", "run", "did you mean run"),
    ("val/loss < 2", "val/loss", "write metrics.val/loss or params.val/loss or tags.val/loss"),
    ("`my key` = '2'", "`my key`", "metrics.`my key`"),
    ("`metrics.a` < 1", "`metrics.a`", "metrics.`a`"),
    ('"metrics.a" < 1', '"metrics.a"', "metrics.`a`"),
    ('"metrics".a < 1', ".", "unexpected character"),
    ("lifecycle_stage = 'active'", "lifecycle_stage", "Valid attributes are run_id, run_name"),
    ("experiment_id = '1'", "experiment_id", "have no attribute"),
    ("dataset.foo = 'x'", "dataset.foo", "Valid datasets are name, digest, context"),
    ("'status' = 'x'", "'status'", "expected a key such as metrics.loss"),
    ("1 < metrics.a", "1", "expected a key"),
    ("metrics. < 1", "metrics.", "key is missing"),
    ("metrics.`` < 1", "metrics.``", "key is missing"),
    ("metrics. a < 1", "metrics.", "key is missing"),
    ("metrics .a < 1", ".", "unexpected character"),
    ("tags.mlflow.`source.name` = 'x'", "tags.mlflow.`source.name`", "write tags.`mlflow.source.name`"),
    ("metrics.😀 < 1", "😀", "needs backticks"),
    ("params.a$b = 'x'", "$", "needs backticks"),
    ("params.a[0] = 'x'", "[", "needs backticks"),
    ("params.a(b) = 'x'", "(", "expected an operator"),
    # lists
    ("run_id IN ()", "(", "empty"),
    ("run_id IN 'x'", "'x'", "expected a list"),
    ("run_id IN (1)", "1", "text in quotes"),
    ("run_id IN ('x', None)", "None", "text in quotes"),
    ("run_id IN (,'x')", ",", "text in quotes"),
    ("run_id IN ('x',,'y')", ",", "text in quotes"),
    ("run_id IN ('x' 'y')", "'y'", "expected a comma"),
    ("run_id IN ('x'", "(", "never closed"),
    ("run_id IN ('x',", "(", "never closed"),
    ("run_id IN (('x')", "(", "never closed"),
    ("run_id IN (('x'),'y')", "(", "never closed"),
    ("run_id IN", "", "expected a list"),
    ("run_id = ('x')", "(", "text in quotes"),
    # structure
    ("metrics.a < 1 OR", "", "expected a comparison"),
    ("OR metrics.a < 1", "OR", "expected a comparison"),
    ("metrics.a < 1 OR OR metrics.b < 1", "OR", "expected a comparison"),
    ("metrics.a < 1 AND OR metrics.b < 1", "OR", "expected a comparison"),
    ("metrics.a < 1 OR AND metrics.b < 1", "AND", "expected a key"),
    ("(metrics.a < 1 AND)", ")", "expected a comparison"),
    ("(AND metrics.a < 1)", "AND", "expected a key"),
    ("(metrics.a < 1", "(", "never closed"),
    ("metrics.a < 1)", ")", "no parenthesis is open"),
    ("()", ")", "expected a comparison"),
    ("NOT", "", "expected a key"),
    ("NOT AND", "AND", "expected a key"),
    ("metrics.a < 1 NOT metrics.b < 1", "NOT", "expected AND or OR"),
    ("metrics.a < 1 (metrics.b < 1)", "(", "expected AND or OR"),
    ("metrics.a < 1 2", "2", "expected AND or OR"),
    ("params.a = 'a' 'b'", "'b'", "expected AND or OR"),
    ("metrics.a < 1, metrics.b < 2", ",", "expected AND or OR"),
    ("metrics.a < 1 && metrics.b > 2", "&", "unexpected character"),
    ("metrics.a < 1;", ";", "one expression"),
    ("metrics.a < 1 -- x", "-", "unexpected character"),
    ("metrics.a < 1 /* x */", "/", "unexpected character"),
    ("metrics.a < 1 XOR metrics.b < 2", "XOR", "have no attribute"),
    # quotes
    ("params.a = 'x", "'x", "never closed"),
    ('params.a = "x', '"x', "never closed"),
    ("params.`a = 'x'", "`a = 'x'", "never closed"),
    ("params.a = x'", "'", "never closed"),
    ("params.a = ‘x’", "‘", "straight quotes"),
    ("params.a = 'x\0y'", "\0", "cannot be stored"),
    ("params.a = '\ud800'", "\ud800", "cannot be stored"),
]

EXPERIMENTS_REFUSED = [
    ("metrics.a < 1", "metrics.a", "'metrics' is no kind of key in a search for experiments"),
    ("attr.name = 'x'", "attr.name", "did you mean attribute"),
    ("run.name = 'x'", "run.name", "Valid ones are attributes, attribute, tags, tag"),
    ("created > 1", "created", "did you mean creation_time"),
    ("experiment_id = 'abc'", "'abc'", "integer in quotes"),
    ("experiment_id = 1", "1", "write '1'"),
    ("experiment_id IN ('1', 'x')", "'x'", "integer in quotes"),
    ("experiment_id LIKE '1'", "LIKE", "it takes =, !=, IN, NOT IN"),
    ("experiment_id = '99999999999999999999'", "'99999999999999999999'", "64 bits"),
    ("creation_time > 5.0", "5.0", "whole number"),
    ("creation_time > 1e3", "1e3", "whole number"),
    ("last_update_time > '5'", "'5'", "number without quotes"),
    ("1 = 2", "1", "expected a key such as tags.team"),
]


def refusal(text: str, entity: object = RUNS) -> InvalidFilter:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, entity)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(("text", "marked", "message"), RUNS_REFUSED)
def test_runs(text: str, marked: str, message: str) -> None:
    check(refusal(text), text, marked, message)


@pytest.mark.parametrize(("text", "marked", "message"), EXPERIMENTS_REFUSED)
def test_experiments(text: str, marked: str, message: str) -> None:
    check(refusal(text, EXPERIMENTS), text, marked, message)


def check(error: InvalidFilter, text: str, marked: str, message: str) -> None:
    assert message in error.message
    assert f"at character {error.position + 1}:" in error.message
    assert text[error.position : error.position + error.length] == marked
    assert error.length >= 1


def test_the_answer_is_mlflows_with_the_place_added() -> None:
    assert refusal("metrics.a == 1").serialize() == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "Invalid filter at character 11: '==' is no operator; write =.",
        "position": 10,
        "length": 2,
    }


def test_messages_stay_short_and_encodable() -> None:
    for text in ("x" * 50_000 + " = 1", "tags.a." + "`" + "y" * 50_000 + "`", "\ud800", "params.a = '" + "z" * 50_000):
        message = refusal(text).message
        assert len(message) < 600
        message.encode()
