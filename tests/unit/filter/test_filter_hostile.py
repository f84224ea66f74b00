"""Large, deep and broken texts: a tree or InvalidFilter, in time that grows with the length alone."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from logbuch import limits
from logbuch.errors import InvalidFilter
from logbuch.filter import RUNS, And, Compare, Or, parse_filter, parse_order_by

FULL = limits.FILTER_LENGTH

HOSTILE = {
    "a MiB": "metrics.a < 1 AND " * 60_000,
    "ten thousand ORs": " OR ".join(["metrics.a < 1"] * 10_000),
    "ORs alone": "OR " * 30_000,
    "open parentheses": "(" * 90_000,
    "closed parentheses": "(" * 45_000 + "metrics.a < 1" + ")" * 45_000,
    "NOTs": "NOT " * 20_000,
    "list parentheses": "run_id IN " + "(" * 90_000,
    "letters and a bang": "a" * 50_000 + "!",
    "quotes": "'" * 99_999,
    "doubled quotes and a stray": "tags.a = '" + "''" * 45_000,
    "mixed quotes": "'\"`" * 30_000,
    "backticks": "`" * 99_999,
    "unterminated": "params.a = 'x" + " AND " * 15_000,
    "dots": "metrics" + "." * 90_000,
    "digits": "metrics.a < " + "9" * 90_000,
    "digits of a time": "start_time < " + "9" * 90_000,
    "digits and dots": "metrics.a < " + "1." * 45_000,
    "operators": "metrics.a " + "<" * 90_000,
    "unknown attribute": "x" * 90_000 + " = 1",
    "unknown attributes": "a_b " * 20_000,
    "spaces": "metrics.a" + " " * 90_000,
    "NUL": "\0" * 1000,
    "surrogates": "\udcff" * 1000,
    "emoji": "😀" * 50_000,
    "combining": "e\u0301" * 30_000,
    "right to left": "\u202emetrics.a < 1",
    "byte order mark": "\ufeffmetrics.a < 1",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, RUNS)
    assert time.process_time() - began < 5
    assert 0 <= caught.value.position <= len(text)
    assert len(caught.value.message) < 600
    with suppress(InvalidFilter):
        parse_order_by([text], RUNS)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_filter_may_be_full_of_one_text(quote: str) -> None:
    text = f"tags.a = {quote}" + quote * 2 * 40_000 + quote
    node = parse_filter(text, RUNS)
    assert isinstance(node, Compare)
    assert node.value == quote * 40_000


def test_escaped_quotes_close_at_the_last_one() -> None:
    node = parse_filter("tags.a = '" + "\\'" * 40_000, RUNS)
    assert isinstance(node, Compare)
    assert node.value == "\\'" * 39_999 + "\\"


def test_length_limit() -> None:
    text = "metrics.a < 1"
    assert parse_filter(text + " " * (FULL - len(text)), RUNS) is not None
    with pytest.raises(InvalidFilter, match="at most 100000 characters; this one has 100001") as caught:
        parse_filter(text + " " * (FULL + 1 - len(text)), RUNS)
    assert (caught.value.position, caught.value.length) == (FULL, 1)


def test_clause_limit() -> None:
    clauses = ["metrics.a < 1"] * limits.FILTER_CLAUSES
    conjunction, disjunction = parse_filter(" AND ".join(clauses), RUNS), parse_filter(" OR ".join(clauses), RUNS)
    assert isinstance(conjunction, And)
    assert isinstance(disjunction, Or)
    assert len(conjunction.terms) == len(disjunction.terms) == limits.FILTER_CLAUSES
    with pytest.raises(InvalidFilter, match="at most 500 comparisons") as caught:
        parse_filter(" AND ".join([*clauses, "params.b IS NULL"]), RUNS)
    assert caught.value.length == len("params.b")


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("NOT ", ""), ("NOT(", ")")])
def test_depth_limit(opening: str, closing: str) -> None:
    levels = opening.count("(") + opening.count("NOT")
    deep = limits.FILTER_DEPTH // levels
    assert parse_filter(opening * deep + "metrics.a < 1" + closing * deep, RUNS) is not None
    with pytest.raises(InvalidFilter, match="at most 40 deep"):
        parse_filter(opening * (deep + 1) + "metrics.a < 1" + closing * (deep + 1), RUNS)


def test_depth_counts_nesting_and_not_number() -> None:
    node = parse_filter(" AND ".join(["(NOT metrics.a < 1)"] * (limits.FILTER_DEPTH + 10)), RUNS)
    assert isinstance(node, And)


def test_list_limit() -> None:
    texts = [f"'{number}'" for number in range(limits.IN_LIST_LENGTH)]
    node = parse_filter(f"run_id IN ({','.join(texts)})", RUNS)
    assert isinstance(node, Compare)
    assert isinstance(node.value, tuple)
    assert len(node.value) == limits.IN_LIST_LENGTH
    with pytest.raises(InvalidFilter, match="at most 5000 texts"):
        parse_filter(f"run_id IN ({','.join([*texts, chr(39) * 2])})", RUNS)


@pytest.mark.parametrize("value", [limits.INT64_MIN, limits.INT64_MAX])
def test_integers_have_64_bits(value: int) -> None:
    node = parse_filter(f"start_time = {value}", RUNS)
    assert isinstance(node, Compare)
    assert node.value == value
    outside = value + (1 if value > 0 else -1)
    with pytest.raises(InvalidFilter, match="64 bits"):
        parse_filter(f"start_time = {outside}", RUNS)


def test_a_long_number() -> None:
    assert parse_filter("metrics.a < 0." + "0" * 390 + "1", RUNS) is not None
    with pytest.raises(InvalidFilter, match="at most 400 characters"):
        parse_filter("metrics.a < " + "1" * 401, RUNS)
