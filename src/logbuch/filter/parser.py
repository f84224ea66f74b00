"""Tokens to a tree, by recursive descent.

    disjunction  = conjunction { OR conjunction }
    conjunction  = term { AND term }
    term         = NOT term | "(" disjunction ")" | comparison
    comparison   = key ( operator value | IS [NOT] NULL | [NOT] IN "(" text { "," text } [","] ")" )
    key          = name | ( MIN | MAX ) "(" name ")"

MLflow's parser takes a missing, leading, trailing or doubled AND between plain comparisons for one AND, and clients
rely on what it takes; so does this one, but not next to OR, NOT or parentheses, which MLflow does not have.
"""

from __future__ import annotations

from logbuch import limits
from logbuch.errors import InvalidFilter
from logbuch.filter.entities import SIZE_OPERATORS, Entity, Field, ValueType
from logbuch.filter.keys import read_key
from logbuch.filter.lexer import Lexeme, Token, show, tokenize
from logbuch.filter.nodes import And, Compare, IsNull, Key, Node, Not, Op, Or
from logbuch.filter.values import number_value, text_value

_SYMBOLS = {op.value: op for op in Op if not op.value[0].isalpha()}
_CORRECTIONS = {"==": "=", "<>": "!=", "=>": ">=", "=<": "<=", "=!": "!=", "!==": "!=", "===": "="}
_LISTS = (Op.IN, Op.NOT_IN)


def parse_filter(text: str | None, entity: Entity) -> Node | None:
    """The tree of a search text; None when it is empty, which matches everything.

    Raises ``InvalidFilter`` with ``position`` and ``length`` in characters of ``text``, never anything else. Linear in
    the length of the text.
    """
    if not text:
        return None
    try:
        return _parse(text, entity)
    except InvalidFilter as error:
        raise InvalidFilter(
            f"Invalid filter at character {error.position + 1}: {error.message}.",
            position=error.position,
            length=error.length,
        ) from None


def _parse(text: str, entity: Entity) -> Node | None:
    if len(text) > limits.FILTER_LENGTH:
        raise InvalidFilter(
            f"a filter has at most {limits.FILTER_LENGTH} characters; this one has {len(text)}",
            position=limits.FILTER_LENGTH,
            length=len(text) - limits.FILTER_LENGTH,
        )
    tokens = tokenize(text)
    if all(token.is_word("AND") for token in tokens[:-1]):
        return None
    return _Parser(tokens, entity).parse()


