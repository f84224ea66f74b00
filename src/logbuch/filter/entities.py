"""What can be searched, as tables: which keys an entity has, of what type, under which operators.

A further entity is one more ``Entity(...)`` at the end of this file; lexer and parser stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from logbuch.filter.nodes import Kind, Op


class ValueType(StrEnum):
    """What stands to the right of an operator."""

    TEXT = "text"
    """A quoted string."""
    DOUBLE = "double"
    """A number as a float; NaN, Infinity and -Infinity too."""
    NUMBER = "number"
    """An integer of 64 bits, or a finite float."""
    INTEGER = "integer"
    """An integer of 64 bits."""
    ID = "id"
    """An integer of 64 bits in quotes; it stays a text, in its shortest form."""

    @property
    def quoted(self) -> bool:
        return self in (ValueType.TEXT, ValueType.ID)


NUMERIC_OPERATORS = frozenset({Op.EQ, Op.NE, Op.GT, Op.GE, Op.LT, Op.LE})
SIZE_OPERATORS = frozenset({Op.GT, Op.GE, Op.LT, Op.LE})
ID_OPERATORS = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
TEXT_OPERATORS = ID_OPERATORS | {Op.LIKE, Op.ILIKE}

_OPERATORS = {
    ValueType.TEXT: TEXT_OPERATORS,
    ValueType.DOUBLE: NUMERIC_OPERATORS,
    ValueType.NUMBER: NUMERIC_OPERATORS,
    ValueType.INTEGER: NUMERIC_OPERATORS,
    ValueType.ID: ID_OPERATORS,
}


@dataclass(frozen=True, slots=True)
class Field:
    """What may be asked about a key."""

    type: ValueType
    aliases: tuple[str, ...] = ()
    orderable: bool = True
    sized: bool = False
    """Whether a text is also compared by size with a number, if it is one."""

    @property
    def operators(self) -> frozenset[Op]:
        return _OPERATORS[self.type] | (SIZE_OPERATORS if self.sized else frozenset())


@dataclass(frozen=True, slots=True)
class Entity:
    """A searchable noun.

    ``prefixes``: what may stand before the dot, as MLflow spells it (case matters). ``open_kinds``: kinds with keys of
    the user's choosing. ``fixed_kinds``: kinds with a closed set of names; ATTRIBUTE is the kind of a bare name.
    """

    name: str
    prefixes: Mapping[str, Kind]
    open_kinds: Mapping[Kind, Field]
    fixed_kinds: Mapping[Kind, Mapping[str, Field]]
    example: str
    """A key for messages."""
    repeated_order: bool = False
    """Whether an order may name a field twice."""
    extremes: bool = False
    """Whether metrics have a least and a greatest value too, as in ``min(metrics.loss)``."""
    _canonical: Mapping[Kind, Mapping[str, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {kind: _with_aliases(fields) for kind, fields in self.fixed_kinds.items()}
        object.__setattr__(self, "_canonical", names)

    def canonical(self, kind: Kind, name: str) -> str | None:
        """The name behind an alias of a fixed kind; the name itself in an open kind; None if there is none."""
        if kind in self.open_kinds:
            return name
        return self._canonical[kind].get(name)

    def field(self, kind: Kind, name: str) -> Field:
        """The rules of a canonical name."""
        open_kind = self.open_kinds.get(kind)
        return open_kind if open_kind is not None else self.fixed_kinds[kind][name]

    def spellings(self, kind: Kind) -> tuple[str, ...]:
        """Every accepted name of a fixed kind, aliases included."""
        return tuple(self._canonical[kind])


def _with_aliases(fields: Mapping[str, Field]) -> dict[str, str]:
    return {spelling: name for name, rules in fields.items() for spelling in (name, *rules.aliases)}


def _prefixes(**kinds: Kind) -> dict[str, Kind]:
    return dict(kinds)


_TEXT = Field(ValueType.TEXT)

RUNS = Entity(
    name="runs",
    prefixes=_prefixes(
        metrics=Kind.METRIC,
        metric=Kind.METRIC,
        params=Kind.PARAM,
        param=Kind.PARAM,
        parameters=Kind.PARAM,
        parameter=Kind.PARAM,
        tags=Kind.TAG,
        tag=Kind.TAG,
        attributes=Kind.ATTRIBUTE,
        attribute=Kind.ATTRIBUTE,
        attr=Kind.ATTRIBUTE,
        run=Kind.ATTRIBUTE,
        datasets=Kind.DATASET,
        dataset=Kind.DATASET,
    ),
    open_kinds={Kind.METRIC: Field(ValueType.DOUBLE), Kind.PARAM: Field(ValueType.TEXT, sized=True), Kind.TAG: _TEXT},
    fixed_kinds={
        Kind.ATTRIBUTE: {
            "run_id": _TEXT,
            "run_name": Field(ValueType.TEXT, aliases=("run name", "Run name", "Run Name")),
            "status": _TEXT,
            "start_time": Field(ValueType.NUMBER, aliases=("created", "Created")),
            "end_time": Field(ValueType.NUMBER),
            "duration": Field(ValueType.NUMBER),
            "user_id": _TEXT,
            "artifact_uri": _TEXT,
        },
        Kind.DATASET: {name: Field(ValueType.TEXT, orderable=False) for name in ("name", "digest", "context")},
    },
    example="metrics.loss",
    extremes=True,
)
"""``MlflowClient.search_runs``."""

EXPERIMENTS = Entity(
    name="experiments",
    prefixes=_prefixes(attributes=Kind.ATTRIBUTE, attribute=Kind.ATTRIBUTE, tags=Kind.TAG, tag=Kind.TAG),
    open_kinds={Kind.TAG: Field(ValueType.TEXT, orderable=False)},
    fixed_kinds={
        Kind.ATTRIBUTE: {
            "name": _TEXT,
            "experiment_id": Field(ValueType.ID),
            "creation_time": Field(ValueType.INTEGER),
            "last_update_time": Field(ValueType.INTEGER),
        },
    },
    example="tags.team",
    repeated_order=True,
)
"""``MlflowClient.search_experiments``."""

_TIME = Field(ValueType.INTEGER)

REGISTERED_MODELS = Entity(
    name="registered models",
    prefixes=_prefixes(attribute=Kind.ATTRIBUTE, attributes=Kind.ATTRIBUTE, tags=Kind.TAG, tag=Kind.TAG),
    open_kinds={Kind.TAG: Field(ValueType.TEXT, orderable=False)},
    fixed_kinds={
        Kind.ATTRIBUTE: {
            "name": _TEXT,
            "description": _TEXT,
            "creation_timestamp": _TIME,
            "last_updated_timestamp": Field(ValueType.INTEGER, aliases=("timestamp",)),
        },
    },
    example="tags.team",
)
"""``MlflowClient.search_registered_models``."""

MODEL_VERSIONS = Entity(
    name="model versions",
    prefixes=_prefixes(attribute=Kind.ATTRIBUTE, attributes=Kind.ATTRIBUTE, tags=Kind.TAG, tag=Kind.TAG),
    open_kinds={Kind.TAG: Field(ValueType.TEXT, orderable=False)},
    fixed_kinds={
        Kind.ATTRIBUTE: {
            "name": _TEXT,
            "version_number": Field(ValueType.INTEGER, aliases=("version",)),
            "run_id": _TEXT,
            "model_id": _TEXT,
            "source_path": Field(ValueType.TEXT, aliases=("source",)),
            "user_id": _TEXT,
            "description": _TEXT,
            "current_stage": Field(ValueType.TEXT, aliases=("stage",)),
            "creation_timestamp": _TIME,
            "last_updated_timestamp": _TIME,
        },
    },
    example="name",
)
"""``MlflowClient.search_model_versions``."""

LOGGED_MODELS = Entity(
    name="logged models",
    prefixes=_prefixes(
        attributes=Kind.ATTRIBUTE,
        attribute=Kind.ATTRIBUTE,
        metrics=Kind.METRIC,
        metric=Kind.METRIC,
        params=Kind.PARAM,
        param=Kind.PARAM,
        tags=Kind.TAG,
        tag=Kind.TAG,
    ),
    open_kinds={
        Kind.METRIC: Field(ValueType.DOUBLE),
        Kind.PARAM: Field(ValueType.TEXT, orderable=False),
        Kind.TAG: Field(ValueType.TEXT, orderable=False),
    },
    fixed_kinds={
        Kind.ATTRIBUTE: {
            "name": _TEXT,
            "model_id": _TEXT,
            "experiment_id": _TEXT,
            "source_run_id": _TEXT,
            "model_type": _TEXT,
            "status": _TEXT,
            "creation_timestamp": Field(ValueType.INTEGER, aliases=("creation_time", "creation_timestamp_ms")),
            "last_updated_timestamp": Field(
                ValueType.INTEGER, aliases=("last_updated_time", "last_updated_timestamp_ms")
            ),
        },
    },
    example="metrics.accuracy",
)
"""``MlflowClient.search_logged_models``."""
