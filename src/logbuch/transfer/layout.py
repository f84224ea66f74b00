"""Which column of a table of logged values says what: named by the user, or guessed from its name, and said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from logbuch.errors import InvalidInput

STEPS = ("step", "_step", "global_step", "trainer/global_step", "global step", "iteration", "iter", "epoch")
TIMES = ("timestamp", "_timestamp", "time", "wall time", "wall_time", "datetime", "date")
RUNS = ("run_id", "run id", "run", "run_name", "run name", "run_uuid")
KEYS, VALUES = ("key", "metric", "tag", "name", "metric_name"), ("value", "metric_value")
_NOISE = re.compile(r".+__(?:MIN|MAX)")
_OF_RUN = re.compile(r"(?P<run>.+) - (?P<key>[^ ].*)")
_MLFLOW = re.compile(r"(?:metrics|params|tags)\..+")
WANDB_TABLE, MLFLOW_PAGE = (
    frozenset({"Name", "State", "Created", "Runtime"}),
    frozenset({"Run ID", "Source Type", "Status"}),
)


@dataclass(frozen=True)
class Wanted:
    """What the user says of the columns; empty for what is to be guessed."""

    run: str = ""
    step: str = ""
    time: str = ""
    key: str = ""
    value: str = ""
    params: Sequence[str] = ()


@dataclass(frozen=True)
class Layout:
    """Of one file. ``kind`` is ``wide`` (a column a metric), ``long`` (a row a point), ``runs`` (a row a run) or
    ``charts`` (a column a run and metric, as W&B's charts are saved)."""

    kind: str
    run: str = ""
    step: str = ""
    time: str = ""
    key: str = ""
    value: str = ""
    params: Sequence[str] = ()
    metrics: Sequence[str] = ()
    series: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of charts: the run and the metric of each column."""
    source: str = ""
    created: str = ""
    """Of rows that are runs without an ID: what tells those of one name from each other."""

    def said(self) -> str:
        """What was found, in a line."""
        parts = [
            f"{name} {getattr(self, name)!r}" for name in ("run", "step", "time", "key", "value") if getattr(self, name)
        ]
        parts += [
            f"{name} {', '.join(map(repr, found[:5]))}{' …' * (len(found) > 5)}"
            for name, found in (("metrics", list(self.metrics)), ("params", list(self.params)))
            if found
        ]
        kinds = {"wide": "a row a step", "long": "a row a point", "runs": "a row a run", "charts": "a column a run"}
        return f"{self.source or 'a table'} with {kinds[self.kind]}" + (f": {'; '.join(parts)}" if parts else "")


def of(file: Path, columns: Sequence[str], wanted: Wanted) -> Layout:
    """The layout of a file with these columns. InvalidInput where a column that is named is not there."""
    for name in (wanted.run, wanted.step, wanted.time, wanted.key, wanted.value, *wanted.params):
        if name and name not in columns:
            raise InvalidInput(f"{file} has no column {name!r}: it has {', '.join(map(repr, columns[:20]))}.")
    if bool(wanted.key) != bool(wanted.value):
        raise InvalidInput("A table with a row a point needs both --key and --value.")
    named = any((wanted.run, wanted.step, wanted.key, wanted.params))
    if not named and sum(bool(_MLFLOW.fullmatch(name)) for name in columns) and "run_id" in columns:
        return Layout("runs", run="run_id", source="MLflow's search_runs")
    if not named and set(columns) >= MLFLOW_PAGE:
        return Layout("runs", run="Run ID", source="MLflow's page")
    if not named and set(columns) >= WANDB_TABLE:
        named = "ID" in columns
        return Layout("runs", run="ID" if named else "Name", source="W&B's table", created="" if named else "Created")
    charts = {} if named else _charts(columns)
    step, time = wanted.step or _first(columns, STEPS), wanted.time or _first(columns, TIMES)
    if charts:
        return Layout("charts", step=step, time=time, series=charts, source="W&B's chart")
    run = wanted.run or _first(columns, RUNS)
    key, value = wanted.key or _first(columns, KEYS), wanted.value or _first(columns, VALUES)
    if key and value and key != value:
        return Layout("long", run=run, step=step, time=time, key=key, value=value, params=wanted.params)
    taken = {run, step, time, *wanted.params}
    metrics = [name for name in columns if name and name not in taken]
    return Layout("wide", run=run, step=step, time=time, params=wanted.params, metrics=metrics)


def _first(columns: Sequence[str], names: Sequence[str]) -> str:
    found = {column.lower(): column for column in reversed(columns)}
    return next((found[name] for name in names if name in found), "")


def _charts(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The columns ``<run> - <metric>``, if that is what all but the first are; spans of smoothing are left out."""
    rest = [name for name in columns[1:] if not _NOISE.fullmatch(name)]
    found = {name: match for name in rest if (match := _OF_RUN.fullmatch(name))}
    if not rest or len(found) < len(rest):
        return {}
    return {name: (match["run"], match["key"]) for name, match in found.items() if match["key"] != "_step"}
