from __future__ import annotations

import builtins
import math
from typing import Any

import pytest

import logbuch
from logbuch.sdk.tables import RunTable


@pytest.fixture
def table() -> RunTable:
    return RunTable({"run_id": ["a", "b"], "metrics.val/loss": [0.5, math.nan], "params.lr": ["1", None]})


def test_columns_and_rows(table: RunTable) -> None:
    assert table["run_id"] == ["a", "b"]
    shown = table[["run_id", "params.lr"]]
    assert shown.columns == ["run_id", "params.lr"]
    assert (len(table), table.shape, table.empty) == (2, (2, 3), False)
    assert [row["run_id"] for row in table] == ["a", "b"]
    assert table.iloc[0].run_id == "a"
    assert [number for number, _ in table.iterrows()] == [0, 1]
    assert "run_id" in table
    assert len(table.head(1)) == 1
    assert table.to_dict("records")[1]["params.lr"] is None
    assert RunTable({}).empty
    with pytest.raises(KeyError):
        table["nope"]
    with pytest.raises(AttributeError):
        table.iloc[0].nope  # noqa: B018


def test_it_prints_as_a_table(table: RunTable) -> None:
    lines = repr(table).splitlines()
    assert lines[0].split() == ["run_id", "metrics.val/loss", "params.lr"]
    assert lines[2].split() == ["b", "NaN", "None"]
    assert lines[-1] == "[2 rows × 3 columns]"
    assert "… 80 more rows" in repr(RunTable({"n": list(range(100))}))


def test_search_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *arguments, **options)

    with logbuch.start_run():
        logbuch.log_metric("val/loss", 1.0)
    monkeypatch.setattr(builtins, "__import__", without)
    runs = logbuch.search_runs()
    assert isinstance(runs, RunTable)
    assert runs[["run_id", "metrics.val/loss"]]["metrics.val/loss"] == [1.0]
