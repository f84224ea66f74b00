"""From keys and values back to a search text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logbuch.filter.nodes import Key, Kind

_PREFIXES = {
    Kind.METRIC: "metrics",
    Kind.PARAM: "params",
    Kind.TAG: "tags",
    Kind.ATTRIBUTE: "attributes",
    Kind.DATASET: "datasets",
}
_PLAIN = re.compile(r"[\w./:\-]*[\w/:\-]")


def equalities(wanted: Sequence[tuple[Key, str | None]]) -> str | None:
    """The filter that finds what has all these values; a value of None stands for the key's absence.

    None where the language has no such text: a string cannot hold a backslash before each sort of quote, and only the
    last one can end in a backslash.
    """
    # Stable, and False comes first: what ends in a backslash goes last.
    arranged = sorted(wanted, key=lambda pair: _ends_open(pair[1]))
    if sum(_ends_open(value) for _, value in arranged) > 1:
        return None
    terms = [_term(key, value) for key, value in arranged]
    return None if None in terms else " AND ".join(filter(None, terms))


def _ends_open(value: str | None) -> bool:
    return value is not None and value.endswith("\\")


def _term(key: Key, value: str | None) -> str | None:
    name = key.name if _PLAIN.fullmatch(key.name) else _quoted(key.name, "`")
    written = f"{_PREFIXES[key.kind]}.{name}"
    if value is None:
        return f"{written} IS NULL"
    mark = next((mark for mark in "'\"" if f"\\{mark}" not in value), None)
    return None if mark is None else f"{written} = {_quoted(value, mark)}"


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark
