"""What a search text means: a small immutable tree. It knows keys, operators and values, and no SQL.

Names are canonical: aliases and quotes are gone, attributes carry the field names of ``logbuch.model``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Where a key lives."""

    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    DATASET = "dataset"


class Part(StrEnum):
    """Which of a metric's values is meant: the latest, or the least or greatest it ever had."""

    LAST = "last"
    MIN = "min"
    MAX = "max"


class Op(StrEnum):
    """A comparison. LIKE heeds case and ILIKE does not; in both ``%`` is any text and ``_`` any character."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"


@dataclass(frozen=True, slots=True)
class Key:
    """A metric's, param's or tag's key, an attribute's name, or a data set's ``name``, ``digest`` or ``context``."""

    kind: Kind
    name: str
    part: Part = Part.LAST
    """Of a metric alone."""


@dataclass(frozen=True, slots=True)
class Compare:
    """``key op value``. A number (metrics may be NaN or ±Inf) or a text; a tuple of texts for IN and NOT IN."""

    key: Key
    op: Op
    value: str | float | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """The key is absent, or with ``negated`` present."""

    key: Key
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that ``term`` does not match."""

    term: Node


Node = Compare | IsNull | And | Or | Not


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One field of an order; absent values come last either way."""

    key: Key
    ascending: bool = True
