"""The order of a search: clauses of ``key [ASC|DESC]``; of a metric also ``min(key)`` and ``max(key)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logbuch import limits
from logbuch.errors import InvalidFilter
from logbuch.filter.entities import Entity
from logbuch.filter.keys import read_key
from logbuch.filter.lexer import Lexeme, Token, show, tokenize
from logbuch.filter.nodes import Key, OrderBy


def parse_order_by(clauses: Sequence[str], entity: Entity) -> tuple[OrderBy, ...]:
    """The fields of an order, first one first.

    Raises ``InvalidFilter``; its ``position`` and ``length`` count characters of the clause that its message shows.
    """
    if len(clauses) > limits.ORDER_BY_CLAUSES:
        raise InvalidFilter(f"Invalid order_by: at most {limits.ORDER_BY_CLAUSES} clauses; there are {len(clauses)}.")
    orders: list[OrderBy] = []
    for clause in clauses:
        orders.append(_checked(clause, entity, orders))
    return tuple(orders)


def _checked(clause: str, entity: Entity, before: Sequence[OrderBy]) -> OrderBy:
    try:
        order = _clause(clause, entity)
        if not entity.repeated_order:
            _check_new(order.key, before, clause)
    except InvalidFilter as error:
        raise InvalidFilter(
            f"Invalid order_by clause {show(clause)} at character {error.position + 1}: {error.message}.",
            position=error.position,
            length=error.length,
        ) from None
    return order


def _check_new(key: Key, before: Sequence[OrderBy], clause: str) -> None:
    if any(order.key == key for order in before):
        raise InvalidFilter(
            f"duplicate fields: {key.kind.value} {show(key.name)} is already in the order", length=max(1, len(clause))
        )


def _clause(clause: str, entity: Entity) -> OrderBy:
    if len(clause) > limits.FILTER_LENGTH:
        raise InvalidFilter(f"a clause has at most {limits.FILTER_LENGTH} characters", length=len(clause))
    tokens = tokenize(clause) if clause.strip() else _empty()
    name = tokens[0]
    if not name.is_identifier:
        raise name.error(f"expected a key such as start_time; found {name.describe()}")
    key, field, after = read_key([_whole_quoted(name, entity), *tokens[1:]], 0, entity)
    if not field.orderable:
        raise name.error(f"{entity.name} cannot be ordered by a {key.kind.value}")
    return OrderBy(key, ascending=_ascending(tokens[after:-1], tokens[-1]))


def _empty() -> list[Token]:
    raise InvalidFilter("it is empty; write a key such as start_time, then ASC or DESC")


def _whole_quoted(name: Token, entity: Entity) -> Token:
    """MLflow takes ```metrics.a` DESC`` for ``metrics.a DESC`` in an order, though not in a filter."""
    prefix, dot, key = name.value.partition(".")
    if name.quoted and name.prefix is None and dot and prefix in entity.prefixes:
        return replace(name, lexeme=Lexeme.NAME, prefix=prefix, value=key)
    return name


def _ascending(rest: Sequence[Token], end: Token) -> bool:
    direction = rest[0] if rest else end
    if len(rest) > 1:
        raise rest[1].error(f"unexpected {rest[1].describe()}; a clause is one key, then ASC or DESC")
    if rest and not direction.is_word("ASC", "DESC"):
        raise direction.error(f"expected ASC or DESC; found {direction.describe()}")
    return not direction.is_word("DESC")
