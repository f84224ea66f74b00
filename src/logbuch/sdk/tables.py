"""Runs and logged tables as columns: a DataFrame where pandas is installed, else a small table of our own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from logbuch.model import Run

_WIDTH, _ROWS = 120, 20


class Row(dict[str, Any]):
    """A row of a table: ``row["metrics.loss"]``, ``row.run_id``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class RunTable:
    """Columns of equal length, for who has no pandas: ``table["run_id"]``, ``table[["run_id", "metrics.loss"]]``,
    ``len(table)``, ``table.iloc[0]``, and iteration over rows."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = {name: list(values) for name, values in columns.items()}

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), len(self._columns)

    @property
    def empty(self) -> bool:
        return len(self) == 0

    @property
    def iloc(self) -> list[Row]:
        """The rows by number."""
        return list(self)

    @overload
    def __getitem__(self, wanted: str) -> list[Any]: ...
    @overload
    def __getitem__(self, wanted: list[str]) -> RunTable: ...
    def __getitem__(self, wanted: str | list[str]) -> list[Any] | RunTable:
        if isinstance(wanted, list):
            return RunTable({name: self._columns[name] for name in wanted})
        return self._columns[wanted]

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))

    def __iter__(self) -> Iterator[Row]:
        for values in zip(*self._columns.values(), strict=True):
            yield Row(zip(self._columns, values, strict=True))

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def iterrows(self) -> Iterator[tuple[int, Row]]:
        return enumerate(self)

    def head(self, n: int = 5) -> RunTable:
        return RunTable({name: values[:n] for name, values in self._columns.items()})

    def to_dict(self, orient: str = "list") -> Any:
        """``list``: columns as lists; ``records``: rows as dicts."""
        return [dict(row) for row in self] if orient == "records" else dict(self._columns)

    def __repr__(self) -> str:
        shown = {name: [name, *map(_cell, values[:_ROWS])] for name, values in self._columns.items()}
        widths = {name: max(map(len, cells)) for name, cells in shown.items()}
        lines = [
            "  ".join(cells[number].rjust(widths[name]) for name, cells in shown.items())[: 10 * _WIDTH]
            for number in range(min(len(self), _ROWS) + 1)
        ]
        more = [f"… {len(self) - _ROWS} more rows"] if len(self) > _ROWS else []
        return "\n".join([*lines, *more, f"[{len(self)} rows × {len(self._columns)} columns]"])


def of_runs(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Columns of runs, as MLflow names them; NaN for a missing metric, None for a missing param or tag."""
    columns: dict[str, list[Any]] = {
        "run_id": [run.info.run_id for run in runs],
        "experiment_id": [run.info.experiment_id for run in runs],
        "status": [str(run.info.status) for run in runs],
        "artifact_uri": [run.info.artifact_uri for run in runs],
        "start_time": [_moment(run.info.start_time) for run in runs],
        "end_time": [_moment(run.info.end_time) for run in runs],
    }
    for prefix, missing in (("metrics", math.nan), ("params", None), ("tags", None)):
        parts: list[Mapping[str, Any]] = [getattr(run.data, prefix) for run in runs]
        for key in sorted({key for part in parts for key in part}):
            columns[f"{prefix}.{key}"] = [part.get(key, missing) for part in parts]
    return columns


def frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A DataFrame, or a :class:`RunTable` without pandas."""
    try:
        import pandas as pd
    except ImportError:
        return RunTable(columns)
    found = pd.DataFrame(dict(columns))
    for name in ("start_time", "end_time"):
        if name in found:
            found[name] = pd.to_datetime(found[name], utc=True)
    return found


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a client may have sent any number
        return None


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else f"{value:.6g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = "None" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= 40 else text[:39] + "…"
