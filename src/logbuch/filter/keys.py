"""From a name as written to the key that it means, with help where it means none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from logbuch.errors import InvalidFilter
from logbuch.filter.entities import Entity, Field
from logbuch.filter.lexer import Lexeme, Token, show
from logbuch.filter.nodes import Key, Kind, Part
from logbuch.limits import clip


def read_key(tokens: Sequence[Token], place: int, entity: Entity) -> tuple[Key, Field, int]:
    """The key that stands at a place, its rules, and the place after it: a name, or min or max around a metric's.

    Raises ``InvalidFilter``.
    """
    function = tokens[place]
    if not (entity.extremes and function.is_word("MIN", "MAX") and tokens[place + 1].lexeme is Lexeme.OPEN):
        return *resolve(function, entity), place + 1
    inside = tokens[place + 2]
    if not inside.is_identifier:
        raise inside.error(f"expected a metric such as {entity.example}; found {inside.describe()}")
    key, field = resolve(inside, entity)
    if key.kind is not Kind.METRIC:
        raise inside.error(f"{function.value} takes a metric such as {entity.example}; found a {key.kind.value}")
    if tokens[place + 3].lexeme is not Lexeme.CLOSE:
        raise tokens[place + 1].error("the parenthesis that opens here is never closed; add a )")
    return Key(key.kind, key.name, Part(function.value.lower())), field, place + 4


def resolve(token: Token, entity: Entity) -> tuple[Key, Field]:
    """The key that ``token`` names, and its rules. Raises ``InvalidFilter``."""
    kind = _kind(token, entity)
    name = entity.canonical(kind, token.value)
    if name is None:
        raise _unknown_name(token, kind, entity)
    if not name:
        raise token.error(f"a key is missing after {show(f'{token.prefix}.')}; write {token.prefix}.key")
    return Key(kind, name), entity.field(kind, name)


def _kind(token: Token, entity: Entity) -> Kind:
    if token.prefix is None:
        return Kind.ATTRIBUTE
    kind = entity.prefixes.get(token.prefix)
    if kind is None:
        raise token.error(
            f"{show(token.prefix)} is no kind of key in a search for {entity.name}"
            f"{_did_you_mean(token.prefix, entity.prefixes)}. Valid ones are {', '.join(entity.prefixes)}"
        )
    return kind


def _unknown_name(token: Token, kind: Kind, entity: Entity) -> InvalidFilter:
    names = entity.spellings(kind)
    hint = _did_you_mean(token.value, names) or _other_kind(token, entity)
    return token.error(
        f"{entity.name} have no {kind.value} {show(token.value)}{hint}. "
        f"Valid {kind.value}s are {', '.join(entity.fixed_kinds[kind])}"
    )


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    by_fold = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(clip(word).casefold(), by_fold, n=1)
    return f"; did you mean {by_fold[close[0]]}" if close else ""


def _other_kind(token: Token, entity: Entity) -> str:
    """A bare name is often a metric, param or tag without its prefix, or wholly in quotes."""
    if token.prefix is not None or not entity.open_kinds:
        return ""
    prefix, dot, key = token.value.partition(".")
    if dot and prefix in entity.prefixes:
        return f"; quote the key alone: {prefix}.`{clip(key)}`"
    key = f"`{clip(token.value)}`" if token.quoted else clip(token.value)
    written = (f"{kind.value}s.{key}" for kind in entity.open_kinds)
    return f"; for a key of your own write {' or '.join(written)}"