class _Parser:
    def __init__(self, tokens: list[Token], entity: Entity) -> None:
        self._tokens = tokens
        self._entity = entity
        self._next = 0
        self._depth = 0
        self._clauses = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        if token.lexeme is not Lexeme.END:
            self._next += 1
        return token

    def _take_word(self, *words: str) -> bool:
        found = self._token.is_word(*words)
        self._next += found
        return found

    def _take_lexeme(self, lexeme: Lexeme) -> bool:
        found = self._token.lexeme is lexeme
        self._next += found
        return found

    def parse(self) -> Node:
        node = self._disjunction()
        if self._token.lexeme is not Lexeme.END:
            raise self._token.error(f"unexpected {self._token.describe()}; no parenthesis is open here")
        return node

    def _disjunction(self) -> Node:
        terms = [self._conjunction()]
        while self._take_word("OR"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _conjunction(self) -> Node:
        terms: list[Node] = []
        joined = self._skip_ands(dangling=self._next == 0)
        while not self._ends_conjunction():
            if terms and not joined and not self._token.is_identifier:
                raise self._token.error(f"expected AND or OR before {self._token.describe()}")
            terms.append(self._term(after_and_missing=bool(terms) and not joined))
            joined = self._skip_ands()
        if not terms or (joined and self._token.lexeme is not Lexeme.END):
            raise self._token.error(f"expected a comparison before {self._token.describe()}")
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _skip_ands(self, *, dangling: bool = True) -> bool:
        start = self._next
        while dangling and self._take_word("AND"):
            pass
        return self._next > start

    def _ends_conjunction(self) -> bool:
        return self._token.lexeme in (Lexeme.END, Lexeme.CLOSE) or self._token.is_word("OR")

    def _term(self, *, after_and_missing: bool = False) -> Node:
        if self._token.is_word("NOT") and after_and_missing:
            raise self._token.error("expected AND or OR before NOT")
        if self._token.is_word("NOT") or self._token.lexeme is Lexeme.OPEN:
            return self._nested()
        return self._comparison()

    def _nested(self) -> Node:
        opening = self._take()
        self._depth += 1
        if self._depth > limits.FILTER_DEPTH:
            raise opening.error(f"NOT and parentheses nest at most {limits.FILTER_DEPTH} deep; simplify the filter")
        node = self._parenthesis(opening) if opening.lexeme is Lexeme.OPEN else Not(self._term())
        self._depth -= 1
        return node

    def _parenthesis(self, opening: Token) -> Node:
        node = self._disjunction()
        if not self._take_lexeme(Lexeme.CLOSE):
            raise opening.error("the parenthesis that opens here is never closed; add a )")
        return node

    def _comparison(self) -> Node:
        token = self._token
        if not token.is_identifier or token.is_word("AND"):
            raise token.error(f"expected a key such as {self._entity.example}; found {token.describe()}")
        self._count(token)
        key, field, self._next = read_key(self._tokens, self._next, self._entity)
        if self._take_word("IS"):
            return self._is_null(key)
        op = self._operator(token, field)
        if op in _LISTS:
            return Compare(key, op, self._list(field, token))
        if not field.type.quoted:
            return Compare(key, op, number_value(self._take(), field.type, show(token.text)))
        if op in SIZE_OPERATORS:
            return Compare(key, op, number_value(self._take(), ValueType.DOUBLE, show(token.text)))
        return Compare(key, op, text_value(self._take(), field.type, show(token.text)))

    def _count(self, token: Token) -> None:
        self._clauses += 1
        if self._clauses > limits.FILTER_CLAUSES:
            raise token.error(f"a filter has at most {limits.FILTER_CLAUSES} comparisons; use IN for long lists")

    def _is_null(self, key: Key) -> IsNull:
        negated = self._take_word("NOT")
        if not self._take_word("NULL"):
            raise self._token.error(f"expected NULL or NOT NULL after IS; found {self._token.describe()}")
        return IsNull(key, negated)

    def _operator(self, key: Token, field: Field) -> Op:
        token = self._take()
        op = self._read_operator(token, key)
        if op not in field.operators:
            allowed = ", ".join(candidate.value for candidate in Op if candidate in field.operators)
            raise token.error(f"{show(key.text)} cannot be compared with {op.value}; it takes {allowed}, IS NULL")
        return op

    def _read_operator(self, token: Token, key: Token) -> Op:
        if token.lexeme is Lexeme.OPERATOR:
            return _symbol(token)
        if token.is_word("LIKE", "ILIKE", "IN"):
            return Op(token.value.upper())
        if token.is_word("NOT") and self._take_word("IN"):
            return Op.NOT_IN
        if token.is_word("NOT") and self._token.is_word("LIKE", "ILIKE"):
            negated = f"NOT {limits.clip(key.text)} {self._token.value.upper()}"
            raise token.error(f"there is no NOT {self._token.value.upper()}; write {negated} …")
        raise token.error(f"expected an operator after {show(key.text)}; found {token.describe()}{_spaces(token)}")

    def _list(self, field: Field, key: Token) -> tuple[str, ...]:
        opening = self._take()
        if opening.lexeme is not Lexeme.OPEN:
            raise opening.error(f"expected a list such as ('a', 'b') after IN; found {opening.describe()}")
        nested = self._opened()
        values: list[str] = []
        while not self._take_lexeme(Lexeme.CLOSE):
            values.append(self._item(field, key, opening, len(values)))
        if not values:
            raise opening.error("the list after IN is empty; give at least one text")
        self._close(nested, opening)
        return tuple(dict.fromkeys(values))  # each text once: a database takes some 32,000 bound values

    def _opened(self) -> int:
        """Parentheses around the whole list, which MLflow ignores: ``IN (('a', 'b'))``."""
        start = self._next
        while self._take_lexeme(Lexeme.OPEN):
            pass
        return self._next - start

    def _close(self, count: int, opening: Token) -> None:
        for _ in range(count):
            if not self._take_lexeme(Lexeme.CLOSE):
                raise opening.error("the list that opens here is never closed; add a )")

    def _item(self, field: Field, key: Token, opening: Token, count: int) -> str:
        token = self._take()
        if token.lexeme is Lexeme.END:
            raise opening.error("the list that opens here is never closed; add a )")
        if count == limits.IN_LIST_LENGTH:
            raise token.error(f"a list has at most {limits.IN_LIST_LENGTH} texts")
        value = text_value(token, field.type, show(key.text))
        if not self._take_lexeme(Lexeme.COMMA) and self._token.lexeme not in (Lexeme.CLOSE, Lexeme.END):
            raise self._token.error(f"expected a comma or ) in the list; found {self._token.describe()}")
        return value


def _symbol(token: Token) -> Op:
    op = _SYMBOLS.get(token.text)
    if op is None:
        correction = _CORRECTIONS.get(token.text)
        hint = f"; write {correction}" if correction else f"; there are {', '.join(_SYMBOLS)}"
        raise token.error(f"{show(token.text)} is no operator{hint}")
    return op


def _spaces(token: Token) -> str:
    if token.lexeme is Lexeme.NAME:
        return "; a key with spaces needs backticks, as in tags.`a key`"
    return ""
