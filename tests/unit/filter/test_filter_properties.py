"""Any tree survives being written and read; any text gives a tree or InvalidFilter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from logbuch.errors import InvalidFilter
from logbuch.filter import (
    EXPERIMENTS,
    RUNS,
    And,
    Compare,
    Entity,
    IsNull,
    Key,
    Kind,
    Node,
    Not,
    Op,
    Or,
    OrderBy,
    ValueType,
    parse_filter,
    parse_order_by,
)
from logbuch.filter.entities import SIZE_OPERATORS
from logbuch.limits import INT64_MAX, INT64_MIN

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# A backslash before a quote is read as MLflow reads it (test_filter_accepts); it is the one text that cannot be quoted.
TEXTS = st.text(CHARACTERS, max_size=12).map(lambda text: text.replace("\\", "/"))
KEYS = st.text(CHARACTERS, min_size=1, max_size=12)
PLAIN_KEYS = st.from_regex(r"[a-zA-Z0-9_.\-:/]{1,12}", fullmatch=True)
INTEGERS = st.integers(INT64_MIN, INT64_MAX)
NUMBERS = {
    ValueType.DOUBLE: st.floats().map(lambda value: math.nan if math.isnan(value) else value),
    ValueType.NUMBER: INTEGERS | st.floats(allow_nan=False, allow_infinity=False),
    ValueType.INTEGER: INTEGERS,
}


def quote(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


@st.composite
def keys(draw: st.DrawFn, entity: Entity) -> Key:
    kind = draw(st.sampled_from(sorted(set(entity.prefixes.values()))))
    if kind in entity.open_kinds:
        return Key(kind, draw(KEYS))
    return Key(kind, draw(st.sampled_from(sorted(entity.fixed_kinds[kind]))))


@st.composite
def comparisons(draw: st.DrawFn, entity: Entity) -> Node:
    key = draw(keys(entity))
    field = entity.field(key.kind, key.name)
    if draw(st.integers(0, 3)) == 0:
        return IsNull(key, draw(st.booleans()))
    op = draw(st.sampled_from(sorted(field.operators)))
    texts = INTEGERS.map(str) if field.type is ValueType.ID else TEXTS
    if op in (Op.IN, Op.NOT_IN):
        return Compare(key, op, tuple(draw(st.lists(texts, min_size=1, max_size=4, unique=True))))
    if field.type.quoted:
        return Compare(key, op, draw(NUMBERS[ValueType.DOUBLE] if op in SIZE_OPERATORS else texts))
    return Compare(key, op, draw(NUMBERS[field.type]))


def nodes(entity: Entity) -> st.SearchStrategy[Node]:
    def joined(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        terms = st.lists(children, min_size=2, max_size=3).map(tuple)
        return terms.map(And) | terms.map(Or) | children.map(Not)

    return st.recursive(comparisons(entity), joined, max_leaves=8)


class Writer:
    """Writes trees with the freedoms that the language gives, chosen by hypothesis."""

    def __init__(self, draw: Callable[..., Any], entity: Entity) -> None:
        self.draw, self.entity = draw, entity

    def pick(self, *choices: str) -> str:
        choice: str = self.draw(st.sampled_from(choices))
        return choice

    def word(self, word: str) -> str:
        return self.pick(word, word.lower(), word.capitalize())

    def key(self, key: Key) -> str:
        prefixes = [prefix for prefix, kind in self.entity.prefixes.items() if kind is key.kind]
        name = key.name
        if not self.plain(name):
            name = quote(name, "`" if "\\" in name else self.pick("`", '"'))
        if key.kind is Kind.ATTRIBUTE and self.draw(st.booleans()):
            return name
        return f"{self.pick(*prefixes)}.{name}"

    def plain(self, name: str) -> bool:
        return name.isascii() and name.replace("_", "a").replace("/", "a").replace("-", "a").isalnum()

    def value(self, value: str | float) -> str:
        if isinstance(value, str):
            return quote(value, self.pick("'", '"'))
        if not math.isfinite(value):
            return {"nan": "NaN", "inf": self.pick("inf", "Infinity"), "-inf": "-Infinity"}[repr(value)]
        return repr(value)

    def node(self, node: Node) -> str:
        match node:
            case And(terms):
                return f" {self.word('AND')} ".join(self.inside(term, And, Or) for term in terms)
            case Or(terms):
                return f" {self.word('OR')} ".join(self.inside(term, Or) for term in terms)
            case Not(term):
                return f"{self.word('NOT')} {self.inside(term, And, Or)}"
            case IsNull(key, negated):
                return (
                    f"{self.key(key)} {self.word('IS')} {self.word('NOT') + ' ' if negated else ''}{self.word('NULL')}"
                )
            case Compare(key, op, tuple(values)):
                return (
                    f"{self.key(key)} {self.word(op.value)} ({','.join(map(self.value, values))}{self.pick('', ',')})"
                )
            case Compare(key, op, value):
                space = self.pick(" ", "\n", "  ")
                return f"{self.key(key)}{space}{self.word(op.value)}{space}{self.value(value)}"  # type: ignore[arg-type]

    def inside(self, node: Node, *loose: type) -> str:
        text = self.node(node)
        return f"({text})" if isinstance(node, loose) or self.draw(st.booleans()) else text


@settings(deadline=None)
@given(st.data(), st.sampled_from([RUNS, EXPERIMENTS]))
def test_a_tree_survives_writing_and_reading(data: st.DataObject, entity: Entity) -> None:
    node = data.draw(nodes(entity))
    text = Writer(data.draw, entity).node(node)
    assert parse_filter(text, entity) == node


@settings(deadline=None)
@given(PLAIN_KEYS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from(["", " "]))
def test_plain_keys_need_no_quotes(key: str, op: str, space: str) -> None:
    expected = Compare(Key(Kind.METRIC, key), Op(op), -1.0)
    assert parse_filter(f"metrics.{key}{space}{op}{space}-1", RUNS) == expected
    assert parse_order_by([f"metrics.{key} desc"], RUNS) == (OrderBy(expected.key, ascending=False),)


@settings(deadline=None)
@given(keys(RUNS), st.booleans())
def test_an_order_survives_writing_and_reading(key: Key, ascending: bool) -> None:
    order = OrderBy(key, ascending)
    clause = f"{key.kind.value}.{quote(key.name, '`')} {'ASC' if ascending else 'DESC'}"
    if key.kind is Kind.DATASET:
        return
    assert parse_order_by([clause], RUNS) == (order,)


FRAGMENTS = st.sampled_from(
    [
        *(
            "metrics.a",
            "params.",
            "tags",
            "`",
            "'",
            '"',
            ".",
            "status",
            "run name",
            "start_time",
            "dataset.name",
            "a/b",
        ),
        *("<", "=", "!=", "==", "<>", " LIKE ", " IN ", " NOT ", " IS ", " NULL ", " AND ", " OR ", "(", ")", ",", ";"),
        *(
            "1",
            "-",
            "1e",
            ".5",
            "NaN",
            "-inf",
            "'x'",
            '"y"',
            " ",
            "\n",
            "\\",
            "\0",
            "\ud83d",
            "😀",
            "--",
            "/*",
            "é",
            "%",
        ),
    ]
)


@settings(deadline=None)
@given(st.text(st.characters()) | st.lists(FRAGMENTS, max_size=15).map("".join), st.sampled_from([RUNS, EXPERIMENTS]))
@example("", RUNS)
@example("'", RUNS)
@example("\\'", RUNS)
@example("metrics.", RUNS)
@example("`a`.", RUNS)
@example("a.'", RUNS)
def test_any_text_gives_a_tree_or_invalid_filter(text: str, entity: Entity) -> None:
    try:
        parse_filter(text, entity)
    except InvalidFilter as error:
        assert 0 <= error.position <= len(text)
        assert 1 <= error.length <= max(1, len(text) - error.position)
        error.message.encode()


@settings(deadline=None)
@given(st.lists(st.text(st.characters()) | st.lists(FRAGMENTS, max_size=6).map("".join), max_size=4))
def test_any_order_gives_fields_or_invalid_filter(clauses: list[str]) -> None:
    try:
        parse_order_by(clauses, RUNS)
    except InvalidFilter as error:
        error.message.encode()
