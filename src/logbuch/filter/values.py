"""The right side of a comparison."""

from __future__ import annotations

import math
import re

from logbuch.filter.entities import ValueType
from logbuch.filter.lexer import Lexeme, Token
from logbuch.limits import INT64_MAX, INT64_MIN

NUMBER_LENGTH = 400
"""Characters of a number: more than any double needs."""

_SPECIAL = {
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
}
_ID = re.compile(r"\s*-?\d{1,40}\s*")


def text_value(token: Token, value_type: ValueType, written: str) -> str:
    """A quoted text for the key ``written``. Raises ``InvalidFilter``."""
    if token.lexeme is not Lexeme.TEXT:
        raise token.error(f"{written} compares with a text in quotes; found {token.describe()}{_quoted(token)}")
    return _id(token, written) if value_type is ValueType.ID else token.value


def _quoted(token: Token) -> str:
    if token.lexeme not in (Lexeme.NUMBER, Lexeme.NAME) or len(token.text) > 40 or "'" in token.text:
        return ""
    return f"; write '{token.text.strip('`')}'"


def _id(token: Token, written: str) -> str:
    if not _ID.fullmatch(token.value):
        raise token.error(f"{written} is an integer in quotes; found {token.describe()}")
    return str(_in_range(int(token.value), token))


def number_value(token: Token, value_type: ValueType, written: str) -> float | int:
    """A number for the key ``written``: a float for metrics, else an int where no fraction is written."""
    special = _special(token) if value_type is ValueType.DOUBLE else None
    if special is not None:
        return special
    if token.lexeme is not Lexeme.NUMBER:
        raise token.error(f"{written} compares with a number{_unquoted(token)}; found {token.describe()}")
    if len(token.text) > NUMBER_LENGTH:
        raise token.error(f"a number has at most {NUMBER_LENGTH} characters; this one has {len(token.text)}")
    return float(token.text) if value_type is ValueType.DOUBLE else _whole(token, value_type, written)


def _special(token: Token) -> float | None:
    if token.lexeme is Lexeme.NAME and token.prefix is None and not token.quoted:
        return _SPECIAL.get(token.value.lower())
    return None


def _unquoted(token: Token) -> str:
    return " without quotes" if token.lexeme is Lexeme.TEXT else ""


def _whole(token: Token, value_type: ValueType, written: str) -> float | int:
    text = token.text
    if text.lstrip("-").isdecimal():
        return _in_range(int(text), token)
    if value_type is ValueType.INTEGER:
        raise token.error(f"{written} compares with a whole number; found {token.describe()}")
    value = float(text)
    if math.isinf(value):
        raise token.error(f"{token.describe()} is too large for {written}")
    return value


def _in_range(value: int, token: Token) -> int:
    if not INT64_MIN <= value <= INT64_MAX:
        raise token.error(f"{token.describe()} does not fit 64 bits")
    return value
